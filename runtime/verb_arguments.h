/* verb_arguments.h - what several verbs say of arguments that are wrong, on standard error.
 *
 * Threads: main. */
#ifndef VERB_ARGUMENTS_H
#define VERB_ARGUMENTS_H

#include "command_line.h"
#include "config.h"

/* That the config declares no consumer, or producer, of this name: what may have been meant, or
 * which there are. */
void verb_say_no_consumer(const char *verb, const struct config *config, const char *name);
void verb_say_no_producer(const char *verb, const struct config *config, const char *name);

/* Every --header is NAME=VALUE; -1 when one is not, which is said. */
MUST_USE int verb_check_headers(const char *verb, const struct command_line *line);

#endif
