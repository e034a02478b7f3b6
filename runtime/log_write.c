#include "log_write.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* Whoever looks on has more of a screen than this; a longer one could not be taken back. */
enum { STATUS_BYTES = 80 };

/* To the first column, and nothing behind it. */
static const char ERASE[] = "\r\033[K";

/* A pipe takes only 4 KiB in one piece: with it long lines of two threads do not mix either. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char status[STATUS_BYTES]; /* under the mutex; empty: none */

/* One write(2), except where standard error itself takes only a part. A log that cannot be written
 * is no reason to stop handling records. */
static void write_all(const char *bytes, size_t length)
{
    size_t written = 0;
    while (written < length) {
        ssize_t rc = write(STDERR_FILENO, bytes + written, length - written);
        if (rc >= 0) {
            written += (size_t)rc;
        } else if (errno == EAGAIN) {
            struct pollfd descriptor = {.fd = STDERR_FILENO, .events = POLLOUT};
            poll(&descriptor, 1, -1);
        } else if (errno != EINTR) {
            break;
        }
    }
}

void log_write(const char *bytes, size_t length)
{
    pthread_mutex_lock(&mutex);
    if (status[0] != '\0')
        write_all(ERASE, sizeof ERASE - 1);
    write_all(bytes, length);
    write_all(status, strlen(status));
    pthread_mutex_unlock(&mutex);
}

void log_say(const char *text)
{
    int saved_errno = errno;
    char *line = xasprintf("%s\n", text);
    log_write(line, strlen(line));
    free(line);
    errno = saved_errno;
}

void log_set_status(const char *text)
{
    int saved_errno = errno;
    if (isatty(STDERR_FILENO) == 1) {
        pthread_mutex_lock(&mutex);
        if (status[0] != '\0')
            write_all(ERASE, sizeof ERASE - 1);
        snprintf(status, sizeof status, "%s", text != NULL ? text : "");
        write_all(status, strlen(status));
        pthread_mutex_unlock(&mutex);
    }
    errno = saved_errno;
}
