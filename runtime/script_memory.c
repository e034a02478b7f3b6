#include "script_memory.h"

#include <stdlib.h>

#include "log.h"

static void *allocate(void *context, void *block, size_t old_bytes, size_t new_bytes)
{
    struct script_memory *memory = context;
    size_t before = block != NULL ? old_bytes : 0; /* else old_bytes is a kind of object */
    if (new_bytes == 0) {
        free(block);
        memory->used_bytes -= before;
        return NULL;
    }
    if (new_bytes > before && memory->used_bytes - before + new_bytes > memory->limit_bytes)
        return NULL;
    void *result = realloc(block, new_bytes);
    if (result != NULL)
        memory->used_bytes += new_bytes - before;
    return result;
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
    *memory = (struct script_memory){.limit_bytes = limit_bytes};
    lua_State *L = lua_newstate(allocate, memory);
    if (L != NULL)
        lua_atpanic(L, on_panic);
    return L;
}
