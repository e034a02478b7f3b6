/* log_line.h - an event as the bytes of its line: text for people, JSON for machines.
 *
 * Threads: any. */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include "log.h"

struct log_line {
    int64_t at_ms; /* since 1970 */
    enum log_level level;
    const char *message;
    size_t length;
    const struct log_field *fields;
    size_t field_count;
};

/* What lines look like from here on. */
void log_line_init(enum log_format format);

/* Those that log_line_init has chosen are JSON. */
bool log_line_is_json(void);

/* They are text on a terminal that can take a line back. */
bool log_line_has_screen(void);

/* Appends the event, with a newline at its end. */
void log_line_append(struct buffer *out, const struct log_line *line);

#endif
