#include "taker.h"

/* So many times the pace of a brisk one, and it counts for two. */
enum { VERY_BRISK = 4 };

void taker_init(struct taker *taker)
{
    *taker = (struct taker){0};
    list_init(&taker->idle_link);
}

void idle_takers_init(struct idle_takers *idle, const struct sparing *sparing)
{
    *idle = (struct idle_takers){.sparing = *sparing};
    list_init(&idle->stack);
}

static bool is_spared(const struct idle_takers *idle)
{
    return idle->is_sparing && idle->up >= idle->sparing.cpus;
}

struct taker *idle_takers_wake(struct idle_takers *idle)
{
    if (idle->is_waking || list_is_empty(&idle->stack) || is_spared(idle))
        return NULL;
    struct taker *taker = CONTAINER_OF(list_pop(&idle->stack), struct taker, idle_link);
    taker->is_idle = false;
    taker->is_woken = true;
    idle->is_waking = true;
    return taker;
}

bool idle_takers_answer(struct idle_takers *idle, struct taker *taker)
{
    bool was_woken = taker->is_woken;
    if (was_woken) {
        taker->is_woken = false;
        idle->is_waking = false;
    }
    if (taker->is_idle) {
        list_remove(&taker->idle_link);
        taker->is_idle = false;
    }
    if (taker->is_up) {
        taker->is_up = false;
        idle->up--;
    }
    return was_woken;
}

static void begin_beat(struct idle_takers *idle, struct taker *taker)
{
    taker->beat = idle->beat;
    taker->pace = 0;
    taker->counted = 0;
}

/* One that is brisk beside as many as there are CPUs, and up, is superfluous. It begins its count
 * anew, or it would not outlast a wake that comes for it in the same beat. */
static bool is_superfluous(struct idle_takers *idle, struct taker *taker)
{
    static const size_t paces[] = {1, VERY_BRISK};
    const struct sparing *sparing = &idle->sparing;
    if (taker->beat != idle->beat)
        begin_beat(idle, taker);
    if (taker->counted == ARRAY_LENGTH(paces) ||
        ++taker->pace < paces[taker->counted] * sparing->pace)
        return false;
    if (taker->counted > 0 || idle->brisk < sparing->cpus) {
        idle->brisk++;
        taker->counted++;
        return false;
    }
    if (idle->up < sparing->cpus)
        return false;
    idle->is_sparing = true;
    taker->pace = 0;
    return true;
}

bool idle_takers_begin(struct idle_takers *idle, struct taker *taker)
{
    if (is_superfluous(idle, taker))
        return false;
    taker->is_up = true;
    idle->up++;
    return true;
}

void idle_takers_push(struct idle_takers *idle, struct taker *taker)
{
    list_prepend(&idle->stack, &taker->idle_link);
    taker->is_idle = true;
}

void idle_takers_beat(struct idle_takers *idle, bool has_backlog)
{
    if (has_backlog)
        idle->is_sparing = idle->brisk >= idle->sparing.cpus;
    idle->brisk = 0;
    idle->beat++;
}
