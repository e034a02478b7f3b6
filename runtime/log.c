#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log_line.h"
#include "log_write.h"

static atomic_int enabled_level = LOG_INFO;
static const struct log_sink *log_sink;

static const char *const level_words[] = {"debug", "info", "warn", "error"};

static void log_arguments(enum log_level level, const struct log_field *fields, size_t count,
                          const char *format, va_list arguments) PRINTF_LIKE(4, 0);

struct log_field log_text(const char *name, const char *text)
{
    return log_bytes(name, text, text != NULL ? strlen(text) : 0);
}

struct log_field log_bytes(const char *name, const char *bytes, size_t length)
{
    return (struct log_field){.name = name, .kind = FIELD_TEXT, .text = bytes, .length = length};
}

struct log_field log_integer(const char *name, int64_t integer)
{
    return (struct log_field){.name = name, .kind = FIELD_INTEGER, .integer = integer};
}

struct log_field log_json(const char *name, const char *json, size_t length)
{
    return (struct log_field){.name = name, .kind = FIELD_JSON, .text = json, .length = length};
}

void log_init(enum log_level level, enum log_format format)
{
    log_line_init(format);
    log_set_level(level);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&enabled_level, (int)level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
    return level_words[level];
}

bool log_is_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&enabled_level, memory_order_relaxed);
}

bool log_shows_status(void)
{
    return log_line_has_screen();
}

void log_set_sink(const struct log_sink *sink)
{
    log_sink = sink;
}

bool log_has_sink(void)
{
    return log_sink != NULL;
}

bool log_is_for_programs(void)
{
    return log_line_is_json();
}

void log_debug(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_arguments(LOG_DEBUG, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_arguments(LOG_INFO, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_arguments(LOG_WARN, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_arguments(LOG_ERROR, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_event(enum log_level level, const struct log_field *fields, size_t field_count,
               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_arguments(level, fields, field_count, format, arguments);
    va_end(arguments);
}

static void log_arguments(enum log_level level, const struct log_field *fields, size_t count,
                          const char *format, va_list arguments)
{
    if (!log_is_enabled(level))
        return;
    int saved_errno = errno;
    char *message = NULL;
    int length = vasprintf(&message, format, arguments);
    if (length < 0)
        abort();
    const struct log_line line = {clock_wall_ms(), level, message, (size_t)length, fields, count};
    if (log_sink != NULL)
        log_sink->on_event(log_sink->context, level, message, fields, count);
    else
        log_write_line(&line);
    free(message);
    errno = saved_errno;
}

void log_write_line(const struct log_line *line)
{
    struct buffer bytes;
    buffer_init(&bytes);
    log_line_append(&bytes, line);
    log_write(line->level, bytes.bytes, bytes.length);
    buffer_destroy(&bytes);
}

void log_say(const char *text)
{
    int saved_errno = errno;
    char *line = xasprintf("%s\n", text);
    log_write(LOG_ERROR, line, strlen(line));
    free(line);
    errno = saved_errno;
}
