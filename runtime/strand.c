#include "strand.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "lane.h"

enum { INITIAL_CAPACITY = 64 };

void strands_init(struct strands *strands, enum distribution distribution)
{
    *strands = (struct strands){.distribution = distribution, .capacity = INITIAL_CAPACITY};
    strands->entries = xcalloc(strands->capacity, sizeof strands->entries[0]);
}

void strands_destroy(struct strands *strands)
{
    assert(strands->count == 0);
    free(strands->entries);
    strands->entries = NULL;
}

bool strand_is_due(const struct strands *strands, const struct record *record)
{
    switch (strands->distribution) {
    case DISTRIBUTION_FREE_WORKER:
        return false;
    case DISTRIBUTION_PARTITION:
        return true;
    case DISTRIBUTION_KEY:
        return record->key != NULL;
    }
    return false;
}

void strand_prepare(const struct strands *strands, struct record *record)
{
    /* All lanes share the table: equal keys of two of them are to stand apart. */
    uint32_t hash = record->lane->number * UINT32_C(0x9e3779b1);
    if (strands->distribution == DISTRIBUTION_KEY) {
        uint32_t key_hash;
        HASH_VALUE(record->key, record->key_length, key_hash);
        hash ^= key_hash;
    }
    record->key_hash = hash;
    __builtin_prefetch(&strands->entries[hash & (strands->capacity - 1)], 1);
}

static bool is_of_strand(const struct strands *strands, const struct record *last,
                         const struct record *record)
{
    if (last->lane != record->lane)
        return false;
    return strands->distribution == DISTRIBUTION_PARTITION ||
           (last->key_length == record->key_length &&
            memcmp(last->key, record->key, record->key_length) == 0);
}

/* Of the record's strand, or the free one where it is to be. */
static struct strand_entry *find(const struct strands *strands, const struct record *record)
{
    size_t mask = strands->capacity - 1;
    size_t place = record->key_hash & mask;
    for (;; place = (place + 1) & mask) {
        struct strand_entry *entry = &strands->entries[place];
        if (entry->last == NULL ||
            (entry->hash == record->key_hash && is_of_strand(strands, entry->last, record)))
            return entry;
    }
}

static void grow(struct strands *strands)
{
    struct strand_entry *before = strands->entries;
    size_t capacity = strands->capacity;
    strands->capacity *= 2;
    strands->entries = xcalloc(strands->capacity, sizeof strands->entries[0]);
    for (size_t i = 0; i < capacity; i++) {
        if (before[i].last != NULL)
            *find(strands, before[i].last) = before[i];
    }
    free(before);
}

void strand_enter(struct strands *strands, struct record *record)
{
    if (2 * strands->count >= strands->capacity)
        grow(strands);
    struct strand_entry *entry = find(strands, record);
    record->is_stranded = true;
    record->ahead = entry->last;
    if (entry->last != NULL)
        entry->last->behind = record;
    else
        strands->count++;
    *entry = (struct strand_entry){record, record->key_hash};
}

/* Those behind it that a search would not find any more move up. */
static void erase(struct strands *strands, struct strand_entry *entry)
{
    size_t mask = strands->capacity - 1;
    size_t hole = (size_t)(entry - strands->entries);
    for (size_t place = (hole + 1) & mask; strands->entries[place].last != NULL;
         place = (place + 1) & mask) {
        size_t home = strands->entries[place].hash & mask;
        if (((place - home) & mask) < ((place - hole) & mask))
            continue;
        strands->entries[hole] = strands->entries[place];
        hole = place;
    }
    strands->entries[hole].last = NULL;
    strands->count--;
}

static struct strand_entry *find_last(const struct strands *strands, const struct record *last)
{
    size_t mask = strands->capacity - 1;
    size_t place = last->key_hash & mask;
    while (strands->entries[place].last != last)
        place = (place + 1) & mask;
    return &strands->entries[place];
}

struct record *strand_leave(struct strands *strands, struct record *record)
{
    struct record *ahead = record->ahead;
    struct record *behind = record->behind;
    assert(record->is_stranded);
    if (ahead != NULL)
        ahead->behind = behind;
    if (behind != NULL)
        behind->ahead = ahead;
    else if (ahead != NULL)
        find_last(strands, record)->last = ahead;
    else
        erase(strands, find_last(strands, record));
    record->is_stranded = false;
    record->ahead = NULL;
    record->behind = NULL;
    return behind;
}
