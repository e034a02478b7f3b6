/* partition_failure.h - what is said and counted of a record whose run did not go well.
 *
 * Threads: main. */
#ifndef PARTITION_FAILURE_H
#define PARTITION_FAILURE_H

#include "faults.h"
#include "log.h"
#include "record.h"

/* Why it failed, in words that always are some. */
const char *partition_reason(const struct record *record);

/* A line with the record's place, key and attempt. */
void partition_say(enum log_level level, const struct record *record, const char *reason,
                   const char *what);

/* For what leaves a trace elsewhere: the record comes again, or stands among the dead letters. The
 * same failure again and again is folded. What is `done` with it makes another kind, what is said
 * of it does not. */
void partition_say_repeating(enum log_level level, const struct record *record, const char *done,
                             const char *what);

void partition_note_fault(const struct record *record, enum fault fault, const char *reason);

/* A run has ended. What a handler asked for is no fault, nor is what the config says to skip; that
 * something it published was refused is noted by then. */
void partition_note_end(const struct record *record);

#endif
