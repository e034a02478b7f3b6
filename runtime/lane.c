#include "lane.h"

#include <assert.h>
#include <stdlib.h>

struct lane *lane_new(const char *topic, int32_t partition)
{
    struct lane *lane = xcalloc(1, sizeof *lane);
    lane->topic = xstrdup(topic);
    lane->partition = partition;
    list_init(&lane->records);
    list_init(&lane->held);
    return lane;
}

void lane_free(struct lane **lane_owned)
{
    struct lane *lane = *lane_owned;
    *lane_owned = NULL;
    assert(list_is_empty(&lane->records));
    free(lane->topic);
    free(lane);
}

void lane_end_epoch(struct lane *lane)
{
    lane->leftovers += lane->running;
    lane->running = 0;
    lane->epoch = 0;
}

/* Leftovers arrived before everything of this epoch, so the search ends at the first record of it.
 */
struct record *lane_find_leftover(struct lane *lane, int64_t offset)
{
    if (lane->leftovers == 0)
        return NULL;
    for (struct link *link = lane->records.next; link != &lane->records; link = link->next) {
        struct record *record = record_of_lane(link);
        if (record->epoch == lane->epoch)
            return NULL;
        if (record->state == RECORD_RUNNING && record->offset == offset)
            return record;
    }
    return NULL;
}
