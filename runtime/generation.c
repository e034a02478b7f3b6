#include "generation.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer.h"

/* --- what is in it --- */

static void set_hash(struct generation *generation)
{
    const struct bundle *bundle = generation->bundle;
    uint64_t hash = generation->config->content_hash;
    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        hash = hash_bytes(hash, file->module, strlen(file->module) + 1);
        hash = hash_bytes(hash, &file->length, sizeof file->length);
        hash = hash_bytes(hash, file->bytes, file->length);
    }
    snprintf(generation->hash, sizeof generation->hash, "%016" PRIx64, hash);
}

static bool are_files_same(const struct bundle *one, const struct bundle *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        const struct bundle_file *a = &one->files[i];
        const struct bundle_file *b = &other->files[i];
        if (strcmp(a->path, b->path) != 0 || a->length != b->length ||
            (a->length > 0 && memcmp(a->bytes, b->bytes, a->length) != 0))
            return false;
    }
    return true;
}

/* A file that the config reads by file() or secret() shows in its settings alone. */
static bool are_settings_same(const struct config *one, const struct config *other)
{
    if (one->setting_count != other->setting_count)
        return false;
    for (size_t i = 0; i < one->setting_count; i++)
        if (strcmp(one->settings[i], other->settings[i]) != 0)
            return false;
    return true;
}

bool generation_is_same(const struct generation *one, const struct generation *other)
{
    return strcmp(one->hash, other->hash) == 0 && are_files_same(one->bundle, other->bundle) &&
           are_settings_same(one->config, other->config);
}

/* --- its life --- */

static struct generation *make(const struct config *config, const struct bundle *bundle)
{
    struct generation *generation = xcalloc(1, sizeof *generation);
    atomic_init(&generation->references, 1);
    generation->config = config;
    generation->bundle = bundle;
    generation->host.config = config;
    set_hash(generation);
    return generation;
}

struct generation *generation_first(const struct config *config, const struct bundle *bundle)
{
    struct generation *generation = make(config, bundle);
    generation_number(generation, 1);
    return generation;
}

struct generation *generation_new(struct config **config, struct bundle **bundle)
{
    struct generation *generation = make(*config, *bundle);
    generation->own_config = *config;
    generation->own_bundle = *bundle;
    *config = NULL;
    *bundle = NULL;
    return generation;
}

struct generation *generation_again(struct generation *origin)
{
    struct generation *generation = make(origin->config, origin->bundle);
    bool is_own = origin->origin == NULL;
    generation->origin = generation_reference(is_own ? origin : origin->origin);
    return generation;
}

void generation_set_producers(struct generation *generation, struct producer **producers)
{
    assert(generation->producers == NULL);
    generation->producers = producers;
    generation->host.producers = producers;
}

static void let_go_of_producers(struct generation *generation)
{
    for (size_t i = 0; generation->producers != NULL && i < generation->config->producer_count; i++)
        producer_let_go(generation->producers[i]);
    free(generation->producers);
}

void generation_number(struct generation *generation, uint64_t number)
{
    generation->number = number;
    generation->host.generation = number;
}

struct generation *generation_reference(struct generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
    return generation;
}

void generation_release(struct generation **generation_owned)
{
    struct generation *generation = *generation_owned;
    *generation_owned = NULL;
    if (generation == NULL || atomic_fetch_sub(&generation->references, 1) != 1)
        return;
    let_go_of_producers(generation);
    generation_release(&generation->origin);
    bundle_free(&generation->own_bundle);
    config_free(&generation->own_config);
    free(generation);
}
