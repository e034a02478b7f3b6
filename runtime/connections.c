#include "connections.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config_compare.h"
#include "error.h"
#include "exit_code.h"

/* One cluster. */
struct site {
    struct connections *connections;
    struct generation *generation; /* held, for its config; NULL: that outlives it */
    struct cluster cluster;
    struct connection connection;
    bool is_needed; /* else it is not connected */
    bool is_ready;  /* or was once */
    bool is_gone;   /* another one took its place, before it was connected */
};

static struct site *find(const struct connections *connections, const char *name)
{
    for (size_t i = 0; i < connections->site_count; i++) {
        struct site *site = connections->sites[i];
        if (!site->is_gone && strcmp(site->cluster.config->name, name) == 0)
            return site;
    }
    return NULL;
}

static struct site *site_of(const struct connections *connections,
                            const struct cluster_config *config)
{
    struct site *site = find(connections, config->name);
    assert(site != NULL);
    return site;
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

static bool is_needed(const struct connections *connections, const struct config *config,
                      const struct cluster_config *cluster)
{
    const struct connections_options *options = &connections->options;
    if (options->only != NULL)
        return options->only == cluster;
    if (options->is_for_producers && config->producer_count > 0)
        return has_producer(config, cluster);
    return is_used(config, cluster);
}

static struct site *site_add(struct connections *connections, const struct config *config,
                             const struct cluster_config *cluster)
{
    struct site *site = xcalloc(1, sizeof *site);
    site->connections = connections;
    cluster_init(&site->cluster, cluster, config->cluster_count > 1);
    connections->sites =
        xrealloc(connections->sites, (connections->site_count + 1) * sizeof connections->sites[0]);
    connections->sites[connections->site_count++] = site;
    return site;
}

void connections_init(struct connections *connections, const struct connections_options *options)
{
    const struct config *config = options->config;
    *connections = (struct connections){.options = *options};
    for (size_t i = 0; i < config->cluster_count; i++) {
        struct site *site = site_add(connections, config, &config->clusters[i]);
        site->is_needed = is_needed(connections, config, &config->clusters[i]);
        if (options->embedded_brokers == NULL)
            continue;
        site->cluster.brokers = options->embedded_brokers[i];
        site->cluster.is_embedded = true;
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
    site->is_ready = true;
    options->on_ready(options->context, site->cluster.config);
}

static void start(struct site *site)
{
    struct connections *connections = site->connections;
    const struct connection_options options = {
        .loop = connections->options.loop,
        .cluster = &site->cluster,
        .config = connections->options.config,
        .generation = connections->generation,
        .timeout_ms = connections->options.timeout_ms,
        .context = site,
        .on_done = on_done,
    };
    connection_start(&site->connection, &options);
}

void connections_start(struct connections *connections)
{
    for (size_t i = 0; i < connections->site_count; i++)
        if (connections->sites[i]->is_needed)
            start(connections->sites[i]);
}

bool connections_are_ready(const struct connections *connections)
{
    for (size_t i = 0; i < connections->site_count; i++)
        if (connections->sites[i]->is_needed && !connections->sites[i]->is_ready)
            return false;
    return true;
}

bool connections_is_ready(const struct connections *connections,
                          const struct cluster_config *config)
{
    const struct site *site = site_of(connections, config);
    return site->is_needed && connection_is_done(&site->connection);
}

/* --- another generation --- */

/* One that is not connected is known by what was declared last. */
static void expect(struct connections *connections, struct generation *generation,
                   const struct cluster_config *cluster)
{
    struct site *before = find(connections, cluster->name);
    if (before != NULL && (before->is_needed || before->generation == NULL))
        return;
    if (before != NULL)
        before->is_gone = true;
    site_add(connections, generation->config, cluster)->generation =
        generation_reference(generation);
}

int connections_expect(struct connections *connections, struct generation *generation,
                       struct error *err)
{
    const struct config *config = generation->config;
    for (size_t i = 0; i < config->cluster_count; i++) {
        const struct cluster_config *cluster = &config->clusters[i];
        if (connections->options.embedded_brokers != NULL &&
            find(connections, cluster->name) == NULL) {
            error_set(err,
                      "%s: %s: the cluster is new, and lagoon dev starts a broker for it only "
                      "when it is started again",
                      cluster->place, cluster->path);
            return -1;
        }
        expect(connections, generation, cluster);
    }
    return 0;
}

/* Of any cluster: to look once more costs one question. */
static bool has_other_topics(const struct config *before, const struct config *after)
{
    static const char lead[] = "topics.";
    struct config_difference difference;
    bool has_other = false;
    config_compare(before, after, REACH_LIVE, &difference);
    for (size_t i = 0; i < difference.count; i++)
        has_other = has_other || strncmp(difference.paths[i], lead, strlen(lead)) == 0;
    config_difference_destroy(&difference);
    return has_other;
}

void connections_go_by(struct connections *connections, struct generation *generation)
{
    const struct config *config = generation->config;
    const struct config *before = connections->generation != NULL ? connections->generation->config
                                                                  : connections->options.config;
    bool is_other = has_other_topics(before, config);
    generation_reference(generation);
    generation_release(&connections->generation);
    connections->generation = generation;
    for (size_t i = 0; i < config->cluster_count; i++) {
        struct site *site = site_of(connections, &config->clusters[i]);
        if (!site->is_needed && is_needed(connections, config, &config->clusters[i])) {
            site->is_needed = true;
            start(site);
        } else if (site->is_needed && is_other) {
            connection_look_again(&site->connection, generation);
        }
    }
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
    for (size_t i = 0; i < connections->site_count; i++) {
        struct site *site = connections->sites[i];
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
    for (size_t i = 0; i < connections->site_count; i++)
        if (connections->sites[i]->is_needed)
            connection_close(&connections->sites[i]->connection);
}

void connections_destroy(struct connections *connections)
{
    for (size_t i = 0; i < connections->site_count; i++) {
        struct site *site = connections->sites[i];
        if (site->is_needed)
            connection_destroy(&site->connection);
        generation_release(&site->generation);
        free(site);
    }
    free(connections->sites);
    connections->sites = NULL;
    generation_release(&connections->generation);
}
