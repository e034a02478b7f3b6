/* What runs and where a record is, for who waits for it or tells of it. */
#include "dispatcher.h"

const struct record *dispatcher_find(struct dispatcher *dispatcher, const struct lane *lane,
                                     int64_t offset, enum record_state *state)
{
    const struct record *found = NULL;
    pthread_mutex_lock(&dispatcher->mutex);
    for (struct link *link = lane->records.next; link != &lane->records && found == NULL;
         link = link->next) {
        const struct record *record = record_of_lane(link);
        if (record->offset == offset && record->epoch == lane->epoch) {
            found = record;
            *state = record->state;
        }
    }
    pthread_mutex_unlock(&dispatcher->mutex);
    return found;
}

size_t dispatcher_running(struct dispatcher *dispatcher, const struct lane *lane)
{
    pthread_mutex_lock(&dispatcher->mutex);
    size_t running = lane->running;
    pthread_mutex_unlock(&dispatcher->mutex);
    return running;
}

size_t dispatcher_running_all(struct dispatcher *dispatcher)
{
    pthread_mutex_lock(&dispatcher->mutex);
    size_t running = dispatcher->running;
    pthread_mutex_unlock(&dispatcher->mutex);
    return running;
}

void dispatcher_each_running(struct dispatcher *dispatcher,
                             void (*visit)(void *context, const struct record *record),
                             void *context)
{
    pthread_mutex_lock(&dispatcher->mutex);
    for (struct lane *lane = dispatcher->lanes; lane != NULL; lane = lane->next) {
        for (struct link *link = lane->records.next; link != &lane->records; link = link->next) {
            const struct record *record = record_of_lane(link);
            if (record->state == RECORD_RUNNING)
                visit(context, record);
        }
    }
    pthread_mutex_unlock(&dispatcher->mutex);
}
