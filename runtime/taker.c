#include "taker.h"

void taker_init(struct taker *taker)
{
    *taker = (struct taker){0};
    list_init(&taker->idle_link);
}

void idle_takers_init(struct idle_takers *idle)
{
    *idle = (struct idle_takers){0};
    list_init(&idle->stack);
}

struct taker *idle_takers_wake(struct idle_takers *idle)
{
    if (idle->is_waking || list_is_empty(&idle->stack))
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
    list_remove(&taker->idle_link);
    taker->is_idle = false;
    return was_woken;
}

void idle_takers_push(struct idle_takers *idle, struct taker *taker)
{
    list_prepend(&idle->stack, &taker->idle_link);
    taker->is_idle = true;
}
