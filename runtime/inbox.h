/* inbox.h - where a thread with Lua handlers sleeps, and how others wake it.
 *
 * Whatever a handler waits for is named by a ticket; who has the answer posts the ticket. A ticket
 * is never used twice, so an answer that comes too late wakes nobody.
 *
 * Owns:    itself, by count: the worker holds one reference, every delivery that a handler waits
 * for another. Posting to an inbox whose worker is gone does nothing. Threads: any posts; the owner
 * drains and sleeps. */
#ifndef INBOX_H
#define INBOX_H

#include "util.h"

struct inbox;

struct inbox *inbox_new(void);
struct inbox *inbox_reference(struct inbox *inbox);
void inbox_release(struct inbox **inbox); /* sets *inbox to NULL */

/* The answer for `ticket` is there. */
void inbox_post(struct inbox *inbox, uint64_t ticket);

/* Wakes the owner without an answer: there may be a record, or it has to stop. */
void inbox_wake(struct inbox *inbox);

/* Something was posted since the last drain; no lock is taken. */
bool inbox_has_posts(struct inbox *inbox);

/* Moves up to `capacity` posted tickets out; returns how many. */
size_t inbox_drain(struct inbox *inbox, uint64_t *tickets, size_t capacity);

/* Sleeps until woken, posted to, or the deadline (clock_monotonic_ms; INT64_MAX: none) is past.
 * A wake that came before is not lost, and while posts wait to be drained there is no sleep. */
void inbox_sleep(struct inbox *inbox, int64_t deadline_ms);

/* The owner is gone: later posts are dropped. */
void inbox_close(struct inbox *inbox);

#endif
