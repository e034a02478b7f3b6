/* log_write.h - how lines get to standard error: by who logs, or after log_start by a thread of
 * its own; and what stands below them on a terminal.
 *
 * Owns:    the queue of lines, its thread.
 * Threads: any. */
#ifndef LOG_WRITE_H
#define LOG_WRITE_H

#include "log.h"

/* Takes a copy of whole lines that belong together: no other line comes between. */
void log_write(enum log_level level, const char *bytes, size_t length);

/* For the handler of a signal that ends the process: waits a little until all lines are written. */
void log_write_last(void);

#endif
