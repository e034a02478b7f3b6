/* What is logged again and again: through log_repeats.c. The thread that writes the log, and
 * log_stop, say what has stopped coming. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log_repeats.h"
#include "log_write.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct log_repeats repeats; /* under the mutex */
static atomic_bool are_waiting;    /* something was left out */

/* Under the mutex, for the line is of the table. */
static void write_line(const struct log_line *line, uint64_t left_out)
{
    struct log_field fields[REPEATS_FIELDS + 1];
    struct log_line whole = *line;
    size_t count = line->field_count < REPEATS_FIELDS ? line->field_count : REPEATS_FIELDS;
    memcpy(fields, line->fields, count * sizeof fields[0]);
    if (left_out > 0)
        fields[count++] = log_integer("repeated", (int64_t)left_out);
    whole.fields = fields;
    whole.field_count = count;
    log_write_line(&whole);
}

static void say_or_keep(const char *kind, unsigned few, const struct log_line *line)
{
    uint64_t left_out;
    pthread_mutex_lock(&mutex);
    if (log_repeats_admit(&repeats, kind, few, line, clock_monotonic_ms(), &left_out))
        write_line(line, left_out);
    bool was_waiting = atomic_exchange(&are_waiting, repeats.waiting > 0);
    bool is_first = repeats.waiting > 0 && !was_waiting;
    pthread_mutex_unlock(&mutex);
    if (is_first)
        log_write_wake();
}

void log_repeated(const char *kind, unsigned few, enum log_level level,
                  const struct log_field *fields, size_t field_count, const char *format, ...)
{
    if (!log_is_enabled(level))
        return;
    int saved_errno = errno;
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    const struct log_line line = {.at_ms = clock_wall_ms(),
                                  .level = level,
                                  .message = message,
                                  .length = (size_t)length,
                                  .fields = fields,
                                  .field_count = field_count};
    if (log_has_sink())
        log_event(level, fields, field_count, "%s", message);
    else
        say_or_keep(kind, few, &line);
    free(message);
    errno = saved_errno;
}

bool log_repeated_are_waiting(void)
{
    return atomic_load(&are_waiting);
}

void log_repeated_say_due(int64_t now_ms)
{
    uint64_t left_out;
    const struct log_line *line;
    pthread_mutex_lock(&mutex);
    while ((line = log_repeats_due(&repeats, now_ms, &left_out)) != NULL)
        write_line(line, left_out);
    atomic_store(&are_waiting, repeats.waiting > 0);
    pthread_mutex_unlock(&mutex);
}
