/* log_write.h - how a line gets to standard error, with what stands below it on a terminal.
 *
 * Threads: any. */
#ifndef LOG_WRITE_H
#define LOG_WRITE_H

#include "util.h"

/* Whole lines: those of different threads never mix. */
void log_write(const char *bytes, size_t length);

#endif
