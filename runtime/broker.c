#include "broker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "broker_port.h"
#include "cluster.h"
#include "error.h"
#include "exit_code.h"
#include "log.h"
#include "units.h"

enum {
    /* Calls that follow each other at once lose a wake-up in the mock cluster now and then and take
     * a second. */
    PAUSE_US = 1000,
    LINE_BYTES = 512,
    PARTITIONS_MAX = 10000,
    REFUSAL_BYTES = 512,
};

struct broker {
    rd_kafka_t *handle; /* only carries the cluster, connects nowhere */
    rd_kafka_mock_cluster_t *cluster;
    int signals;
    bool is_child;
    bool has_input;
    char line[LINE_BYTES];
    size_t line_length;
    bool line_is_too_long;
};

/* --- start --- */

/* The mock cluster creates a topic whose name it is asked about, which may be a typing error, and
 * tells so only in its debug log. The one exception to the rule that nothing of ours runs on
 * librdkafka's threads: no loop waits for this one. */
static void on_log(const rd_kafka_t *handle, int severity, const char *facility, const char *text)
{
    (void)handle;
    enum { SYSLOG_WARNING = 4 };
    const char *created = strstr(text, "Created topic \"");
    char name[CLUSTER_TOPIC_NAME_MAX + 1];
    int partitions;
    if (created != NULL &&
        sscanf(created, "Created topic \"%249[^\"]\" with %d partition", name, &partitions) == 2)
        log_info("embedded broker: topic \"%s\" created with %d partitions", name, partitions);
    else if (severity <= SYSLOG_WARNING)
        log_warn("embedded broker: %s: %s", facility, text);
}

static rd_kafka_t *handle_new(struct error *err)
{
    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set(conf, "debug", "mock", NULL, 0);
    rd_kafka_conf_set(conf, "socket.nagle.disable", "true", NULL, 0);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, refusal, sizeof refusal);
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, "the embedded broker cannot be made: %s", refusal);
    }
    return handle;
}

static void say_port(const struct broker_options *options, int refused, struct error *err)
{
    if (options->is_any_from)
        error_set(err, "no port from %d on is free at 127.0.0.1: %s", options->port,
                  strerror(refused));
    else if (refused == EADDRINUSE)
        error_set(err, "port %d of 127.0.0.1 is taken; choose another with --port, or --port 0",
                  options->port);
    else
        error_set(err, "cannot listen on 127.0.0.1:%d: %s; choose another with --port",
                  options->port, strerror(refused));
}

static int broker_listen(struct broker *broker, const struct broker_options *options,
                         struct error *err)
{
    broker->handle = handle_new(err);
    if (broker->handle == NULL)
        return -1;
    broker_port_want(options->port, options->is_any_from ? UINT16_MAX : options->port);
    broker->cluster = rd_kafka_mock_cluster_new(broker->handle, 1);
    int refused = broker_port_end();
    /* Else the program was linked without -Wl,-E. */
    assert(broker->cluster == NULL || broker_port_bound() != 0);
    if (broker->cluster == NULL || refused != 0) {
        say_port(options, refused, err);
        return -1;
    }
    return 0;
}

/* From here on signals are read, not delivered; librdkafka's threads inherit that. */
static int take_signals(struct error *err)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    /* Started with & from a shell, reading its terminal would stop the process. */
    signal(SIGTTIN, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        error_set(err, "signalfd: %s", strerror(errno));
    return signals;
}

/* --- topics --- */

/* NAME:PARTITIONS */
static int parse_topic(const char *text, char *name, int *partitions, struct error *err)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !cluster_is_topic_name(text, (size_t)(colon - text))) {
        error_set(err, "a topic is given as NAME:PARTITIONS, its name in letters, digits, . _ -");
        return -1;
    }
    int64_t count;
    if (integer_parse(colon + 1, 1, PARTITIONS_MAX, &count) != 0) {
        error_set(err, "a topic has from 1 to %d partitions", PARTITIONS_MAX);
        return -1;
    }
    snprintf(name, CLUSTER_TOPIC_NAME_MAX + 1, "%.*s", (int)(colon - text), text);
    *partitions = (int)count;
    return 0;
}

static int create_topic(struct broker *broker, const char *text, struct error *err)
{
    char name[CLUSTER_TOPIC_NAME_MAX + 1];
    int partitions;
    if (parse_topic(text, name, &partitions, err) != 0)
        return -1;
    usleep(PAUSE_US);
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(broker->cluster, name, partitions, 1);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, "%s", rd_kafka_err2str(code));
        return -1;
    }
    return 0;
}

/* --- standard input --- */

static void answer(struct broker *broker)
{
    static const char command[] = "topic ";
    struct error err;
    const char *line = broker->line;
    if (broker->line_is_too_long) {
        printf("failed: a line has at most %d bytes\n", LINE_BYTES - 1);
    } else if (strncmp(line, command, strlen(command)) != 0) {
        printf("failed %s: the only command is `topic NAME:PARTITIONS`\n", line);
    } else {
        const char *topic = line + strlen(command);
        if (create_topic(broker, topic, &err) == 0)
            printf("created %s\n", topic);
        else
            printf("failed %s: %s\n", topic, err.text);
    }
}

static void take_byte(struct broker *broker, char byte)
{
    if (byte != '\n') {
        broker->line_is_too_long |= broker->line_length >= LINE_BYTES - 1;
        if (!broker->line_is_too_long)
            broker->line[broker->line_length++] = byte;
        return;
    }
    broker->line[broker->line_length] = '\0';
    if (broker->line_length > 0)
        answer(broker);
    broker->line_length = 0;
    broker->line_is_too_long = false;
}

static void read_input(struct broker *broker)
{
    char bytes[LINE_BYTES];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    broker->has_input = count > 0;
    for (ssize_t i = 0; i < count; i++)
        take_byte(broker, bytes[i]);
}

static void serve(struct broker *broker)
{
    for (;;) {
        struct pollfd ends[] = {
            {.fd = broker->signals, .events = POLLIN},
            {.fd = broker->has_input ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(ends, ARRAY_LENGTH(ends), -1) < 0)
            continue;
        if (ends[0].revents != 0)
            return;
        if (ends[1].revents != 0)
            read_input(broker);
        if (broker->is_child && !broker->has_input)
            return;
    }
}

/* --- all of it --- */

static int create_topics(struct broker *broker, const struct broker_options *options,
                         struct error *err)
{
    for (size_t i = 0; i < options->topic_count; i++) {
        if (create_topic(broker, options->topics[i], err) != 0) {
            error_prefix(err, "--topic %s: ", options->topics[i]);
            return -1;
        }
    }
    return 0;
}

static enum exit_code broker_run(struct broker *broker, const struct broker_options *options,
                                 struct error *err)
{
    if (options->port < 0 || options->port > UINT16_MAX) {
        error_set(err, "--port %d: a port is a number from 0 to %d", options->port, UINT16_MAX);
        return EXIT_USAGE;
    }
    broker->signals = take_signals(err);
    if (broker->signals < 0 || broker_listen(broker, options, err) != 0)
        return EXIT_INTERNAL;
    if (create_topics(broker, options, err) != 0)
        return EXIT_USAGE;
    log_info("embedded broker: in memory only; 5 MiB a partition, then it drops the oldest");
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("listening on 127.0.0.1:%d\n", broker_port_bound());
    serve(broker);
    return EXIT_OK;
}

int broker_main(const struct broker_options *options)
{
    /* Taking the cluster apart takes a second, so it lives as long as the process: it is static
     * because it is no leak. */
    static struct broker broker;
    broker = (struct broker){.signals = -1, .is_child = options->is_child, .has_input = true};
    /* If the parent is gone already, the end of standard input tells. */
    if (options->is_child)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    struct error err;
    enum exit_code code = broker_run(&broker, options, &err);
    if (code != EXIT_OK)
        log_error("%s", err.text);
    return code;
}
