#include "cluster_query.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What a query handle remembers between questions; the handle's opaque. */
struct query {
    pthread_mutex_t mutex;
    /* Librdkafka tells a failure that repeats itself only every thirty seconds, so the last one is
     * kept; empty when there was none since a broker answered. */
    struct error trouble;
    rd_kafka_resp_err_t code; /* of trouble */
    /* Topics whose difference from the config was said: no more than are declared. */
    const struct topic_config **said;
    size_t said_count;
};

static struct query *query_new(void)
{
    struct query *query = xcalloc(1, sizeof *query);
    pthread_mutex_init(&query->mutex, NULL);
    return query;
}

static void query_free(struct query *query)
{
    pthread_mutex_destroy(&query->mutex);
    free(query->said);
    free(query);
}

/* Librdkafka prints its log when nobody takes it. What matters comes as an error event. */
static void on_log(const rd_kafka_t *handle, int severity, const char *facility, const char *text)
{
    (void)handle;
    (void)severity;
    (void)facility;
    (void)text;
}

/* Takes *conf. */
static rd_kafka_t *handle_new(enum cluster_handle kind, rd_kafka_conf_t **conf, struct error *err)
{
    struct query *query = query_new();
    rd_kafka_conf_set_opaque(*conf, query);
    rd_kafka_conf_set_log_cb(*conf, on_log);
    rd_kafka_conf_set_events(*conf, RD_KAFKA_EVENT_ERROR);
    rd_kafka_t *handle = cluster_handle_new(kind, conf, err);
    if (handle == NULL)
        query_free(query);
    return handle;
}

rd_kafka_t *cluster_query_handle(const struct cluster *cluster, struct error *err)
{
    rd_kafka_conf_t *conf = cluster_conf_new(cluster, CLUSTER_QUERY, NULL, NULL, err);
    return conf != NULL ? handle_new(CLUSTER_QUERY, &conf, err) : NULL;
}

rd_kafka_t *cluster_query_creator(const struct cluster *cluster, struct error *err)
{
    rd_kafka_conf_t *conf = cluster_conf_new(cluster, CLUSTER_QUERY, NULL, NULL, err);
    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set(conf, "allow.auto.create.topics", "true", NULL, 0);
    return handle_new(CLUSTER_QUERY, &conf, err);
}

rd_kafka_t *cluster_query_groups(const struct cluster *cluster, const char *group,
                                 struct error *err)
{
    rd_kafka_conf_t *conf = cluster_conf_new(cluster, CLUSTER_QUERY, NULL, NULL, err);
    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
    return handle_new(CLUSTER_CONSUMER, &conf, err);
}

void cluster_query_free(rd_kafka_t **handle)
{
    if (*handle == NULL)
        return;
    struct query *query = rd_kafka_opaque(*handle);
    rd_kafka_destroy(*handle);
    query_free(query);
    *handle = NULL;
}

static void remember(struct query *query, rd_kafka_event_t *event)
{
    bool is_sum = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR && !is_sum) {
        query->code = rd_kafka_event_error(event);
        cluster_explain(query->code, rd_kafka_event_error_string(event), &query->trouble);
    }
    rd_kafka_event_destroy(event);
}

bool cluster_query_trouble(rd_kafka_t *handle, struct error *err)
{
    struct query *query = rd_kafka_opaque(handle);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(handle);
    pthread_mutex_lock(&query->mutex);
    for (rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 0); event != NULL;
         event = rd_kafka_queue_poll(queue, 0))
        remember(query, event);
    bool is_known = query->trouble.text[0] != '\0';
    if (is_known)
        error_set(err, "%s", query->trouble.text);
    pthread_mutex_unlock(&query->mutex);
    rd_kafka_queue_destroy(queue);
    return is_known;
}

bool cluster_query_is_locked_out(rd_kafka_t *handle)
{
    struct error ignored;
    cluster_query_trouble(handle, &ignored);
    struct query *query = rd_kafka_opaque(handle);
    pthread_mutex_lock(&query->mutex);
    rd_kafka_resp_err_t code = query->code;
    pthread_mutex_unlock(&query->mutex);
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED || code == RD_KAFKA_RESP_ERR__SSL;
}

void cluster_query_answered(rd_kafka_t *handle)
{
    struct error ignored;
    cluster_query_trouble(handle, &ignored);
    struct query *query = rd_kafka_opaque(handle);
    pthread_mutex_lock(&query->mutex);
    query->trouble.text[0] = '\0';
    pthread_mutex_unlock(&query->mutex);
}

bool cluster_query_is_news(rd_kafka_t *handle, const struct topic_config *topic)
{
    struct query *query = rd_kafka_opaque(handle);
    bool is_news = true;
    pthread_mutex_lock(&query->mutex);
    for (size_t i = 0; i < query->said_count; i++)
        is_news = is_news && query->said[i] != topic;
    if (is_news) {
        query->said = xrealloc(query->said, (query->said_count + 1) * sizeof query->said[0]);
        query->said[query->said_count++] = topic;
    }
    pthread_mutex_unlock(&query->mutex);
    return is_news;
}

bool cluster_is_embedded_broker(rd_kafka_t *handle)
{
    static const char prefix[] = "mockCluster";
    char *id = rd_kafka_clusterid(handle, 0);
    bool is_embedded = id != NULL && strncmp(id, prefix, strlen(prefix)) == 0;
    rd_kafka_mem_free(handle, id);
    return is_embedded;
}
