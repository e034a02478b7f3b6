/* What an operator changes of a running consumer beside its stopped partitions: a pause, and how
 * many workers there are. Each change is logged with what was before. */
#include <inttypes.h>

#include "consumer_internal.h"
#include "json_writer.h"
#include "log.h"
#include "thread.h"

static int check_running(const struct consumer *consumer, struct error *err)
{
    if (consumer->state == CONSUMER_RUNNING)
        return 0;
    error_set(err, "consumer %s is %s", consumer->config->name,
              consumer->state < CONSUMER_RUNNING ? "not running yet" : "stopping");
    return -1;
}

int consumer_pause(struct consumer *consumer, struct json_writer *answer, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    const struct intake *intake = &consumer->assignment.intake;
    if (check_running(consumer, err) != 0)
        return -1;
    bool was_paused = intake->is_paused;
    assignment_pause(&consumer->assignment);
    json_write_text(answer, "consumer", consumer->config->name);
    json_write_bool(answer, "was_paused", was_paused);
    json_write_integer(answer, "running", (int64_t)dispatcher_running_all(&consumer->dispatcher));
    if (!was_paused)
        log_warn("consumer %s: running -> paused, as was asked for: lagoon resume %s lets it go on",
                 consumer->config->name, consumer->config->name);
    return 0;
}

bool consumer_unpause(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    if (!consumer->assignment.intake.is_paused)
        return false;
    assignment_unpause(&consumer->assignment);
    log_warn("consumer %s: paused -> running, as was asked for", consumer->config->name);
    uv_async_send(&consumer->wake);
    return true;
}

void consumer_hand_on(const struct consumer *consumer, struct consumer *next)
{
    ASSERT_ON(THREAD_MAIN);
    next->handed_on = consumer->handed_on;
    if (!consumer->assignment.intake.is_paused)
        return;
    assignment_pause(&next->assignment);
    log_warn(
        "consumer %s: begins anew and is still paused, as was asked for: lagoon resume %s lets "
        "it go on",
        next->config->name, next->config->name);
}

void consumer_take_workers(struct consumer *consumer)
{
    struct pool_override *taken = &consumer->handed_on;
    size_t most = (size_t)consumer->config->workers_max;
    if (taken->workers > 0 && clock_monotonic_ms() < taken->until_ms)
        pool_set_override(&consumer->pool, taken->workers < most ? taken->workers : most,
                          taken->until_ms);
}

int consumer_set_workers(struct consumer *consumer, size_t workers, int64_t for_ms,
                         struct json_writer *answer, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    const char *name = consumer->config->name;
    struct pool *pool = &consumer->pool;
    if (check_running(consumer, err) != 0)
        return -1;
    if (workers > (size_t)consumer->config->workers_max) {
        error_set(err, "consumer %s may have %d workers at most: workers.max of the config", name,
                  consumer->config->workers_max);
        return -1;
    }
    json_write_text(answer, "consumer", name);
    json_write_integer(answer, "from", (int64_t)pool->wanted);
    json_write_integer(answer, "workers", (int64_t)workers);
    json_write_integer(answer, "for_ms", for_ms);
    if (workers > 0)
        log_warn("consumer %s: %zu -> %zu workers for %" PRId64 " s, as was asked for", name,
                 pool->wanted, workers, for_ms / 1000);
    else
        log_warn("consumer %s: %zu workers -> as many as the lag asks for, as was asked for", name,
                 pool->wanted);
    pool_set_override(pool, workers, clock_monotonic_ms() + for_ms);
    return 0;
}

int consumer_seek(struct consumer *consumer, const struct consumer_seek_options *options,
                  struct json_writer *answer, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    struct seek_request request = {
        .topic = options->topic, .partition = options->partition, .is_dry = options->is_dry};
    if (options->number > 0 && consumer->seek == NULL) {
        error_set(err, "consumer %s has no seek under way", consumer->config->name);
        return -1;
    }
    if (options->number == 0 &&
        (seek_parse(&request.target, options->to, clock_wall_ms(), err) != 0 ||
         seek_begin(consumer, &request, err) != 0))
        return -1;
    seek_write(consumer, answer);
    return 0;
}
