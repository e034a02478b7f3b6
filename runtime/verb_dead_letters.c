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
#include "letter_filter.h"
#include "verb_arguments.h"
#include "verb_letter.h"
#include "words.h"

enum {
    MOST_ROUNDS = 3,   /* a letter that came back so often is left */
    BATCH_COUNT = 500, /* letters between two commits */
};

enum command { COMMAND_LIST, COMMAND_SHOW, COMMAND_REDRIVE };

struct run {
    const struct command_line *line;
    const struct consumer_config *consumer;
    struct cluster cluster;
    enum command command;
    struct letter_filter *filter; /* NULL: all letters are meant */
    bool is_rehearsal;            /* only to see whether the filter fails at a letter */
    bool is_filter_wrong;
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
        if (strncmp(header->name, LETTER_PREFIX, strlen(LETTER_PREFIX)) != 0 &&
            strcmp(header->name, LETTER_ROUNDS) != 0)
            rd_kafka_header_add(headers, header->name, -1, header->is_null ? NULL : header->value,
                                header->is_null ? 0 : (ssize_t)header->value_length);
    }
    char rounds[16];
    snprintf(rounds, sizeof rounds, "%d", letter_rounds(letter) + 1);
    rd_kafka_header_add(headers, LETTER_ROUNDS, -1, rounds, -1);
    return headers;
}

static int send_letter(struct run *run, const struct record *letter, struct error *err)
{
    rd_kafka_headers_t *headers = own_headers(letter);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = letter_field(letter, "topic")},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = atoi(letter_field(letter, "partition"))},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)letter->key, letter->key_length}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)letter->value, letter->value_length}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(run->producer, parts, ARRAY_LENGTH(parts));
    if (error == NULL)
        return 0;
    rd_kafka_headers_destroy(headers);
    error_set(err, "topic \"%s\": %s", letter_field(letter, "topic"), rd_kafka_error_string(error));
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
    bool is_acknowledged = run->refused == 0 && code == RD_KAFKA_RESP_ERR_NO_ERROR;
    run->sent += is_acknowledged ? run->batch : 0;
    run->batch = 0;
    if (!is_acknowledged)
        return -1;
    return letter_box_commit(&run->box, err);
}

static int check_room(const struct run *run, const struct record *letter, struct error *err)
{
    if (letter_box_has_room(&run->box, letter))
        return 0;
    char name[RECORD_NAME_BYTES];
    error_set(err,
              "before %s: the letters that were sent lie between too many others to be remembered; "
              "send those others back as well, then go on",
              record_name(letter, name));
    return -1;
}

static int redrive(struct run *run, const struct record *letter, struct error *err)
{
    if (run->producer != NULL && check_room(run, letter, err) != 0)
        return -1;
    if (letter_rounds(letter) >= MOST_ROUNDS) {
        char name[RECORD_NAME_BYTES];
        fprintf(stderr, "%s came back %d times and is left\n", record_name(letter, name),
                MOST_ROUNDS);
        run->left++;
        letter_box_take(&run->box, letter);
        return 0;
    }
    if (run->producer == NULL) {
        letter_list(letter);
        run->sent++;
        return 0;
    }
    if (run->line->rate > 0)
        usleep((useconds_t)(1000000 / run->line->rate));
    if (send_letter(run, letter, err) != 0)
        return -1;
    letter_box_take(&run->box, letter);
    return ++run->batch < BATCH_COUNT ? 0 : commit(run, err);
}

/* --- all of them --- */

/* 1: the letter is meant; 0: it stays as it is; -1 and err. */
static int filter(struct run *run, const struct record *letter, struct error *err)
{
    const struct letter_reason reason = {
        .error = letter_field(letter, "error"),
        .attempts = letter_field(letter, "attempts"),
        .topic = letter_field(letter, "topic"),
        .partition = letter_field(letter, "partition"),
        .offset = letter_field(letter, "offset"),
        .timestamp = letter_field(letter, "timestamp"),
    };
    if (run->filter == NULL)
        return 1;
    switch (letter_filter_match(run->filter, letter, LETTER_PREFIX, &reason, err)) {
    case LETTER_MATCHES:
        return 1;
    case LETTER_STAYS:
        return 0;
    case LETTER_ERROR:
        break;
    }
    char name[RECORD_NAME_BYTES];
    record_name(letter, name);
    error_prefix(err, "%s: ", name);
    run->is_filter_wrong = true;
    return -1;
}

static int take_letter(struct run *run, const struct record *letter, struct error *err)
{
    if (!letter_is_of(letter, run->consumer)) {
        run->foreign++;
        letter_box_take(&run->box, letter);
        return 0;
    }
    int is_meant = filter(run, letter, err);
    if (is_meant != 1)
        return is_meant;
    run->seen++;
    if (run->is_rehearsal)
        return 0;
    switch (run->command) {
    case COMMAND_LIST:
        letter_list(letter);
        return 0;
    case COMMAND_SHOW:
        letter_show(letter);
        return 0;
    case COMMAND_REDRIVE:
        break;
    }
    return redrive(run, letter, err);
}

/* Also when it ends with an error: what was sent until then is not to be sent again, unless just
 * that is what failed. */
static int end_reading(struct run *run, int rc, struct error *err)
{
    struct error another;
    if (rc >= 0)
        return commit(run, err);
    if (run->batch > 0 && commit(run, &another) != 0)
        fprintf(stderr, "lagoon dead-letters: %s\n", another.text);
    return -1;
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
    if (!run->is_rehearsal)
        rc = end_reading(run, rc, err);
    letter_box_close(&run->box);
    return rc < 0 ? -1 : 0;
}

static int say_end(const struct run *run, int rc, const struct error *err)
{
    if (rc != 0)
        fprintf(stderr, "lagoon dead-letters: %s\n", err->text);
    if (rc != 0 && run->box.is_unreachable && run->seen == 0)
        return EXIT_UNREACHABLE;
    if (run->is_filter_wrong && run->sent == 0)
        return EXIT_USAGE;
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
static int read_topics(struct run *run, struct error *err)
{
    const struct consumer_config *consumer = run->consumer;
    int rc = 0;
    size_t count = consumer->dead_letter != NULL ? 1 : consumer->topic_count;
    for (size_t i = 0; i < count && rc == 0; i++) {
        char *topic = config_dead_letter_topic(consumer, consumer->topics[i]);
        if (consumer->dead_letter != NULL || !config_is_pattern(consumer->topics[i]))
            rc = read_topic(run, topic, err);
        else if (!run->is_rehearsal)
            fprintf(stderr, "the topics of %s are not known here; set `dead_letter`\n",
                    consumer->topics[i]);
        free(topic);
    }
    return rc;
}

/* Whatever would be sent is looked at before anything is: an expression that fails at one of the
 * letters sends none. */
static int rehearse(struct run *run, struct error *err)
{
    run->is_rehearsal = true;
    int rc = read_topics(run, err);
    run->is_rehearsal = false;
    run->seen = 0;
    run->foreign = 0;
    return rc;
}

static int read_all(struct run *run)
{
    struct error err;
    int rc = 0;
    bool is_sending = run->command == COMMAND_REDRIVE && !run->line->is_dry;
    if (is_sending && run->filter != NULL)
        rc = rehearse(run, &err);
    if (rc == 0 && is_sending)
        rc = open_producer(run, &err);
    if (rc == 0)
        rc = read_topics(run, &err);
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

static int open_filter(struct run *run, const struct config *config)
{
    struct error err;
    if (run->line->where == NULL)
        return 0;
    run->filter = letter_filter_new(config, run->consumer, run->line->where, &err);
    if (run->filter != NULL)
        return 0;
    fprintf(stderr, "lagoon dead-letters: %s\n", err.text);
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
    if (open_filter(&run, config) != 0)
        return EXIT_USAGE;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    int exit_code = read_all(&run);
    letter_filter_free(&run.filter);
    return exit_code;
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
