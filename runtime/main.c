/* main.c - the verbs of lagoon. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <lua.h>
#include <uv.h>

#include "command_line.h"
#include "error.h"
#include "exit_code.h"
#include "first_process.h"
#include "log.h"
#include "verb.h"
#include "version.h"
#include "words.h"

/* How long who logs a line waits for room in the queue: handlers are to go on, a script that has
 * the process for itself is rather slow than to lose a line. */
enum { HANDLER_PATIENCE_MS = 10, SCRIPT_PATIENCE_MS = 1000 };

static int verb_version(const struct command_line *line);
static int verb_help(const struct command_line *line);

static const struct verb {
    const char *name;
    int (*run)(const struct command_line *line);
    struct command_syntax syntax;
    const char *usage;
    const char *summary;
    const char *details; /* for its --help; NULL: the summary and the flags say all */
} verbs[] = {
    {"run",
     verb_run,
     {"only watch listen instance config scripts set", 0, 0, false},
     "lagoon run [--only producers|consumers|NAME] [--watch] [--listen ADDRESS] "
     "[--instance NAME]",
     "runs what the config declares, until SIGTERM",
     "Waits for a broker as long as it takes. SIGTERM and SIGINT stop it within the config's\n"
     "stop_timeout: handlers finish, offsets are committed, deliveries acknowledged. SIGHUP reads\n"
     "config and scripts again and changes over to them, or says why not.\n"
     "Exit code 5 says that a handler had to be abandoned."},
    {"dev",
     verb_dev,
     {"port listen instance config scripts set", 0, 0, false},
     "lagoon dev [--port N] [--listen ADDRESS] [--instance NAME]",
     "runs it against an embedded broker, with the traffic of scripts/dev.lua",
     "Brokers and security properties of the config are set aside, a missing env() gets a\n"
     "placeholder. Without --port the broker takes the first free port from 9092 on."},
    {"check",
     verb_check,
     {"connect dev timeout config scripts set", 0, 0, false},
     "lagoon check [--connect] [--dev]",
     "checks config and scripts; with --connect also what the brokers say to them",
     "Says every problem, a line each, and exits with 3 when there is one. --connect asks the\n"
     "brokers and changes nothing there: topics that are missing or other than declared, groups\n"
     "and topics without a right, exit code 8; brokers that do not answer, exit code 4."},
    {"publish",
     verb_publish,
     {"key header ack dev timeout config scripts set", 1, 2, false},
     "lagoon publish PRODUCER [TYPE] [--key K] [--header NAME=VALUE]... [--ack] [--dev] "
     "[--timeout 30s] "
     "< events",
     "publishes a line of JSON from standard input each",
     "With TYPE a line is an event, which is published as it stands. Without it a line is a "
     "record:\n"
     "{\"type\": \"OrderPaid\", \"value\": ...} and, as you like, \"key\", \"headers\" ({...} or\n"
     "[[name, value], ...]), \"topic\", \"partition\", \"timestamp\"; a null value is a "
     "tombstone.\n"
     "A bad line is named by its number, the good ones are published. Exit code 0 says that all\n"
     "are acknowledged; 5 that a line was bad or refused, or that a signal came first."},
    {"exec",
     verb_exec,
     {"dev timeout config scripts set", 1, 1, true},
     "lagoon exec [--dev] [--timeout 30s] SCRIPT [ARG...]",
     "runs a Lua script with the config's producers, once or for ever",
     "SCRIPT is a file, or the name of one under scripts/commands/. What follows it is the\n"
     "script's own. It may wait and publish; print writes to standard output, the log goes to\n"
     "standard error. Exit code 0 says that all it published is acknowledged; 5 that some was\n"
     "not, or that a signal came while it was reading or waiting for Kafka; 7 that it failed."},
    {"new",
     verb_new,
     {"", 1, 1, false},
     "lagoon new DIR",
     "writes a small application into a new folder",
     "Config, handler, traffic for dev, a spec, and what editors and busted need. The folder must\n"
     "not be there, or be empty; its name is the application's."},
    {"handle",
     verb_handle,
     {"key header tombstone json dev config scripts set", 1, 2, false},
     "lagoon handle CONSUMER [TYPE] [--key K] [--header NAME=VALUE]... [--json] < event.json",
     "runs one record through a consumer's handlers without Kafka",
     "Standard input is the record's value, TYPE its type. Prints how it ended, what it logged "
     "and\n"
     "what it would have published; nothing is sent, and lagoon.sleep takes no time. Exit code 7\n"
     "says that the record failed."},
    {"dead-letters",
     verb_dead_letters,
     {"limit where rate dry-run dev timeout config scripts set", 1, 2, false},
     "lagoon dead-letters CONSUMER [list|show|redrive] [--where LUA] [--limit N] [--rate N] "
     "[--dry-run]",
     "lists the dead letters of a consumer, shows them whole, or sends them back",
     "redrive publishes each record as it was to where it came from, and a header\n"
     "lagoon-redrive-count; once Kafka has acknowledged that, the letter is not listed any more. "
     "One\n"
     "that came back three times is left and named, exit code 5. --dry-run sends nothing.\n"
     "--where 'event.total > 100 and error:find(\"timeout\")' means those for which it is true;\n"
     "the others stay as they are."},
    {"status",
     verb_status,
     {"json instance config", 0, 0, false},
     "lagoon status [--json] [--instance NAME]",
     "says what the lagoon that runs with this config does just now",
     "It is found by a socket that is named after the config's real path: on this machine, in "
     "this\n"
     "network namespace, for its user and root. The end of a partition, and its lag, are those of\n"
     "the last fetch."},
    {"top",
     verb_top,
     {"every instance config", 0, 0, false},
     "lagoon top [--every 1s] [--instance NAME]",
     "shows on a terminal, again and again, what the lagoon that runs does",
     "What is read, handled and failed a second, where the lag goes and when it will be caught "
     "up,\n"
     "workers and why they are so many, how long handlers take, partitions in trouble first. p\n"
     "pauses and resumes a consumer, ? shows the keys. It ends with q, or when the process does:\n"
     "exit code 4. For programs there is lagoon status --json."},
    {"health",
     verb_health,
     {"json instance config", 0, 0, false},
     "lagoon health [--json] [--instance NAME]",
     "says whether the lagoon that runs is ready, and why not",
     "Exit code 0 when it is, 1 when it is not or none runs: for a container's health check."},
    {"pause",
     verb_pause,
     {"json instance config", 1, 1, false},
     "lagoon pause CONSUMER [--json] [--instance NAME]",
     "holds a consumer: nothing further is read or begins, until lagoon resume",
     "It stays in its group and keeps its partitions; what has begun ends. A rebalance changes\n"
     "nothing about it, another start of the process ends it."},
    {"resume",
     verb_resume,
     {"topic=NAME partition skip json instance config", 1, 1, false},
     "lagoon resume CONSUMER [--topic NAME] [--partition N] [--skip OFFSET] [--json] "
     "[--instance NAME]",
     "lets a paused consumer go on, and partitions that a failed record has stopped",
     "Each goes on at that record, with its first attempt. --skip counts the record as skipped "
     "that\n"
     "has stopped its partition, and goes on behind it. Exit code 0 says that all go on that were\n"
     "stopped, or that none was; 5 that one stays stopped, and why."},
    {"seek",
     verb_seek,
     {"to topic=NAME partition dry-run json instance config", 1, 1, false},
     "lagoon seek CONSUMER --to WHERE [--topic NAME] [--partition N] [--dry-run] [--json] "
     "[--instance NAME]",
     "lets a running consumer go on elsewhere, back or forth",
     "Of the partitions that this process has. What has begun may end first, within "
     "drain_timeout;\n"
     "the new offset is committed before anything of it is handled. Exit code 5 says that one did\n"
     "not move."},
    {"workers",
     verb_workers,
     {"for json instance config", 2, 2, false},
     "lagoon workers CONSUMER N|auto [--for 1h] [--json] [--instance NAME]",
     "gives a consumer so many workers for a while, whatever its lag asks for",
     "At most workers.max of the config. auto ends it early."},
    {"log-level",
     verb_log_level,
     {"json instance config", 1, 1, false},
     "lagoon log-level debug|info|warn|error [--json] [--instance NAME]",
     "changes what the lagoon that runs logs, until the next reload",
     NULL},
    {"reload",
     verb_reload,
     {"json instance config", 0, 0, false},
     "lagoon reload [--json] [--instance NAME]",
     "has the lagoon that runs read config and scripts again, and says what came of it",
     "What is good serves from then on, all of it at once; exit code 3 says that it was refused,\n"
     "with the reason, and that what ran goes on."},
    {"rollback",
     verb_rollback,
     {"json instance config", 0, 0, false},
     "lagoon rollback [--json] [--instance NAME]",
     "has the lagoon that runs serve again what it served before the last reload",
     "Until the next reload, or a change of the files that it watches."},
    {"broker",
     verb_broker,
     {"port topic=NAME:PARTITIONS child any-port", 0, 0, false},
     "lagoon broker [--port N] [--topic NAME:PARTITIONS]...",
     "is an embedded broker for other programs (memory only, for development)",
     "Without --port it takes 9092. It creates the topics that clients ask for, and says so.\n"
     "A line \"topic NAME:PARTITIONS\" on its standard input creates one."},
    {"version",
     verb_version,
     {"", 0, 0, false},
     "lagoon version",
     "says which versions run here",
     NULL},
    {"help",
     verb_help,
     {"", 0, 1, false},
     "lagoon help [VERB]",
     "shows this, or all about a verb",
     NULL},
};

static const char EXIT_CODES[] =
    "Exit codes: 0 done, 1 internal error, 2 wrong command line, 3 wrong config or script,\n"
    "4 no broker answered in time, 5 something was left undone, 6 Kafka refused for good,\n"
    "7 the script or handler failed, 8 the brokers say otherwise than the config.\n";

static int verb_version(const struct command_line *line)
{
    (void)line;
    printf("lagoon %s (%s, librdkafka %s, libuv %s)\n", VERSION, LUA_RELEASE,
           rd_kafka_version_str(), uv_version_string());
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

static int say_no_verb(const char *name)
{
    const char *names[ARRAY_LENGTH(verbs)];
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        names[i] = verbs[i].name;
    char *meant = words_did_you_mean(name, names, ARRAY_LENGTH(names), "");
    fprintf(stderr, "lagoon: there is no verb '%s'%s `lagoon help` shows them\n", name,
            *meant != '\0' ? meant : ";");
    free(meant);
    return EXIT_USAGE;
}

static void describe_verb(const struct verb *verb)
{
    printf("usage: %s\n\nIt %s.\n", verb->usage, verb->summary);
    if (verb->details != NULL)
        printf("%s\n", verb->details);
    printf("\n");
    command_line_describe(verb->syntax.flags);
    printf("\n%s", EXIT_CODES);
}

static void describe_all(void)
{
    printf("lagoon runs Kafka event handlers written in Lua.\n\n");
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        printf("  %s\n      %s\n", verbs[i].usage, verbs[i].summary);
    printf(
        "\nVerbs that read the config take --config FILE, --scripts DIR and --set PATH=VALUE too;\n"
        "`lagoon VERB --help` says all about a verb.\n\n"
        "Environment: LAGOON_CONFIG, LAGOON_SCRIPTS, LAGOON_ONLY, LAGOON_INSTANCE and\n"
        "LAGOON_LISTEN stand for --config, --scripts, --only, --instance and --listen.\n\n%s",
        EXIT_CODES);
}

static int verb_help(const struct command_line *line)
{
    if (line->argument_count == 0) {
        describe_all();
        return EXIT_OK;
    }
    const struct verb *verb = find_verb(line->arguments[0]);
    if (verb == NULL)
        return say_no_verb(line->arguments[0]);
    describe_verb(verb);
    return EXIT_OK;
}

/* For verbs that run on, where nothing is to wait for who reads the log; the others print and end.
 */
static int64_t log_patience_ms(const struct verb *verb)
{
    if (verb->run == verb_run || verb->run == verb_dev || verb->run == verb_broker)
        return HANDLER_PATIENCE_MS;
    return verb->run == verb_exec || verb->run == verb_publish ? SCRIPT_PATIENCE_MS : 0;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct command_line line;
    struct error err;
    if (command_line_parse(&line, argc, argv, &verb->syntax, &err) != 0) {
        fprintf(stderr, "lagoon %s: %s\nusage: %s\n", verb->name, err.text, verb->usage);
        return EXIT_USAGE;
    }
    if (line.wants_help) {
        describe_verb(verb);
        return EXIT_OK;
    }
    int64_t patience_ms = log_patience_ms(verb);
    if (patience_ms > 0 && log_start(patience_ms, &err) != 0) {
        fprintf(stderr, "lagoon %s: %s\n", verb->name, err.text);
        return EXIT_INTERNAL;
    }
    int exit_code = verb->run(&line);
    log_stop();
    return exit_code;
}

/* Who closes a pipe has read what they wanted. */
static bool is_output_closed(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

/* What cannot be written, on a full disk, fails here at the latest. */
static int check_output(int exit_code)
{
    errno = 0;
    bool is_written = fflush(stdout) == 0 && ferror(stdout) == 0;
    if (is_written || exit_code != EXIT_OK || is_output_closed())
        return exit_code;
    fprintf(stderr, "lagoon: standard output: %s\n",
            errno != 0 ? strerror(errno) : "not all of it could be written");
    return EXIT_INTERNAL;
}

int main(int argc, char **argv)
{
    int ended = first_process_split();
    if (ended >= 0)
        return ended;
    signal(SIGPIPE, SIG_IGN);
    log_init(LOG_INFO, LOG_AUTO);
    if (argc < 2) {
        describe_all();
        return EXIT_USAGE;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (verb == NULL)
        return say_no_verb(argv[1]);
    return check_output(run_verb(verb, argc - 2, argv + 2));
}
