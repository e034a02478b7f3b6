#include "crew_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "error.h"
#include "log.h"
#include "thread.h"

const char *crew_name(const struct place *place)
{
    return consumer_name(place->consumer);
}

const struct consumer_config *crew_config(const struct place *place)
{
    return consumer_config_of(place->consumer);
}

/* --- the list --- */

static struct place *place_at(const struct crew *crew, struct link *link)
{
    return link != &crew->places ? CONTAINER_OF(link, struct place, link) : NULL;
}

struct place *crew_first_place(const struct crew *crew)
{
    return place_at(crew, crew->places.next);
}

struct place *crew_next_place(const struct place *place)
{
    return place_at(place->crew, place->link.next);
}

struct place *crew_find_place(const struct crew *crew, const char *name, enum role role)
{
    struct place *place = crew_first_place(crew);
    while (place != NULL && (place->role != role || strcmp(crew_name(place), name) != 0))
        place = crew_next_place(place);
    return place;
}

static void remove_place(struct place *place)
{
    list_remove(&place->link);
    consumer_free(&place->consumer);
    free(place);
}

/* --- callbacks of consumers --- */

static void end_prepare(struct crew *crew, const struct error *err)
{
    void (*on_prepared)(void *, const struct error *) = crew->on_prepared;
    crew->on_prepared = NULL;
    on_prepared(crew->prepared_context, err);
}

static void on_made(void *context, struct consumer *consumer, const struct error *err)
{
    struct place *place = context;
    struct crew *crew = place->crew;
    if (place->is_making) {
        place->is_making = false;
        end_prepare(crew, err);
    } else if (err != NULL) {
        struct error why = *err;
        error_prefix(&why, "consumer %s: ", consumer_name(consumer));
        crew->options.on_fatal(crew->options.context, consumer, &why);
    } else {
        crew_step(crew);
    }
}

static void on_fatal(void *context, struct consumer *consumer, const struct error *err)
{
    struct crew *crew = ((struct place *)context)->crew;
    crew->options.on_fatal(crew->options.context, consumer, err);
}

static void on_stuck(void *context, struct consumer *consumer)
{
    struct crew *crew = ((struct place *)context)->crew;
    crew->options.on_stuck(crew->options.context, consumer);
}

/* To the one that takes its place, if there is one: a reload may be under way that prepares another
 * one yet. */
static void hand_on(const struct place *place)
{
    const char *name = crew_name(place);
    struct place *next = crew_find_place(place->crew, name, ROLE_WAITING);
    if (next == NULL)
        next = crew_find_place(place->crew, name, ROLE_PREPARED);
    if (next != NULL && next != place)
        consumer_hand_on(place->consumer, next->consumer);
}

/* One that left handlers behind cannot be freed: the process ends without them. */
static void on_stopped(void *context, struct consumer *consumer, size_t abandoned)
{
    (void)consumer;
    struct place *place = context;
    struct crew *crew = place->crew;
    crew->abandoned += abandoned;
    if (place->is_making)
        end_prepare(crew, NULL);
    if (place->role == ROLE_LEAVING && !crew->is_stopping)
        hand_on(place);
    if (abandoned > 0)
        list_remove(&place->link);
    else
        remove_place(place);
    if (!crew->is_stopping)
        crew_step(crew);
    else if (crew_is_empty(crew))
        crew->options.on_empty(crew->options.context);
}

/* --- beginnings --- */

struct place *crew_add(struct crew *crew, struct generation *generation,
                       const struct consumer_config *config, enum role role)
{
    struct place *place = xcalloc(1, sizeof *place);
    const struct consumer_options options = {
        .loop = crew->options.loop,
        .name = config->name,
        .generation = generation,
        .cluster = connections_cluster(crew->options.connections, config->cluster),
        .load_limit_ms = role == ROLE_PREPARED ? errand_limit_ms() : 0,
        .callbacks = {place, on_made, on_fatal, on_stuck, on_stopped},
    };
    *place = (struct place){.crew = crew, .role = role, .consumer = consumer_new(&options)};
    list_append(&crew->places, &place->link);
    return place;
}

void crew_init(struct crew *crew, const struct crew_options *options)
{
    *crew = (struct crew){.options = *options};
    list_init(&crew->places);
}

bool crew_is_to_run(const struct crew *crew, const struct consumer_config *config)
{
    return config != NULL && config->is_enabled &&
           crew->options.is_wanted(crew->options.context, config);
}

void crew_start(struct crew *crew, struct generation *generation,
                const struct cluster_config *cluster)
{
    const struct config *config = generation->config;
    for (size_t i = 0; i < config->consumer_count; i++) {
        const struct consumer_config *consumer = &config->consumers[i];
        bool is_there = crew_find_place(crew, consumer->name, ROLE_WAITING) != NULL ||
                        crew_find_place(crew, consumer->name, ROLE_RUNNING) != NULL;
        if (strcmp(consumer->cluster->name, cluster->name) == 0 && !is_there &&
            crew_is_to_run(crew, consumer))
            consumer_make(crew_add(crew, generation, consumer, ROLE_WAITING)->consumer);
    }
}

/* A reload that is being prepared has another one for it. */
static bool may_run(const struct place *place)
{
    const struct crew *crew = place->crew;
    const char *name = crew_name(place);
    return consumer_is_made(place->consumer) && crew_find_place(crew, name, ROLE_RUNNING) == NULL &&
           crew_find_place(crew, name, ROLE_LEAVING) == NULL &&
           crew_find_place(crew, name, ROLE_PREPARED) == NULL &&
           connections_is_ready(crew->options.connections, crew_config(place)->cluster);
}

void crew_step(struct crew *crew)
{
    for (struct place *place = crew_first_place(crew); place != NULL;
         place = crew_next_place(place)) {
        if (crew->is_stopping || place->role != ROLE_WAITING || !may_run(place))
            continue;
        place->role = ROLE_RUNNING;
        consumer_run(place->consumer,
                     connections_query(crew->options.connections, crew_config(place)->cluster));
    }
}

/* --- ends --- */

void crew_discard(struct place *place)
{
    place->role = ROLE_LEAVING;
    consumer_stop(place->consumer, INT64_MAX, INT64_MAX);
}

void crew_stop(struct crew *crew, int64_t handlers_deadline_ms, int64_t deadline_ms)
{
    ASSERT_ON(THREAD_MAIN);
    bool was_empty = crew_is_empty(crew);
    crew->is_stopping = true;
    for (struct place *place = crew_first_place(crew), *after; place != NULL; place = after) {
        after = crew_next_place(place);
        consumer_stop(place->consumer, handlers_deadline_ms, deadline_ms);
    }
    if (was_empty)
        crew->options.on_empty(crew->options.context);
}

bool crew_is_empty(const struct crew *crew)
{
    return crew_first_place(crew) == NULL;
}

void crew_destroy(struct crew *crew)
{
    for (struct place *place; (place = crew_first_place(crew)) != NULL;)
        remove_place(place);
}

/* --- looks --- */

/* Of several of a name: the one that runs or leaves, which others have to do with. */
static bool is_shown(const struct place *place)
{
    const struct crew *crew = place->crew;
    switch (place->role) {
    case ROLE_PREPARED:
        return false;
    case ROLE_WAITING:
        return crew_find_place(crew, crew_name(place), ROLE_LEAVING) == NULL;
    case ROLE_RUNNING:
        return true;
    case ROLE_LEAVING:
        break;
    }
    return crew_find_place(crew, crew_name(place), ROLE_LEAVING) == place;
}

static struct consumer *shown_from(struct place *place)
{
    while (place != NULL && !is_shown(place))
        place = crew_next_place(place);
    return place != NULL ? place->consumer : NULL;
}

struct consumer *crew_first(const struct crew *crew)
{
    return shown_from(crew_first_place(crew));
}

struct consumer *crew_next(const struct crew *crew, const struct consumer *consumer)
{
    for (struct place *place = crew_first_place(crew); place != NULL;
         place = crew_next_place(place))
        if (place->consumer == consumer)
            return shown_from(crew_next_place(place));
    return NULL;
}

struct consumer *crew_find(const struct crew *crew, const char *name)
{
    struct consumer *consumer = crew_first(crew);
    while (consumer != NULL && strcmp(consumer_name(consumer), name) != 0)
        consumer = crew_next(crew, consumer);
    return consumer;
}
