/* faults.h - what goes wrong in a consumer, by kind: how often, and in which words the last time.
 *
 * The kinds are few and fixed, so that they can be a metric's label.
 *
 * Threads: an enum fault on any; struct faults belongs to one. */
#ifndef FAULTS_H
#define FAULTS_H

#include "util.h"

enum fault {
    FAULT_HANDLER,      /* it raised, returned nil or false and a reason, or asked for a retry */
    FAULT_TIMEOUT,      /* ended by handler_timeout */
    FAULT_CPU,          /* ended by cpu_limit */
    FAULT_MEMORY,       /* its Lua state was at lua.memory_limit */
    FAULT_INVALID,      /* the record could not be decoded, is too large or has no type */
    FAULT_UNKNOWN_TYPE, /* no handler is declared, and the config does not say to skip it */
    FAULT_PUBLISH,      /* what a handler published was refused for good */
    FAULT_DEAD_LETTER,  /* a dead letter was refused for good */
    FAULT_COMMIT,       /* a commit failed; what it was of goes with the next one */
    FAULT_KAFKA,        /* what its client met with the brokers */
    FAULT_COUNT,
};

/* As the metric's label has it. */
const char *fault_name(enum fault fault);

enum { FAULT_TEXT_BYTES = 256 };

struct faults {
    struct {
        uint64_t count;
        int64_t at_ms; /* clock_wall_ms, of the last one */
        char text[FAULT_TEXT_BYTES];
    } kinds[FAULT_COUNT];
};

/* One more; the first line of its sentence is kept, with `place` in front where that is not NULL.
 */
void faults_note(struct faults *faults, enum fault fault, const char *place, const char *sentence);

#endif
