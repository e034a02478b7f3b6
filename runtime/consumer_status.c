/* What a consumer says of itself, from what main has in hand: nobody is asked, nothing waits. */
#include <stdlib.h>
#include <string.h>

#include "consumer_internal.h"
#include "json_writer.h"
#include "thread.h"

static const char *state_in_words(enum consumer_state state)
{
    switch (state) {
    case CONSUMER_NEW:
    case CONSUMER_STARTING:
    case CONSUMER_MADE:
        return "starting";
    case CONSUMER_RUNNING:
        return "running";
    case CONSUMER_STOPPING:
    case CONSUMER_RETIRING:
    case CONSUMER_DESTROYING:
        return "stopping";
    case CONSUMER_FAILED:
    case CONSUMER_STOPPED:
        break;
    }
    return "stopped";
}

/* What is not known yet is null. */
static void write_offset(struct json_writer *answer, const char *name, int64_t offset)
{
    if (offset >= 0)
        json_write_integer(answer, name, offset);
    else
        json_write_null(answer, name);
}

/* Why it stands still, and what ends that. */
static void write_stop(struct json_writer *answer, const struct partition *partition)
{
    const struct partition_stop *stop = &partition->stop;
    json_write_bool(answer, "is_stopped", partition->is_stopped);
    if (!partition->is_stopped)
        return;
    char *command = partition_resume_command(partition);
    json_begin_object(answer, "stopped");
    write_offset(answer, "offset", stop->is_without_start ? -1 : stop->offset);
    json_write_integer(answer, "since", stop->at_ms);
    json_write_text(answer, "reason", stop->reason);
    json_write_bool(answer, "is_resuming", stop->is_resuming);
    json_write_text(answer, "resume", stop->is_without_start ? NULL : command);
    json_end_object(answer);
    free(command);
}

static const char *hand_in_words(enum stall_hand hand)
{
    switch (hand) {
    case STALL_UNREAD:
        return "unread";
    case STALL_WAITING:
        return "waiting";
    case STALL_RUNNING:
        return "running";
    case STALL_AWAITED:
        return "awaits acknowledgements";
    case STALL_LETTERED:
        return "awaits its dead letter";
    case STALL_PLANNED:
        break;
    }
    return "retry";
}

/* A part of it, which may hold any byte. */
static void write_key(struct json_writer *answer, const struct record *record)
{
    enum { KEY_BYTES = 64 };
    char key[KEY_BYTES + 1] = "";
    if (record->key == NULL)
        return;
    memcpy(key, record->key, record->key_length < KEY_BYTES ? record->key_length : KEY_BYTES);
    json_write_text(answer, "key", key);
}

/* A clock that is behind the broker's makes no negative age, nor does a record without a time. */
static int64_t age_ms(int64_t timestamp_ms)
{
    int64_t age_ms = timestamp_ms > 0 ? clock_wall_ms() - timestamp_ms : 0;
    return age_ms > 0 ? age_ms : 0;
}

/* The oldest record that is not settled: nothing is committed past it. What a stopped partition has
 * given back is nobody's until it is read again. */
static void write_oldest(struct json_writer *answer, const struct partition *partition,
                         const struct partition_oldest *oldest)
{
    const struct record *record = oldest->record;
    if (offsets_oldest(&partition->offsets) < 0)
        return;
    json_begin_object(answer, "oldest");
    json_write_integer(answer, "offset", oldest->offset);
    json_write_integer(answer, "age_ms", age_ms(offsets_oldest_time(&partition->offsets)));
    json_write_text(answer, "state", record != NULL ? hand_in_words(oldest->hand) : "given back");
    if (record != NULL) {
        json_write_integer(answer, "attempt", record->attempt);
        write_key(answer, record);
    }
    json_end_object(answer);
}

static void write_stall(struct json_writer *answer, const struct partition *partition,
                        const struct partition_oldest *oldest)
{
    const struct stall *stall = &partition->stall;
    json_write_bool(answer, "is_stalled", stall->is_stalled);
    if (!stall->is_stalled)
        return;
    const struct consumer_config *config = partition->intake->config;
    const struct module_config *handler =
        oldest->record != NULL ? consumer_handler_of(config, oldest->record) : NULL;
    int64_t for_ms = clock_monotonic_ms() - stall->since_ms;
    json_begin_object(answer, "stalled");
    json_write_integer(answer, "since", clock_wall_ms() - for_ms);
    json_write_integer(answer, "for_ms", for_ms);
    json_write_integer(answer, "offset", oldest->offset);
    json_write_text(answer, "handler", handler != NULL ? handler->module : NULL);
    json_write_text(answer, "reason", stall_in_words(stall->seen.hand));
    json_end_object(answer);
}

static void write_partition(struct json_writer *answer, const struct partition *partition)
{
    struct partition_oldest oldest;
    partition_find_oldest(partition, &oldest);
    int64_t committed = partition_committed(partition);
    int64_t end = partition_end(partition);
    int64_t lag = end < 0 || committed < 0 ? -1 : end > committed ? end - committed : 0;
    json_begin_object(answer, NULL);
    json_write_text(answer, "topic", partition->lane->topic);
    json_write_integer(answer, "partition", partition->number);
    write_offset(answer, "committed", committed);
    write_offset(answer, "end", end);
    write_offset(answer, "lag", lag);
    json_write_integer(answer, "running", (int64_t)partition_running(partition));
    json_write_integer(answer, "unsettled", (int64_t)partition->share.records);
    json_write_bool(answer, "is_revoking", partition->is_revoking);
    write_oldest(answer, partition, &oldest);
    write_stop(answer, partition);
    write_stall(answer, partition, &oldest);
    json_end_object(answer);
}

/* While there is a handle to look at. */
static void write_partitions(struct json_writer *answer, const struct consumer *consumer)
{
    const struct assignment *assignment = &consumer->assignment;
    json_begin_array(answer, "partitions");
    for (const struct partition *partition = assignment_first(assignment);
         partition != NULL && consumer->is_member;
         partition = assignment_next(assignment, partition))
        if (partition->epoch != 0)
            write_partition(answer, partition);
    json_end_array(answer);
}

/* The newest first. */
static void write_changes(struct json_writer *answer, const struct pool *pool)
{
    json_begin_array(answer, "changes");
    for (size_t i = 0; i < POOL_CHANGES && pool->changes[i].at_ms != 0; i++) {
        const struct pool_change *change = &pool->changes[i];
        json_begin_object(answer, NULL);
        json_write_integer(answer, "at", change->at_ms);
        json_write_integer(answer, "from", (int64_t)change->from);
        json_write_integer(answer, "to", (int64_t)change->to);
        json_write_text(answer, "reason", change->reason);
        json_end_object(answer);
    }
    json_end_array(answer);
}

static const char *worker_in_words(const struct pool_slot *slot)
{
    switch (slot->state) {
    case SLOT_RETIRING:
        return "retiring";
    case SLOT_STUCK:
        return "stuck";
    case SLOT_FREE:
    case SLOT_RUNNING:
        break;
    }
    return worker_in_hand(slot->worker) > 0 ? "busy" : "idle";
}

static void write_each_worker(struct json_writer *answer, const struct pool *pool)
{
    json_begin_array(answer, "each");
    for (size_t i = 0; i < pool->slot_count; i++) {
        const struct pool_slot *slot = &pool->slots[i];
        if (slot->state == SLOT_FREE)
            continue;
        json_begin_object(answer, NULL);
        json_write_integer(answer, "worker", (int64_t)i + 1);
        json_write_text(answer, "state", worker_in_words(slot));
        json_write_integer(answer, "running", (int64_t)worker_in_hand(slot->worker));
        json_write_integer(answer, "lua_states", (int64_t)worker_state_count(slot->worker));
        json_write_integer(answer, "lua_bytes", (int64_t)worker_lua_bytes(slot->worker));
        json_end_object(answer);
    }
    json_end_array(answer);
}

/* Lua states that were replaced because of what happened in them. */
static void write_repair(struct json_writer *answer, const struct pool_repair *repair)
{
    json_write_integer(answer, "states_replaced", (int64_t)repair->replaced);
    if (repair->replaced == 0)
        return;
    json_begin_object(answer, "last_replaced");
    json_write_integer(answer, "at", repair->last_at_ms);
    json_write_integer(answer, "worker", (int64_t)repair->last_worker);
    json_write_text(answer, "reason", pool_repair_reason(repair->last_spoil));
    json_end_object(answer);
}

static void write_workers(struct json_writer *answer, const struct consumer *consumer)
{
    const struct pool *pool = &consumer->pool;
    json_begin_object(answer, "workers");
    json_write_integer(answer, "running", (int64_t)pool->running);
    json_write_integer(answer, "wanted", (int64_t)pool->wanted);
    json_write_integer(answer, "min", consumer->config->workers_min);
    json_write_integer(answer, "max", consumer->config->workers_max);
    json_write_integer(answer, "retiring", (int64_t)pool->retiring);
    json_write_integer(answer, "stuck", (int64_t)pool->stuck);
    if (pool->override.workers > 0)
        json_write_integer(answer, "overridden_for_ms",
                           pool->override.until_ms - clock_monotonic_ms());
    write_changes(answer, pool);
    write_each_worker(answer, pool);
    write_repair(answer, &pool->repair);
    json_end_object(answer);
}

static void write_breaker(struct json_writer *answer, const struct breaker *breaker)
{
    json_begin_object(answer, "breaker");
    json_write_bool(answer, "is_open", breaker->is_open);
    json_write_integer(answer, "given_up_in_a_row", breaker->row);
    json_write_integer(answer, "opens_at", breaker->limit);
    json_end_object(answer);
}

static void write_window(struct json_writer *answer, const struct consumer *consumer)
{
    const struct share *window = &consumer->assignment.intake.window;
    json_begin_object(answer, "window");
    json_write_integer(answer, "records", (int64_t)window->records);
    json_write_integer(answer, "bytes", (int64_t)window->bytes);
    json_write_integer(answer, "max_records", consumer->config->window_records);
    json_write_integer(answer, "max_bytes", consumer->config->window_bytes);
    json_end_object(answer);
}

static void write_counts(struct json_writer *answer, const struct consumer_counts *counts)
{
    json_begin_object(answer, "counts");
    json_write_integer(answer, "received", (int64_t)counts->received);
    json_write_integer(answer, "handled", (int64_t)counts->handled);
    json_write_integer(answer, "skipped", (int64_t)counts->skipped);
    json_write_integer(answer, "retried", (int64_t)counts->retried);
    json_write_integer(answer, "dead_letters", (int64_t)counts->letters);
    json_write_integer(answer, "failed", (int64_t)counts->failed);
    json_write_integer(answer, "given_back", (int64_t)counts->dropped);
    json_write_integer(answer, "jumps", (int64_t)counts->jumps);
    json_end_object(answer);
}

/* How often a call of a handler took how long, since the start: whoever asks twice sees what lies
 * between. */
static void write_durations(struct json_writer *answer, const struct pool *pool)
{
    struct histogram_sum durations = {0};
    pool_add_durations(pool, &durations);
    json_begin_object(answer, "handler_duration");
    json_begin_array(answer, "bounds_us");
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++)
        json_write_integer(answer, NULL, histogram_bounds_us[i]);
    json_end_array(answer);
    json_begin_array(answer, "counts");
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
        json_write_integer(answer, NULL, (int64_t)durations.counts[i]);
    json_end_array(answer);
    json_write_integer(answer, "total_us", (int64_t)durations.total_us);
    json_end_object(answer);
}

/* Those that there were. */
static void write_errors(struct json_writer *answer, const struct faults *faults)
{
    json_begin_object(answer, "errors");
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (faults->kinds[i].count == 0)
            continue;
        json_begin_object(answer, fault_name((enum fault)i));
        json_write_integer(answer, "count", (int64_t)faults->kinds[i].count);
        json_write_integer(answer, "at", faults->kinds[i].at_ms);
        json_write_text(answer, "last", faults->kinds[i].text);
        json_end_object(answer);
    }
    json_end_object(answer);
}

void consumer_write_status(struct consumer *consumer, struct json_writer *answer)
{
    ASSERT_ON(THREAD_MAIN);
    json_begin_object(answer, NULL);
    json_write_text(answer, "name", consumer->config->name);
    json_write_text(answer, "group", consumer->config->group);
    json_write_text(answer, "state", state_in_words(consumer->state));
    json_write_bool(answer, "is_paused", consumer->assignment.intake.is_paused);
    json_write_bool(answer, "is_rebalancing",
                    consumer->is_member && membership_is_rebalancing(&consumer->membership));
    json_write_integer(answer, "running", (int64_t)dispatcher_running_all(&consumer->dispatcher));
    write_workers(answer, consumer);
    write_breaker(answer, &consumer->assignment.intake.breaker);
    write_window(answer, consumer);
    const struct consumer_counts counts = consumer_counts(consumer);
    write_counts(answer, &counts);
    write_errors(answer, &consumer->assignment.intake.faults);
    write_durations(answer, &consumer->pool);
    write_partitions(answer, consumer);
    json_end_object(answer);
}
