/* main.c - the verbs of lagoon. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <lua.h>
#include <uv.h>

#include "command_line.h"
#include "error.h"
#include "exit_code.h"
#include "log.h"
#include "verb.h"

#define VERSION "0.1.0"

static int verb_version(const struct command_line *line);
static int verb_help(const struct command_line *line);

static const struct verb {
    const char *name;
    const char *flags;
    size_t arguments; /* exactly so many */
    int (*run)(const struct command_line *line);
    const char *usage;
    const char *summary;
} verbs[] = {
    {"run", "config scripts only", 0, verb_run,
     "lagoon run [--only producers|consumers|NAME] [--config FILE] [--scripts DIR]",
     "runs what the config declares, until SIGTERM"},
    {"dev", "config scripts port", 0, verb_dev,
     "lagoon dev [--port N] [--config FILE] [--scripts DIR]",
     "runs it against an embedded broker, with the traffic of scripts/dev.lua"},
    {"check", "config scripts", 0, verb_check, "lagoon check [--config FILE] [--scripts DIR]",
     "checks config and scripts without a broker"},
    {"publish", "config scripts key header timeout", 2, verb_publish,
     "lagoon publish PRODUCER TYPE [--key K] [--header NAME=VALUE]... [--timeout 30s] < events",
     "publishes one JSON event a line from standard input"},
    {"broker", "port topic child", 0, verb_broker,
     "lagoon broker [--port N] [--topic NAME:PARTITIONS]...",
     "is an embedded broker for other programs (memory only, for development)"},
    {"version", "", 0, verb_version, "lagoon version", "says which versions run here"},
    {"help", "", 0, verb_help, "lagoon help", "shows this"},
};

static int verb_version(const struct command_line *line)
{
    (void)line;
    printf("lagoon %s (%s, librdkafka %s, libuv %s)\n", VERSION, LUA_RELEASE,
           rd_kafka_version_str(), uv_version_string());
    return EXIT_OK;
}

static int verb_help(const struct command_line *line)
{
    (void)line;
    printf("lagoon runs Kafka event handlers written in Lua.\n\n");
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        printf("  %s\n      %s\n", verbs[i].usage, verbs[i].summary);
    printf(
        "\nEnvironment: LAGOON_CONFIG, LAGOON_SCRIPTS and LAGOON_ONLY stand for --config,\n"
        "--scripts and --only.\n\n"
        "Exit codes: 0 done, 1 internal error, 2 wrong command line, 3 wrong config or script,\n"
        "4 no broker answered in time, 5 something was left undone, 6 Kafka refused for good.\n");
    return EXIT_OK;
}

static const struct verb *find_verb(const char *name)
{
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    struct error err;
    if (argc == 1 && strcmp(argv[0], "--help") == 0) {
        printf("%s\n    %s\n", verb->usage, verb->summary);
        return EXIT_OK;
    }
    int rc = command_line_parse(&line, argc, argv, verb->flags, &err);
    if (rc == 0 && line.argument_count != verb->arguments) {
        error_set(&err, line.argument_count > verb->arguments ? "too many arguments"
                                                              : "too few arguments");
        rc = -1;
    }
    if (rc != 0) {
        fprintf(stderr, "lagoon %s: %s\nusage: %s\n", verb->name, err.text, verb->usage);
        return EXIT_USAGE;
    }
    return verb->run(&line);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    log_init(LOG_INFO, LOG_AUTO);
    if (argc < 2) {
        verb_help(NULL);
        return EXIT_USAGE;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (verb == NULL) {
        fprintf(stderr, "lagoon: there is no verb '%s'; `lagoon help` shows them\n", argv[1]);
        return EXIT_USAGE;
    }
    return run_verb(verb, argc - 2, argv + 2);
}
