/* runtime.h - the running program: one loop, the declared producers and consumers, one stop.
 *
 * Threads: main. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include "bundle.h"
#include "config.h"
#include "worker.h"

struct runtime_result;
struct reading;

struct runtime_options {
    const struct config *config;
    const struct bundle *bundle;
    /* Reads config and scripts again, for a reload: as reload_options.read. NULL: what the process
     * began with stays. */
    void (*read)(void *read_context, struct reading *reading);
    /* What all files of both look like, for reload_watch_options.sign; with is_watched. */
    uint64_t (*sign)(void *read_context, const struct config *config);
    void *read_context;
    bool is_watched;  /* a change on disk is reloaded */
    const char *only; /* NULL: everything; "producers", "consumers", or a consumer's name */
    /* The one cluster that is needed; NULL: all that something of the config is on, with
     * is_main_all a producer. */
    const struct cluster_config *cluster;
    /* In place of the config's, one address for each cluster; NULL: none. */
    const char *const *embedded_brokers;
    /* A script that runs beside the consumers, or, with is_main_all, in place of them: then the
     * program ends when it has returned and its deliveries are in. NULL: none. */
    const struct script_main *main;
    bool is_main_all;
    bool is_controlled;    /* verbs can ask it by a socket */
    const char *instance;  /* by which they find it; NULL: the first number that is free */
    const char *listen;    /* of the admin server, in place of the config's; "false": none */
    struct output *output; /* which main must not run ahead of; NULL: none */
    /* With main in place of consumers; each may be NULL. */
    void *context;
    void (*on_report)(void *context, const struct loose_report *report);
    void (*on_progress)(void *context, const struct runtime_result *result); /* once a second */
    int64_t timeout_ms; /* for a broker to answer, and with is_main_all for the next
                           acknowledgement while any is due; 0: for ever */
};

struct runtime_result {
    uint64_t acknowledged; /* by all producers */
    uint64_t refused;
    int64_t elapsed_ms; /* from the first publish possible to the last acknowledgement */
    char *main_failure; /* the script's, NULL when it has not failed; the caller frees it */
};

/* Runs until SIGTERM, SIGINT, a fatal error or the end of main; returns the exit code
 * (exit_code.h). When handlers had to be abandoned the process ends here, with EXIT_UNFINISHED. */
int runtime_run(const struct runtime_options *options, struct runtime_result *result);

#endif
