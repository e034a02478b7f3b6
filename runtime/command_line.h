/* command_line.h - what the user typed, and the environment's twins of it.
 *
 * Owns:    nothing but the lists; texts are argv's and the environment's.
 * Threads: main. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "util.h"

struct error;

enum { COMMAND_LINE_MAX_REPEATS = 256 };

struct command_line {
    const char *config;  /* --config, LAGOON_CONFIG, config.lua */
    const char *scripts; /* --scripts, LAGOON_SCRIPTS, NULL: scripts/ beside the config */
    const char *only;    /* --only, LAGOON_ONLY; NULL: everything */
    int64_t timeout_ms;  /* --timeout: for a broker to answer */
    const char *key;     /* --key; NULL: none given */
    const char *headers[COMMAND_LINE_MAX_REPEATS]; /* --header NAME=VALUE */
    size_t header_count;
    int port;                                     /* --port; -1: none given */
    const char *topics[COMMAND_LINE_MAX_REPEATS]; /* --topic NAME:PARTITIONS */
    size_t topic_count;
    bool is_child; /* --child: of lagoon dev; no part of the manual */
    const char *arguments[COMMAND_LINE_MAX_REPEATS]; /* what is no flag */
    size_t argument_count;
};

/* `flags` are the flags that the verb knows, separated by spaces: "config scripts". */
MUST_USE int command_line_parse(struct command_line *line, int argc, char **argv, const char *flags,
                                struct error *err);

#endif
