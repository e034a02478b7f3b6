#include "log_output.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

int log_output_write(const struct buffer *bytes, size_t *written)
{
    while (*written < bytes->length) {
        ssize_t rc = write(STDERR_FILENO, bytes->bytes + *written, bytes->length - *written);
        if (rc >= 0) {
            *written += (size_t)rc;
        } else if (errno == EAGAIN) {
            /* Whoever shares it with us has made it so; to change it back would be theirs to feel.
             */
            struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
            poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

size_t log_output_fitting(const char *text)
{
    enum { USUAL_COLUMNS = 80 };
    struct winsize size = {0};
    size_t columns = USUAL_COLUMNS;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    size_t length = 0;
    for (size_t shown = 0; text[length] != '\0'; length++) {
        bool begins_character = ((unsigned char)text[length] & 0xc0) != 0x80;
        if (begins_character && ++shown >= columns)
            break;
    }
    return length;
}
