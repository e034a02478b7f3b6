/* taker.h - one worker as the dispatcher sees it, the stack on which idle ones wait, and the rule
 * by which they are woken.
 *
 * One wake is under way at a time: from the moment a taker is taken off the stack for it until that
 * taker answers, by taking a record or by turning to something else.
 *
 * Workers are spared while more of them would only take turns on the CPUs, which costs a tenth and
 * more of a cheap record: caches go cold and locks change hands. That is so while as many as there
 * are CPUs are brisk: they have ended many records, none of which waited, since the last beat. One
 * that has ended four times as many counts for two, because reading for it takes a CPU as well. A
 * handler that blocks or computes for long is too slow for that, so however many of those there
 * are, all get their workers. While workers are spared no more of them are woken than there are
 * CPUs, and one more that turns out to be brisk goes to sleep in spite of backlog. The next beat,
 * some milliseconds later, looks again: backlog that nobody takes stays no longer than that.
 *
 * Owns:    nothing; a taker is a field of its worker. The worker outlives the last use: whoever
 * woke it may name it once more in on_wake_worker shortly after it left for good, so its memory
 *          stays until every other worker is joined too.
 * Threads: any, under the dispatcher's mutex; taker_init before. taker_wait on the taker's own. */
#ifndef TAKER_H
#define TAKER_H

#include "util.h"

struct taker {
    struct link idle_link;
    bool is_idle;  /* on the idle stack */
    bool is_woken; /* taken off it by a wake that it has not answered yet */
    bool is_up;    /* its last take found a record, and it has not turned to something else */
    /* Changed by its own thread alone. */
    uint64_t beat;  /* in which it took last */
    size_t pace;    /* records taken in that beat, since a handler of its waited */
    size_t counted; /* for how many brisk ones it counts in that beat */
};

/* When more workers would only take turns. */
struct sparing {
    size_t cpus; /* that many brisk ones are enough */
    size_t pace; /* records in a beat that make a taker brisk */
};

struct idle_takers {
    struct sparing sparing;
    struct link stack; /* the last to sleep is the first to wake: its memory is warm */
    bool is_waking;    /* a wake is under way */
    bool is_sparing;
    size_t up;
    uint64_t beat;
    size_t brisk; /* takers of this beat, some counted twice */
};

void taker_init(struct taker *taker);

/* Its handler waits: it does not keep a CPU busy, however many records it takes. */
static inline void taker_wait(struct taker *taker)
{
    taker->pace = 0;
}

void idle_takers_init(struct idle_takers *idle, const struct sparing *sparing);

/* Begins a wake; NULL when one is under way, nobody is idle, or the idle are spared. */
struct taker *idle_takers_wake(struct idle_takers *idle);

/* The taker is up: it leaves the stack, and a wake that was under way to it is over. Says whether
 * there was one. */
bool idle_takers_answer(struct idle_takers *idle, struct taker *taker);

/* There is backlog for the taker, which has answered. False: it is one too many and is to sleep;
 * else it counts as up until it answers again. */
bool idle_takers_begin(struct idle_takers *idle, struct taker *taker);

/* The taker, which has answered, found nothing to do. */
void idle_takers_push(struct idle_takers *idle, struct taker *taker);

/* Some milliseconds have gone by, and there is backlog or not. */
void idle_takers_beat(struct idle_takers *idle, bool has_backlog);

#endif
