/* log.h - one line per event on standard error: text for people, JSON for machines.
 *
 * Colours only on a terminal, and not where NO_COLOR is set.
 *
 * Threads: any; a line is written by one write(2), so lines of different threads never mix. None of
 *          the functions changes errno. */
#ifndef LOG_H
#define LOG_H

#include "util.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* LOG_AUTO is text on a terminal, JSON otherwise. */
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON };

/* Something known about the event, beside its message. The name is a short snake_case word; in JSON
 * one called time, level or message gets a _ behind it. Text of several lines, such as a traceback,
 * stands indented under the line on a terminal. Bytes that are no UTF-8 are written as \xff, and a
 * text above 16 KiB is cut, so every line is valid and of a bounded length. */
struct log_field {
    const char *name;
    enum log_field_kind { FIELD_TEXT, FIELD_INTEGER, FIELD_JSON } kind;
    const char *text; /* FIELD_TEXT, FIELD_JSON (already encoded); may hold any byte */
    size_t length;
    int64_t integer; /* FIELD_INTEGER */
};

/* With text NULL the field is left out. */
struct log_field log_text(const char *name, const char *text);
struct log_field log_bytes(const char *name, const char *bytes, size_t length);
struct log_field log_integer(const char *name, int64_t integer);
struct log_field log_json(const char *name, const char *json, size_t length);

/* Call once, before other threads start; log_set_level at any time. */
void log_init(enum log_level level, enum log_format format);
void log_set_level(enum log_level level);
const char *log_level_name(enum log_level level); /* debug, info, warn, error */
bool log_is_enabled(enum log_level level);

/* Lines are JSON: a field that repeats in bytes what the message says in words is of use. */
bool log_is_for_programs(void);

/* Gets every enabled event of the process in place of standard error. The texts are the caller's.
 */
struct log_sink {
    void *context;
    void (*on_event)(void *context, enum log_level level, const char *message,
                     const struct log_field *fields, size_t field_count);
};

/* NULL: standard error again. Only while no other thread logs; the sink outlives its use. */
void log_set_sink(const struct log_sink *sink);

void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same with fields. */
void log_event(enum log_level level, const struct log_field *fields, size_t field_count,
               const char *format, ...) PRINTF_LIKE(4, 5);

/* A line as it stands, for what is no event: an answer to who typed a command. */
void log_say(const char *text);

/* What stands below all lines on a terminal, in place of what stood there; NULL takes it away.
 * Elsewhere nothing is shown. */
void log_set_status(const char *text);

#endif
