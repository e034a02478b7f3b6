/* control_client.h - asks a running lagoon, for the verbs that do.
 *
 * Threads: one that may block, for some seconds at most. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include "control_name.h"
#include "util.h"

/* How the asking ended. */
enum control_result {
    CONTROL_ANSWERED,
    CONTROL_NOBODY,    /* no lagoon of the config runs here, or none that we may ask */
    CONTROL_SILENT,    /* it does not answer */
    CONTROL_AMBIGUOUS, /* there are several, and no instance is named */
};

/* Asks the lagoon that runs with this config, or that instance of it (NULL: the only one), and
 * appends its answer, a line of JSON without its end. Otherwise err says why there is none. */
enum control_result control_ask(const char *config, const char *instance,
                                const struct buffer *request, struct buffer *answer,
                                struct error *err);

#endif
