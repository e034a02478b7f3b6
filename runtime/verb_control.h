/* verb_control.h - what the verbs share that ask a running lagoon.
 *
 * Threads: main. */
#ifndef VERB_CONTROL_H
#define VERB_CONTROL_H

#include "command_line.h"
#include "json_writer.h"
#include "util.h"

/* 0; or, after it said so, the exit code, when --instance is no name. */
MUST_USE int verb_check_instance(const char *verb, const struct command_line *line);

/* Asks the lagoon that runs with the command line's config and instance, and appends its answer. 0;
 * or, after it said so, the exit code. */
MUST_USE int verb_ask_only(const char *verb, const struct command_line *line,
                           const struct buffer *request, struct buffer *answer);

/* Prints an answer in the words of lua/answers/WORDING.lua, or with --json as it is. Returns the
 * exit code. */
int verb_print(const char *verb, const char *wording, const struct command_line *line,
               const struct buffer *answer);

/* Both: asks, and prints the answer. Returns the exit code. */
int verb_ask(const char *verb, const char *wording, const struct command_line *line,
             const struct buffer *request);

/* Writes a member of the request, from what the command line has for --NAME: nothing when that is
 * NULL. -1, said, when it is no whole number from 0 to `most`. */
MUST_USE int verb_write_number(const char *verb, struct json_writer *writer, const char *name,
                               const char *text, int64_t most);

#endif
