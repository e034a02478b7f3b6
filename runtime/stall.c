#include "stall.h"

bool stall_is_same(const struct stall *stall, uint64_t epoch, int64_t position)
{
    return stall->seen.epoch == epoch && stall->seen.position == position;
}

static bool has_changed(const struct stall *stall, const struct stall_sight *sight)
{
    const struct stall_sight *seen = &stall->seen;
    return !stall_is_same(stall, sight->epoch, sight->position) || sight->hand != seen->hand ||
           sight->run != seen->run || (sight->hand == STALL_WAITING && sight->ended != seen->ended);
}

/* What runs goes on whoever holds the partition. */
static bool is_excused(const struct stall_sight *sight)
{
    bool has_begun = sight->hand == STALL_RUNNING || sight->hand == STALL_AWAITED ||
                     sight->hand == STALL_LETTERED;
    return sight->epoch == 0 || sight->hand == STALL_PLANNED || (sight->is_held && !has_begun);
}

/* An end that does not grow may be that of the last fetch, or stand behind offsets that hold no
 * record. */
static bool has_work(const struct stall *stall, const struct stall_sight *sight)
{
    return sight->hand != STALL_UNREAD ||
           (sight->end > sight->position && sight->end > stall->first_end);
}

enum stall_news stall_look(struct stall *stall, const struct stall_sight *sight, int64_t limit_ms,
                           int64_t now_ms)
{
    bool was_stalled = stall->is_stalled;
    bool is_other = has_changed(stall, sight) || is_excused(sight) || limit_ms == 0;
    stall->seen = *sight;
    if (is_other || stall->first_end < 0)
        stall->first_end = sight->end;
    if (is_other) {
        stall->lasted_ms = now_ms - stall->since_ms;
        stall->since_ms = now_ms;
        stall->is_stalled = false;
        return was_stalled ? STALL_ENDS : STALL_NO_NEWS;
    }
    stall->is_stalled =
        was_stalled || (has_work(stall, sight) && now_ms - stall->since_ms >= limit_ms);
    return stall->is_stalled && !was_stalled ? STALL_BEGINS : STALL_NO_NEWS;
}

const char *stall_in_words(enum stall_hand hand)
{
    switch (hand) {
    case STALL_UNREAD:
        return "more and more is there to be read and nothing is: look at the brokers of the "
               "partition, and at what the log says of them";
    case STALL_WAITING:
        return "its oldest record waits for a worker, and no handler ends: look at what the "
               "handlers that run wait for";
    case STALL_RUNNING:
        return "the handler of its oldest record does not end: look at what it calls or waits for";
    case STALL_AWAITED:
        return "the handler of its oldest record has returned, and what it published is not "
               "acknowledged: look at the brokers of that topic";
    case STALL_LETTERED:
        return "the dead letter of its oldest record is not acknowledged: look at the brokers of "
               "that topic";
    case STALL_PLANNED:
        break;
    }
    return "its oldest record waits for its retry";
}
