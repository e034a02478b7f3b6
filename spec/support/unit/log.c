/* log.c - the log for specs: what it writes is caught from standard error, write by write. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "error.h"
#include "log_repeats.h"
#include "thread.h"

int unit_open_log(lua_State *L);

static const char *const level_names[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_names[] = {"auto", "text", "json", NULL};

/* Calls the function on top of the stack while standard error is `descriptor`, which it closes.
 * Pushes nothing; returns Lua's status, with the message on the stack when that is an error. */
static int call_with_stderr(lua_State *L, int descriptor, enum log_level level,
                            enum log_format format)
{
    int before = dup(STDERR_FILENO);
    dup2(descriptor, STDERR_FILENO);
    close(descriptor);
    log_init(level, format);
    int status = lua_pcall(L, 0, 0, 0);
    dup2(before, STDERR_FILENO);
    close(before);
    log_init(LOG_INFO, LOG_AUTO);
    return status;
}

/* capture(format, level, function): a list with the bytes of each write(2). */
static int unit_capture(lua_State *L)
{
    enum log_format format = (enum log_format)luaL_checkoption(L, 1, NULL, format_names);
    enum log_level level = (enum log_level)luaL_checkoption(L, 2, NULL, level_names);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
        return luaL_error(L, "socketpair: %s", strerror(errno));
    lua_settop(L, 3);
    int status = call_with_stderr(L, ends[1], level, format);
    if (status == LUA_OK)
        lua_newtable(L);
    static char bytes[256 * 1024];
    ssize_t length;
    for (lua_Integer i = 1; (length = recv(ends[0], bytes, sizeof bytes, 0)) > 0; i++) {
        if (status != LUA_OK)
            continue;
        lua_pushlstring(L, bytes, (size_t)length);
        lua_rawseti(L, -2, i);
    }
    close(ends[0]);
    return status == LUA_OK ? 1 : lua_error(L);
}

/* terminal(format, function): everything written while standard error is a terminal. */
static int unit_terminal(lua_State *L)
{
    enum log_format format = (enum log_format)luaL_checkoption(L, 1, NULL, format_names);
    int master, slave;
    struct termios raw;
    memset(&raw, 0, sizeof raw);
    cfmakeraw(&raw);
    if (openpty(&master, &slave, NULL, &raw, NULL) != 0)
        return luaL_error(L, "openpty: %s", strerror(errno));
    lua_settop(L, 2);
    int status = call_with_stderr(L, slave, LOG_INFO, format);
    char bytes[4096];
    ssize_t length = status == LUA_OK ? read(master, bytes, sizeof bytes) : 0;
    close(master);
    if (status != LUA_OK)
        return lua_error(L);
    lua_pushlstring(L, bytes, length > 0 ? (size_t)length : 0);
    return 1;
}

static struct log_field to_field(lua_State *L, int pair)
{
    lua_rawgeti(L, pair, 1);
    const char *name = luaL_checkstring(L, -1);
    lua_rawgeti(L, pair, 2);
    struct log_field field = log_text(name, NULL);
    size_t length;
    if (lua_isinteger(L, -1)) {
        field = log_integer(name, lua_tointeger(L, -1));
    } else if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "json");
        const char *json = luaL_checklstring(L, -1, &length);
        field = log_json(name, json, length);
        lua_pop(L, 1);
    } else if (lua_isstring(L, -1)) {
        const char *bytes = lua_tolstring(L, -1, &length);
        field = log_bytes(name, bytes, length);
    }
    lua_pop(L, 2); /* the pair keeps the strings */
    return field;
}

/* event(level, message, {{name, value}, ...}): a value is text, an integer, {json = text}, or false
 * for a text that is not there. */
static int unit_event(lua_State *L)
{
    enum log_level level = (enum log_level)luaL_checkoption(L, 1, NULL, level_names);
    const char *message = luaL_checkstring(L, 2);
    struct log_field fields[8];
    size_t count = lua_istable(L, 3) ? lua_rawlen(L, 3) : 0;
    luaL_argcheck(L, count <= ARRAY_LENGTH(fields), 3, "too many fields");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        fields[i] = to_field(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    log_event(level, fields, count, "%s", message);
    return 0;
}

/* plain(message): the message through each of the four functions. */
static int unit_plain(lua_State *L)
{
    const char *message = luaL_checkstring(L, 1);
    log_debug("%s", message);
    log_info("%s", message);
    log_warn("%s", message);
    log_error("%s", message);
    return 0;
}

static int unit_is_enabled(lua_State *L)
{
    lua_pushboolean(L, log_is_enabled((enum log_level)luaL_checkoption(L, 1, NULL, level_names)));
    return 1;
}

static int unit_set_level(lua_State *L)
{
    log_set_level((enum log_level)luaL_checkoption(L, 1, NULL, level_names));
    return 0;
}

/* errno_after(n): what is left in errno after a line is logged with errno being n and standard
 * error closed, so that the write fails. */
static int unit_errno_after(lua_State *L)
{
    int before = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = (int)luaL_checkinteger(L, 1);
    log_error("into the void");
    int left = errno;
    dup2(before, STDERR_FILENO);
    close(before);
    lua_pushinteger(L, left);
    return 1;
}

enum { STORM_THREADS = 4, STORM_LINES = 100, STORM_LINE_BYTES = 9000 };

static void *storm_main(void *argument)
{
    char text[STORM_LINE_BYTES + 1];
    memset(text, *(const char *)argument, STORM_LINE_BYTES);
    text[STORM_LINE_BYTES] = '\0';
    for (int i = 0; i < STORM_LINES; i++)
        log_info("%s", text);
    return NULL;
}

static void *storm_run(void *unused)
{
    static const char letters[STORM_THREADS] = {'a', 'b', 'c', 'd'};
    pthread_t threads[STORM_THREADS];
    for (int i = 0; i < STORM_THREADS; i++)
        pthread_create(&threads[i], NULL, storm_main, (void *)&letters[i]);
    for (int i = 0; i < STORM_THREADS; i++)
        pthread_join(threads[i], NULL);
    close(STDERR_FILENO);
    return unused;
}

/* storm(): what comes out of a pipe into which four threads log lines longer than a pipe takes in
 * one piece. The pipe does not block, so writes are short as well. */
static int unit_storm(lua_State *L)
{
    int ends[2];
    if (pipe(ends) != 0)
        return luaL_error(L, "pipe: %s", strerror(errno));
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    int before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_init(LOG_INFO, LOG_TEXT);
    pthread_t storm;
    pthread_create(&storm, NULL, storm_run, NULL);
    luaL_Buffer all;
    luaL_buffinit(L, &all);
    char bytes[4096];
    ssize_t length;
    while ((length = read(ends[0], bytes, sizeof bytes)) > 0)
        luaL_addlstring(&all, bytes, (size_t)length);
    pthread_join(storm, NULL);
    close(ends[0]);
    dup2(before, STDERR_FILENO);
    close(before);
    luaL_pushresult(&all);
    return 1;
}

/* --- the queue --- */

static int reading_end; /* of what is standard error while queued runs */

/* drain(): what there is to read just now. */
static int unit_drain(lua_State *L)
{
    luaL_Buffer all;
    luaL_buffinit(L, &all);
    char bytes[4096];
    ssize_t length;
    while ((length = read(reading_end, bytes, sizeof bytes)) > 0)
        luaL_addlstring(&all, bytes, (size_t)length);
    luaL_pushresult(&all);
    return 1;
}

/* Reads to the end, so that a log that stops can write all that it still has. */
static void *read_rest(void *argument)
{
    struct buffer *rest = argument;
    char bytes[4096];
    ssize_t length;
    fcntl(reading_end, F_SETFL, 0);
    while ((length = read(reading_end, bytes, sizeof bytes)) > 0)
        buffer_append(rest, bytes, (size_t)length);
    return NULL;
}

static int open_queued(lua_State *L, int ends[2])
{
    static const char *const kinds[] = {"pipe", "terminal", NULL};
    struct termios raw;
    memset(&raw, 0, sizeof raw);
    cfmakeraw(&raw);
    if (luaL_checkoption(L, 1, NULL, kinds) == 0)
        return pipe(ends);
    return openpty(&ends[0], &ends[1], NULL, &raw, NULL);
}

/* queued("pipe" | "terminal", format, patience_ms, function): calls it between log_start and
 * log_stop, with standard error going to what nobody reads but drain; returns what is left to read
 * when the log has stopped. */
static int unit_queued(lua_State *L)
{
    enum log_format format = (enum log_format)luaL_checkoption(L, 2, NULL, format_names);
    int ends[2];
    struct error err;
    if (open_queued(L, ends) != 0)
        return luaL_error(L, "standard error: %s", strerror(errno));
    int before = dup(STDERR_FILENO);
    reading_end = ends[0];
    fcntl(reading_end, F_SETFL, O_NONBLOCK);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_init(LOG_INFO, format);
    if (log_start(luaL_checkinteger(L, 3), &err) != 0)
        return luaL_error(L, "%s", err.text);
    lua_settop(L, 4);
    int status = lua_pcall(L, 0, 0, 0);
    struct buffer rest;
    pthread_t reader;
    buffer_init(&rest);
    pthread_create(&reader, NULL, read_rest, &rest);
    log_stop();
    dup2(before, STDERR_FILENO);
    close(before);
    pthread_join(reader, NULL);
    close(reading_end);
    log_init(LOG_INFO, LOG_AUTO);
    lua_pushlstring(L, rest.bytes, rest.length);
    buffer_destroy(&rest);
    return status == LUA_OK ? 1 : (lua_pop(L, 1), lua_error(L));
}

/* start(): as a process that runs on. */
static int unit_start(lua_State *L)
{
    struct error err;
    if (log_start(0, &err) != 0)
        return luaL_error(L, "%s", err.text);
    return 0;
}

/* crash(): as one that nobody has sent. */
static int unit_crash(lua_State *L)
{
    (void)L;
    __builtin_trap();
}

static int unit_flush(lua_State *L)
{
    log_flush(luaL_checkinteger(L, 1));
    return 0;
}

static int unit_dropped(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)log_dropped_count());
    return 1;
}

static int unit_set_status(lua_State *L)
{
    log_set_status(luaL_optstring(L, 1, NULL));
    return 0;
}

/* hold(is_held): as Ctrl-S and Ctrl-Q on the terminal that is standard error. */
static int unit_hold(lua_State *L)
{
    tcflow(STDERR_FILENO, lua_toboolean(L, 1) ? TCOOFF : TCOON);
    return 0;
}

/* set_width(columns): of the terminal that is standard error. */
static int unit_set_width(lua_State *L)
{
    const struct winsize size = {.ws_col = (unsigned short)luaL_checkinteger(L, 1), .ws_row = 24};
    ioctl(STDERR_FILENO, TIOCSWINSZ, &size);
    return 0;
}

/* be_worker(is_one): what this thread is from here on. */
static int unit_be_worker(lua_State *L)
{
    thread_set_role(lua_toboolean(L, 1) ? THREAD_WORKER : THREAD_UNKNOWN, NULL);
    return 0;
}

/* --- repeats --- */

static struct log_repeats repeats;

/* forget_repeats(): as at a start. */
static int unit_forget_repeats(lua_State *L)
{
    (void)L;
    for (size_t i = 0; i < REPEATS_KINDS; i++)
        buffer_destroy(&repeats.kinds[i].texts);
    repeats = (struct log_repeats){0};
    return 0;
}

/* admit(kind, few, now_ms, message, reason): whether it is to be written, and how many were left
 * out. */
static int unit_admit(lua_State *L)
{
    const struct log_field field = log_text("reason", luaL_optstring(L, 5, NULL));
    const char *message = luaL_optstring(L, 4, "m");
    const struct log_line line = {
        .message = message, .length = strlen(message), .fields = &field, .field_count = 1};
    uint64_t left_out = 0;
    lua_pushboolean(L, log_repeats_admit(&repeats, luaL_checkstring(L, 1),
                                         (unsigned)luaL_checkinteger(L, 2), &line,
                                         luaL_checkinteger(L, 3), &left_out));
    lua_pushinteger(L, (lua_Integer)left_out);
    return 2;
}

/* due(now_ms): the message that is due, its reason and how many others were left out; or nothing.
 */
static int unit_due(lua_State *L)
{
    uint64_t left_out = 0;
    const struct log_line *line = log_repeats_due(&repeats, luaL_checkinteger(L, 1), &left_out);
    if (line == NULL)
        return 0;
    lua_pushlstring(L, line->message, line->length);
    lua_pushlstring(L, line->fields[0].text, line->fields[0].length);
    lua_pushinteger(L, (lua_Integer)left_out);
    return 3;
}

/* say_again(kind, message, count): through the log, two of them at once. */
static int unit_say_again(lua_State *L)
{
    const struct log_field field = log_text("reason", luaL_checkstring(L, 2));
    for (lua_Integer i = 0; i < luaL_checkinteger(L, 3); i++)
        log_repeated(luaL_checkstring(L, 1), 2, LOG_WARN, &field, 1, "failed");
    return 0;
}

/* set_timezone(zone): what local time is from here on, such as XYZ-9:30 for nine and a half hours
 * east. */
static int unit_set_timezone(lua_State *L)
{
    setenv("TZ", luaL_checkstring(L, 1), 1);
    tzset();
    return 0;
}

int unit_open_log(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"capture", unit_capture},
        {"terminal", unit_terminal},
        {"event", unit_event},
        {"plain", unit_plain},
        {"is_enabled", unit_is_enabled},
        {"set_level", unit_set_level},
        {"errno_after", unit_errno_after},
        {"storm", unit_storm},
        {"queued", unit_queued},
        {"drain", unit_drain},
        {"start", unit_start},
        {"crash", unit_crash},
        {"flush", unit_flush},
        {"dropped", unit_dropped},
        {"set_status", unit_set_status},
        {"hold", unit_hold},
        {"set_width", unit_set_width},
        {"be_worker", unit_be_worker},
        {"forget_repeats", unit_forget_repeats},
        {"admit", unit_admit},
        {"due", unit_due},
        {"say_again", unit_say_again},
        {"set_timezone", unit_set_timezone},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
