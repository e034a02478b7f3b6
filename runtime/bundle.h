/* bundle.h - all Lua files of the scripts folder, read once into memory.
 *
 * Every Lua state of a process loads from the same bytes, so an editor that saves a file meanwhile
 * cannot give two workers two versions of it.
 *
 * Owns:    paths and bytes. Threads: read on any; constant once read. */
#ifndef BUNDLE_H
#define BUNDLE_H

#include "util.h"

struct error;

struct bundle_file {
    char *module; /* handlers.order_created, as require takes it */
    char *path;   /* scripts/handlers/order_created.lua, as messages show it */
    char *bytes;
    size_t length;
};

struct bundle {
    char *directory;
    struct bundle_file *files; /* sorted by module */
    size_t count;
};

/* Follows symbolic links; skips names that begin with a dot. A folder that does not exist is an
 * error; so is more than 64 MiB, a file that cannot be read, and a/b.lua beside a/b/init.lua. */
MUST_USE int bundle_read(const char *directory, struct bundle **bundle, struct error *err);
/* One without files, for an application without scripts. Always 0. */
int bundle_empty(const char *directory, struct bundle **bundle);

void bundle_free(struct bundle **bundle);

/* NULL when there is no such module. */
const struct bundle_file *bundle_find(const struct bundle *bundle, const char *module);

#endif
