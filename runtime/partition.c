#include "partition.h"

#include <assert.h>
#include <stdlib.h>

#include "partition_internal.h"

struct partition *partition_new(struct intake *intake, const char *topic, int32_t number)
{
    struct partition *partition = xcalloc(1, sizeof *partition);
    partition->intake = intake;
    partition->number = number;
    partition->lane = dispatcher_lane(intake->dispatcher, topic, number);
    atomic_init(&partition->is_ready, false);
    list_init(&partition->awaited);
    return partition;
}

void partition_free(struct partition **partition)
{
    assert((*partition)->epoch == 0);
    free(*partition);
    *partition = NULL;
}

/* --- epochs --- */

static void begin_epoch(struct partition *partition, int64_t start, int64_t committed)
{
    struct intake *intake = partition->intake;
    assert(partition->epoch == 0);
    partition->epoch = ++intake->last_epoch;
    partition->stop.unended = 0;
    offsets_init(&partition->offsets, start, committed);
    dispatcher_assign(intake->dispatcher, partition->lane, partition->epoch);
    if (intake->is_paused)
        dispatcher_hold(intake->dispatcher, partition->lane);
}

void partition_begin(struct partition *partition, const struct partition_start *start)
{
    partition->is_revoking = false;
    partition->is_finishing = false;
    partition->is_stopped = false;
    if (start->is_missing)
        partition_stop_without_start(partition);
    partition->is_gated = !start->is_committed && !start->is_missing;
    partition->has_seen_error = false;
    partition->gives_back_from = INT64_MAX;
    partition->is_position_stale = false;
    bool is_committed = start->is_committed || start->is_missing;
    begin_epoch(partition, start->offset, is_committed ? start->offset : -1);
}

int64_t partition_restart(struct partition *partition, int64_t offset)
{
    int64_t position = partition->offsets.position;
    int64_t start = position < offset ? position : offset;
    bool is_revoking = partition->is_revoking;
    partition_end_epoch(partition);
    partition->is_revoking = is_revoking;
    begin_epoch(partition, start, -1);
    return start;
}

void partition_take_in(struct partition *partition, struct record *record, uint64_t slot)
{
    record->owner = partition;
    record->epoch = partition->epoch;
    record->slot = slot;
    record->read_ns = partition->intake->now_ns;
    offsets_note_time(&partition->offsets, slot, record->timestamp_ms);
    intake_add(partition->intake, &partition->share, record->block_bytes);
    partition->intake->counts.received++;
}

void partition_mark_committed(struct partition *partition, uint64_t epoch, int64_t position)
{
    if (partition->epoch != epoch)
        return;
    offsets_mark_committed(&partition->offsets, position);
    partition->is_gated = false;
}

/* --- giving back --- */

void partition_await(struct partition *partition, struct record *record)
{
    list_append(&partition->awaited, &record->partition_link);
    partition->awaited_count++;
}

void partition_discard(struct record *record)
{
    record->is_dropped = true;
    if (record->deliveries_open == 0)
        record_free(&record);
}

void partition_drop_record(struct partition *partition, struct record *record)
{
    if (record->epoch == partition->epoch) {
        intake_remove(partition->intake, &partition->share, record->block_bytes);
        offsets_give_back(&partition->offsets, record->slot,
                          record->has_stopped ? OFFSET_FAILED : OFFSET_GIVEN_BACK);
    }
    retries_remove(&partition->intake->retries, record);
    dead_letters_forget(record);
    partition->intake->counts.dropped++;
    partition_discard(record);
}

/* What has not begun; but one whose dead letter is under way is nearly done with. */
static void give_back_unstarted(struct partition *partition, int64_t from)
{
    struct link unstarted;
    dispatcher_revoke(partition->intake->dispatcher, partition->lane, from, &unstarted);
    for (struct link *link; (link = list_pop(&unstarted)) != NULL;) {
        struct record *record = record_of_queue(link);
        if (record->is_lettered)
            partition_await(partition, record);
        else
            partition_drop_record(partition, record);
    }
}

void partition_give_back(struct partition *partition)
{
    if (partition->gives_back_from < INT64_MAX && partition->epoch != 0)
        give_back_unstarted(partition, partition->gives_back_from);
    partition->gives_back_from = INT64_MAX;
}

/* The first record that nobody settles in this epoch. */
static int64_t first_hindrance(const struct partition *partition)
{
    int64_t parked = retries_first_offset(&partition->intake->retries, partition, partition->epoch);
    int64_t given_back = offsets_first_given_back(&partition->offsets);
    return parked < given_back ? parked : given_back;
}

void partition_drain(struct partition *partition)
{
    bool is_revoked = partition->is_revoking && !partition->is_finishing;
    if (is_revoked || partition->is_stopped || partition->intake->breaker.is_open) {
        partition_revoke(partition);
        return;
    }
    partition->is_revoking = true;
    partition->is_finishing = true;
    give_back_unstarted(partition, first_hindrance(partition));
}

void partition_revoke(struct partition *partition)
{
    partition->is_revoking = true;
    partition->is_finishing = false;
    give_back_unstarted(partition, REVOKE_ALL);
}

size_t partition_running(const struct partition *partition)
{
    return dispatcher_running(partition->intake->dispatcher, partition->lane);
}

bool partition_is_busy(const struct partition *partition)
{
    return partition->awaited_count > 0 || partition_running(partition) > 0;
}

void partition_look(const struct partition *partition, struct drain_sight *sight)
{
    if (partition->epoch == 0)
        return;
    /* In this order: what has not begun by the first look may run by the second. */
    sight->has_unstarted |=
        dispatcher_has_unstarted(partition->intake->dispatcher, partition->lane);
    sight->has_running |= partition_running(partition) > 0;
    sight->has_awaited |= partition->awaited_count > 0;
    sight->is_at_stand |= partition->intake->breaker.is_open;
}

static void drop_awaited(struct partition *partition)
{
    for (struct link *link; (link = list_pop(&partition->awaited)) != NULL;)
        partition_drop_record(partition, CONTAINER_OF(link, struct record, partition_link));
}

/* Everything of the epoch that main knows of is dropped; what runs is left over, and counts no
 * longer: its record will find another epoch here. */
void partition_end_epoch(struct partition *partition)
{
    struct intake *intake = partition->intake;
    partition_revoke(partition);
    drop_awaited(partition);
    partition->awaited_count = 0;
    dispatcher_forget(intake->dispatcher, partition->lane);
    intake_remove_all(intake, &partition->share);
    partition->epoch = 0;
    offsets_destroy(&partition->offsets);
}

bool partition_is_active(struct partition *partition)
{
    bool has_work = partition->share.records > 0 || atomic_load(&partition->is_ready);
    return partition->epoch != 0 && !partition->is_stopped && has_work;
}

/* What is read again takes no further place behind the oldest unsettled record. */
bool partition_is_at_max_ahead(const struct partition *partition)
{
    return !offsets_is_reading_again(&partition->offsets) &&
           offsets_ahead(&partition->offsets) >= (size_t)partition->intake->config->max_ahead;
}

bool partition_may_read(struct partition *partition)
{
    return partition->epoch != 0 && !partition->is_revoking && !partition->is_stopped &&
           !partition->intake->is_paused && !partition->is_gated &&
           atomic_load(&partition->is_ready) &&
           intake_room(partition->intake, &partition->share) > 0 &&
           !partition_is_at_max_ahead(partition);
}
