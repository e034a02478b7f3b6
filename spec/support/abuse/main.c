/* main.c - abuse KIND PORT SEED COUNT TOKEN [RATE]: asks an admin server for what it should bear,
 * and says in a line of JSON what came of it. */
#include <stdio.h>
#include <stdlib.h>

#include "plays.h"

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: abuse fuzz|slow|tokens|sites|publish PORT SEED COUNT TOKEN [RATE]\n"
                        "COUNT is requests, and with slow the seconds for which 500 connections "
                        "come\n");
        return 2;
    }
    const struct play_options options = {
        .kind = argv[1],
        .port = atoi(argv[2]),
        .seed = strtoull(argv[3], NULL, 10),
        .count = strtoull(argv[4], NULL, 10),
        .token = argv[5],
        .rate = argc == 7 ? atof(argv[6]) : 0,
    };
    return play(&options) ? 0 : 1;
}
