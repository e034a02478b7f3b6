/* library.h - the Lua files under lua/, built into the program.
 *
 * The bodies are made by the Makefile: lua/config/schema.lua is the module lagoon.config.schema.
 *
 * Owns:    nothing: the bytes are part of the program. Threads: any. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <stddef.h>

struct library_file {
    const char *module;    /* lagoon.config.schema, as require takes it */
    const char *chunkname; /* @lua/config/schema.lua, for luaL_loadbuffer */
    const char *bytes;
    size_t length;
};

/* NULL when there is no such module. */
const struct library_file *library_find(const char *module);

#endif
