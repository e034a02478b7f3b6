/* exit_code.h - what the process's exit status says; documented in docs/command-line.md. */
#ifndef EXIT_CODE_H
#define EXIT_CODE_H

enum exit_code {
    EXIT_OK = 0,
    EXIT_INTERNAL = 1,    /* lagoon itself failed, or the machine refused something */
    EXIT_USAGE = 2,       /* the command line is wrong */
    EXIT_CONFIG = 3,      /* config.lua or a script is wrong */
    EXIT_UNREACHABLE = 4, /* no broker answered in time */
    EXIT_UNFINISHED = 5,  /* something was left undone: a handler, a delivery, a bad line */
    EXIT_FATAL = 6,       /* Kafka refused this client for good */
    EXIT_FAILED = 7,      /* the script or handler that was to be run failed */
    EXIT_BROKERS = 8,     /* check --connect: the brokers say otherwise than the config */
};

#endif
