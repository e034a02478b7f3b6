/* plays.h - what a crowd does to the admin server.
 *
 * Threads: the one that calls. */
#ifndef PLAYS_H
#define PLAYS_H

#include "crowd.h"

struct play_options {
    const char *kind;
    int port;
    uint64_t seed;
    uint64_t count;
    const char *token;
    double rate; /* a second; 0: as many as it can */
};

/* Plays it and prints what came of it as a JSON object; false: there is no such kind, or nothing
 * answered. */
bool play(const struct play_options *options);

#endif
