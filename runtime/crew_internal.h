/* crew_internal.h - what the files of crew share: crew.c starts and stops consumers, crew_reload.c
 * changes them over to a generation.
 *
 * Threads: main. */
#ifndef CREW_INTERNAL_H
#define CREW_INTERNAL_H

#include "crew.h"

enum role {
    ROLE_PREPARED, /* for a generation that does not serve yet */
    ROLE_WAITING,  /* to be made, for its cluster, or for the end of the one before it */
    ROLE_RUNNING,
    ROLE_LEAVING, /* until its handle is closed and its last handler has ended */
};

/* Of one consumer; while one leaves there may be another one of the name. */
struct place {
    struct crew *crew;
    struct link link;
    struct consumer *consumer;
    enum role role;
    bool is_making; /* whoever prepares a reload waits for it */
};

const char *crew_name(const struct place *place);
const struct consumer_config *crew_config(const struct place *place);

/* All of them: the first, the one after; NULL at the end. */
struct place *crew_first_place(const struct crew *crew);
struct place *crew_next_place(const struct place *place);

/* The one of that name and role; NULL: there is none. */
struct place *crew_find_place(const struct crew *crew, const char *name, enum role role);

/* One more, of which nothing is made yet. */
struct place *crew_add(struct crew *crew, struct generation *generation,
                       const struct consumer_config *config, enum role role);

/* This process runs what is declared so; NULL: it is not declared. */
bool crew_is_to_run(const struct crew *crew, const struct consumer_config *config);

/* One that does not run: what was made of it is thrown away. It may be gone at once. */
void crew_discard(struct place *place);

#endif
