/* log_write.h - how lines get to standard error: by who logs, or after log_start by a thread of
 * its own; and what stands below them on a terminal.
 *
 * Owns:    the queue of lines, its thread.
 * Threads: any. */
#ifndef LOG_WRITE_H
#define LOG_WRITE_H

#include "log_line.h"

/* Takes a copy of whole lines that belong together: no other line comes between. */
void log_write(enum log_level level, const char *bytes, size_t length);

/* The same with the line made here. */
void log_write_line(const struct log_line *line);

/* The thread looks anew at what it has to do. */
void log_write_wake(void);

/* Whether log_set_sink takes the events. */
bool log_has_sink(void);

/* What the thread does beside once a second, while something was left out: log_repeated.c. Each
 * line that is due is written; with INT64_MAX all. */
bool log_repeated_are_waiting(void);
void log_repeated_say_due(int64_t now_ms);

/* For the handler of a signal that ends the process: waits a little until all lines are written. */
void log_write_last(void);

#endif
