#include "connection.h"

#include <inttypes.h>

#include "exit_code.h"
#include "log.h"

enum {
    FIRST_LOOK_MS = 1000, /* so that somebody who waits is soon told for what */
    LOOK_MS = 4000,
    LEAST_LOOK_MS = 100,
    RETRY_MS = 500,
    REFUSED_RETRY_MS = 30 * 1000, /* after a start: somebody may give the right, say */
    SAID_MS = 5000,               /* that no broker answers is said this often */
};

static void look(struct connection *connection);

/* How long the next look may take: less when the time for all looks is nearly over. */
static int look_ms(const struct connection *connection)
{
    int64_t look = connection->said_ms == 0 ? FIRST_LOOK_MS : LOOK_MS;
    int64_t timeout_ms = connection->options.timeout_ms;
    int64_t left_ms = connection->began_ms + timeout_ms - clock_monotonic_ms();
    if (timeout_ms > 0 && left_ms < look)
        look = left_ms > LEAST_LOOK_MS ? left_ms : LEAST_LOOK_MS;
    return (int)look;
}

/* On a helper. */
static void look_at_brokers(uv_work_t *work)
{
    struct connection *connection = CONTAINER_OF(work, struct connection, look);
    struct cluster *cluster = connection->options.cluster;
    if (connection->query == NULL)
        connection->query = cluster_query_handle(cluster, &connection->err);
    if (connection->query == NULL) {
        connection->result = TOPICS_REFUSED;
        return;
    }
    const struct config *config = connection->generation != NULL ? connection->generation->config
                                                                 : connection->options.config;
    connection->result = cluster_ensure_topics(connection->query, cluster, config,
                                               look_ms(connection), &connection->err);
    if (connection->result == TOPICS_READY && cluster_is_embedded_broker(connection->query))
        cluster->is_embedded = true;
}

static void on_retry(uv_timer_t *timer)
{
    look(CONTAINER_OF(timer, struct connection, retry));
}

static void done(struct connection *connection, int exit_code)
{
    connection->is_done = exit_code == EXIT_OK;
    connection->is_patient = true;
    connection->options.on_done(connection->options.context, exit_code);
}

static void wait_on(struct connection *connection)
{
    const char *label = connection->options.cluster->label;
    const char *brokers = connection->options.cluster->brokers;
    int64_t now_ms = clock_monotonic_ms();
    int64_t timeout_ms = connection->options.timeout_ms;
    if (timeout_ms > 0 && now_ms - connection->began_ms >= timeout_ms) {
        log_error("%sKafka at %s did not answer within %" PRId64 " ms: %s", label, brokers,
                  timeout_ms, connection->err.text);
        done(connection, EXIT_UNREACHABLE);
        return;
    }
    if (connection->said_ms == 0 || now_ms - connection->said_ms >= SAID_MS) {
        connection->said_ms = now_ms;
        log_warn("%swaiting for Kafka at %s: %s", label, brokers, connection->err.text);
    }
    uv_timer_start(&connection->retry, on_retry, RETRY_MS, 0);
}

static void on_looked(uv_work_t *work, int status)
{
    (void)status;
    struct connection *connection = CONTAINER_OF(work, struct connection, look);
    connection->is_looking = false;
    if (connection->is_stopped) {
        connection->on_stopped(connection->options.context);
        return;
    }
    if (connection->next != NULL) {
        look(connection);
        return;
    }
    switch (connection->result) {
    case TOPICS_READY:
        done(connection, EXIT_OK);
        return;
    case TOPICS_UNREACHABLE:
        wait_on(connection);
        return;
    case TOPICS_REFUSED:
        log_error("%s%s", connection->options.cluster->label, connection->err.text);
        if (connection->is_patient)
            uv_timer_start(&connection->retry, on_retry, REFUSED_RETRY_MS, 0);
        else
            done(connection, EXIT_FATAL);
        return;
    }
}

static void look(struct connection *connection)
{
    if (connection->next != NULL) {
        generation_release(&connection->generation);
        connection->generation = connection->next;
        connection->next = NULL;
    }
    connection->is_looking = true;
    uv_queue_work(connection->options.loop, &connection->look, look_at_brokers, on_looked);
}

void connection_start(struct connection *connection, const struct connection_options *options)
{
    *connection = (struct connection){.options = *options, .began_ms = clock_monotonic_ms()};
    /* A reload wants it. */
    connection->is_patient = options->generation != NULL;
    if (options->generation != NULL)
        connection->generation = generation_reference(options->generation);
    uv_timer_init(options->loop, &connection->retry);
    look(connection);
}

void connection_look_again(struct connection *connection, struct generation *generation)
{
    connection->is_done = false;
    generation_reference(generation);
    generation_release(&connection->next);
    connection->next = generation;
    connection->began_ms = clock_monotonic_ms();
    uv_timer_stop(&connection->retry);
    if (!connection->is_looking && !connection->is_stopped)
        look(connection);
}

bool connection_is_done(const struct connection *connection)
{
    return connection->is_done;
}

void connection_stop(struct connection *connection, void (*on_stopped)(void *context))
{
    connection->is_stopped = true;
    connection->on_stopped = on_stopped;
    uv_timer_stop(&connection->retry);
    if (!connection->is_looking)
        on_stopped(connection->options.context);
}

void connection_close(struct connection *connection)
{
    uv_close((uv_handle_t *)&connection->retry, NULL);
}

void connection_destroy(struct connection *connection)
{
    cluster_query_free(&connection->query);
    generation_release(&connection->generation);
    generation_release(&connection->next);
}
