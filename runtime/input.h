/* input.h - standard input for a thread of ours, which a stop has to be able to get out of a read.
 *
 * Of the process: there is one standard input.
 *
 * Threads: one reads the stream; input_end and input_was_cut from any. */
#ifndef INPUT_H
#define INPUT_H

#include <stdio.h>

#include "util.h"

/* A new stream of it; close it with fclose. Aborts when the system has no memory for one. */
FILE *input_open(void);

/* From now on every read fails with ECANCELED, also one that blocks just now. What the stream has
 * read ahead is still given out, a last line without its end is not. */
void input_end(void);

/* A read failed because of input_end: something may have been left unread. */
bool input_was_cut(void);

#endif
