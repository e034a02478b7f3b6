#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster_query.h"
#include "log.h"

enum { LOOK_AGAIN_MS = 50, REFUSAL_BYTES = 512, EMBEDDED_PARTITIONS = 4 };

bool cluster_is_topic_name(const char *name, size_t length)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (length == 0 || length > CLUSTER_TOPIC_NAME_MAX || strspn(name, legal) < length)
        return false;
    bool is_dots = name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
    return !is_dots;
}

/* A declared topic and what the cluster says of it. */
struct wanted {
    const struct topic_config *config;
    bool is_missing;
    bool is_created; /* by us, in this very call: it may take a while to be seen */
    bool is_ready;   /* every partition has a leader */
    int partitions;
    int replicas;
};

struct ensure {
    rd_kafka_t *query;
    const struct cluster *cluster;
    int64_t deadline_ms;
    bool is_embedded;
    struct wanted *wanted;
    size_t count;
    struct error *err;
};

static int remaining_ms(const struct ensure *ensure)
{
    int64_t remaining = ensure->deadline_ms - clock_monotonic_ms();
    return remaining > 1 ? (int)remaining : 1;
}

static enum topic_check unreachable(const struct ensure *ensure, rd_kafka_resp_err_t code)
{
    if (!cluster_query_trouble(ensure->query, ensure->err))
        error_set(ensure->err, "no broker of %s answers: %s", ensure->cluster->brokers,
                  rd_kafka_err2str(code));
    return TOPICS_UNREACHABLE;
}

/* Trying again does not help until somebody mends the config or the broker's rights. */
static bool is_final(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
        return true;
    default:
        /* INVALID_REPLICATION_FACTOR too: more brokers may be about to start. */
        return false;
    }
}

static enum topic_check refuse(const struct ensure *ensure, const struct wanted *wanted,
                               const char *what, rd_kafka_resp_err_t code, const char *reason)
{
    bool is_no_right = code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                       code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    struct error words;
    cluster_explain_code(code, NULL, NULL, &words);
    error_set(ensure->err, "topic \"%s\" cannot be %s: %s", wanted->config->name, what,
              is_no_right      ? "no right to do so"
              : reason != NULL ? reason
                               : words.text);
    return is_final(code) ? TOPICS_REFUSED : TOPICS_UNREACHABLE;
}

/* --- what is there --- */

/* Any answer of any broker; the cluster's id, by which an embedded one is known, comes with it. */
static enum topic_check reach(struct ensure *ensure)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(ensure->query, 0, NULL, &metadata, remaining_ms(ensure));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unreachable(ensure, code);
    rd_kafka_metadata_destroy(metadata);
    cluster_query_answered(ensure->query);
    ensure->is_embedded = cluster_is_embedded_broker(ensure->query);
    return TOPICS_READY;
}

static void note_partitions(struct wanted *wanted, const rd_kafka_metadata_topic_t *topic)
{
    wanted->partitions = topic->partition_cnt;
    wanted->replicas = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
    wanted->is_ready = topic->partition_cnt > 0;
    for (int i = 0; i < topic->partition_cnt; i++)
        wanted->is_ready = wanted->is_ready && topic->partitions[i].leader >= 0;
}

static enum topic_check note(const struct ensure *ensure, struct wanted *wanted,
                             const rd_kafka_metadata_topic_t *topic)
{
    wanted->is_missing = topic == NULL || topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    wanted->is_ready = false;
    if (wanted->is_missing)
        return TOPICS_READY;
    if (is_final(topic->err))
        return refuse(ensure, wanted, "looked at", topic->err, NULL);
    if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        note_partitions(wanted, topic);
    return TOPICS_READY;
}

/* A real broker is asked for the one topic, which never creates it; the embedded one would create
 * it, so there all are asked for. */
static enum topic_check look(const struct ensure *ensure, struct wanted *wanted)
{
    const char *name = wanted->config->name;
    rd_kafka_topic_t *handle =
        ensure->is_embedded ? NULL : rd_kafka_topic_new(ensure->query, name, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(ensure->query, ensure->is_embedded, handle,
                                                 &metadata, remaining_ms(ensure));
    if (handle != NULL)
        rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unreachable(ensure, code);

    const rd_kafka_metadata_topic_t *found = NULL;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, name) == 0)
            found = &metadata->topics[i];
    }
    enum topic_check check = note(ensure, wanted, found);
    rd_kafka_metadata_destroy(metadata);
    return check;
}

/* --- creating --- */

/* "3 partitions" */
static const char *say_count(char *text, size_t size, int count, const char *what)
{
    snprintf(text, size, "%d %s%s", count, what, count == 1 ? "" : "s");
    return text;
}

static void say_created(const struct ensure *ensure, const struct wanted *wanted)
{
    const struct topic_config *config = wanted->config;
    char partitions[32], replicas[32];
    log_info("%stopic \"%s\" created with %s and %s", ensure->cluster->label, config->name,
             config->partitions > 0
                 ? say_count(partitions, sizeof partitions, config->partitions, "partition")
                 : "the broker's number of partitions",
             config->replicas > 0
                 ? say_count(replicas, sizeof replicas, config->replicas, "replica")
                 : "the broker's number of replicas");
}

/* The embedded broker knows no request for it and creates what it is asked about, the newer ones
 * only if asked in so many words. */
static enum topic_check create_embedded(const struct ensure *ensure, struct wanted *wanted)
{
    rd_kafka_t *creator = cluster_query_creator(ensure->cluster, ensure->err);
    if (creator == NULL)
        return TOPICS_REFUSED;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(creator, wanted->config->name, NULL);
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(creator, 0, handle, &metadata, remaining_ms(ensure));
    rd_kafka_topic_destroy(handle);
    cluster_query_free(&creator);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unreachable(ensure, code);
    rd_kafka_metadata_destroy(metadata);
    wanted->is_created = true;
    log_info("%stopic \"%s\" created by the embedded broker, as always with %d partitions",
             ensure->cluster->label, wanted->config->name, EMBEDDED_PARTITIONS);
    return TOPICS_READY;
}

static rd_kafka_NewTopic_t *new_topic(const struct ensure *ensure, const struct wanted *wanted)
{
    const struct topic_config *config = wanted->config;
    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        config->name, config->partitions > 0 ? config->partitions : -1,
        config->replicas > 0 ? config->replicas : -1, refusal, sizeof refusal);
    if (topic == NULL) {
        refuse(ensure, wanted, "created", RD_KAFKA_RESP_ERR__INVALID_ARG, refusal);
        return NULL;
    }
    for (size_t i = 0; i < config->settings.count; i++)
        rd_kafka_NewTopic_set_config(topic, config->settings.items[i].name,
                                     config->settings.items[i].value);
    return topic;
}

/* The answer to a request for one topic. */
static enum topic_check note_created(const struct ensure *ensure, struct wanted *wanted,
                                     rd_kafka_event_t *event)
{
    if (event == NULL)
        return unreachable(ensure, RD_KAFKA_RESP_ERR__TIMED_OUT);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT)
        return unreachable(ensure, code);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refuse(ensure, wanted, "created", code, rd_kafka_event_error_string(event));

    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        say_created(ensure, wanted);
        wanted->is_created = true;
    } else if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        wanted->is_created = true; /* by another process, between our look and our request */
    } else {
        return refuse(ensure, wanted, "created", code,
                      count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL);
    }
    return TOPICS_READY;
}

static enum topic_check create(const struct ensure *ensure, struct wanted *wanted)
{
    rd_kafka_NewTopic_t *topic = new_topic(ensure, wanted);
    if (topic == NULL)
        return TOPICS_REFUSED;
    char refusal[REFUSAL_BYTES];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(ensure->query, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    int timeout_ms = remaining_ms(ensure);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, refusal, sizeof refusal);
    rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, refusal, sizeof refusal);

    rd_kafka_queue_t *queue = rd_kafka_queue_new(ensure->query);
    rd_kafka_CreateTopics(ensure->query, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    enum topic_check check = note_created(ensure, wanted, event);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    return check;
}

/* --- all of it --- */

static enum topic_check look_and_create(const struct ensure *ensure, struct wanted *wanted)
{
    enum topic_check check = look(ensure, wanted);
    if (check != TOPICS_READY || !wanted->is_missing || wanted->is_created)
        return check;
    if (!wanted->config->create) {
        error_set(ensure->err,
                  "topic \"%s\" does not exist, and with `create = false` is waited for",
                  wanted->config->name);
        return TOPICS_UNREACHABLE;
    }
    return ensure->is_embedded ? create_embedded(ensure, wanted) : create(ensure, wanted);
}

static bool is_different(int declared, int is)
{
    return declared > 0 && declared != is;
}

static void say_different(const struct ensure *ensure, const struct wanted *wanted,
                          const char *what, int declared, int is)
{
    char text[32];
    if (is_different(declared, is))
        log_warn("%stopic \"%s\" has %s, declared are %d; it is left as it is",
                 ensure->cluster->label, wanted->config->name,
                 say_count(text, sizeof text, is, what), declared);
}

/* What is declared is not forced upon a topic that exists: its owner may have grown it. */
static void say_differences(const struct ensure *ensure, const struct wanted *wanted)
{
    const struct topic_config *config = wanted->config;
    bool is_as_declared = !is_different(config->partitions, wanted->partitions) &&
                          !is_different(config->replicas, wanted->replicas);
    if (is_as_declared || !cluster_query_is_news(ensure->query, config))
        return;
    say_different(ensure, wanted, "partition", config->partitions, wanted->partitions);
    say_different(ensure, wanted, "replica", config->replicas, wanted->replicas);
}

/* Looks, creates and looks again until all are seen or the time is over. */
static enum topic_check ensure_all(struct ensure *ensure)
{
    for (;;) {
        const struct wanted *waits_for = NULL;
        for (size_t i = 0; i < ensure->count; i++) {
            struct wanted *wanted = &ensure->wanted[i];
            if (wanted->is_ready)
                continue;
            enum topic_check check = look_and_create(ensure, wanted);
            if (check != TOPICS_READY)
                return check;
            if (!wanted->is_ready)
                waits_for = wanted;
        }
        if (waits_for == NULL)
            return TOPICS_READY;
        if (clock_monotonic_ms() + LOOK_AGAIN_MS >= ensure->deadline_ms) {
            error_set(ensure->err, "topic \"%s\" has no leader yet", waits_for->config->name);
            return TOPICS_UNREACHABLE;
        }
        usleep(LOOK_AGAIN_MS * 1000);
    }
}

enum topic_check cluster_ensure_topic(rd_kafka_t *query, const struct cluster *cluster,
                                      const struct topic_config *topic, int timeout_ms,
                                      int *partitions, struct error *err)
{
    struct wanted wanted = {.config = topic};
    struct ensure ensure = {.query = query,
                            .cluster = cluster,
                            .deadline_ms = clock_monotonic_ms() + timeout_ms,
                            .wanted = &wanted,
                            .count = 1,
                            .err = err};
    enum topic_check check = reach(&ensure);
    if (check == TOPICS_READY)
        check = ensure_all(&ensure);
    *partitions = wanted.partitions;
    return check;
}

/* What is published to a topic that is not there waits, and librdkafka says nothing of it for half
 * a minute. */
static void warn_of_missing(const struct ensure *ensure, const struct config *config)
{
    for (size_t i = 0; i < config->producer_count; i++) {
        const struct producer_config *producer = &config->producers[i];
        const struct topic_config topic = {.name = producer->topic};
        struct wanted wanted = {.config = &topic};
        if (!config_is_cluster(producer->cluster, ensure->cluster->config) ||
            config_topic(config, producer->cluster, producer->topic) != NULL ||
            look(ensure, &wanted) != TOPICS_READY || !wanted.is_missing)
            continue;
        log_warn("%sproducer %s: topic \"%s\" does not exist, and is not declared under `topics`: "
                 "what is published to it waits until somebody creates it",
                 ensure->cluster->label, producer->name, producer->topic);
    }
}

enum topic_check cluster_ensure_topics(rd_kafka_t *query, const struct cluster *cluster,
                                       const struct config *config, int timeout_ms,
                                       struct error *err)
{
    struct ensure ensure = {.query = query,
                            .cluster = cluster,
                            .deadline_ms = clock_monotonic_ms() + timeout_ms,
                            .err = err};
    ensure.wanted = xcalloc(config->topic_count, sizeof ensure.wanted[0]);
    for (size_t i = 0; i < config->topic_count; i++) {
        if (config_is_cluster(config->topics[i].cluster, cluster->config))
            ensure.wanted[ensure.count++].config = &config->topics[i];
    }

    enum topic_check check = reach(&ensure);
    if (check == TOPICS_READY)
        check = ensure_all(&ensure);
    for (size_t i = 0; i < ensure.count && check == TOPICS_READY; i++)
        say_differences(&ensure, &ensure.wanted[i]);
    if (check == TOPICS_READY && !ensure.is_embedded)
        warn_of_missing(&ensure, config);
    free(ensure.wanted);
    return check;
}
