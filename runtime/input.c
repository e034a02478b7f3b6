#include "input.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { READ_AHEAD_BYTES = 64 * 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int end_event = -1; /* readable, and never read, once the input has ended */
static atomic_bool was_cut;

static void open_event(void)
{
    end_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (end_event < 0)
        abort();
}

/* The reading itself is never left by a signal: worker threads take none. */
static ssize_t on_read(void *cookie, char *bytes, size_t size)
{
    (void)cookie;
    struct pollfd sources[] = {{end_event, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    while (poll(sources, ARRAY_LENGTH(sources), -1) < 0)
        if (errno != EINTR)
            return -1;
    if (sources[0].revents == 0)
        return read(STDIN_FILENO, bytes, size);
    atomic_store(&was_cut, true);
    errno = ECANCELED;
    return -1;
}

FILE *input_open(void)
{
    pthread_once(&once, open_event);
    FILE *stream = fopencookie(NULL, "r", (cookie_io_functions_t){.read = on_read});
    if (stream == NULL)
        abort();
    setvbuf(stream, NULL, _IOFBF, READ_AHEAD_BYTES);
    return stream;
}

void input_end(void)
{
    uint64_t one = 1;
    pthread_once(&once, open_event);
    ssize_t written = write(end_event, &one, sizeof one);
    (void)written;
}

bool input_was_cut(void)
{
    return atomic_load(&was_cut);
}
