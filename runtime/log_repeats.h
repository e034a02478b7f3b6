/* log_repeats.h - which lines of the log say what was just said: the first few of a kind are to be
 * written, then one at a time with how many were left out before it.
 *
 * Owns:    of each kind its last line that was left out, cut to 8 KiB.
 * Threads: the caller's lock. */
#ifndef LOG_REPEATS_H
#define LOG_REPEATS_H

#include "log_line.h"

enum {
    REPEATS_KINDS = 64,
    REPEATS_FIELDS = 16,
    REPEATS_EVERY_MS = 10 * 1000,
    REPEATS_FORGET_MS = 60 * 1000, /* a kind that does not come again for so long is a new one */
};

struct log_kind {
    bool is_known;
    uint64_t hash; /* of its text */
    unsigned times;
    int64_t seen_ms;
    int64_t said_ms;
    uint64_t left_out; /* since then */

    /* The last that was left out. */
    struct log_line line;
    struct log_field fields[REPEATS_FIELDS];
    struct buffer texts;
};

struct log_repeats {
    struct log_kind kinds[REPEATS_KINDS];
    size_t waiting; /* kinds of which something was left out */
};

/* Whether the line is to be written now; *left_out is how many of its kind were not, since the last
 * that was. Equal texts are one kind, where numbers of six digits or more and UUIDs do not count:
 * they tell records apart, not failures. Of 64 kinds those that have not come for ten seconds make
 * room for others; where none has, another is always written. */
bool log_repeats_admit(struct log_repeats *repeats, const char *kind, unsigned few,
                       const struct log_line *line, int64_t now_ms, uint64_t *left_out);

/* The last line of a kind that has not come again since, or not for ten seconds; NULL when there is
 * none. It lasts until the next call. With INT64_MAX each that was left out. */
const struct log_line *log_repeats_due(struct log_repeats *repeats, int64_t now_ms,
                                       uint64_t *left_out);

#endif
