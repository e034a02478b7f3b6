/* verb_control.h - what the verbs share that ask a running lagoon.
 *
 * Threads: main. */
#ifndef VERB_CONTROL_H
#define VERB_CONTROL_H

#include "command_line.h"
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

/* Asks the lagoon that runs with the command line's config and instance, and prints its answer: in
 * the words of lua/answers/VERB.lua, or with --json as it is. Returns the exit code. */
int verb_ask(const char *verb, const struct command_line *line, const struct buffer *request);

#endif
