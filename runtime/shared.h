/* shared.h - values that all Lua states of the process have in common: what lagoon.shared gives.
 *
 * A value is found by its key, whatever state has set it. It outlives the states, and with them a
 * reload; it ends with the process. What all of them take together has a limit. When that is
 * reached what has expired goes, then those whose writer said that they may be evicted, the longest
 * unused first; when that is not enough a write is refused, and nothing that somebody counts on is
 * lost.
 *
 * Owns:    keys and values, copied. Threads: any; each call is one atomic step. The keys are spread
 * over parts with a mutex each, which is held over no call of Lua, and no two at a time. Pure: who
 * calls says what time it is. */
#ifndef SHARED_H
#define SHARED_H

#include "util.h"

struct shared;

enum {
    SHARED_MAX_NAME_BYTES = 128, /* of a store */
    SHARED_MAX_KEY_BYTES = 1024,
    SHARED_MAX_TEXT_BYTES = 1024 * 1024,
};

/* Of one store's key; how the bytes are put together is known here alone. */
struct shared_key {
    char bytes[SHARED_MAX_NAME_BYTES + 1 + SHARED_MAX_KEY_BYTES];
    size_t length;
    unsigned hash;
};

enum shared_kind { SHARED_NOTHING, SHARED_BOOLEAN, SHARED_INTEGER, SHARED_NUMBER, SHARED_TEXT };

struct shared_value {
    enum shared_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct {
            const char *bytes;
            size_t length;
        } text;
    };
};

/* How a value is written. */
struct shared_write {
    int64_t now_ms;
    int64_t ttl_ms; /* that long it is there; 0: for ever */
    bool may_evict; /* it may go when room is needed */
};

enum shared_result {
    SHARED_DONE,
    SHARED_PRESENT,   /* shared_add: there was one, which stays */
    SHARED_FULL,      /* there is no room, nothing has changed */
    SHARED_NO_NUMBER, /* shared_add_number: what is there is none */
    SHARED_OVERFLOW,  /* the sum is no 64-bit integer; nothing has changed */
};

struct shared_counts {
    int64_t keys; /* of all stores, expired ones until they are come upon */
    int64_t bytes;
    int64_t limit_bytes;
    int64_t evicted;
    int64_t refused; /* writes */
};

struct shared *shared_new(int64_t limit_bytes);
void shared_free(struct shared **shared);

/* What is above a new limit stays, and nothing more is written until it is below. */
void shared_set_limit(struct shared *shared, int64_t limit_bytes);

/* Neither part is longer than its maximum, and the name has no zero byte. */
void shared_key_set(struct shared_key *key, const char *name, size_t name_length, const char *own,
                    size_t own_length);

/* SHARED_NOTHING when there is none. A text is copied into `text`, where the value points to. */
struct shared_value shared_get(struct shared *shared, const struct shared_key *key, int64_t now_ms,
                               struct buffer *text);

/* Whatever was there is replaced, its time too. */
MUST_USE enum shared_result shared_set(struct shared *shared, const struct shared_key *key,
                                       const struct shared_value *value,
                                       const struct shared_write *write);

/* Only where there is none. */
MUST_USE enum shared_result shared_add(struct shared *shared, const struct shared_key *key,
                                       const struct shared_value *value,
                                       const struct shared_write *write);

/* Adds to the number that is there, whose time stays; where there is none to `start`. Both are
 * numbers. Integers make an integer. */
MUST_USE enum shared_result shared_add_number(struct shared *shared, const struct shared_key *key,
                                              const struct shared_value *by,
                                              const struct shared_value *start,
                                              const struct shared_write *write,
                                              struct shared_value *sum);

/* false when there was none. */
bool shared_delete(struct shared *shared, const struct shared_key *key, int64_t now_ms);

/* All values of all stores. */
void shared_clear(struct shared *shared);

struct shared_counts shared_counts(struct shared *shared);

#endif
