/* application.h - config.lua and its scripts, read and checked: what every verb begins with.
 *
 * Owns:    config and bundle. Threads: main, before the loop runs. */
#ifndef APPLICATION_H
#define APPLICATION_H

#include "bundle.h"
#include "command_line.h"
#include "config.h"
#include "dev_note.h"
#include "reload.h"

struct application {
    struct config *config;
    struct bundle *bundle;
    struct dev_found dev; /* the brokers of a running lagoon dev, after application_find_dev */
    struct config_problems suspicions; /* of the scripts: see script_check */
};

/* Only reads, and checks the config; says and logs nothing. 0; or -1 and the problems, at least
 * one, and what there is of the application is the caller's to destroy all the same. */
MUST_USE int application_read(struct application *application, const struct command_line *line,
                              bool is_dev, struct config_problems *problems);

/* Reads and checks everything that can be checked without a broker, and says every problem on
 * standard error, a line each. 0, or the exit code. Starts the log as the config wants it. */
MUST_USE int application_load(struct application *application, const struct command_line *line,
                              bool is_dev);

/* What application_load read, from the same command line. */
struct application_source {
    const struct command_line *line;
    bool is_dev;
};

/* Reads and checks it again as application_load does, and says nothing; for runtime_options.read,
 * with an application_source. Any thread. */
void application_read_again(void *source, struct reading *reading);

/* What all files that it reads look like, for runtime_options.sign. Any thread. */
uint64_t application_sign(void *source, const struct config *config);

/* Finds the running `lagoon dev` when --dev is given, and does nothing without it; its brokers are
 * what the verb goes to. 0; or, after it said so, the exit code. */
MUST_USE int application_find_dev(struct application *application, const struct command_line *line);

/* On standard error, a line each. */
void application_say_suspicions(const struct application *application);

/* What the config wants said at a start, such as a key that has no effect yet, and warnings of what
 * is suspicious in the scripts. */
void application_say_notices(const struct application *application);

/* Before a watching process starts: where the system would not show it that files changed. */
void application_warn_of_mounts(const struct application *application,
                                const struct command_line *line);

void application_destroy(struct application *application);

#endif
