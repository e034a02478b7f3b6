/* `lagoon dead-letters`: what was given up, in words, and back to where it came from. */
#include "verb.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "application.h"
#include "cluster.h"
#include "error.h"
#include "exit_code.h"
#include "letter_box.h"
#include "verb_arguments.h"
#include "words.h"

enum {
    MOST_ROUNDS = 3,   /* a letter that came back so often is left */
    BATCH_COUNT = 500, /* letters between two commits */
    ERROR_BYTES = 120, /* of the reason, in a list */
};

static const char PREFIX[] = "lagoon-dead-letter-";
static const char ROUNDS[] = "lagoon-redrive-count";

enum command { COMMAND_LIST, COMMAND_SHOW, COMMAND_REDRIVE };

struct run {
    const struct command_line *line;
    const struct consumer_config *consumer;
    struct cluster cluster;
    enum command command;
    struct letter_box box;
    rd_kafka_t *producer; /* NULL: nothing is sent */
    size_t seen;
    size_t sent;
    size_t left;    /* came back too often */
    size_t foreign; /* no letter of this consumer */
    size_t batch;   /* sent since the last commit */
    size_t refused; /* counted by the reports of the producer */
    char refusal[512];
};

static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
    (void)number;
    is_stopped = 1;
}

/* --- a letter --- */

static const char *field(const struct record *letter, const char *name)
{
    char header[64];
    snprintf(header, sizeof header, "%s%s", PREFIX, name);
    const struct record_header *found = record_header(letter, header);
    return found != NULL && !found->is_null ? found->value : NULL;
}

static int rounds_of(const struct record *letter)
{
    const struct record_header *found = record_header(letter, ROUNDS);
    return found != NULL && !found->is_null ? atoi(found->value) : 0;
}

static bool is_own(const struct record *letter, const struct consumer_config *consumer)
{
    const char *group = field(letter, "group");
    return field(letter, "topic") != NULL && field(letter, "partition") != NULL && group != NULL &&
           strcmp(group, consumer->group) == 0;
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "?";
}

static void list_letter(const struct record *letter)
{
    const char *reason = or_none(field(letter, "error"));
    int length = (int)strcspn(reason, "\n");
    char name[RECORD_NAME_BYTES];
    printf("%s  %s[%s]@%s  %s attempts  %.*s\n", record_name(letter, name), field(letter, "topic"),
           field(letter, "partition"), or_none(field(letter, "offset")),
           or_none(field(letter, "attempts")), length < ERROR_BYTES ? length : ERROR_BYTES, reason);
}

static void show_letter(const struct record *letter)
{
    char name[RECORD_NAME_BYTES];
    printf("%s\n", record_name(letter, name));
    printf("key: %.*s\n", (int)letter->key_length, letter->key != NULL ? letter->key : "(null)");
    for (size_t i = 0; i < letter->header_count; i++)
        printf("%s: %.*s\n", letter->headers[i].name, (int)letter->headers[i].value_length,
               letter->headers[i].is_null ? "(null)" : letter->headers[i].value);
    printf("\n%.*s\n\n", (int)letter->value_length,
           letter->value != NULL ? letter->value : "(no value)");
}

/* --- back to its topic --- */

static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *message, void *context)
{
    (void)handle;
    struct run *run = context;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    run->refused++;
    snprintf(run->refusal, sizeof run->refusal, "topic \"%s\": %s",
             rd_kafka_topic_name(message->rkt), rd_kafka_err2str(message->err));
}

/* What matters comes as a report. */
static void on_log(const rd_kafka_t *handle, int severity, const char *facility, const char *text)
{
    (void)handle;
    (void)severity;
    (void)facility;
    (void)text;
}

static int open_producer(struct run *run, struct error *err)
{
    rd_kafka_conf_t *conf = cluster_conf_new(&run->cluster, CLUSTER_PRODUCER, NULL, NULL, err);
    if (conf == NULL)
        return -1;
    char refusal[256];
    rd_kafka_conf_set(conf, "message.max.bytes", "1000000000", refusal, sizeof refusal);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_opaque(conf, run);
    run->producer = cluster_handle_new(CLUSTER_PRODUCER, &conf, err);
    return run->producer != NULL ? 0 : -1;
}

/* The record's own, and how often it was sent back. */
static rd_kafka_headers_t *own_headers(const struct record *letter)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(letter->header_count + 1);
    for (size_t i = 0; i < letter->header_count; i++) {
        const struct record_header *header = &letter->headers[i];
        if (strncmp(header->name, PREFIX, strlen(PREFIX)) != 0 && strcmp(header->name, ROUNDS) != 0)
            rd_kafka_header_add(headers, header->name, -1, header->is_null ? NULL : header->value,
                                header->is_null ? 0 : (ssize_t)header->value_length);
    }
    char rounds[16];
    snprintf(rounds, sizeof rounds, "%d", rounds_of(letter) + 1);
    rd_kafka_header_add(headers, ROUNDS, -1, rounds, -1);
    return headers;
}

static int send_letter(struct run *run, const struct record *letter, struct error *err)
{
    rd_kafka_headers_t *headers = own_headers(letter);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = field(letter, "topic")},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = atoi(field(letter, "partition"))},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)letter->key, letter->key_length}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)letter->value, letter->value_length}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(run->producer, parts, ARRAY_LENGTH(parts));
    if (error == NULL)
        return 0;
    rd_kafka_headers_destroy(headers);
    error_set(err, "topic \"%s\": %s", field(letter, "topic"), rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return -1;
}

/* What was sent is acknowledged, then does not come again. */
static int commit(struct run *run, struct error *err)
{
    if (run->producer == NULL)
        return 0;
    rd_kafka_resp_err_t code = rd_kafka_flush(run->producer, run->box.timeout_ms);
    if (run->refused > 0)
        error_set(err, "%s", run->refusal);
    else if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        error_set(err, "not acknowledged in time");
    if (run->refused > 0 || code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    run->sent += run->batch;
    run->batch = 0;
    return letter_box_commit(&run->box, err);
}

static int redrive(struct run *run, const struct record *letter, struct error *err)
{
    if (rounds_of(letter) >= MOST_ROUNDS) {
        char name[RECORD_NAME_BYTES];
        fprintf(stderr, "%s came back %d times and is left\n", record_name(letter, name),
                MOST_ROUNDS);
        run->left++;
        return 0;
    }
    if (run->producer == NULL) {
        list_letter(letter);
        run->sent++;
        return 0;
    }
    if (run->line->rate > 0)
        usleep((useconds_t)(1000000 / run->line->rate));
    if (send_letter(run, letter, err) != 0)
        return -1;
    return ++run->batch < BATCH_COUNT ? 0 : commit(run, err);
}

/* --- all of them --- */

static int take_letter(struct run *run, const struct record *letter, struct error *err)
{
    if (!is_own(letter, run->consumer)) {
        run->foreign++;
        return 0;
    }
    run->seen++;
    switch (run->command) {
    case COMMAND_LIST:
        list_letter(letter);
        return 0;
    case COMMAND_SHOW:
        show_letter(letter);
        return 0;
    case COMMAND_REDRIVE:
        break;
    }
    return redrive(run, letter, err);
}

static int read_topic(struct run *run, const char *topic, struct error *err)
{
    int64_t timeout_ms = run->line->timeout_ms > 0 ? run->line->timeout_ms : INT32_MAX;
    if (letter_box_open(&run->box, &run->cluster, run->consumer, topic, (int)timeout_ms, err) != 0)
        return -1;
    int rc = 1;
    struct record *letter = NULL;
    while (rc == 1 && !is_stopped && (run->line->limit == 0 || run->seen < run->line->limit)) {
        rc = letter_box_next(&run->box, &letter, err);
        if (rc != 1)
            break;
        rc = take_letter(run, letter, err) == 0 ? 1 : -1;
        record_free(&letter);
    }
    if (rc >= 0)
        rc = commit(run, err);
    letter_box_close(&run->box);
    return rc;
}

static int say_end(const struct run *run, int rc, const struct error *err)
{
    if (rc != 0)
        fprintf(stderr, "lagoon dead-letters: %s\n", err->text);
    if (rc != 0 && run->box.is_unreachable && run->seen == 0)
        return EXIT_UNREACHABLE;
    if (run->foreign > 0)
        fprintf(stderr, "%zu records are no dead letters of this consumer\n", run->foreign);
    if (run->command == COMMAND_REDRIVE)
        fprintf(stderr, "%zu letter%s %s\n", run->sent, run->sent == 1 ? "" : "s",
                run->line->is_dry ? "would be sent back" : "sent back, acknowledged");
    else
        fprintf(stderr, "%zu letter%s\n", run->seen, run->seen == 1 ? "" : "s");
    return rc != 0 || run->left > 0 || is_stopped ? EXIT_UNFINISHED : EXIT_OK;
}

/* A pattern's topics are known to the brokers alone; their dead letters have to be named. */
static int read_all(struct run *run)
{
    const struct consumer_config *consumer = run->consumer;
    struct error err;
    int rc = 0;
    if (run->command == COMMAND_REDRIVE && !run->line->is_dry)
        rc = open_producer(run, &err);
    size_t count = consumer->dead_letter != NULL ? 1 : consumer->topic_count;
    for (size_t i = 0; i < count && rc == 0; i++) {
        char *topic = config_dead_letter_topic(consumer, consumer->topics[i]);
        if (consumer->dead_letter == NULL && config_is_pattern(consumer->topics[i]))
            fprintf(stderr, "the topics of %s are not known here; set `dead_letter`\n",
                    consumer->topics[i]);
        else
            rc = read_topic(run, topic, &err);
        free(topic);
    }
    if (run->producer != NULL)
        rd_kafka_destroy(run->producer);
    return say_end(run, rc, &err);
}

static int find_command(const char *word, enum command *command)
{
    static const char *const words[] = {"list", "show", "redrive"};
    *command = COMMAND_LIST;
    if (word == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        *command = (enum command)i;
        if (strcmp(word, words[i]) == 0)
            return 0;
    }
    char *meant = words_did_you_mean(word, words, ARRAY_LENGTH(words), "");
    fprintf(stderr, "lagoon dead-letters: list, show or redrive, not '%s'%s\n", word, meant);
    free(meant);
    return -1;
}

static int run_on(const struct application *application, const struct command_line *line)
{
    const struct config *config = application->config;
    struct run run = {.line = line, .consumer = config_consumer(config, line->arguments[0])};
    if (run.consumer == NULL) {
        verb_say_no_consumer("dead-letters", config, line->arguments[0]);
        return EXIT_USAGE;
    }
    if (!run.consumer->has_dead_letters) {
        fprintf(stderr, "lagoon dead-letters: %s has for consumer '%s' `dead_letter = false`\n",
                config->path, line->arguments[0]);
        return EXIT_USAGE;
    }
    if (find_command(line->argument_count > 1 ? line->arguments[1] : NULL, &run.command) != 0)
        return EXIT_USAGE;
    size_t index = (size_t)(run.consumer->cluster - config->clusters);
    cluster_init(&run.cluster, run.consumer->cluster, config->cluster_count > 1);
    if (application->dev.count > 0) {
        run.cluster.brokers = application->dev.addresses[index];
        run.cluster.is_embedded = true;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    return read_all(&run);
}

int verb_dead_letters(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, line->is_dev);
    if (exit_code != 0)
        return exit_code;
    exit_code = application_find_dev(&application, line);
    if (exit_code == 0)
        exit_code = run_on(&application, line);
    application_destroy(&application);
    return exit_code;
}
