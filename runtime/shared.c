#include "shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifndef uthash_malloc
#define uthash_malloc(size) xmalloc(size)
#endif
#include <uthash.h>

#include "shared_expiry.h"

/* A part is chosen by the upper bits of a key's hash; its table goes by the lower ones. */
enum { PART_BITS = 4, PARTS = 1 << PART_BITS };

/* What an entry costs beside its own bytes: the allocator's heads, its places in the table and in
 * the heap. */
enum { ENTRY_EXTRA_BYTES = 48, TEXT_EXTRA_BYTES = 16 };

struct entry {
    UT_hash_handle hh;
    struct link unused; /* among those that may be evicted, the longest unused first */
    struct expiring expiring;
    struct shared_value value; /* a text is its own */
    size_t key_length;
    char key[];
};

struct part {
    _Alignas(64) pthread_mutex_t mutex;
    struct entry *table;
    struct link evictable;
    struct shared_expiry expiry;
};

/* What no part's mutex covers is atomic. */
struct shared {
    struct part parts[PARTS];
    _Atomic int64_t bytes; /* of all entries, and of those that are about to be made */
    _Atomic int64_t limit_bytes;
    _Atomic int64_t evicted;
    _Atomic int64_t refused;
    atomic_uint turn; /* of the part that is asked first for what may be evicted */
};

/* --- entries --- */

static int64_t text_bytes(const struct shared_value *value)
{
    return value->kind == SHARED_TEXT ? (int64_t)value->text.length + TEXT_EXTRA_BYTES : 0;
}

static int64_t entry_bytes(const struct shared_key *key)
{
    return (int64_t)(sizeof(struct entry) + key->length) + ENTRY_EXTRA_BYTES;
}

static void free_text(struct shared_value *value)
{
    if (value->kind == SHARED_TEXT)
        free((char *)value->text.bytes);
    value->kind = SHARED_NOTHING;
}

static void entry_remove(struct shared *shared, struct part *part, struct entry *entry)
{
    int64_t bytes = (int64_t)(sizeof *entry + entry->key_length) + ENTRY_EXTRA_BYTES +
                    text_bytes(&entry->value);
    HASH_DELETE(hh, part->table, entry);
    shared_expiry_remove(&part->expiry, &entry->expiring);
    list_remove(&entry->unused);
    free_text(&entry->value);
    free(entry);
    atomic_fetch_sub(&shared->bytes, bytes);
}

static struct entry *entry_make(struct part *part, const struct shared_key *key)
{
    struct entry *entry = xcalloc(1, sizeof *entry + key->length);
    list_init(&entry->unused);
    entry->expiring.place = SHARED_NOWHERE;
    entry->key_length = key->length;
    memcpy(entry->key, key->bytes, key->length);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, part->table, entry->key, entry->key_length, key->hash, entry);
    return entry;
}

/* What its last writer said of it. */
static void entry_set_life(struct part *part, struct entry *entry, const struct shared_write *write)
{
    shared_expiry_remove(&part->expiry, &entry->expiring);
    list_remove(&entry->unused);
    if (write->may_evict)
        list_append(&part->evictable, &entry->unused);
    if (write->ttl_ms > 0 && write->ttl_ms <= INT64_MAX - write->now_ms)
        shared_expiry_add(&part->expiry, &entry->expiring, write->now_ms + write->ttl_ms);
}

static void drop_expired(struct shared *shared, struct part *part, int64_t now_ms)
{
    struct expiring *expired;
    while ((expired = shared_expiry_due(&part->expiry, now_ms)) != NULL)
        entry_remove(shared, part, CONTAINER_OF(expired, struct entry, expiring));
}

/* --- parts --- */

static struct part *part_of(struct shared *shared, const struct shared_key *key)
{
    return &shared->parts[key->hash >> (32 - PART_BITS)];
}

/* Locks the key's part. What has expired is gone from it then. */
static struct part *enter(struct shared *shared, const struct shared_key *key, int64_t now_ms)
{
    struct part *part = part_of(shared, key);
    pthread_mutex_lock(&part->mutex);
    drop_expired(shared, part, now_ms);
    return part;
}

static void leave(struct part *part)
{
    pthread_mutex_unlock(&part->mutex);
}

/* What may be evicted has been used. */
static struct entry *find(struct part *part, const struct shared_key *key)
{
    struct entry *entry;
    HASH_FIND_BYHASHVALUE(hh, part->table, key->bytes, key->length, key->hash, entry);
    if (entry != NULL && !list_is_empty(&entry->unused)) {
        list_remove(&entry->unused);
        list_append(&part->evictable, &entry->unused);
    }
    return entry;
}

/* --- room --- */

static bool reserve(struct shared *shared, int64_t bytes)
{
    int64_t after = atomic_fetch_add(&shared->bytes, bytes) + bytes;
    if (bytes <= 0 || after <= atomic_load(&shared->limit_bytes))
        return true;
    atomic_fetch_sub(&shared->bytes, bytes);
    return false;
}

static bool has_room(struct shared *shared, int64_t bytes)
{
    return atomic_load(&shared->bytes) + bytes <= atomic_load(&shared->limit_bytes);
}

/* The longest unused one of the part; false when there is none. */
static bool evict_one(struct shared *shared, struct part *part)
{
    pthread_mutex_lock(&part->mutex);
    struct link *longest = part->evictable.next;
    bool is_any = longest != &part->evictable;
    if (is_any)
        entry_remove(shared, part, CONTAINER_OF(longest, struct entry, unused));
    pthread_mutex_unlock(&part->mutex);
    atomic_fetch_add(&shared->evicted, is_any);
    return is_any;
}

/* The longest unused of all is known to none: each part gives up its own in turn. False: there is
 * no room, and nothing more can be given up for it, by nobody. True does not say that there is, for
 * somebody else may have taken it. */
static bool make_room(struct shared *shared, int64_t bytes, int64_t now_ms)
{
    for (size_t i = 0; i < PARTS; i++) {
        pthread_mutex_lock(&shared->parts[i].mutex);
        drop_expired(shared, &shared->parts[i], now_ms);
        pthread_mutex_unlock(&shared->parts[i].mutex);
    }
    int64_t evicted = atomic_load(&shared->evicted);
    unsigned turn = atomic_fetch_add(&shared->turn, 1);
    int without = 0; /* parts in a row that had none */
    while (without < PARTS && !has_room(shared, bytes))
        without = evict_one(shared, &shared->parts[turn++ % PARTS]) ? 0 : without + 1;
    return without < PARTS || atomic_load(&shared->evicted) != evicted;
}

/* --- one step --- */

enum step_kind { STEP_SET, STEP_ADD, STEP_ADD_NUMBER };

/* What a write does under the mutex of its part. */
struct step {
    enum step_kind kind;
    const struct shared_key *key;
    const struct shared_write *write;
    const struct shared_value *by; /* of STEP_ADD_NUMBER */
    const struct shared_value *start;
    struct shared_value value; /* before: what is to be set; behind it: to be freed, or the sum */
    int64_t needed_bytes;      /* after SHARED_FULL */
};

static bool is_number(const struct shared_value *value)
{
    return value->kind == SHARED_INTEGER || value->kind == SHARED_NUMBER;
}

static double number_of(const struct shared_value *value)
{
    return value->kind == SHARED_INTEGER ? (double)value->integer : value->number;
}

static enum shared_result sum_up(const struct shared_value *one, const struct shared_value *by,
                                 struct shared_value *sum)
{
    if (!is_number(one))
        return SHARED_NO_NUMBER;
    if (one->kind != SHARED_INTEGER || by->kind != SHARED_INTEGER) {
        *sum =
            (struct shared_value){.kind = SHARED_NUMBER, .number = number_of(one) + number_of(by)};
        return SHARED_DONE;
    }
    struct shared_value result = {.kind = SHARED_INTEGER};
    if (__builtin_add_overflow(one->integer, by->integer, &result.integer))
        return SHARED_OVERFLOW;
    *sum = result;
    return SHARED_DONE;
}

/* The entry takes the step's value; what was there is to be freed without the mutex. */
static enum shared_result put(struct shared *shared, struct part *part, struct entry *entry,
                              struct step *step)
{
    step->needed_bytes = text_bytes(&step->value) +
                         (entry != NULL ? -text_bytes(&entry->value) : entry_bytes(step->key));
    if (!reserve(shared, step->needed_bytes))
        return SHARED_FULL;
    if (entry == NULL)
        entry = entry_make(part, step->key);
    struct shared_value before = entry->value;
    entry->value = step->value;
    step->value = before;
    entry_set_life(part, entry, step->write);
    return SHARED_DONE;
}

/* A number that is there changes where it stands. */
static enum shared_result put_sum(struct shared *shared, struct part *part, struct entry *entry,
                                  struct step *step)
{
    struct shared_value sum;
    enum shared_result result = sum_up(entry != NULL ? &entry->value : step->start, step->by, &sum);
    if (result != SHARED_DONE)
        return result;
    step->value = sum;
    if (entry != NULL)
        entry->value = sum;
    else
        result = put(shared, part, entry, step);
    step->value = sum;
    return result;
}

static enum shared_result run_step(struct shared *shared, struct part *part, struct step *step)
{
    struct entry *entry = find(part, step->key);
    switch (step->kind) {
    case STEP_ADD:
        if (entry != NULL)
            return SHARED_PRESENT;
        break;
    case STEP_ADD_NUMBER:
        return put_sum(shared, part, entry, step);
    case STEP_SET:
        break;
    }
    return put(shared, part, entry, step);
}

/* Where there is no room, some is made, without the mutex. Each further try has seen something go,
 * or room that somebody else took; so one of those who try gets on. */
static enum shared_result take_step(struct shared *shared, struct step *step)
{
    int64_t now_ms = step->write->now_ms;
    for (;;) {
        struct part *part = enter(shared, step->key, now_ms);
        enum shared_result result = run_step(shared, part, step);
        leave(part);
        if (result != SHARED_FULL)
            return result;
        if (!make_room(shared, step->needed_bytes, now_ms))
            break;
    }
    atomic_fetch_add(&shared->refused, 1);
    return SHARED_FULL;
}

static enum shared_result write_value(struct shared *shared, enum step_kind kind,
                                      const struct shared_key *key,
                                      const struct shared_value *value,
                                      const struct shared_write *write)
{
    struct step step = {.kind = kind, .key = key, .write = write, .value = *value};
    if (value->kind == SHARED_TEXT) {
        char *copy = xmalloc(value->text.length + 1);
        memcpy(copy, value->text.bytes, value->text.length);
        step.value.text.bytes = copy;
    }
    enum shared_result result = take_step(shared, &step);
    free_text(&step.value);
    return result;
}

/* --- from outside --- */

struct shared *shared_new(int64_t limit_bytes)
{
    struct shared *shared = aligned_alloc(_Alignof(struct shared), sizeof *shared);
    if (shared == NULL)
        abort();
    memset(shared, 0, sizeof *shared);
    for (size_t i = 0; i < PARTS; i++) {
        pthread_mutex_init(&shared->parts[i].mutex, NULL);
        list_init(&shared->parts[i].evictable);
    }
    atomic_init(&shared->limit_bytes, limit_bytes);
    return shared;
}

void shared_free(struct shared **shared_owned)
{
    struct shared *shared = *shared_owned;
    *shared_owned = NULL;
    if (shared == NULL)
        return;
    shared_clear(shared);
    for (size_t i = 0; i < PARTS; i++) {
        pthread_mutex_destroy(&shared->parts[i].mutex);
        shared_expiry_destroy(&shared->parts[i].expiry);
    }
    free(shared);
}

void shared_set_limit(struct shared *shared, int64_t limit_bytes)
{
    atomic_store(&shared->limit_bytes, limit_bytes);
}

/* A zero byte tells where the name ends. */
void shared_key_set(struct shared_key *key, const char *name, size_t name_length, const char *own,
                    size_t own_length)
{
    memcpy(key->bytes, name, name_length);
    key->bytes[name_length] = '\0';
    memcpy(key->bytes + name_length + 1, own, own_length);
    key->length = name_length + 1 + own_length;
    HASH_VALUE(key->bytes, key->length, key->hash);
}

struct shared_value shared_get(struct shared *shared, const struct shared_key *key, int64_t now_ms,
                               struct buffer *text)
{
    struct shared_value value = {.kind = SHARED_NOTHING};
    struct part *part = enter(shared, key, now_ms);
    const struct entry *entry = find(part, key);
    if (entry != NULL)
        value = entry->value;
    if (value.kind == SHARED_TEXT) {
        text->length = 0;
        buffer_append(text, value.text.bytes, value.text.length);
    }
    leave(part);
    if (value.kind == SHARED_TEXT)
        value.text.bytes = text->bytes;
    return value;
}

enum shared_result shared_set(struct shared *shared, const struct shared_key *key,
                              const struct shared_value *value, const struct shared_write *write)
{
    return write_value(shared, STEP_SET, key, value, write);
}

enum shared_result shared_add(struct shared *shared, const struct shared_key *key,
                              const struct shared_value *value, const struct shared_write *write)
{
    return write_value(shared, STEP_ADD, key, value, write);
}

enum shared_result shared_add_number(struct shared *shared, const struct shared_key *key,
                                     const struct shared_value *by,
                                     const struct shared_value *start,
                                     const struct shared_write *write, struct shared_value *sum)
{
    struct step step = {
        .kind = STEP_ADD_NUMBER, .key = key, .write = write, .by = by, .start = start};
    enum shared_result result = take_step(shared, &step);
    *sum = step.value;
    return result;
}

bool shared_delete(struct shared *shared, const struct shared_key *key, int64_t now_ms)
{
    struct part *part = enter(shared, key, now_ms);
    struct entry *entry = find(part, key);
    if (entry != NULL)
        entry_remove(shared, part, entry);
    leave(part);
    return entry != NULL;
}

void shared_clear(struct shared *shared)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &shared->parts[i];
        pthread_mutex_lock(&part->mutex);
        while (part->table != NULL)
            entry_remove(shared, part, part->table);
        pthread_mutex_unlock(&part->mutex);
    }
}

struct shared_counts shared_counts(struct shared *shared)
{
    struct shared_counts counts = {
        .bytes = atomic_load(&shared->bytes),
        .limit_bytes = atomic_load(&shared->limit_bytes),
        .evicted = atomic_load(&shared->evicted),
        .refused = atomic_load(&shared->refused),
    };
    for (size_t i = 0; i < PARTS; i++) {
        pthread_mutex_lock(&shared->parts[i].mutex);
        counts.keys += HASH_COUNT(shared->parts[i].table);
        pthread_mutex_unlock(&shared->parts[i].mutex);
    }
    return counts;
}
