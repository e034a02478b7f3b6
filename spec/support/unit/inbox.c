/* inbox.c - the functions of runtime/inbox.h for specs, and two plays with real threads. */
#include "inbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

int unit_open_inbox(lua_State *L);

static const char INBOX[] = "unit.inbox";

enum { MAX_DRAIN = 64, MAX_POSTERS = 16 };

static struct inbox **check_reference(lua_State *L)
{
    return luaL_checkudata(L, 1, INBOX);
}

static struct inbox *check_inbox(lua_State *L)
{
    struct inbox *inbox = *check_reference(L);
    luaL_argcheck(L, inbox != NULL, 1, "is released");
    return inbox;
}

static int push_inbox(lua_State *L, struct inbox *inbox)
{
    struct inbox **reference = lua_newuserdatauv(L, sizeof *reference, 0);
    *reference = inbox;
    luaL_setmetatable(L, INBOX);
    return 1;
}

static int l_new(lua_State *L)
{
    return push_inbox(L, inbox_new());
}

static int l_reference(lua_State *L)
{
    return push_inbox(L, inbox_reference(check_inbox(L)));
}

static int l_release(lua_State *L)
{
    inbox_release(check_reference(L));
    lua_pushboolean(L, *check_reference(L) == NULL);
    return 1;
}

static int l_post(lua_State *L)
{
    inbox_post(check_inbox(L), (uint64_t)luaL_checkinteger(L, 2));
    return 0;
}

static int l_wake(lua_State *L)
{
    inbox_wake(check_inbox(L));
    return 0;
}

static int l_has_posts(lua_State *L)
{
    lua_pushboolean(L, inbox_has_posts(check_inbox(L)));
    return 1;
}

/* drain(capacity): a list of tickets. */
static int l_drain(lua_State *L)
{
    uint64_t tickets[MAX_DRAIN];
    lua_Integer capacity = luaL_optinteger(L, 2, MAX_DRAIN);
    luaL_argcheck(L, capacity >= 0 && capacity <= MAX_DRAIN, 2, "is too much");
    size_t count = inbox_drain(check_inbox(L), tickets, (size_t)capacity);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_pushinteger(L, (lua_Integer)tickets[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* sleep(ms): for at most that long; returns how long it was. */
static int l_sleep(lua_State *L)
{
    int64_t start_ms = clock_monotonic_ms();
    inbox_sleep(check_inbox(L), start_ms + luaL_checkinteger(L, 2));
    lua_pushinteger(L, clock_monotonic_ms() - start_ms);
    return 1;
}

static int l_sleep_until(lua_State *L)
{
    inbox_sleep(check_inbox(L), luaL_checkinteger(L, 2));
    return 0;
}

static int l_close(lua_State *L)
{
    inbox_close(check_inbox(L));
    return 0;
}

/* --- with threads --- */

struct poster {
    struct inbox *inbox; /* a reference of its own */
    uint64_t first;
    uint64_t count;
};

static void *post_all(void *argument)
{
    struct poster *poster = argument;
    for (uint64_t i = 0; i < poster->count; i++)
        inbox_post(poster->inbox, poster->first + i);
    inbox_release(&poster->inbox);
    return NULL;
}

/* Sleeps and drains, a few at a time, until every ticket has come or the deadline is past; counts
 * how often each came. Returns how many came. */
static uint64_t receive(struct inbox *inbox, unsigned char *seen, uint64_t expected,
                        int64_t deadline_ms)
{
    uint64_t received = 0;
    while (received < expected && clock_monotonic_ms() < deadline_ms) {
        uint64_t tickets[5];
        inbox_sleep(inbox, deadline_ms);
        size_t count = inbox_drain(inbox, tickets, ARRAY_LENGTH(tickets));
        for (size_t i = 0; i < count; i++)
            seen[tickets[i]]++;
        received += count;
    }
    return received;
}

/* crowd(posters, count, deadline_ms): that many threads post that many tickets each; returns how
 * many tickets came exactly once. */
static int l_crowd(lua_State *L)
{
    pthread_t threads[MAX_POSTERS];
    struct poster posters[MAX_POSTERS];
    uint64_t poster_count = (uint64_t)luaL_checkinteger(L, 1);
    uint64_t count = (uint64_t)luaL_checkinteger(L, 2);
    luaL_argcheck(L, poster_count <= MAX_POSTERS, 1, "are too many");
    struct inbox *inbox = inbox_new();
    unsigned char *seen = xcalloc(poster_count * count, 1);
    for (uint64_t i = 0; i < poster_count; i++) {
        posters[i] = (struct poster){inbox_reference(inbox), i * count, count};
        pthread_create(&threads[i], NULL, post_all, &posters[i]);
    }
    receive(inbox, seen, poster_count * count, clock_monotonic_ms() + luaL_checkinteger(L, 3));
    inbox_close(inbox);
    inbox_release(&inbox);
    for (uint64_t i = 0; i < poster_count; i++)
        pthread_join(threads[i], NULL);
    lua_Integer once = 0;
    for (uint64_t i = 0; i < poster_count * count; i++)
        once += seen[i] == 1;
    free(seen);
    lua_pushinteger(L, once);
    return 1;
}

struct table_tennis {
    struct inbox *inboxes[2];
    atomic_long strokes; /* even: side 0 is to play */
    long rounds;
    int64_t deadline_ms;
};

/* One side is woken, the other posted to. */
static void tennis_call(struct table_tennis *game, int side, long stroke)
{
    if (side == 0)
        inbox_wake(game->inboxes[side]);
    else
        inbox_post(game->inboxes[side], (uint64_t)stroke);
}

/* Plays when it is this side's turn, else sleeps: with a lost wake nobody plays any more. */
static void tennis_play(struct table_tennis *game, int side)
{
    while (clock_monotonic_ms() < game->deadline_ms) {
        long stroke = atomic_load(&game->strokes);
        if (stroke >= game->rounds)
            break;
        if (stroke % 2 != side) {
            uint64_t ticket;
            inbox_sleep(game->inboxes[side], game->deadline_ms);
            inbox_drain(game->inboxes[side], &ticket, 1);
            continue;
        }
        atomic_store(&game->strokes, stroke + 1);
        tennis_call(game, 1 - side, stroke + 1);
    }
    tennis_call(game, 1 - side, game->rounds);
}

static void *tennis_other(void *argument)
{
    tennis_play(argument, 1);
    return NULL;
}

/* table_tennis(rounds, deadline_ms): how many rounds two threads came to by waking each other. */
static int l_table_tennis(lua_State *L)
{
    struct table_tennis game = {
        .inboxes = {inbox_new(), inbox_new()},
        .rounds = (long)luaL_checkinteger(L, 1),
        .deadline_ms = clock_monotonic_ms() + luaL_checkinteger(L, 2),
    };
    pthread_t other;
    pthread_create(&other, NULL, tennis_other, &game);
    tennis_play(&game, 0);
    pthread_join(other, NULL);
    inbox_release(&game.inboxes[0]);
    inbox_release(&game.inboxes[1]);
    lua_pushinteger(L, atomic_load(&game.strokes));
    return 1;
}

int unit_open_inbox(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"reference", l_reference},
        {"release", l_release},
        {"post", l_post},
        {"wake", l_wake},
        {"has_posts", l_has_posts},
        {"drain", l_drain},
        {"sleep", l_sleep},
        {"sleep_until", l_sleep_until},
        {"close", l_close},
        {"__gc", l_release},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"new", l_new},
        {"crowd", l_crowd},
        {"table_tennis", l_table_tennis},
        {NULL, NULL},
    };
    luaL_newmetatable(L, INBOX);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
