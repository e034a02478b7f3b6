#include "crew.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config_compare.h"
#include "error.h"
#include "log.h"
#include "thread.h"

enum role {
    ROLE_PREPARED, /* for a generation that does not serve yet */
    ROLE_WAITING,  /* to be made, for its cluster, or for the end of the one before it */
    ROLE_RUNNING,
    ROLE_LEAVING, /* until its handle is closed and its last handler has ended */
};

/* Of one consumer; while one leaves there may be another one of the name. */
struct place {
    struct crew *crew;
    struct link link;
    struct consumer *consumer;
    enum role role;
    bool is_making; /* whoever prepares a reload waits for it */
};

static const char *name_of(const struct place *place)
{
    return consumer_name(place->consumer);
}

static const struct consumer_config *config_of(const struct place *place)
{
    return consumer_config_of(place->consumer);
}

/* --- the list --- */

static struct place *place_at(const struct crew *crew, struct link *link)
{
    return link != &crew->places ? CONTAINER_OF(link, struct place, link) : NULL;
}

static struct place *first(const struct crew *crew)
{
    return place_at(crew, crew->places.next);
}

static struct place *next(const struct place *place)
{
    return place_at(place->crew, place->link.next);
}

static struct place *find(const struct crew *crew, const char *name, enum role role)
{
    struct place *place = first(crew);
    while (place != NULL && (place->role != role || strcmp(name_of(place), name) != 0))
        place = next(place);
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

/* One that left handlers behind cannot be freed: the process ends without them. */
static void on_stopped(void *context, struct consumer *consumer, size_t abandoned)
{
    (void)consumer;
    struct place *place = context;
    struct crew *crew = place->crew;
    crew->abandoned += abandoned;
    if (place->is_making)
        end_prepare(crew, NULL);
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

static struct place *add(struct crew *crew, struct generation *generation,
                         const struct consumer_config *config, enum role role)
{
    struct place *place = xcalloc(1, sizeof *place);
    const struct consumer_options options = {
        .loop = crew->options.loop,
        .name = config->name,
        .generation = generation,
        .cluster = connections_cluster(crew->options.connections, config->cluster),
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

static bool is_to_run(const struct crew *crew, const struct consumer_config *config)
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
        bool is_there = find(crew, consumer->name, ROLE_WAITING) != NULL ||
                        find(crew, consumer->name, ROLE_RUNNING) != NULL;
        if (strcmp(consumer->cluster->name, cluster->name) == 0 && !is_there &&
            is_to_run(crew, consumer))
            consumer_make(add(crew, generation, consumer, ROLE_WAITING)->consumer);
    }
}

/* A reload that is being prepared has another one for it. */
static bool may_run(const struct place *place)
{
    const struct crew *crew = place->crew;
    const char *name = name_of(place);
    return consumer_is_made(place->consumer) && find(crew, name, ROLE_RUNNING) == NULL &&
           find(crew, name, ROLE_LEAVING) == NULL && find(crew, name, ROLE_PREPARED) == NULL &&
           connections_is_ready(crew->options.connections, config_of(place)->cluster);
}

void crew_step(struct crew *crew)
{
    for (struct place *place = first(crew); place != NULL; place = next(place)) {
        if (crew->is_stopping || place->role != ROLE_WAITING || !may_run(place))
            continue;
        place->role = ROLE_RUNNING;
        consumer_run(place->consumer,
                     connections_query(crew->options.connections, config_of(place)->cluster));
    }
}

/* --- ends --- */

/* One that does not run: what was made of it is thrown away. It may be gone at once. */
static void discard(struct place *place)
{
    place->role = ROLE_LEAVING;
    consumer_stop(place->consumer, INT64_MAX, INT64_MAX);
}

void crew_stop(struct crew *crew, int64_t handlers_deadline_ms, int64_t deadline_ms)
{
    ASSERT_ON(THREAD_MAIN);
    bool was_empty = crew_is_empty(crew);
    crew->is_stopping = true;
    for (struct place *place = first(crew), *after; place != NULL; place = after) {
        after = next(place);
        consumer_stop(place->consumer, handlers_deadline_ms, deadline_ms);
    }
    if (was_empty)
        crew->options.on_empty(crew->options.context);
}

bool crew_is_empty(const struct crew *crew)
{
    return first(crew) == NULL;
}

void crew_destroy(struct crew *crew)
{
    for (struct place *place; (place = first(crew)) != NULL;)
        remove_place(place);
}

/* --- a reload --- */

/* What it is, the generation declares, too: it can turn to that without its group noticing. */
static bool is_same(const struct place *place, const struct generation *generation)
{
    const char *name = name_of(place);
    if (!is_to_run(place->crew, config_consumer(generation->config, name)))
        return false;
    char *keys = config_compare_consumer(consumer_generation(place->consumer)->config,
                                         generation->config, name);
    bool is_same = keys == NULL;
    free(keys);
    return is_same;
}

static bool is_kept(const struct place *place, const struct generation *generation)
{
    return place->role == ROLE_RUNNING && is_same(place, generation);
}

/* It runs, or will as soon as it is made. */
static bool has_kept(const struct crew *crew, const char *name, const struct generation *generation)
{
    const struct place *running = find(crew, name, ROLE_RUNNING);
    const struct place *waiting = find(crew, name, ROLE_WAITING);
    return (running != NULL && is_same(running, generation)) ||
           (waiting != NULL && !consumer_is_made(waiting->consumer) &&
            is_same(waiting, generation));
}

void crew_plan(struct crew *crew, struct generation *generation)
{
    const struct config *config = generation->config;
    for (size_t i = 0; i < config->consumer_count; i++) {
        const struct consumer_config *consumer = &config->consumers[i];
        assert(find(crew, consumer->name, ROLE_PREPARED) == NULL);
        if (is_to_run(crew, consumer) && !has_kept(crew, consumer->name, generation))
            add(crew, generation, consumer, ROLE_PREPARED);
    }
}

static enum consumer_renewal renewal_of(const struct place *place,
                                        const struct generation *generation)
{
    switch (place->role) {
    case ROLE_PREPARED:
        if (consumer_is_new(place->consumer))
            return RENEWAL_DUE;
        return consumer_is_made(place->consumer) ? RENEWAL_READY : RENEWAL_BUSY;
    case ROLE_WAITING:
        return consumer_is_made(place->consumer) ? RENEWAL_READY : RENEWAL_BUSY;
    case ROLE_RUNNING:
        return is_kept(place, generation) ? consumer_renewal(place->consumer, generation)
                                          : RENEWAL_READY;
    case ROLE_LEAVING:
        break;
    }
    return RENEWAL_READY;
}

/* What can be done is done before what has to wait is waited for. */
enum consumer_renewal crew_renewal(const struct crew *crew, const struct generation *generation,
                                   struct consumer **who)
{
    enum consumer_renewal worst = RENEWAL_READY;
    for (struct place *place = first(crew); place != NULL; place = next(place)) {
        enum consumer_renewal renewal = renewal_of(place, generation);
        if (renewal == RENEWAL_READY || (worst != RENEWAL_READY && renewal != RENEWAL_DUE))
            continue;
        worst = renewal;
        *who = place->consumer;
        if (renewal == RENEWAL_DUE)
            break;
    }
    return worst;
}

void crew_prepare(struct crew *crew, struct generation *generation,
                  void (*on_end)(void *context, const struct error *err), void *context)
{
    struct consumer *who = NULL;
    enum consumer_renewal renewal = crew_renewal(crew, generation, &who);
    assert(renewal == RENEWAL_DUE);
    (void)renewal;
    if (!consumer_is_new(who)) {
        consumer_prepare(who, generation, on_end, context);
        return;
    }
    crew->on_prepared = on_end;
    crew->prepared_context = context;
    find(crew, consumer_name(who), ROLE_PREPARED)->is_making = true;
    consumer_make(who);
}

void crew_withdraw(struct crew *crew)
{
    for (struct place *place = first(crew), *after; place != NULL; place = after) {
        after = next(place);
        if (place->role == ROLE_RUNNING)
            consumer_withdraw(place->consumer);
        else if (place->role == ROLE_PREPARED)
            discard(place);
    }
}

/* --- the commit --- */

static void offer(struct crew *crew, struct generation *generation)
{
    size_t count = 0;
    size_t most = 0;
    for (struct place *place = first(crew); place != NULL; place = next(place))
        most++;
    struct consumer **kept = xcalloc(most + 1, sizeof kept[0]);
    for (struct place *place = first(crew); place != NULL; place = next(place))
        if (is_kept(place, generation))
            kept[count++] = place->consumer;
    consumers_offer(kept, count, generation);
    free(kept);
}

struct committing {
    struct generation *generation;
    void (*on_change)(void *context, enum crew_change change, const char *name);
    void *context;
};

static void on_resumed(void *context, const char *place)
{
    const struct committing *committing = context;
    committing->on_change(committing->context, CREW_RESUMES, place);
}

static void say_leaving(const struct place *place, const struct generation *generation)
{
    const char *name = name_of(place);
    const struct consumer_config *config = config_consumer(generation->config, name);
    if (!is_to_run(place->crew, config)) {
        log_info("consumer %s: leaves its group: %s", name,
                 config == NULL ? "it is not declared any more" : "`enabled` is false");
        return;
    }
    char *keys = config_compare_consumer(consumer_generation(place->consumer)->config,
                                         generation->config, name);
    log_info("consumer %s: leaves its group, to begin anew: of what is declared changed: %s", name,
             keys != NULL ? keys : "");
    free(keys);
}

/* Of one that runs or waits to: it is turned to the generation already, or has to go. */
static void change_over(struct place *place, struct committing *committing)
{
    const char *name = name_of(place);
    bool is_replaced = find(place->crew, name, ROLE_PREPARED) != NULL;
    if (is_kept(place, committing->generation)) {
        consumer_resume_stopped(place->consumer, on_resumed, committing);
        return;
    }
    enum crew_change change = place->role == ROLE_RUNNING ? CREW_RESTARTS : CREW_STARTS;
    committing->on_change(committing->context, is_replaced ? change : CREW_STOPS, name);
    if (place->role == ROLE_WAITING) {
        discard(place);
        return;
    }
    say_leaving(place, committing->generation);
    place->role = ROLE_LEAVING;
    consumer_leave(place->consumer);
}

static bool is_at_work(const struct crew *crew, const char *name)
{
    return find(crew, name, ROLE_RUNNING) != NULL || find(crew, name, ROLE_WAITING) != NULL;
}

void crew_commit(struct crew *crew, struct generation *generation,
                 void (*on_change)(void *context, enum crew_change change, const char *name),
                 void *context)
{
    struct committing committing = {generation, on_change, context};
    offer(crew, generation);
    for (struct place *place = first(crew); place != NULL; place = next(place))
        if (place->role == ROLE_PREPARED && !is_at_work(crew, name_of(place)))
            on_change(context, CREW_STARTS, name_of(place));
    for (struct place *place = first(crew), *after; place != NULL; place = after) {
        after = next(place);
        if (place->role == ROLE_RUNNING || place->role == ROLE_WAITING)
            change_over(place, &committing);
    }
    for (struct place *place = first(crew); place != NULL; place = next(place))
        if (place->role == ROLE_PREPARED)
            place->role = ROLE_WAITING;
    crew_step(crew);
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
        return find(crew, name_of(place), ROLE_LEAVING) == NULL;
    case ROLE_RUNNING:
        return true;
    case ROLE_LEAVING:
        break;
    }
    return find(crew, name_of(place), ROLE_LEAVING) == place;
}

static struct consumer *shown_from(struct place *place)
{
    while (place != NULL && !is_shown(place))
        place = next(place);
    return place != NULL ? place->consumer : NULL;
}

struct consumer *crew_first(const struct crew *crew)
{
    return shown_from(first(crew));
}

struct consumer *crew_next(const struct crew *crew, const struct consumer *consumer)
{
    struct place *place = first(crew);
    while (place->consumer != consumer)
        place = next(place);
    return shown_from(next(place));
}

struct consumer *crew_find(const struct crew *crew, const char *name)
{
    struct consumer *consumer = crew_first(crew);
    while (consumer != NULL && strcmp(consumer_name(consumer), name) != 0)
        consumer = crew_next(crew, consumer);
    return consumer;
}
