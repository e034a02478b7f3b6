#include "script_memory.h"

#include <stdlib.h>

#include "log.h"

/* Rare. Not inline, so that the ways of the others stay short. */
static __attribute__((noinline)) void *resize(struct script_memory *memory, void *block,
                                              size_t old_bytes, size_t new_bytes)
{
    if (new_bytes > old_bytes && new_bytes - old_bytes > memory->left_bytes)
        return NULL;
    void *result = realloc(block, new_bytes);
    if (result != NULL)
        memory->left_bytes += old_bytes - new_bytes;
    return result;
}

/* Thirty times a record: most blocks are given back as large as they were got. */
static void *allocate(void *context, void *block, size_t old_bytes, size_t new_bytes)
{
    struct script_memory *memory = context;
    if (new_bytes == 0) {
        memory->left_bytes += old_bytes; /* which is 0 where there is no block */
        free(block);
        return NULL;
    }
    if (block != NULL)
        return resize(memory, block, old_bytes, new_bytes);

    /* Here old_bytes is a kind of object. */
    if (new_bytes > memory->left_bytes)
        return NULL;
    block = malloc(new_bytes);
    if (block != NULL)
        memory->left_bytes -= new_bytes;
    return block;
}

/* Every call into a state is protected: an error outside of one is a fault of the program. */
static int on_panic(lua_State *L)
{
    const char *message = lua_tostring(L, -1);
    log_error("Lua failed outside of a protected call: %s", message != NULL ? message : "");
    abort();
}

lua_State *script_memory_open(struct script_memory *memory, size_t limit_bytes)
{
    *memory = (struct script_memory){limit_bytes, limit_bytes};
    lua_State *L = lua_newstate(allocate, memory);
    if (L != NULL)
        lua_atpanic(L, on_panic);
    return L;
}
