/* dev_note.h - how other verbs find a running `lagoon dev`: a file of the user's, named after the
 * config's real path, which says where the brokers are.
 *
 * It is locked as long as the process lives, so that one that is gone is known, however it ended.
 *
 * Threads: main, before the loop runs and after. */
#ifndef DEV_NOTE_H
#define DEV_NOTE_H

#include "config.h"
#include "error.h"

struct dev_note {
    char *path;
    int file; /* -1: nothing is written */
};

/* `addresses` in the order of the config's clusters. When another `lagoon dev` of this config runs
 * its note stays, and err says so. */
MUST_USE int dev_note_write(struct dev_note *note, const struct config *config,
                            const char *const *addresses, struct error *err);
void dev_note_remove(struct dev_note *note);

struct dev_found {
    char **addresses; /* in the order of the config's clusters */
    size_t count;
};

/* -1 and err when no `lagoon dev` of this config runs, or it has not all of its clusters. */
MUST_USE int dev_note_find(struct dev_found *found, const struct config *config, struct error *err);
void dev_found_destroy(struct dev_found *found);

#endif
