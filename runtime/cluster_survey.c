#include "cluster_survey.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_query.h"

enum { LOOK_MS = 1000, QUESTION_MS = 10000, REFUSAL_BYTES = 512, MANY_BROKERS = 3 };

/* What one survey works on. */
struct asking {
    rd_kafka_t *query;
    rd_kafka_t *groups; /* the handle to ask for groups by; NULL until there is a consumer */
    const struct cluster *cluster;
    const struct config *config;
    int64_t deadline_ms; /* 0: none */
    struct survey *survey;
    const struct rd_kafka_metadata *all; /* the brokers, and the topics that this client may see */
    bool is_embedded;
    struct error *err;
};

/* Where a topic is named: `config.lua:4: topics.orders`. */
struct place {
    const char *source; /* config.lua:4 */
    char path[CLUSTER_PATH_BYTES + CLUSTER_TOPIC_NAME_MAX];
};

static __attribute__((format(printf, 4, 5))) void say(struct asking *asking,
                                                      struct sentences *sentences,
                                                      const struct place *place, const char *format,
                                                      ...)
{
    struct error what;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what.text, sizeof what.text, format, arguments);
    va_end(arguments);
    char *text =
        xasprintf("%s: %s: %s%s", place->source, place->path, asking->cluster->label, what.text);
    sentences->items =
        xrealloc(sentences->items, (sentences->count + 1) * sizeof sentences->items[0]);
    sentences->items[sentences->count++] = config_redact(asking->config, text);
    free(text);
}

void survey_destroy(struct survey *survey)
{
    struct sentences *const lists[] = {&survey->problems, &survey->remarks};
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        for (size_t k = 0; k < lists[i]->count; k++)
            free(lists[i]->items[k]);
        free(lists[i]->items);
        *lists[i] = (struct sentences){0};
    }
}

/* --- reaching the cluster --- */

/* How long one question may take. */
static int question_ms(const struct asking *asking, int64_t most_ms)
{
    int64_t left_ms = asking->deadline_ms - clock_monotonic_ms();
    if (asking->deadline_ms == 0 || left_ms > most_ms)
        return (int)most_ms;
    return left_ms > 1 ? (int)left_ms : 1;
}

static bool is_over(const struct asking *asking)
{
    return asking->deadline_ms > 0 && clock_monotonic_ms() >= asking->deadline_ms;
}

static int say_unreachable(const struct asking *asking, rd_kafka_resp_err_t code)
{
    if (!cluster_query_trouble(asking->query, asking->err))
        error_set(asking->err, "no broker of %s answers: %s", asking->cluster->brokers,
                  rd_kafka_err2str(code));
    return -1;
}

/* Again and again, since a broker may be about to start; a login that is refused stays so. */
static int reach(struct asking *asking)
{
    for (;;) {
        rd_kafka_resp_err_t code =
            rd_kafka_metadata(asking->query, 1, NULL, &asking->all, question_ms(asking, LOOK_MS));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        asking->all = NULL;
        if (is_over(asking) || cluster_query_is_locked_out(asking->query))
            return say_unreachable(asking, code);
    }
    asking->is_embedded = cluster_is_embedded_broker(asking->query);
    return 0;
}

/* --- a topic --- */

/* What the cluster says of one. */
struct answer {
    rd_kafka_resp_err_t code; /* UNKNOWN_TOPIC_OR_PART: it does not exist */
    int partitions;
    int replicas; /* of its first partition */
};

static void read_answer(const struct rd_kafka_metadata *metadata, const char *name,
                        struct answer *answer)
{
    *answer = (struct answer){.code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART};
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
        if (strcmp(topic->topic, name) != 0)
            continue;
        answer->code = topic->err;
        answer->partitions = topic->partition_cnt;
        answer->replicas = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
    }
}

/* A real broker is asked for the one topic, and tells when it must not be seen; the embedded one
 * would create it. */
static int ask_topic(struct asking *asking, const char *name, struct answer *answer)
{
    if (asking->is_embedded) {
        read_answer(asking->all, name, answer);
        return 0;
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new(asking->query, name, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(asking->query, 0, topic, &metadata, question_ms(asking, QUESTION_MS));
    rd_kafka_topic_destroy(topic);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return say_unreachable(asking, code);
    read_answer(metadata, name, answer);
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* True when the answer is no more than a missing right or another refusal, which has been said. */
static bool say_refused(struct asking *asking, const struct place *place, const char *name,
                        const struct answer *answer)
{
    if (answer->code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        say(asking, &asking->survey->problems, place,
            "no right to see topic \"%s\"; this client needs Describe on it, to read it Read, to "
            "publish Write",
            name);
    else if (answer->code != RD_KAFKA_RESP_ERR_NO_ERROR &&
             answer->code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        say(asking, &asking->survey->problems, place, "topic \"%s\": %s", name,
            rd_kafka_err2str(answer->code));
    else
        return false;
    return true;
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

static void say_one_replica(struct asking *asking, const struct place *place)
{
    say(asking, &asking->survey->remarks, place,
        "has 1 replica though there are %d brokers: its records are lost with the one that has "
        "them; `replicas = 3` is usual",
        asking->all->broker_cnt);
}

static void compare(struct asking *asking, const struct place *place,
                    const struct topic_config *topic, const struct answer *answer)
{
    struct sentences *problems = &asking->survey->problems;
    if (topic->partitions > 0 && topic->partitions != answer->partitions)
        say(asking, problems, place,
            "has %d partition%s, declared are %d; lagoon leaves it as it is", answer->partitions,
            plural(answer->partitions), topic->partitions);
    if (topic->replicas > 0 && topic->replicas != answer->replicas)
        say(asking, problems, place, "has %d replica%s, declared are %d; lagoon leaves it as it is",
            answer->replicas, plural(answer->replicas), topic->replicas);
    if (answer->replicas == 1 && asking->all->broker_cnt >= MANY_BROKERS)
        say_one_replica(asking, place);
}

/* --- whether a missing topic would be created --- */

static rd_kafka_NewTopic_t *new_topic(const struct topic_config *config, struct error *refusal)
{
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        config->name, config->partitions > 0 ? config->partitions : -1,
        config->replicas > 0 ? config->replicas : -1, refusal->text, sizeof refusal->text);
    for (size_t i = 0; topic != NULL && i < config->settings.count; i++)
        rd_kafka_NewTopic_set_config(topic, config->settings.items[i].name,
                                     config->settings.items[i].value);
    return topic;
}

/* The refusal of the request, or of the one topic in it; false when there is none. */
static bool is_refused(rd_kafka_event_t *event, struct error *refusal)
{
    if (event == NULL) {
        error_set(refusal, "no answer in time");
        return true;
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(refusal, "%s", rd_kafka_event_error_string(event));
        return true;
    }
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return false;
    const char *reason = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
    error_set(refusal, "%s", reason != NULL ? reason : rd_kafka_err2str(code));
    return true;
}

/* Kafka checks such a request in full and creates nothing. */
static bool may_be_created(struct asking *asking, const struct topic_config *config,
                           struct error *refusal)
{
    if (asking->is_embedded)
        return true;
    rd_kafka_NewTopic_t *topic = new_topic(config, refusal);
    if (topic == NULL)
        return false;
    char ignored[REFUSAL_BYTES];
    int timeout_ms = question_ms(asking, QUESTION_MS);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(asking->query, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ignored, sizeof ignored);
    rd_kafka_AdminOptions_set_validate_only(options, 1, ignored, sizeof ignored);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(asking->query);
    rd_kafka_CreateTopics(asking->query, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + LOOK_MS);
    bool may_be = !is_refused(event, refusal);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    return may_be;
}

static void say_missing(struct asking *asking, const struct place *place,
                        const struct topic_config *topic)
{
    struct error refusal = {""};
    if (!topic->create) {
        say(asking, &asking->survey->problems, place,
            "does not exist, and with `create = false` lagoon only waits for it");
    } else if (!may_be_created(asking, topic, &refusal)) {
        say(asking, &asking->survey->problems, place, "does not exist and cannot be created: %s",
            refusal.text);
    } else {
        say(asking, &asking->survey->remarks, place,
            "does not exist yet; lagoon creates it when it starts");
        if (topic->replicas == 1 && asking->all->broker_cnt >= MANY_BROKERS)
            say_one_replica(asking, place);
    }
}

/* --- what the config names --- */

static int ask_declared(struct asking *asking, const struct topic_config *topic)
{
    struct place place = {.source = topic->place};
    struct answer answer;
    snprintf(place.path, sizeof place.path, "topics.%s", topic->name);
    if (ask_topic(asking, topic->name, &answer) != 0)
        return -1;
    if (say_refused(asking, &place, topic->name, &answer))
        return 0;
    if (answer.code == RD_KAFKA_RESP_ERR_NO_ERROR)
        compare(asking, &place, topic, &answer);
    else
        say_missing(asking, &place, topic);
    return 0;
}

/* A topic that somebody reads or writes; declared ones have been asked for. */
static int ask_named(struct asking *asking, const struct place *place, const char *name)
{
    struct answer answer;
    if (config_topic(asking->config, asking->cluster->config, name) != NULL)
        return 0;
    if (ask_topic(asking, name, &answer) != 0)
        return -1;
    if (!say_refused(asking, place, name, &answer) && answer.code != RD_KAFKA_RESP_ERR_NO_ERROR)
        say(asking, &asking->survey->problems, place,
            "topic \"%s\" is neither there nor declared in `topics`, so lagoon does not create it",
            name);
    return 0;
}

static void ask_pattern(struct asking *asking, const struct place *place, const char *pattern)
{
    regex_t compiled;
    int matching = 0;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return;
    for (int i = 0; i < asking->all->topic_cnt; i++)
        matching += regexec(&compiled, asking->all->topics[i].topic, 0, NULL, 0) == 0;
    regfree(&compiled);
    if (matching == 0)
        say(asking, &asking->survey->remarks, place, "no topic matches \"%s\" now", pattern);
}

/* Whether the group may be asked for; who may not does not come to read. */
static int ask_group(struct asking *asking, const struct place *place, const char *group)
{
    if (asking->groups == NULL)
        asking->groups = cluster_query_groups(asking->cluster, group, asking->err);
    if (asking->groups == NULL)
        return -1;
    char ignored[REFUSAL_BYTES];
    int timeout_ms = question_ms(asking, QUESTION_MS);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(asking->groups, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ignored, sizeof ignored);
    rd_kafka_ListConsumerGroupOffsets_t *question =
        rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(asking->groups);
    rd_kafka_ListConsumerGroupOffsets(asking->groups, &question, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + LOOK_MS);
    rd_kafka_resp_err_t code = event != NULL ? rd_kafka_event_error(event) : 0;
    size_t count = 0;
    const rd_kafka_ListConsumerGroupOffsets_result_t *result =
        event != NULL ? rd_kafka_event_ListConsumerGroupOffsets_result(event) : NULL;
    const rd_kafka_group_result_t **groups =
        result != NULL ? rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count) : NULL;
    if (count == 1 && rd_kafka_group_result_error(groups[0]) != NULL)
        code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        say(asking, &asking->survey->problems, place,
            "no right to be in group \"%s\"; this client needs Read on it", group);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    rd_kafka_AdminOptions_destroy(options);
    return 0;
}

static int ask_consumer(struct asking *asking, const struct consumer_config *consumer)
{
    struct place place = {.source = consumer->place};
    snprintf(place.path, sizeof place.path, "consumers.%s", consumer->name);
    for (size_t i = 0; i < consumer->topic_count; i++) {
        if (config_is_pattern(consumer->topics[i]))
            ask_pattern(asking, &place, consumer->topics[i]);
        else if (ask_named(asking, &place, consumer->topics[i]) != 0)
            return -1;
    }
    return ask_group(asking, &place, consumer->group);
}

static int ask_producer(struct asking *asking, const struct producer_config *producer)
{
    struct place place = {.source = producer->place};
    snprintf(place.path, sizeof place.path, "producers.%s", producer->name);
    return ask_named(asking, &place, producer->topic);
}

static int ask_all(struct asking *asking)
{
    const struct config *config = asking->config;
    const struct cluster_config *cluster = asking->cluster->config;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < config->topic_count; i++)
        if (config->topics[i].cluster == cluster)
            rc = ask_declared(asking, &config->topics[i]);
    for (size_t i = 0; rc == 0 && i < config->producer_count; i++)
        if (config->producers[i].cluster == cluster)
            rc = ask_producer(asking, &config->producers[i]);
    for (size_t i = 0; rc == 0 && i < config->consumer_count; i++)
        if (config->consumers[i].cluster == cluster)
            rc = ask_consumer(asking, &config->consumers[i]);
    return rc;
}

int cluster_survey(const struct cluster *cluster, const struct config *config, int64_t deadline_ms,
                   struct survey *survey, struct error *err)
{
    *survey = (struct survey){0};
    struct asking asking = {
        .query = cluster_query_handle(cluster, err),
        .cluster = cluster,
        .config = config,
        .deadline_ms = deadline_ms,
        .survey = survey,
        .err = err,
    };
    if (asking.query == NULL)
        return -1;
    int rc = reach(&asking);
    if (rc == 0)
        rc = ask_all(&asking);
    if (asking.all != NULL)
        rd_kafka_metadata_destroy(asking.all);
    cluster_query_free(&asking.groups);
    cluster_query_free(&asking.query);
    return rc;
}
