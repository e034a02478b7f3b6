/* runtime_internal.h - what the files of runtime share: runtime.c starts what the config declares,
 * runtime_reload.c changes it, runtime_stop.c ends it.
 *
 * Threads: main. */
#ifndef RUNTIME_INTERNAL_H
#define RUNTIME_INTERNAL_H

#include <uv.h>

#include "admin.h"
#include "connections.h"
#include "control.h"
#include "crew.h"
#include "main_script.h"
#include "producers.h"
#include "reload.h"
#include "reload_watch.h"
#include "runtime.h"
#include "runtime_publish.h"

enum runtime_phase {
    PHASE_RUNNING,            /* what is on a cluster starts when that is ready */
    PHASE_STOPPING_CONSUMERS, /* and the script of our own */
    PHASE_FLUSHING,           /* deliveries that are on their way */
    PHASE_CLOSING,            /* producers and the loop's handles */
};

struct runtime {
    const struct runtime_options *options;
    const struct config *config; /* of the generation that serves */
    uv_loop_t loop;
    uv_signal_t signals[2];
    uv_signal_t hangup; /* SIGHUP: reload */
    struct control control;
    struct admin *admin; /* NULL: none */
    struct {
        struct buffer body;
        int64_t since_ms;
        int made; /* since then */
    } scrape;     /* the metrics as they were last written */
    struct publishing publishing;
    uv_timer_t flusher; /* watches the deadline of a stop */
    enum runtime_phase phase;
    int exit_code;

    struct connections connections;
    bool is_disconnected; /* no helper looks at a cluster any more */

    struct generation *first; /* what the process begins with; until it has begun */
    struct shared *shared;    /* what lagoon.shared gives, in all generations */
    struct reload reload;
    struct reload_watch watch;
    int64_t stop_timeout_ms; /* of the generation that serves */
    struct producers producers;
    struct crew crew;

    struct main_script main;

    int64_t started_ms;
    int64_t started_wall_ms;
    int64_t signalled_ms; /* 0: not asked to stop */
    int64_t deadline_ms;  /* of the stop */
    bool is_given_up;     /* a script that has the program for itself waited too long */
    bool is_purged;
    int64_t main_deadline_ms; /* of the script of our own, to be interrupted, then given up */
    bool is_main_interrupted;
    struct producer_counts counts; /* of all producers, at the end */
    int64_t began_ms;
    int64_t ended_ms;
    int64_t said_ms;  /* how far it is */
    uv_timer_t sayer; /* looks whether it is ready, and on a terminal says what it does */
    bool has_said_ready;
    uint64_t glanced_ended; /* records, at the last look */
    int64_t glanced_ms;
};

/* Begins the stop, or adds the first exit code that is not EXIT_OK to it. */
void runtime_stop(struct runtime *runtime, int exit_code);

/* Goes on with the stop as far as it can. */
void runtime_step_stop(struct runtime *runtime);

/* From here on it is watched whether a script that has the program for itself gets on. */
void runtime_watch(struct runtime *runtime);

/* The reload, SIGHUP for it, and with is_watched the look at the files. */
void runtime_open_reload(struct runtime *runtime);

/* What the states of a generation need of the process; the context is the runtime. */
void runtime_provide(void *context, struct generation *generation);

/* What verbs may ask for, when the options say so. */
void runtime_open_control(struct runtime *runtime);

/* One of what they may ask for; NULL: there is none of that name. */
const struct control_command *runtime_command(const char *name);

/* The admin server, when options and config say so. The connections have been started, so that a
 * stop has something to stop. */
void runtime_open_admin(struct runtime *runtime);

/* What the process begins with: config, clusters, topics, who runs. Then, as soon as it is ready,
 * one line that says so, and on a terminal, below all lines, what it does. Nothing of it where a
 * script has the process for itself. */
void runtime_say_start(struct runtime *runtime);

/* Appends why the process is not ready, a line for each reason; nothing when it is. */
void runtime_add_reasons(const struct runtime *runtime, struct buffer *reasons);

/* Writes the members of an object: whether it is ready, and the reasons. Returns the first. */
bool runtime_write_health(const struct runtime *runtime, struct json_writer *writer);

/* Appends all metrics, as text for Prometheus. */
void runtime_write_metrics(struct runtime *runtime, struct buffer *out);

/* What the process has taken of its machine. */
double runtime_cpu_seconds(void);
double runtime_resident_bytes(void);

/* SIGTERM or SIGINT; the handle's data is the runtime. */
void runtime_on_signal(uv_signal_t *handle, int number);

#endif
