/* log_output.h - standard error as the log sees it.
 *
 * Threads: any; one writes at a time. */
#ifndef LOG_OUTPUT_H
#define LOG_OUTPUT_H

#include "util.h"

/* Writes from *written on, and counts it up. 0, or errno. Waits as long as standard error makes it
 * wait. */
int log_output_write(const struct buffer *bytes, size_t *written);

/* As many bytes of the text as fit into the terminal's line as it is now. A line that is full to
 * its last column would make some terminals begin another. */
size_t log_output_fitting(const char *text);

#endif
