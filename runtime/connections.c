#include "connections.h"

#include <stdlib.h>

#include "exit_code.h"

/* One cluster. */
struct site {
    struct connections *connections;
    struct cluster cluster;
    struct connection connection;
    bool is_needed; /* else it is not connected */
};

static size_t count_of(const struct connections *connections)
{
    return connections->options.config->cluster_count;
}

static const struct site *site_of(const struct connections *connections,
                                  const struct cluster_config *config)
{
    return &connections->sites[config - connections->options.config->clusters];
}

static bool has_producer(const struct config *config, const struct cluster_config *cluster)
{
    bool has_producer = false;
    for (size_t i = 0; i < config->producer_count; i++)
        has_producer = has_producer || config->producers[i].cluster == cluster;
    return has_producer;
}

/* Something of the config is on it; the only cluster there is always counts as used. */
static bool is_used(const struct config *config, const struct cluster_config *cluster)
{
    bool is_used = config->cluster_count == 1 || has_producer(config, cluster);
    for (size_t i = 0; i < config->topic_count; i++)
        is_used = is_used || config->topics[i].cluster == cluster;
    for (size_t i = 0; i < config->consumer_count; i++)
        is_used = is_used || config->consumers[i].cluster == cluster;
    return is_used;
}

static void site_init(struct site *site, struct connections *connections, size_t index)
{
    const struct connections_options *options = &connections->options;
    const struct config *config = options->config;
    const struct cluster_config *cluster = &config->clusters[index];
    site->connections = connections;
    cluster_init(&site->cluster, cluster, config->cluster_count > 1);
    if (options->embedded_brokers != NULL) {
        site->cluster.brokers = options->embedded_brokers[index];
        site->cluster.is_embedded = true;
    }
    if (options->only != NULL)
        site->is_needed = options->only == cluster;
    else if (options->is_for_producers && config->producer_count > 0)
        site->is_needed = has_producer(config, cluster);
    else
        site->is_needed = is_used(config, cluster);
}

void connections_init(struct connections *connections, const struct connections_options *options)
{
    *connections = (struct connections){.options = *options};
    connections->sites = xcalloc(count_of(connections), sizeof connections->sites[0]);
    for (size_t i = 0; i < count_of(connections); i++) {
        site_init(&connections->sites[i], connections, i);
        connections->waiting += connections->sites[i].is_needed;
    }
}

static void on_done(void *context, int exit_code)
{
    struct site *site = context;
    struct connections *connections = site->connections;
    const struct connections_options *options = &connections->options;
    if (exit_code != EXIT_OK) {
        options->on_failed(options->context, exit_code);
        return;
    }
    connections->waiting--;
    options->on_ready(options->context, site->cluster.config);
}

void connections_start(struct connections *connections)
{
    for (size_t i = 0; i < count_of(connections); i++) {
        struct site *site = &connections->sites[i];
        const struct connection_options options = {
            .loop = connections->options.loop,
            .cluster = &site->cluster,
            .config = connections->options.config,
            .timeout_ms = connections->options.timeout_ms,
            .context = site,
            .on_done = on_done,
        };
        if (site->is_needed)
            connection_start(&site->connection, &options);
    }
}

bool connections_are_ready(const struct connections *connections)
{
    return connections->waiting == 0;
}

const struct cluster *connections_cluster(const struct connections *connections,
                                          const struct cluster_config *config)
{
    return &site_of(connections, config)->cluster;
}

rd_kafka_t *connections_query(const struct connections *connections,
                              const struct cluster_config *config)
{
    return site_of(connections, config)->connection.query;
}

/* --- the stop --- */

static void on_site_stopped(void *context)
{
    struct site *site = context;
    struct connections *connections = site->connections;
    if (--connections->stopping == 0)
        connections->options.on_stopped(connections->options.context);
}

void connections_stop(struct connections *connections)
{
    /* One more, so that on_stopped waits for the end of this walk. */
    connections->stopping = 1;
    for (size_t i = 0; i < count_of(connections); i++) {
        struct site *site = &connections->sites[i];
        if (!site->is_needed)
            continue;
        connections->stopping++;
        connection_stop(&site->connection, on_site_stopped);
    }
    if (--connections->stopping == 0)
        connections->options.on_stopped(connections->options.context);
}

void connections_close(struct connections *connections)
{
    for (size_t i = 0; i < count_of(connections); i++)
        if (connections->sites[i].is_needed)
            connection_close(&connections->sites[i].connection);
}

void connections_destroy(struct connections *connections)
{
    for (size_t i = 0; i < count_of(connections); i++)
        if (connections->sites[i].is_needed)
            connection_destroy(&connections->sites[i].connection);
    free(connections->sites);
    connections->sites = NULL;
}
