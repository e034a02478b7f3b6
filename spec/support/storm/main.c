/* main.c - storm DISTRIBUTION WORKERS HANDS LANES RECORDS KEYS SEED DEADLINE_MS: lets one loose and
 * says how it went. A program of its own, so that a sanitizer of threads sees all of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storm.h"

static int read_distribution(const char *word, enum distribution *distribution)
{
    static const char *const names[] = {"key", "partition", "free_worker"};
    static const enum distribution values[] = {DISTRIBUTION_KEY, DISTRIBUTION_PARTITION,
                                               DISTRIBUTION_FREE_WORKER};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (strcmp(names[i], word) != 0)
            continue;
        *distribution = values[i];
        return 0;
    }
    return -1;
}

static bool is_within(const struct storm_options *options)
{
    return options->workers >= 1 && options->workers <= MAX_WORKERS && options->hands >= 1 &&
           options->hands <= MAX_HANDS && options->lanes >= 1 && options->lanes <= MAX_LANES &&
           options->records >= 1 && options->keys >= 1;
}

int main(int argc, char **argv)
{
    struct storm_options options = {0};
    if (argc != 9 || read_distribution(argv[1], &options.distribution) != 0) {
        fprintf(stderr, "usage: storm key|partition|free_worker WORKERS HANDS LANES RECORDS KEYS "
                        "SEED DEADLINE_MS\n");
        return 2;
    }
    options.workers = atoi(argv[2]);
    options.hands = atoi(argv[3]);
    options.lanes = atoi(argv[4]);
    options.records = atoll(argv[5]);
    options.keys = atoi(argv[6]);
    options.seed = (uint64_t)atoll(argv[7]);
    options.deadline_ms = atoll(argv[8]);
    if (!is_within(&options)) {
        fprintf(stderr, "storm: a number is out of its range\n");
        return 2;
    }
    char failure[200];
    uint64_t epochs = storm_blow(&options, failure, sizeof failure);
    if (epochs == 0) {
        fprintf(stderr, "%s\n", failure);
        return 1;
    }
    printf("%" PRIu64 " epochs\n", epochs);
    return 0;
}
