#include "control_top.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_print.h"
#include "json.h"

struct control_top {
    lua_State *L; /* at 1 what lagoon.top.new gave */
};

static int open_top(lua_State *L)
{
    bool is_coloured = lua_toboolean(L, 1);
    control_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "lagoon.top");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "new");
    lua_pushboolean(L, is_coloured);
    lua_call(L, 1, 1);
    return 1;
}

/* What fails in a file that is built in, or for lack of memory, leaves nothing to be shown. */
static void call(struct control_top *top, int arguments, int results)
{
    if (lua_pcall(top->L, arguments, results, 0) == LUA_OK)
        return;
    fprintf(stderr, "lagoon top: %s\n", lua_tostring(top->L, -1));
    abort();
}

static void push_method(struct control_top *top, const char *name)
{
    lua_settop(top->L, 1);
    lua_getfield(top->L, 1, name);
    lua_pushvalue(top->L, 1);
}

struct control_top *control_top_new(bool is_coloured)
{
    struct control_top *top = xcalloc(1, sizeof *top);
    top->L = luaL_newstate();
    if (top->L == NULL)
        abort();
    lua_pushcfunction(top->L, open_top);
    lua_pushboolean(top->L, is_coloured);
    call(top, 1, 1);
    return top;
}

/* Protected. Arguments: the object, the answer. */
static int look(lua_State *L)
{
    const struct buffer *answer = lua_touserdata(L, 2);
    struct error err;
    if (json_decode(L, answer->bytes, answer->length, JSON_NULLS_DROP, &err) != 0)
        return luaL_error(L, "the answer is not understood: %s", err.text);
    luaL_checktype(L, 3, LUA_TTABLE);
    if (lua_getfield(L, 3, "error") == LUA_TSTRING)
        return lua_error(L);
    lua_getfield(L, 1, "look");
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_pushinteger(L, clock_wall_ms());
    lua_call(L, 3, 2);
    return 2;
}

int control_top_look(struct control_top *top, const struct buffer *answer,
                     struct control_top_who *who, struct error *err)
{
    lua_State *L = top->L;
    lua_settop(L, 1);
    lua_pushcfunction(L, look);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, (void *)answer);
    if (lua_pcall(L, 2, 2, 0) != LUA_OK) {
        error_set(err, "%s", lua_tostring(L, -1));
        return -1;
    }
    snprintf(who->instance, sizeof who->instance, "%s", lua_tostring(L, -2));
    who->process = lua_tointeger(L, -1);
    return 0;
}

void control_top_miss(struct control_top *top, int64_t silent_ms)
{
    push_method(top, "miss");
    lua_pushnumber(top->L, (lua_Number)silent_ms / 1000);
    call(top, 2, 0);
}

void control_top_say(struct control_top *top, const char *text)
{
    push_method(top, "tell");
    lua_pushstring(top->L, text);
    lua_pushinteger(top->L, clock_wall_ms());
    call(top, 3, 0);
}

void control_top_tell(struct control_top *top, const char *wording, const struct buffer *answer)
{
    struct buffer text;
    struct error err;
    int ignored;
    buffer_init(&text);
    if (control_word(wording, answer, &text, &ignored, &err) != 0)
        buffer_append_text(&text, err.text);
    buffer_append(&text, "", 1);
    control_top_say(top, text.bytes);
    buffer_destroy(&text);
}

enum control_top_wish control_top_type(struct control_top *top, const char *bytes, size_t length,
                                       struct buffer *consumer)
{
    static const char *const names[] = {
        [TOP_QUIT] = "quit", [TOP_PAUSE] = "pause", [TOP_RESUME] = "resume"};
    push_method(top, "type");
    lua_pushlstring(top->L, bytes, length);
    call(top, 2, 2);
    const char *command = lua_tostring(top->L, -2);
    const char *name = lua_tostring(top->L, -1);
    if (name != NULL)
        buffer_append_text(consumer, name);
    for (enum control_top_wish wish = TOP_QUIT; command != NULL && wish <= TOP_RESUME; wish++)
        if (strcmp(command, names[wish]) == 0)
            return wish;
    return TOP_NOTHING;
}

void control_top_draw(struct control_top *top, int width, int height, struct buffer *frame)
{
    size_t length;
    push_method(top, "draw");
    lua_pushinteger(top->L, width);
    lua_pushinteger(top->L, height);
    call(top, 3, 1);
    const char *text = lua_tolstring(top->L, -1, &length);
    buffer_append(frame, text, length);
}

void control_top_free(struct control_top **top)
{
    if (*top == NULL)
        return;
    lua_close((*top)->L);
    free(*top);
    *top = NULL;
}
