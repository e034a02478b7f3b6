/* command_line.h - what the user typed, and the environment's twins of it.
 *
 * A flag is a row of the table in command_line.c and a field here; verbs name the flags they know.
 *
 * Owns:    nothing but the lists; texts are argv's and the environment's.
 * Threads: main. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "util.h"

struct error;

enum { COMMAND_LINE_MAX_REPEATS = 256 };

/* The config where no flag and no variable names one. */
#define COMMAND_LINE_CONFIG "config.lua"

struct command_line {
    const char *config;   /* --config, LAGOON_CONFIG, config.lua */
    const char *scripts;  /* --scripts, LAGOON_SCRIPTS, NULL: scripts/ beside the config */
    const char *instance; /* --instance, LAGOON_INSTANCE; NULL: none named */
    const char *listen;   /* --listen, LAGOON_LISTEN; NULL: the config's; "false": none */
    const char *only;     /* --only, LAGOON_ONLY; NULL: everything */
    bool is_watching;     /* --watch: as the config's watch = true */
    const char *sets[COMMAND_LINE_MAX_REPEATS]; /* --set PATH=VALUE: in place of the config's */
    size_t set_count;
    int64_t timeout_ms;                            /* --timeout: for a broker to answer */
    const char *key;                               /* --key; NULL: none given */
    const char *headers[COMMAND_LINE_MAX_REPEATS]; /* --header NAME=VALUE */
    size_t header_count;
    bool wants_acks;                              /* --ack */
    int port;                                     /* --port; -1: none given */
    const char *topics[COMMAND_LINE_MAX_REPEATS]; /* --topic NAME:PARTITIONS */
    size_t topic_count;
    const char *topic;     /* --topic NAME; NULL: none given */
    const char *partition; /* --partition; NULL: none given */
    const char *skip;      /* --skip; NULL: none given */
    const char *to;        /* --to; NULL: none given */
    int64_t for_ms;        /* --for; 0: none given */
    int64_t every_ms;      /* --every; 0: none given */
    size_t limit;          /* --limit; 0: none */
    size_t rate;           /* --rate, a second; 0: none */
    const char *where;     /* --where: an expression; NULL: none given */
    bool is_dry;           /* --dry-run */
    bool is_tombstone;     /* --tombstone */
    bool is_json;          /* --json */
    bool is_dev;           /* --dev */
    bool wants_brokers;    /* --connect: check asks them */
    bool is_child;         /* --child: of lagoon dev; no part of the manual */
    bool is_any_port;      /* --any-port: the first free one from --port on; neither */
    bool wants_help;       /* --help, -h: of every verb */
    const char *arguments[COMMAND_LINE_MAX_REPEATS]; /* what is no flag */
    size_t argument_count;
    const char *const *rest; /* a script's own words, as they stand */
    size_t rest_count;
};

/* What a verb takes. */
struct command_syntax {
    const char *flags; /* their names, separated by spaces: "config scripts"; where two flags have
                          one name, with what its value is called: "topic=NAME" */
    size_t arguments_min;
    size_t arguments_max;
    bool has_rest; /* all words behind the first argument are a script's */
};

/* Does not read further than to a --help. */
MUST_USE int command_line_parse(struct command_line *line, int argc, char **argv,
                                const struct command_syntax *syntax, struct error *err);

/* On standard output, a line or more for each of the flags. */
void command_line_describe(const char *flags);

#endif
