/* How the consumers of a process change over to a generation. */
#include "crew_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "config_compare.h"
#include "log.h"

/* What it is, the generation declares, too: it can turn to that without its group noticing. */
static bool is_same(const struct place *place, const struct generation *generation)
{
    const char *name = crew_name(place);
    if (!crew_is_to_run(place->crew, config_consumer(generation->config, name)))
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
    const struct place *running = crew_find_place(crew, name, ROLE_RUNNING);
    const struct place *waiting = crew_find_place(crew, name, ROLE_WAITING);
    return (running != NULL && is_same(running, generation)) ||
           (waiting != NULL && !consumer_is_made(waiting->consumer) &&
            is_same(waiting, generation));
}

void crew_plan(struct crew *crew, struct generation *generation)
{
    const struct config *config = generation->config;
    for (size_t i = 0; i < config->consumer_count; i++) {
        const struct consumer_config *consumer = &config->consumers[i];
        assert(crew_find_place(crew, consumer->name, ROLE_PREPARED) == NULL);
        if (crew_is_to_run(crew, consumer) && !has_kept(crew, consumer->name, generation))
            crew_add(crew, generation, consumer, ROLE_PREPARED);
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
    for (struct place *place = crew_first_place(crew); place != NULL;
         place = crew_next_place(place)) {
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
    crew_find_place(crew, consumer_name(who), ROLE_PREPARED)->is_making = true;
    consumer_make(who);
}

void crew_withdraw(struct crew *crew)
{
    for (struct place *place = crew_first_place(crew), *after; place != NULL; place = after) {
        after = crew_next_place(place);
        if (place->role == ROLE_RUNNING)
            consumer_withdraw(place->consumer);
        else if (place->role == ROLE_PREPARED)
            crew_discard(place);
    }
}

/* --- the commit --- */

static void offer(struct crew *crew, struct generation *generation)
{
    size_t count = 0;
    size_t most = 0;
    for (struct place *place = crew_first_place(crew); place != NULL;
         place = crew_next_place(place))
        most++;
    struct consumer **kept = xcalloc(most + 1, sizeof kept[0]);
    for (struct place *place = crew_first_place(crew); place != NULL;
         place = crew_next_place(place))
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
    const char *name = crew_name(place);
    const struct consumer_config *config = config_consumer(generation->config, name);
    if (!crew_is_to_run(place->crew, config)) {
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
    const char *name = crew_name(place);
    bool is_replaced = crew_find_place(place->crew, name, ROLE_PREPARED) != NULL;
    if (is_kept(place, committing->generation)) {
        consumer_resume_stopped(place->consumer, on_resumed, committing);
        return;
    }
    enum crew_change change = place->role == ROLE_RUNNING ? CREW_RESTARTS : CREW_STARTS;
    committing->on_change(committing->context, is_replaced ? change : CREW_STOPS, name);
    if (place->role == ROLE_WAITING) {
        crew_discard(place);
        return;
    }
    say_leaving(place, committing->generation);
    place->role = ROLE_LEAVING;
    consumer_leave(place->consumer);
}

static bool is_at_work(const struct crew *crew, const char *name)
{
    return crew_find_place(crew, name, ROLE_RUNNING) != NULL ||
           crew_find_place(crew, name, ROLE_WAITING) != NULL;
}

void crew_commit(struct crew *crew, struct generation *generation,
                 void (*on_change)(void *context, enum crew_change change, const char *name),
                 void *context)
{
    struct committing committing = {generation, on_change, context};
    offer(crew, generation);
    for (struct place *place = crew_first_place(crew); place != NULL;
         place = crew_next_place(place))
        if (place->role == ROLE_PREPARED && !is_at_work(crew, crew_name(place)))
            on_change(context, CREW_STARTS, crew_name(place));
    for (struct place *place = crew_first_place(crew), *after; place != NULL; place = after) {
        after = crew_next_place(place);
        if (place->role == ROLE_RUNNING || place->role == ROLE_WAITING)
            change_over(place, &committing);
    }
    for (struct place *place = crew_first_place(crew); place != NULL;
         place = crew_next_place(place))
        if (place->role == ROLE_PREPARED)
            place->role = ROLE_WAITING;
    crew_step(crew);
}
