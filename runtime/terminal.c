#include "terminal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "units.h"

/* The other screen; on it no cursor, no line that goes on in the next; and back. Going there twice
 * would forget where the cursor was before. */
static const char ENTER[] = "\033[?1049h";
static const char CLEAR[] = "\033[?25l\033[?7l\033[0m\033[H\033[2J";
static const char LEAVE[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

enum { LEAVE_MS = 1000 }; /* so long a terminal that takes nothing is waited for at the end */

static const int FAULTS[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static struct terminal *open_terminal; /* for a fault's handler */

bool terminal_is_there(void)
{
    const char *name = getenv("TERM");
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && name != NULL &&
           *name != '\0' && strcmp(name, "dumb") != 0;
}

/* --- writing --- */

/* All of it, unless the terminal takes nothing for too long. Safe in a signal's handler. */
static void write_through(int output, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        struct pollfd ready = {.fd = output, .events = POLLOUT};
        if (poll(&ready, 1, LEAVE_MS) <= 0)
            return;
        ssize_t rc = write(output, text, left);
        if (rc < 0 && errno != EINTR && errno != EAGAIN)
            return;
        text += rc > 0 ? rc : 0;
        left -= rc > 0 ? (size_t)rc : 0;
    }
}

static int send_rest(struct terminal *terminal)
{
    struct buffer *unsent = &terminal->unsent;
    while (terminal->sent < unsent->length) {
        struct pollfd ready = {.fd = terminal->output, .events = POLLOUT};
        int rc = poll(&ready, 1, 0);
        if (rc == 0 || (rc < 0 && errno == EINTR))
            return 0;
        ssize_t sent = write(terminal->output, unsent->bytes + terminal->sent,
                             unsent->length - terminal->sent);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (sent < 0)
            return -1;
        terminal->sent += (size_t)sent;
    }
    return 0;
}

int terminal_write(struct terminal *terminal, const struct buffer *frame)
{
    struct buffer *unsent = &terminal->unsent;
    if (send_rest(terminal) != 0)
        return -1;
    if (terminal->sent < unsent->length)
        return 0;
    buffer_clear(unsent, frame->length);
    buffer_append(unsent, frame->bytes, frame->length);
    terminal->sent = 0;
    return send_rest(terminal);
}

/* --- taking the screen and giving it back --- */

static void on_fault(int number)
{
    if (open_terminal != NULL)
        terminal_leave(open_terminal);
    raise(number); /* the handler is gone by now */
}

static void catch_faults(void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < ARRAY_LENGTH(FAULTS); i++)
        sigaction(FAULTS[i], &action, NULL);
}

/* Another program's terminal may not be opened by its name; then the one that we were given is
 * written to, which may block. */
static int open_output(void)
{
    int output = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return output >= 0 ? output : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

int terminal_open(struct terminal *terminal, struct error *err)
{
    *terminal = (struct terminal){0};
    if (tcgetattr(STDIN_FILENO, &terminal->before) != 0) {
        error_set(err, "the terminal: %s", strerror(errno));
        return -1;
    }
    terminal->input_flags = fcntl(STDIN_FILENO, F_GETFL);
    terminal->output = open_output();
    if (terminal->output < 0) {
        error_set(err, "the terminal: %s", strerror(errno));
        return -1;
    }
    buffer_init(&terminal->unsent);
    open_terminal = terminal;
    catch_faults(on_fault);
    terminal_enter(terminal);
    return 0;
}

void terminal_enter(struct terminal *terminal)
{
    struct termios mode = terminal->before;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    terminal->sent = terminal->unsent.length;
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
    if (!terminal->is_entered)
        write_through(terminal->output, ENTER);
    terminal->is_entered = true;
    write_through(terminal->output, CLEAR);
}

void terminal_leave(struct terminal *terminal)
{
    if (!terminal->is_entered)
        return;
    terminal->is_entered = false;
    write_through(terminal->output, LEAVE);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
    fcntl(STDIN_FILENO, F_SETFL, terminal->input_flags);
}

void terminal_close(struct terminal *terminal)
{
    assert(open_terminal == terminal);
    terminal_leave(terminal);
    open_terminal = NULL;
    catch_faults(SIG_DFL);
    close(terminal->output);
    buffer_destroy(&terminal->unsent);
}

static int size_from(const char *variable, int known, int otherwise)
{
    const char *text = getenv(variable);
    int64_t number;
    if (known > 0)
        return known;
    return text != NULL && integer_parse(text, 1, 10000, &number) == 0 ? (int)number : otherwise;
}

void terminal_size(int *width, int *height)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    *width = size_from("COLUMNS", size.ws_col, 80);
    *height = size_from("LINES", size.ws_row, 24);
}
