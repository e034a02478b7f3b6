/* What verbs may ask of the running program, by its socket. */
#include "runtime_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "log.h"
#include "words.h"

static const char *phase_in_words(const struct runtime *runtime)
{
    if (runtime->phase != PHASE_RUNNING)
        return "stopping";
    return connections_are_ready(&runtime->connections) ? "running" : "connecting";
}

static void write_producers(struct json_writer *answer, const struct runtime *runtime)
{
    json_begin_array(answer, "producers");
    const struct generation *serving = runtime->reload.serving;
    for (size_t i = 0; i < serving->config->producer_count; i++) {
        const struct producer *producer = serving->host.producers[i];
        const struct producer_counts counts = producer_counts(producer);
        json_begin_object(answer, NULL);
        json_write_text(answer, "name", serving->config->producers[i].name);
        json_write_integer(answer, "published", (int64_t)counts.published);
        json_write_integer(answer, "acknowledged", (int64_t)counts.acknowledged);
        json_write_integer(answer, "refused", (int64_t)counts.refused);
        json_write_integer(answer, "outstanding", (int64_t)producer_outstanding(producer));
        json_end_object(answer);
    }
    json_end_array(answer);
}

static void write_shared(struct json_writer *answer, const struct runtime *runtime)
{
    const struct shared_counts counts = shared_counts(runtime->shared);
    json_begin_object(answer, "shared");
    json_write_integer(answer, "keys", counts.keys);
    json_write_integer(answer, "bytes", counts.bytes);
    json_write_integer(answer, "limit_bytes", counts.limit_bytes);
    json_write_integer(answer, "evicted", counts.evicted);
    json_write_integer(answer, "refused", counts.refused);
    json_end_object(answer);
}

static void write_usage(struct json_writer *answer)
{
    json_begin_object(answer, "usage");
    json_write_integer(answer, "cpu_ms", (int64_t)(runtime_cpu_seconds() * 1000));
    json_write_integer(answer, "resident_bytes", (int64_t)runtime_resident_bytes());
    json_end_object(answer);
}

static enum control_end run_status(void *context, const struct control_request *request,
                                   struct json_writer *answer, struct error *err)
{
    (void)request;
    (void)err;
    const struct runtime *runtime = context;
    json_write_text(answer, "instance", runtime->control.instance);
    json_write_integer(answer, "process", getpid());
    json_write_text(answer, "config", runtime->config->path);
    json_write_text(answer, "state", phase_in_words(runtime));
    json_write_integer(answer, "now", clock_wall_ms());
    json_write_integer(answer, "uptime_ms", clock_monotonic_ms() - runtime->started_ms);
    json_write_integer(answer, "generation", (int64_t)runtime->reload.serving->number);
    json_write_text(answer, "hash", runtime->reload.serving->hash);
    json_write_text(answer, "refusal", runtime->reload.refusal);
    json_write_bool(answer, "is_reloading", reload_is_under_way(&runtime->reload));
    write_usage(answer);
    write_shared(answer, runtime);
    json_begin_array(answer, "consumers");
    for (struct consumer *consumer = crew_first(&runtime->crew); consumer != NULL;
         consumer = crew_next(&runtime->crew, consumer))
        consumer_write_status(consumer, answer);
    json_end_array(answer);
    /* Once they are being closed they are nobody's to look at. */
    if (runtime->phase < PHASE_CLOSING)
        write_producers(answer, runtime);
    return CONTROL_DONE;
}

static struct consumer *find_consumer(const struct runtime *runtime, const char *name,
                                      struct error *err)
{
    struct consumer *consumer = crew_find(&runtime->crew, name);
    if (consumer != NULL)
        return consumer;
    const char **names = xcalloc(runtime->config->consumer_count + 1, sizeof names[0]);
    for (size_t i = 0; i < runtime->config->consumer_count; i++)
        names[i] = runtime->config->consumers[i].name;
    char *meant = words_did_you_mean(name, names, runtime->config->consumer_count, "");
    if (config_consumer(runtime->config, name) != NULL)
        error_set(err, "consumer %s does not run in this process", name);
    else
        error_set(err, "there is no consumer '%s' in %s%s", name, runtime->config->path, meant);
    free(meant);
    free(names);
    return NULL;
}

static int read_resume(const struct control_request *request, struct consumer_resume *resume,
                       const char **consumer, struct error *err)
{
    int64_t partition;
    if (control_request_text(request, "consumer", consumer, err) != 0 ||
        control_request_text(request, "topic", &resume->topic, err) != 0 ||
        control_request_integer(request, "partition", -1, &partition, err) != 0 ||
        control_request_integer(request, "skip", -1, &resume->skip, err) != 0)
        return -1;
    if (*consumer == NULL || partition > INT32_MAX) {
        error_set(err,
                  *consumer == NULL ? "\"consumer\" is missing" : "there is no such partition");
        return -1;
    }
    resume->partition = (int32_t)partition;
    return 0;
}

static enum control_end run_resume(void *context, const struct control_request *request,
                                   struct json_writer *answer, struct error *err)
{
    const struct runtime *runtime = context;
    struct consumer_resume resume;
    const char *name;
    if (read_resume(request, &resume, &name, err) != 0)
        return CONTROL_BAD;
    struct consumer *consumer = find_consumer(runtime, name, err);
    if (consumer == NULL)
        return CONTROL_UNKNOWN;
    return consumer_resume(consumer, &resume, answer, err) == 0 ? CONTROL_DONE : CONTROL_REFUSED;
}

/* --- steering --- */

/* NULL, and *end says what is wrong. */
static struct consumer *read_consumer(const struct runtime *runtime,
                                      const struct control_request *request, enum control_end *end,
                                      struct error *err)
{
    const char *name;
    *end = CONTROL_BAD;
    if (control_request_text(request, "consumer", &name, err) != 0)
        return NULL;
    if (name == NULL) {
        error_set(err, "\"consumer\" is missing");
        return NULL;
    }
    *end = CONTROL_UNKNOWN;
    return find_consumer(runtime, name, err);
}

static enum control_end run_pause(void *context, const struct control_request *request,
                                  struct json_writer *answer, struct error *err)
{
    enum control_end end;
    struct consumer *consumer = read_consumer(context, request, &end, err);
    if (consumer == NULL)
        return end;
    return consumer_pause(consumer, answer, err) == 0 ? CONTROL_DONE : CONTROL_REFUSED;
}

static enum control_end run_workers(void *context, const struct control_request *request,
                                    struct json_writer *answer, struct error *err)
{
    enum { DEFAULT_FOR_MS = 3600 * 1000, MAX_FOR_MS = 7 * 24 * 3600 * 1000 };
    enum control_end end;
    int64_t workers, for_ms;
    struct consumer *consumer = read_consumer(context, request, &end, err);
    if (consumer == NULL)
        return end;
    if (control_request_integer(request, "workers", -1, &workers, err) != 0 ||
        control_request_integer(request, "for_ms", DEFAULT_FOR_MS, &for_ms, err) != 0)
        return CONTROL_BAD;
    if (workers < 0 || for_ms < 1 || for_ms > MAX_FOR_MS) {
        error_set(err, workers < 0 ? "\"workers\" is missing: a number, 0 for as many as the lag "
                                     "asks for"
                                   : "the time of an override is 1 ms to 7 days");
        return CONTROL_BAD;
    }
    return consumer_set_workers(consumer, (size_t)workers, for_ms, answer, err) == 0
               ? CONTROL_DONE
               : CONTROL_REFUSED;
}

static int read_seek(const struct control_request *request, struct consumer_seek_options *options,
                     struct error *err)
{
    int64_t partition, dry, number;
    if (control_request_text(request, "to", &options->to, err) != 0 ||
        control_request_text(request, "topic", &options->topic, err) != 0 ||
        control_request_integer(request, "partition", -1, &partition, err) != 0 ||
        control_request_integer(request, "dry_run", 0, &dry, err) != 0 ||
        control_request_integer(request, "seek", 0, &number, err) != 0)
        return -1;
    options->partition = partition <= INT32_MAX ? (int32_t)partition : INT32_MAX;
    options->is_dry = dry != 0;
    options->number = (uint64_t)number;
    if (options->to != NULL || number > 0)
        return 0;
    error_set(err, "\"to\" is missing: where the consumer is to go on");
    return -1;
}

static enum control_end run_seek(void *context, const struct control_request *request,
                                 struct json_writer *answer, struct error *err)
{
    enum control_end end;
    struct consumer_seek_options options;
    struct consumer *consumer = read_consumer(context, request, &end, err);
    if (consumer == NULL)
        return end;
    if (read_seek(request, &options, err) != 0)
        return CONTROL_BAD;
    return consumer_seek(consumer, &options, answer, err) == 0 ? CONTROL_DONE : CONTROL_REFUSED;
}

static enum control_end run_health(void *context, const struct control_request *request,
                                   struct json_writer *answer, struct error *err)
{
    (void)request;
    (void)err;
    runtime_write_health(context, answer);
    return CONTROL_DONE;
}

static enum log_level level_now(void)
{
    enum log_level level = LOG_DEBUG;
    while (level < LOG_ERROR && !log_is_enabled(level))
        level++;
    return level;
}

/* Said where it is seen: before the log falls silent, or after it speaks again. */
static void change_level(enum log_level from, enum log_level to)
{
    if (to < from)
        log_set_level(to);
    log_event(to > from ? from : to, NULL, 0, "log level: %s -> %s, as was asked for",
              log_level_name(from), log_level_name(to));
    log_set_level(to);
}

static enum control_end run_log_level(void *context, const struct control_request *request,
                                      struct json_writer *answer, struct error *err)
{
    (void)context;
    const char *name;
    enum log_level from = level_now();
    if (control_request_text(request, "level", &name, err) != 0)
        return CONTROL_BAD;
    for (enum log_level to = LOG_DEBUG; name != NULL && to <= LOG_ERROR; to++) {
        if (strcmp(name, log_level_name(to)) != 0)
            continue;
        change_level(from, to);
        json_write_text(answer, "from", log_level_name(from));
        json_write_text(answer, "level", name);
        return CONTROL_DONE;
    }
    error_set(err, "the level is debug, info, warn or error%s%s%s", name != NULL ? ", got '" : "",
              name != NULL ? name : "", name != NULL ? "'" : "");
    return CONTROL_BAD;
}

/* --- reloads --- */

static void write_outcome(struct json_writer *answer, const struct reload_outcome *outcome)
{
    static const char *const states[] = {
        [RELOAD_DONE] = "done", [RELOAD_UNCHANGED] = "unchanged", [RELOAD_REFUSED] = "refused"};
    static const char *const changes[CREW_CHANGES] = {[CREW_STARTS] = "started",
                                                      [CREW_STOPS] = "stopped",
                                                      [CREW_RESTARTS] = "restarted",
                                                      [CREW_RESUMES] = "resumed"};
    json_write_text(answer, "state", states[outcome->end]);
    json_write_integer(answer, "generation", (int64_t)outcome->generation);
    json_write_text(answer, "hash", outcome->hash);
    if (outcome->text != NULL)
        json_write_text(answer, "text", outcome->text);
    for (int i = 0; i < CREW_CHANGES; i++)
        if (outcome->changes[i] != NULL)
            json_write_text(answer, changes[i], outcome->changes[i]);
    if (outcome->restart != NULL)
        json_write_text(answer, "restart", outcome->restart);
}

/* A reload takes its time, and no command may: who asks asks again, by its number. */
static void write_reload(struct json_writer *answer, const struct reload *reload, uint64_t number)
{
    const struct reload_outcome *outcome = reload_outcome(reload, number);
    json_write_integer(answer, "reload", (int64_t)number);
    if (outcome != NULL)
        write_outcome(answer, outcome);
    else
        json_write_text(answer, "state", "pending");
}

static enum control_end run_reload(void *context, const struct control_request *request,
                                   struct json_writer *answer, struct error *err)
{
    struct runtime *runtime = context;
    int64_t number;
    if (control_request_integer(request, "reload", 0, &number, err) != 0)
        return CONTROL_BAD;
    if (runtime->phase != PHASE_RUNNING) {
        error_set(err, "the process stops");
        return CONTROL_REFUSED;
    }
    if (number == 0) {
        log_info("lagoon reload: reloading");
        number = (int64_t)reload_ask(&runtime->reload, RELOAD_ASKED);
    }
    write_reload(answer, &runtime->reload, (uint64_t)number);
    return CONTROL_DONE;
}

static enum control_end run_rollback(void *context, const struct control_request *request,
                                     struct json_writer *answer, struct error *err)
{
    (void)request;
    struct runtime *runtime = context;
    uint64_t number = reload_roll_back(&runtime->reload, err);
    if (number == 0)
        return CONTROL_REFUSED;
    write_reload(answer, &runtime->reload, number);
    return CONTROL_DONE;
}

static const struct control_command commands[] = {
    {"health", "", run_health},
    {"log-level", "level", run_log_level},
    {"pause", "consumer", run_pause},
    {"seek", "consumer to topic partition dry_run seek", run_seek},
    {"workers", "consumer workers for_ms", run_workers},
    {"resume", "consumer topic partition skip", run_resume},
    {"status", "", run_status},
    {"reload", "reload", run_reload},
    {"rollback", "", run_rollback},
};

const struct control_command *runtime_command(const char *name)
{
    return control_find(commands, ARRAY_LENGTH(commands), name);
}

void runtime_open_control(struct runtime *runtime)
{
    const struct control_options options = {
        .loop = &runtime->loop,
        .config = runtime->config->path,
        .instance = runtime->options->instance,
        .commands = commands,
        .command_count = ARRAY_LENGTH(commands),
        .context = runtime,
    };
    if (runtime->options->is_controlled)
        control_start(&runtime->control, &options);
}
