/* Where a record is, for who says what holds its partition back. */
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
