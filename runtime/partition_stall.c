#include "partition_stall.h"

#include "partition.h"

/* Its handler has returned, or its dead letter is on the way. */
static const struct record *find_awaited(const struct partition *partition, int64_t offset)
{
    for (const struct link *link = partition->awaited.next; link != &partition->awaited;
         link = link->next) {
        const struct record *record = CONTAINER_OF(link, struct record, partition_link);
        if (record->offset == offset)
            return record;
    }
    return NULL;
}

static enum stall_hand hand_of(const struct record *record, enum record_state state)
{
    switch (state) {
    case RECORD_RUNNABLE:
    case RECORD_HELD:
    case RECORD_BEHIND:
    case RECORD_TWIN:
        return STALL_WAITING;
    case RECORD_RUNNING:
    case RECORD_ENDED:
        return STALL_RUNNING;
    case RECORD_KEPT:
    case RECORD_OUTSIDE:
        break;
    }
    if (record->is_lettered)
        return STALL_LETTERED;
    return record->retry_place > 0 ? STALL_PLANNED : STALL_AWAITED;
}

void partition_find_oldest(const struct partition *partition, struct partition_oldest *oldest)
{
    enum record_state state = RECORD_OUTSIDE;
    const struct record *record = NULL;
    *oldest = (struct partition_oldest){.hand = STALL_UNREAD,
                                        .offset = offsets_oldest(&partition->offsets)};
    if (oldest->offset < 0) {
        oldest->offset = partition->offsets.position;
        return;
    }
    record =
        dispatcher_find(partition->intake->dispatcher, partition->lane, oldest->offset, &state);
    if (record == NULL)
        record = find_awaited(partition, oldest->offset);
    if (record == NULL)
        return;
    oldest->record = record;
    oldest->hand = hand_of(record, state);
}

/* Every one of them moves it. */
static uint64_t count_ended(const struct consumer_counts *counts)
{
    return counts->handled + counts->skipped + counts->retried + counts->letters + counts->failed +
           counts->dropped;
}

enum stall_news partition_watch_stall(struct partition *partition, int64_t limit_ms, int64_t now_ms)
{
    const struct intake *intake = partition->intake;
    struct stall_sight sight = {.hand = STALL_UNREAD, .epoch = partition->epoch};
    if (partition->epoch == 0)
        return stall_look(&partition->stall, &sight, limit_ms, now_ms);
    int64_t offset = offsets_oldest(&partition->offsets);
    sight.position = offset >= 0 ? offset : partition->offsets.position;
    sight.end = partition_end(partition);
    sight.ended = count_ended(&intake->counts);
    sight.is_held = partition->is_stopped || partition->is_revoking || partition->is_gated ||
                    intake->is_paused || intake->breaker.is_open;
    /* One that moves is not asked in whose hands it is. */
    if (stall_is_same(&partition->stall, sight.epoch, sight.position)) {
        struct partition_oldest oldest;
        partition_find_oldest(partition, &oldest);
        sight.hand = oldest.hand;
        sight.run = oldest.record != NULL ? oldest.record->run : 0;
    }
    return stall_look(&partition->stall, &sight, limit_ms, now_ms);
}
