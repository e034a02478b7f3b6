/* taker.h - one worker as the dispatcher sees it, and the stack on which idle ones wait.
 *
 * One wake is under way at a time: from the moment a taker is taken off the stack for it until that
 * taker answers, by taking a record or by turning to something else.
 *
 * Owns:    nothing; a taker is a field of its worker. The worker outlives the last use: whoever
 * woke it may name it once more in on_wake_worker shortly after it left for good, so its memory
 *          stays until every other worker is joined too.
 * Threads: any, under the dispatcher's mutex; taker_init before. */
#ifndef TAKER_H
#define TAKER_H

#include "util.h"

struct taker {
    struct link idle_link;
    bool is_idle;  /* on the idle stack */
    bool is_woken; /* taken off it by a wake that it has not answered yet */
};

struct idle_takers {
    struct link stack; /* the last to sleep is the first to wake: its memory is warm */
    bool is_waking;    /* a wake is under way */
};

void taker_init(struct taker *taker);

void idle_takers_init(struct idle_takers *idle);

/* Begins a wake; NULL when one is under way or nobody is idle. */
struct taker *idle_takers_wake(struct idle_takers *idle);

/* The taker is up: it leaves the stack, and a wake that was under way to it is over. Says whether
 * there was one. */
bool idle_takers_answer(struct idle_takers *idle, struct taker *taker);

/* The taker, which is up, found nothing to do. */
void idle_takers_push(struct idle_takers *idle, struct taker *taker);

#endif
