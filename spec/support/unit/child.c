/* child.c - a function that runs in a child process, so that it may abort, crash or never end, and
 * leaves no trace in this one. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

int unit_open_child(lua_State *L);

/* What the function returns, or raises, goes to the pipe, as does what it writes to standard error.
 */
static _Noreturn void run_child(lua_State *L, const int *pipe_ends, unsigned limit_s)
{
    close(pipe_ends[0]);
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[1]);
    alarm(limit_s);
    int rc = lua_pcall(L, 0, 1, 0);
    size_t length;
    const char *text = luaL_tolstring(L, -1, &length);
    fwrite(text, 1, length, stderr);
    fflush(stderr);
    _exit(rc == LUA_OK ? 0 : 1);
}

/* All that comes until the child closes its end. */
static void push_output(lua_State *L, int end)
{
    luaL_Buffer output;
    luaL_buffinit(L, &output);
    for (;;) {
        char *room = luaL_prepbuffer(&output);
        ssize_t count = read(end, room, LUAL_BUFFERSIZE);
        if (count <= 0)
            break;
        luaL_addsize(&output, (size_t)count);
    }
    luaL_pushresult(&output);
}

static const char *end_in_words(int status)
{
    if (WIFSIGNALED(status))
        return strsignal(WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? "returned" : "raised";
}

/* run(f, limit_s): "returned", "raised" or the signal that ended it, and the text that it returned,
 * raised or wrote before. */
static int l_run(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    unsigned limit_s = (unsigned)luaL_checkinteger(L, 2);
    lua_settop(L, 1);
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0)
        return luaL_error(L, "no pipe");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        run_child(L, pipe_ends, limit_s);
    close(pipe_ends[1]);
    push_output(L, pipe_ends[0]);
    close(pipe_ends[0]);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return luaL_error(L, "no child process");
    lua_pushstring(L, end_in_words(status));
    lua_insert(L, -2);
    return 2;
}

int unit_open_child(lua_State *L)
{
    static const luaL_Reg functions[] = {{"run", l_run}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
