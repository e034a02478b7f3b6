/* cluster_survey.h - what the brokers of a cluster say to a config; nothing is changed there.
 *
 * Owns:    the sentences.
 * Threads: any: it blocks up to its deadline. */
#ifndef CLUSTER_SURVEY_H
#define CLUSTER_SURVEY_H

#include "cluster.h"

struct sentences {
    char **items; /* config.lua:LINE: path: what */
    size_t count;
};

struct survey {
    struct sentences problems; /* what would not work, or is not as it is declared */
    struct sentences remarks;  /* what is worth knowing */
};

/* Asks for the topics that the config declares, reads and writes on this cluster, and for its
 * groups. -1 and err when no broker answered until deadline_ms (clock_monotonic_ms; 0: for ever),
 * or one refused the login; what was found by then is in the survey all the same. */
MUST_USE int cluster_survey(const struct cluster *cluster, const struct config *config,
                            int64_t deadline_ms, struct survey *survey, struct error *err);
void survey_destroy(struct survey *survey);

#endif
