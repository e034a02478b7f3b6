#include "log_write.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "log_crash.h"
#include "log_line.h"
#include "log_output.h"
#include "thread.h"

enum {
    QUEUE_BYTES = 4 * 1024 * 1024,
    PLAIN_BYTES = QUEUE_BYTES / 4 * 3, /* what debug and info may take of it */
    AGAIN_BYTES = QUEUE_BYTES / 2,     /* once it was full: lines are taken again from here down */
    KEEP_BYTES = 64 * 1024,
    STATUS_BYTES = 512,
    LOOK_MS = 1000,
    RETRY_MS = 1000, /* after a write that failed: the disk may have room again */
    END_MS = 1000,
    CRASH_MS = 500,
};

/* LOST: the thread hangs in its last write. */
enum mode { DIRECT, QUEUED, LOST };

/* To the first column, and nothing behind it. */
static const char ERASE[] = "\r\033[K";

/* What stands on the screen, and the queue. Without a thread whoever logs writes, under the mutex:
 * a pipe takes only 4 KiB in one piece. With one nobody holds the mutex while writing. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work;  /* for the thread: lines, another status, the end was asked for */
    pthread_cond_t moved; /* for who waits: something was written, or the thread has ended */
    pthread_t thread;
    bool has_conditions;
    atomic_int mode;
    int64_t patience_ms;

    struct buffer waiting;
    size_t writing; /* bytes that the thread has taken and not written */
    char status[STATUS_BYTES];
    size_t status_length;  /* as much of it as fits */
    unsigned status_set;   /* counts what was to be shown */
    unsigned status_shown; /* the last of it that is on the screen */
    bool is_ending;
    bool has_ended;
    bool has_stalled; /* somebody waited in vain, and nothing was written since */
    int failure;      /* errno of the last write; 0: it went well */

    bool is_full; /* lines are dropped until half of the queue is written */
    int64_t full_since_ms;
    int full_failure;
    uint64_t unsaid; /* dropped since then */

    /* Read without the mutex too. */
    atomic_size_t pending; /* waiting and writing, and one more for a status */
    atomic_uint_fast64_t dropped;
} sink = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *writer_main(void *unused);

/* --- the terminal --- */

/* Under the mutex: the lines as they go out, with the status taken away before and put back
 * behind. */
static void draw(struct buffer *out, const char *bytes, size_t length, bool has_status)
{
    out->length = 0;
    if (has_status)
        buffer_append(out, ERASE, sizeof ERASE - 1);
    buffer_append(out, bytes, length);
    sink.status_length = log_output_fitting(sink.status);
    buffer_append(out, sink.status, sink.status_length);
}

/* --- writing --- */

static int write_directly(const char *bytes, size_t length, bool had_status)
{
    if (!had_status && sink.status[0] == '\0') {
        const struct buffer lines = {(char *)bytes, length, length};
        return log_output_write(&lines, &(size_t){0});
    }
    struct buffer out;
    buffer_init(&out);
    draw(&out, bytes, length, had_status);
    int failure = log_output_write(&out, &(size_t){0});
    buffer_destroy(&out);
    return failure;
}

/* --- the queue, under the mutex --- */

/* Milliseconds from now; false when they are over. */
static bool wait_until(pthread_cond_t *condition, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    return pthread_cond_timedwait(condition, &sink.mutex, &until) != ETIMEDOUT;
}

static bool is_status_due(void)
{
    return sink.status_set != sink.status_shown;
}

static void count_pending(void)
{
    atomic_store(&sink.pending, sink.waiting.length + sink.writing + is_status_due());
}

static void append(const char *bytes, size_t length)
{
    buffer_append(&sink.waiting, bytes, length);
    count_pending();
    pthread_cond_signal(&sink.work);
}

/* A line that is longer than the queue is taken when it is the only one. */
static bool has_room(enum log_level level, size_t length)
{
    size_t limit = level >= LOG_WARN ? QUEUE_BYTES : PLAIN_BYTES;
    size_t pending = atomic_load(&sink.pending);
    return pending == 0 || pending + length <= limit;
}

/* A handler's thread may wait a moment: who takes lines slower than they come is not yet one who
 * takes none. Main and whoever serves it never waits. */
static bool wait_for_room(enum log_level level, size_t length)
{
    int64_t until_ms = clock_monotonic_ms() + sink.patience_ms;
    bool may_wait = thread_role() == THREAD_WORKER && !sink.is_full;
    while (may_wait && sink.mode == QUEUED && !has_room(level, length))
        may_wait = wait_until(&sink.moved, until_ms);
    return has_room(level, length);
}

static void drop(void)
{
    if (!sink.is_full) {
        sink.is_full = true;
        sink.full_since_ms = clock_monotonic_ms();
        sink.full_failure = sink.failure;
    }
    sink.unsaid++;
    atomic_fetch_add(&sink.dropped, 1);
}

static void enqueue(enum log_level level, const char *bytes, size_t length)
{
    bool is_refused = sink.is_full && level < LOG_WARN;
    bool has_place = !is_refused && (has_room(level, length) || wait_for_room(level, length));
    /* The thread may have ended while this one waited. */
    if (has_place && sink.mode == QUEUED)
        append(bytes, length);
    else
        drop();
}

/* Stands in the queue where the lines are missing. */
static void say_dropped(void)
{
    struct error text;
    const char *plural = sink.unsaid == 1 ? " was" : "s were";
    int64_t ms = clock_monotonic_ms() - sink.full_since_ms;
    if (sink.full_failure != 0)
        error_set(&text, "%llu log line%s dropped while standard error could not be written: %s",
                  (unsigned long long)sink.unsaid, plural, strerror(sink.full_failure));
    else
        error_set(&text, "%llu log line%s dropped while standard error took none, or not enough",
                  (unsigned long long)sink.unsaid, plural);
    const struct log_field fields[] = {log_integer("dropped", (int64_t)sink.unsaid),
                                       log_integer("for_ms", ms)};
    const struct log_line line = {clock_wall_ms(),   LOG_WARN, text.text,
                                  strlen(text.text), fields,   ARRAY_LENGTH(fields)};
    log_line_append(&sink.waiting, &line);
    sink.unsaid = 0;
}

static void on_written(size_t length)
{
    sink.writing -= length;
    sink.failure = 0;
    sink.has_stalled = false;
    count_pending();
    if (sink.is_full && atomic_load(&sink.pending) <= AGAIN_BYTES) {
        sink.is_full = false;
        say_dropped();
        count_pending();
    }
    pthread_cond_broadcast(&sink.moved);
}

/* --- the thread; the mutex is held but for the writes --- */

/* As many lines as go into a pipe in one piece, or one: others may write into it too, such as the
 * embedded broker. */
static size_t piece_length(const char *bytes, size_t length)
{
    if (length <= PIPE_BUF)
        return length;
    const char *last = memrchr(bytes, '\n', PIPE_BUF);
    if (last == NULL)
        last = memchr(bytes, '\n', length);
    return last != NULL ? (size_t)(last - bytes) + 1 : length;
}

/* Tries until it is written: a full disk may be emptied. -1: the process ends, and it cannot be. */
static int write_piece(struct buffer *out)
{
    for (size_t written = 0;;) {
        pthread_mutex_unlock(&sink.mutex);
        int failure = log_output_write(out, &written);
        pthread_mutex_lock(&sink.mutex);
        sink.failure = failure;
        if (failure == 0)
            return 0;
        int64_t until_ms = clock_monotonic_ms() + RETRY_MS;
        while (!sink.is_ending && wait_until(&sink.work, until_ms))
            continue;
        if (sink.is_ending)
            return -1;
    }
}

static int write_taken(const struct buffer *taken, struct buffer *out, bool *has_status)
{
    for (size_t done = 0; done < taken->length || is_status_due();) {
        size_t length = piece_length(taken->bytes + done, taken->length - done);
        unsigned status = sink.status_set;
        draw(out, taken->bytes + done, length, *has_status);
        *has_status = sink.status[0] != '\0';
        if (write_piece(out) != 0)
            return -1;
        done += length;
        sink.status_shown = status;
        on_written(length);
    }
    return 0;
}

/* Once a second; the lines come back as those of anybody. */
static void say_repeated(int64_t *said_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - *said_ms < LOOK_MS)
        return;
    *said_ms = now_ms;
    pthread_mutex_unlock(&sink.mutex);
    log_repeated_say_due(now_ms);
    pthread_mutex_lock(&sink.mutex);
}

static void wait_for_work(int64_t said_ms)
{
    if (log_repeated_are_waiting())
        wait_until(&sink.work, said_ms + LOOK_MS);
    else
        pthread_cond_wait(&sink.work, &sink.mutex);
}

static void *writer_main(void *unused)
{
    struct buffer taken, out;
    bool has_status = false;
    int64_t said_ms = 0;
    int rc = 0;
    buffer_init(&taken);
    buffer_init(&out);
    thread_set_role(THREAD_UNKNOWN, "log");
    pthread_mutex_lock(&sink.mutex);
    while (rc == 0 && (!sink.is_ending || sink.waiting.length > 0 || is_status_due())) {
        if (log_repeated_are_waiting())
            say_repeated(&said_ms);
        if (sink.waiting.length == 0 && !is_status_due()) {
            wait_for_work(said_ms);
            continue;
        }
        struct buffer empty = taken;
        taken = sink.waiting;
        sink.waiting = empty;
        sink.writing = taken.length;
        rc = write_taken(&taken, &out, &has_status);
        buffer_clear(&taken, KEEP_BYTES);
        buffer_clear(&out, KEEP_BYTES);
    }
    sink.has_ended = true;
    pthread_cond_broadcast(&sink.moved);
    pthread_mutex_unlock(&sink.mutex);
    buffer_destroy(&taken);
    buffer_destroy(&out);
    return unused;
}

/* --- for everybody --- */

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int log_start(int64_t patience_ms, struct error *err)
{
    /* Never destroyed: somebody may still be about to wake from one. */
    if (!sink.has_conditions) {
        init_condition(&sink.work);
        init_condition(&sink.moved);
    }
    sink.has_conditions = true;
    sink.patience_ms = patience_ms;
    sink.is_ending = false;
    sink.has_ended = false;
    sink.mode = QUEUED;
    if (thread_start(&sink.thread, writer_main, NULL, err) != 0) {
        sink.mode = DIRECT;
        error_prefix(err, "log: ");
        return -1;
    }
    log_crash_watch();
    return 0;
}

void log_flush(int64_t timeout_ms)
{
    if (atomic_load(&sink.pending) == 0)
        return;
    int saved_errno = errno;
    pthread_mutex_lock(&sink.mutex);
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    while (sink.mode == QUEUED && !sink.has_stalled && atomic_load(&sink.pending) > 0)
        sink.has_stalled = !wait_until(&sink.moved, until_ms);
    pthread_mutex_unlock(&sink.mutex);
    errno = saved_errno;
}

/* Under the mutex: asks for the end, and waits for it. */
static bool end_in_time(void)
{
    int64_t until_ms = clock_monotonic_ms() + END_MS;
    bool is_in_time = true;
    sink.is_ending = true;
    pthread_cond_signal(&sink.work);
    while (!sink.has_ended && is_in_time)
        is_in_time = wait_until(&sink.moved, until_ms);
    return sink.has_ended;
}

void log_stop(void)
{
    log_repeated_say_due(INT64_MAX);
    pthread_mutex_lock(&sink.mutex);
    if (sink.mode != QUEUED) {
        pthread_mutex_unlock(&sink.mutex);
        return;
    }
    sink.status_set += sink.status[0] != '\0';
    sink.status[0] = '\0';
    bool has_ended = end_in_time();
    sink.mode = has_ended ? DIRECT : LOST;
    pthread_mutex_unlock(&sink.mutex);
    if (!has_ended) {
        pthread_detach(sink.thread);
        return;
    }
    pthread_join(sink.thread, NULL);
    buffer_destroy(&sink.waiting);
    sink.writing = 0;
    sink.status_shown = sink.status_set;
    sink.is_full = false;
    atomic_store(&sink.pending, 0);
}

uint64_t log_dropped_count(void)
{
    return atomic_load(&sink.dropped);
}

void log_write(enum log_level level, const char *bytes, size_t length)
{
    pthread_mutex_lock(&sink.mutex);
    if (sink.mode == QUEUED)
        enqueue(level, bytes, length);
    else if (sink.mode == LOST || write_directly(bytes, length, sink.status[0] != '\0') != 0)
        atomic_fetch_add(&sink.dropped, 1);
    pthread_mutex_unlock(&sink.mutex);
}

void log_write_wake(void)
{
    pthread_mutex_lock(&sink.mutex);
    if (sink.mode == QUEUED)
        pthread_cond_signal(&sink.work);
    pthread_mutex_unlock(&sink.mutex);
}

/* Since the status was shown. */
static bool is_resized(void)
{
    return sink.status[0] != '\0' && sink.status_length != log_output_fitting(sink.status);
}

void log_set_status(const char *text)
{
    int saved_errno = errno;
    text = text != NULL ? text : "";
    pthread_mutex_lock(&sink.mutex);
    if (log_line_has_screen() && (strcmp(text, sink.status) != 0 || is_resized())) {
        bool had_status = sink.status[0] != '\0';
        snprintf(sink.status, sizeof sink.status, "%s", text);
        if (sink.mode == QUEUED) {
            sink.status_set++;
            count_pending();
            pthread_cond_signal(&sink.work);
        } else if (sink.mode == DIRECT) {
            write_directly("", 0, had_status);
        }
    }
    pthread_mutex_unlock(&sink.mutex);
    errno = saved_errno;
}

/* The thread writes on while a handler runs on another one; when it is the one that fails, or the
 * mutex is held by the one that does, time goes by and some lines are lost. */
void log_write_last(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    if (sink.mode != QUEUED || pthread_equal(pthread_self(), sink.thread))
        return;
    for (int i = 0; i < CRASH_MS && atomic_load(&sink.pending) > 0; i++)
        nanosleep(&moment, NULL);
}
