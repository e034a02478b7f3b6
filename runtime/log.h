/* log.h - one line per event on standard error: text for people, JSON for machines.
 *
 * Colours only on a terminal, and not where NO_COLOR is set.
 *
 * After log_start a thread of its own writes the lines, in the order in which they were logged, and
 * nobody waits for standard error: what it does not take waits in a queue of 4 MiB, of which debug
 * and info get three quarters. When that is full further lines are dropped and counted until half
 * of it is written; there a line says how many. A thread that runs handlers first waits a moment
 * for room, log_start says how long, but not for a queue that has been full since. A write that
 * fails, for a full disk say, is tried again each second. A crash loses no line that was taken, nor
 * does the end of the process, but where standard error does not take them.
 *
 * Threads: any; lines of different threads never mix. None of the functions changes errno. */
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

/* Call once, on main; before it and after log_stop whoever logs writes the line itself, and waits
 * for that. A thread that runs handlers waits up to patience_ms for room in the queue. */
struct error;
MUST_USE int log_start(int64_t patience_ms, struct error *err);

/* Waits until all lines are written, at most so long, and not at all when somebody waited in vain
 * before: for who is about to write elsewhere what belongs behind them. Any thread. */
void log_flush(int64_t timeout_ms);

/* Also without log_start. Writes what is left, within a second, and takes the status away. What is
 * not written by then is lost, and so is what is logged behind it. */
void log_stop(void);

/* Lines that were dropped since the start of the process. */
uint64_t log_dropped_count(void);

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

/* The same for what may come again and again for one reason. `kind` names it: who, what and why;
 * equal texts are one kind, except for numbers of six digits or more and UUIDs in them. The first
 * `few` lines of a kind are written, then one in ten seconds with a field more, `repeated`: how
 * many of its kind were left out before it. When no more comes the last that was left out is still
 * written, with its own time: by the thread, or by log_stop. Names of fields are literals. */
void log_repeated(const char *kind, unsigned few, enum log_level level,
                  const struct log_field *fields, size_t field_count, const char *format, ...)
    PRINTF_LIKE(6, 7);

/* A line as it stands, for what is no event: an answer to who typed a command. */
void log_say(const char *text);

/* Lines are text, on a terminal where something may stand below them. */
bool log_shows_status(void);

/* What stands there, in place of what stood there, as far as it fits into one line; NULL takes it
 * away. Elsewhere nothing is shown. */
void log_set_status(const char *text);

#endif
