/* consumer_seek.h - a running consumer goes on at other offsets, as an operator asks.
 *
 * A helper asks the broker where that is. Then the partitions that move are drained as for a
 * revoke: what has not begun is given back, what has begun may end within drain_timeout and runs
 * on as a leftover after that. Each begins a new epoch at its new offset, which is committed before
 * anything of it starts, so that a crash in between does not undo it.
 *
 * Owns:    itself, until it has ended and another begins or the consumer is freed.
 * Threads: main; a helper asks.
 * Life:    seek_begin -> seek_step until it has ended -> seek_drop. */
#ifndef CONSUMER_SEEK_H
#define CONSUMER_SEEK_H

#include "util.h"

struct consumer;
struct error;
struct json_writer;
struct seek;

/* Where to. */
struct seek_target {
    enum seek_kind {
        TO_BEGINNING,
        TO_END,
        TO_OFFSET,
        TO_SHIFT, /* so many records forth, or back below 0 */
        TO_TIME,  /* the first record from then on; clock_wall_ms */
    } kind;
    int64_t value;
};

/* "beginning", "end", "1234", "+100", "-100", "2026-01-31T12:00:00Z", "@" and milliseconds since
 * 1970, or "-15m", which is so long ago. -1 and err when it is none of these. */
MUST_USE int seek_parse(struct seek_target *target, const char *text, int64_t now_ms,
                        struct error *err);

/* What is asked for. */
struct seek_request {
    const char *topic; /* NULL: of all topics */
    int32_t partition; /* -1: all */
    struct seek_target target;
    bool is_dry; /* only finds out where that is */
};

/* One at a time. -1 and err when that cannot be. */
MUST_USE int seek_begin(struct consumer *consumer, const struct seek_request *request,
                        struct error *err);

/* Goes on as far as it can now. */
void seek_step(struct consumer *consumer);

/* Each end of a handler matters. */
bool seek_is_draining(const struct consumer *consumer);

/* Writes the members of an object: how far the consumer's last seek is, and what moved where. */
void seek_write(const struct consumer *consumer, struct json_writer *answer);

/* The consumer stops: nothing moves any more, and what a helper finds is not wanted. */
void seek_drop(struct consumer *consumer);

#endif
