/* abort.c - asserts as specs see them: that one is hit. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

int unit_open_abort(lua_State *L);

/* The function runs in a child, silently, and leaves no trace in this process. */
static _Noreturn void run_child(lua_State *L)
{
    signal(SIGABRT, SIG_DFL);
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(2);
    _exit(lua_pcall(L, 0, 0, 0) == LUA_OK ? 0 : 1);
}

/* of(f): whether f() hits an assert. */
static int l_of(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    pid_t child = fork();
    if (child == 0)
        run_child(L);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return luaL_error(L, "no child process");
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return luaL_error(L, "the function raised");
    lua_pushboolean(L, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    return 1;
}

int unit_open_abort(lua_State *L)
{
    static const luaL_Reg functions[] = {{"of", l_of}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
