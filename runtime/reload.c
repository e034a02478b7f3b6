#include "reload_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "log.h"
#include "thread.h"
#include "worker_states.h"

/* Between two looks whether there is room. */
enum { WAIT_MS = 20 };

static void begin(struct reload *reload, enum reload_cause cause);
static void step(struct reload *reload);

void reload_init(struct reload *reload, const struct reload_options *options)
{
    *reload = (struct reload){
        .options = *options,
        .serving = generation_reference(options->first),
    };
    uv_timer_init(options->loop, &reload->timer);
}

/* --- ends --- */

static void destroy_reading(struct reading *reading)
{
    config_free(&reading->config);
    bundle_free(&reading->bundle);
    config_problems_destroy(&reading->problems);
    config_problems_destroy(&reading->suspicions);
}

/* The next one that was asked for meanwhile begins. */
static void end(struct reload *reload)
{
    generation_release(&reload->next);
    destroy_reading(&reload->reading);
    if (reload->phase == RELOAD_STOPPED)
        return;
    reload->phase = RELOAD_IDLE;
    if (reload->is_asked)
        begin(reload, reload->asked_cause);
    else
        reload->is_full_said = false;
}

/* Which the reload has now, and every one before it. */
static struct reload_outcome *open_outcome(struct reload *reload)
{
    reload->ended = reload->begun;
    reload_outcome_destroy(&reload->outcome);
    return &reload->outcome;
}

static void set_refusal(struct reload *reload, const char *reason)
{
    char *kept = reason != NULL ? xstrdup(reason) : NULL;
    free(reload->refusal);
    reload->refusal = kept;
    reload->refused_hash[0] = '\0';
    if (reason != NULL && reload->next != NULL)
        memcpy(reload->refused_hash, reload->next->hash, sizeof reload->refused_hash);
}

static void refuse(struct reload *reload, const char *reason)
{
    bool is_known = reload->refusal != NULL && strcmp(reload->refusal, reason) == 0;
    reload->ends[RELOAD_REFUSED]++;
    reload_word_rest(open_outcome(reload), reload->serving, reason);
    if (reload->cause == RELOAD_ASKED || !is_known)
        reload_say(&reload->outcome);
    if (!reload->is_rollback)
        set_refusal(reload, reason);
    end(reload);
}

/* The files say what they said before. */
static void find_unchanged(struct reload *reload)
{
    reload->ends[RELOAD_UNCHANGED]++;
    reload_word_rest(open_outcome(reload), reload->serving, NULL);
    if (reload->cause == RELOAD_ASKED || reload->refusal != NULL)
        reload_say(&reload->outcome);
    set_refusal(reload, NULL);
    end(reload);
}

/* --- taking over --- */

static void commit(struct reload *reload)
{
    struct crew_words words = {0};
    reload->ends[RELOAD_DONE]++;
    connections_go_by(reload->options.connections, reload->next);
    crew_commit(reload->options.crew, reload->next, reload_note_change, &words);
    generation_release(&reload->previous);
    reload->previous = reload->serving;
    reload->serving = reload->next;
    reload->next = NULL;
    reload->is_rolled_back = reload->is_rollback;
    if (!reload->is_rollback)
        set_refusal(reload, NULL);
    reload_word_done(open_outcome(reload), reload->options.config, reload->previous,
                     reload->serving, &words);
    reload_say(&reload->outcome);
    for (size_t i = 0; i < reload->reading.suspicions.count; i++)
        log_warn("%s", reload->reading.suspicions.lines[i]);
    reload->options.on_change(reload->options.context, reload->serving);
    end(reload);
}

/* --- preparing --- */

static void withdraw(struct reload *reload)
{
    crew_withdraw(reload->options.crew);
    if (reload->phase != RELOAD_STOPPED)
        crew_step(reload->options.crew);
}

static void on_prepared(void *context, const struct error *err)
{
    struct reload *reload = context;
    reload->is_making = false;
    if (reload->phase == RELOAD_STOPPED) {
        end(reload);
    } else if (err != NULL) {
        withdraw(reload);
        refuse(reload, err->text);
    } else {
        step(reload);
    }
}

/* What was asked for while it waited takes its place: of many changes the newest counts. */
static void on_timer(uv_timer_t *timer)
{
    struct reload *reload = CONTAINER_OF(timer, struct reload, timer);
    if (!reload->is_asked) {
        step(reload);
        return;
    }
    withdraw(reload);
    end(reload);
}

/* Once, however often it begins again meanwhile. */
static void say_full(struct reload *reload, const struct consumer *consumer)
{
    if (!reload->is_full_said)
        log_info("reload: a worker of consumer %s has %d Lua states, the older ones for handlers "
                 "that wait; the reload waits until one of those is done with",
                 consumer_name(consumer), WORKER_MAX_STATES);
    reload->is_full_said = true;
}

/* Has what is needed next made; when nothing is needed any more, all change over. */
static void step(struct reload *reload)
{
    if (reload->phase != RELOAD_PREPARES || reload->is_making)
        return;
    struct crew *crew = reload->options.crew;
    struct consumer *consumer = NULL;
    switch (crew_renewal(crew, reload->next, &consumer)) {
    case RENEWAL_DUE:
        reload->is_making = true;
        crew_prepare(crew, reload->next, on_prepared, reload);
        return;
    case RENEWAL_FULL:
        say_full(reload, consumer);
        break;
    case RENEWAL_BUSY:
        break;
    case RENEWAL_READY:
        commit(reload);
        return;
    }
    uv_timer_start(&reload->timer, on_timer, WAIT_MS, 0);
}

/* The next generation gets its number and its place in the process. */
static void prepare(struct reload *reload)
{
    struct error err;
    generation_number(reload->next, reload->serving->number + 1);
    if (connections_expect(reload->options.connections, reload->next, &err) != 0) {
        refuse(reload, err.text);
        return;
    }
    reload->options.provide(reload->options.context, reload->next);
    crew_plan(reload->options.crew, reload->next);
    reload->phase = RELOAD_PREPARES;
    step(reload);
}

/* --- reading --- */

struct reading_errand {
    void (*read)(void *read_context, struct reading *reading);
    void *context;
    struct reading reading;
};

static bool was_refused(const struct reload *reload)
{
    return reload->refusal != NULL && strcmp(reload->refused_hash, reload->next->hash) == 0;
}

/* A look at the files may come only after a rollback. */
static bool was_left(const struct reload *reload)
{
    return reload->is_rolled_back && generation_is_same(reload->next, reload->previous);
}

static char *join(const struct config_problems *problems)
{
    struct buffer text;
    buffer_init(&text);
    for (size_t i = 0; i < problems->count; i++)
        buffer_format(&text, "%s%s", i > 0 ? "\n" : "", problems->lines[i]);
    buffer_append(&text, "", 1);
    return text.bytes;
}

static void on_read(void *context, void *data, const struct error *err)
{
    struct reload *reload = context;
    struct reading *reading = &reload->reading;
    reload->errand = NULL;
    reload->is_reading = false;
    if (data == NULL) {
        refuse(reload, err->text);
        return;
    }
    *reading = ((struct reading_errand *)data)->reading;
    free(data);
    if (reading->problems.count > 0) {
        char *reason = join(&reading->problems);
        refuse(reload, reason);
        free(reason);
        return;
    }
    reload->next = generation_new(&reading->config, &reading->bundle);
    if (generation_is_same(reload->next, reload->serving)) {
        find_unchanged(reload);
        return;
    }
    if (reload->cause == RELOAD_WATCHED && (was_refused(reload) || was_left(reload))) {
        reload_word_rest(open_outcome(reload), reload->serving, reload->refusal);
        end(reload);
        return;
    }
    prepare(reload);
}

/* On the errand's thread, as what follows. */
static void read_files(void *data)
{
    struct reading_errand *errand = data;
    errand->read(errand->context, &errand->reading);
}

static void drop_reading(void *data)
{
    struct reading_errand *errand = data;
    destroy_reading(&errand->reading);
    free(errand);
}

static void start_reading(struct reload *reload)
{
    struct reading_errand *errand = xcalloc(1, sizeof *errand);
    errand->read = reload->options.read;
    errand->context = reload->options.read_context;
    const struct errand_options options = {
        .loop = reload->options.loop,
        .name = "reload",
        .data = errand,
        .limit_ms = errand_limit_ms(),
        .gives_way = true,
        .work = read_files,
        .drop = drop_reading,
        .context = reload,
        .on_end = on_read,
    };
    reload->errand = errand_start(&options);
}

static void begin(struct reload *reload, enum reload_cause cause)
{
    assert(!reload->is_reading && !reload->is_making);
    reload->begun++;
    reload->is_asked = false;
    reload->is_rollback = false;
    reload->cause = cause;
    reload->phase = RELOAD_READS;
    reload->is_reading = true;
    reload->reading = (struct reading){0};
    start_reading(reload);
}

/* --- from outside --- */

uint64_t reload_ask(struct reload *reload, enum reload_cause cause)
{
    ASSERT_ON(THREAD_MAIN);
    if (reload->phase == RELOAD_STOPPED)
        return reload->begun + 1;
    if (reload->phase == RELOAD_IDLE) {
        begin(reload, cause);
        return reload->begun;
    }
    if (!reload->is_asked || cause == RELOAD_ASKED)
        reload->asked_cause = cause;
    reload->is_asked = true;
    return reload->begun + 1;
}

uint64_t reload_roll_back(struct reload *reload, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    if (reload->phase != RELOAD_IDLE) {
        error_set(err, reload->phase == RELOAD_STOPPED ? "the process stops"
                                                       : "a reload is under way, try again");
        return 0;
    }
    if (reload->previous == NULL) {
        error_set(err, "there is nothing to go back to: generation %llu is the only one so far",
                  (unsigned long long)reload->serving->number);
        return 0;
    }
    uint64_t number = ++reload->begun;
    reload->is_rollback = true;
    reload->cause = RELOAD_ASKED;
    reload->reading = (struct reading){0};
    reload->next = generation_again(reload->previous);
    prepare(reload);
    return number;
}

const struct reload_outcome *reload_outcome(const struct reload *reload, uint64_t number)
{
    return reload->ended >= number ? &reload->outcome : NULL;
}

bool reload_is_under_way(const struct reload *reload)
{
    return reload->phase == RELOAD_READS || reload->phase == RELOAD_PREPARES;
}

void reload_stop(struct reload *reload)
{
    if (reload->phase == RELOAD_STOPPED)
        return;
    reload->phase = RELOAD_STOPPED;
    uv_timer_stop(&reload->timer);
    errand_give_up(&reload->errand);
    reload->is_reading = false;
    withdraw(reload);
    if (!reload->is_reading && !reload->is_making)
        end(reload);
}

void reload_close(struct reload *reload)
{
    uv_close((uv_handle_t *)&reload->timer, NULL);
}

void reload_destroy(struct reload *reload)
{
    assert(!reload->is_reading && !reload->is_making);
    generation_release(&reload->serving);
    generation_release(&reload->previous);
    reload_outcome_destroy(&reload->outcome);
    free(reload->refusal);
}
