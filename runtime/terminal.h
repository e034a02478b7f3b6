/* terminal.h - a terminal whose whole screen a program has for a while: what was there comes back
 * when it is closed, stopped, or the program is killed by a fault of its own.
 *
 * What is written never waits for a terminal that takes nothing: it is left out, frame by frame.
 *
 * Owns:    the mode of the terminal, and its screen.
 * Threads: main. There is one.
 * Life:    terminal_open -> (terminal_leave -> terminal_enter)* -> terminal_close. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <termios.h>

#include "util.h"

struct error;

struct terminal {
    struct termios before;
    int input_flags;      /* before: of standard input, which others have too */
    int output;           /* the same terminal, opened anew: that it does not block is ours alone */
    bool is_entered;      /* the screen is ours */
    struct buffer unsent; /* of what was written */
    size_t sent;          /* of it */
};

/* Standard input and output are a terminal, and one that can be written all over. */
bool terminal_is_there(void);

/* Takes the screen; keys come one by one, unseen, while Ctrl-C and Ctrl-Z stay signals. Who makes
 * standard input non-blocking afterwards has not done so for the shell: see terminal_leave. */
MUST_USE int terminal_open(struct terminal *terminal, struct error *err);

/* Gives the screen, and standard input as it was, back and takes it again, or once more, whatever
 * happened to it meanwhile. */
void terminal_leave(struct terminal *terminal);
void terminal_enter(struct terminal *terminal);

void terminal_close(struct terminal *terminal);

/* In columns and lines; 80 and 24 when nobody knows. */
void terminal_size(int *width, int *height);

/* -1: the terminal is gone. What stands in *frame is left out when the frame before is not out
 * yet. */
MUST_USE int terminal_write(struct terminal *terminal, const struct buffer *frame);

#endif
