/* What leaves with a lane that is revoked, and what stays until it ends. */
#include "dispatcher.h"

/* Takes a record that is not running out of whatever it is on but the run queue. A strand loses its
 * head only when that head is not running; its other records are taken out by the same sweep,
 * because they stand behind it. */
static void withdraw(struct dispatcher *dispatcher, struct record *record)
{
    list_remove(&record->queue_link);
    list_remove(&record->lane_link);
    if (record->twin_of != NULL) {
        record->twin_of->twin = NULL;
        record->twin_of = NULL;
    }
    record->state = RECORD_OUTSIDE;
    if (record->is_stranded)
        strand_leave(&dispatcher->strands, record);
}

/* One that is outside has ended, and is not collected yet. */
static bool has_begun(const struct record *record)
{
    return record->state == RECORD_RUNNING || record->state == RECORD_ENDED ||
           record->state == RECORD_OUTSIDE;
}

void dispatcher_revoke(struct dispatcher *dispatcher, struct lane *lane, int64_t from,
                       struct link *unstarted)
{
    struct link runnable;
    list_init(unstarted);
    list_init(&runnable);
    pthread_mutex_lock(&dispatcher->mutex);
    if (from > lane->begun_end)
        from = lane->begun_end;
    run_queue_remove_lane(&dispatcher->run_queue, lane, from, &runnable);
    for (struct link *link = lane->records.next, *next; link != &lane->records; link = next) {
        next = link->next;
        struct record *record = record_of_lane(link);
        if (has_begun(record) || record->offset < from)
            continue;
        withdraw(dispatcher, record);
        list_append(unstarted, &record->queue_link);
    }
    pthread_mutex_unlock(&dispatcher->mutex);
}

void dispatcher_forget(struct dispatcher *dispatcher, struct lane *lane)
{
    pthread_mutex_lock(&dispatcher->mutex);
    lane_end_epoch(lane);
    pthread_mutex_unlock(&dispatcher->mutex);
}

/* Those that have begun arrived first, so the search is short. */
bool dispatcher_has_unstarted(struct dispatcher *dispatcher, const struct lane *lane)
{
    pthread_mutex_lock(&dispatcher->mutex);
    struct link *link = lane->records.next;
    while (link != &lane->records && has_begun(record_of_lane(link)))
        link = link->next;
    bool has_any = link != &lane->records;
    pthread_mutex_unlock(&dispatcher->mutex);
    return has_any;
}
