/* config_internal.h - the parts of config.c: the state that runs the file, and what is made of its
 * result.
 *
 * Threads: main. */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include <lua.h>

#include "config.h"
#include "error.h"

enum { CONFIG_MEMORY_BYTES = 64 * 1024 * 1024, CONFIG_SECONDS = 2 };

/* What a state may use, and how far it got. */
struct config_limits {
    size_t used_bytes;
    int64_t deadline_ns;    /* of this thread's CPU clock */
    int line;               /* of the config, that ran last; 0: none did */
    char chunk[LUA_IDSIZE]; /* which it is a line of */
};

/* An empty state within these limits, which outlive it. */
lua_State *config_state_new(struct config_limits *limits);

/* Lua's libraries, and a require that finds lagoon.* in the program and nothing else. May raise. */
void config_state_open(lua_State *L);

/* Pushes the table of functions that lagoon.config needs. May raise. */
void config_push_natives(lua_State *L);

/* Fills an empty config from the checked table on top of the stack. May raise for lack of memory;
 * the config is consistent then too, for config_free. */
void config_read(lua_State *L, struct config *config);

/* The list of strings under `key` of the table on top of the stack; *count grows with the list, so
 * that nothing is lost when this raises. */
void config_read_strings(lua_State *L, const char *key, char ***strings, size_t *count);

/* The whole CPUs of the quota, rounded up; 0 when there is none. `groups` is a file such as
 * /proc/self/cgroup, `mount` such as /sys/fs/cgroup. */
int config_cpu_quota(const char *groups, const char *mount);

#endif
