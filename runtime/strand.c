#include "strand.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SPARES = 1024 };

void strand_spares_destroy(struct strand_spares *spares)
{
    while (spares->first != NULL) {
        struct strand *strand = spares->first;
        spares->first = strand->next_spare;
        free(strand);
    }
    spares->count = 0;
}

bool strand_is_due(enum distribution distribution, const struct record *record)
{
    switch (distribution) {
    case DISTRIBUTION_FREE_WORKER:
        return false;
    case DISTRIBUTION_PARTITION:
        return true;
    case DISTRIBUTION_KEY:
        return record->key != NULL;
    }
    return false;
}

/* The bytes by which the record finds its strand within its lane. */
static const char *strand_key(enum distribution distribution, const struct record *record,
                              size_t *length)
{
    bool is_keyed = distribution == DISTRIBUTION_KEY;
    *length = is_keyed ? record->key_length : 0;
    return is_keyed ? record->key : "";
}

void strand_hash(enum distribution distribution, struct record *record)
{
    size_t length;
    const char *key = strand_key(distribution, record, &length);
    HASH_VALUE(key, length, record->key_hash);
}

static struct strand *strand_new(struct strand_spares *spares, struct strand **table,
                                 const char *key, size_t key_length)
{
    struct strand *strand = spares->first;
    if (strand != NULL) {
        spares->first = strand->next_spare;
        spares->count--;
    } else {
        strand = xmalloc(sizeof *strand);
    }
    strand->table = table;
    strand->head = NULL;
    list_init(&strand->behind);
    strand->key = key_length <= STRAND_SHORT_KEY_BYTES ? strand->short_key : xmalloc(key_length);
    memcpy(strand->key, key, key_length);
    strand->key_length = key_length;
    return strand;
}

struct strand *strand_find(struct strand_spares *spares, enum distribution distribution,
                           struct strand **table, const struct record *record)
{
    struct strand *strand;
    size_t length;
    const char *key = strand_key(distribution, record, &length);
    HASH_FIND_BYHASHVALUE(hh, *table, key, length, record->key_hash, strand);
    if (strand == NULL) {
        strand = strand_new(spares, table, key, length);
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, *table, strand->key, length, record->key_hash, strand);
    }
    return strand;
}

void strand_delete(struct strand_spares *spares, struct strand *strand)
{
    HASH_DELETE(hh, *strand->table, strand);
    if (strand->key != strand->short_key)
        free(strand->key);
    if (spares->count == MAX_SPARES) {
        free(strand);
        return;
    }
    strand->next_spare = spares->first;
    spares->first = strand;
    spares->count++;
}
