/* properties.h - librdkafka properties that the user passes through, in the order given.
 *
 * Owner: whoever holds the struct; it owns all texts in it.
 *
 * Threads: reading from any; the rest while nobody else has it. */
#ifndef PROPERTIES_H
#define PROPERTIES_H

#include "util.h"

struct property {
    char *name;
    char *value;
    char *place; /* where in the files it is given; NULL in a copy */
};

struct properties {
    struct property *items;
    size_t count;
};

/* The value of a property, the last one given; NULL when it is not there. */
const char *properties_get(const struct properties *properties, const char *name);

/* The same names and values in the same order. */
bool properties_are_same(const struct properties *one, const struct properties *other);

/* The caller destroys it. */
struct properties properties_copy(const struct properties *properties);

void properties_destroy(struct properties *properties);

#endif
