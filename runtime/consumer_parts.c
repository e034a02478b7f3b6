#include "consumer_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "membership_joining.h"

static int set_group(rd_kafka_conf_t *conf, const struct consumer_config *config, struct error *err)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, "group.id", config->group, reason, sizeof reason) ==
        RD_KAFKA_CONF_OK)
        return 0;
    error_set(err, "consumers.%s.group: %s", config->name, reason);
    return -1;
}

static bool is_cooperative(const rd_kafka_conf_t *conf)
{
    char strategy[256] = "";
    size_t size = sizeof strategy;
    rd_kafka_conf_get(conf, "partition.assignment.strategy", strategy, &size);
    return strstr(strategy, "cooperative") != NULL;
}

static int make_handle(struct consumer_parts *parts, const struct cluster *cluster,
                       const struct consumer_config *config, struct error *err)
{
    char path[300];
    snprintf(path, sizeof path, "consumers.%s.properties", config->name);
    rd_kafka_conf_t *conf =
        cluster_conf_new(cluster, CLUSTER_CONSUMER, &config->properties, path, err);
    if (conf == NULL)
        return -1;
    if (set_group(conf, config, err) != 0) {
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT |
                                       RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    parts->max_poll_ms = cluster_conf_integer(conf, "max.poll.interval.ms");
    parts->is_cooperative = is_cooperative(conf);
    struct joining *joining = joining_watch(conf);
    parts->handle = cluster_handle_new(CLUSTER_CONSUMER, &conf, err);
    if (parts->handle != NULL)
        return 0;
    joining_free(&joining);
    return -1;
}

static int make_scripts(struct consumer_parts *parts, const struct script_source *source,
                        struct error *err)
{
    parts->script_count = (size_t)source->consumer->workers_min;
    parts->scripts = xcalloc(parts->script_count, sizeof parts->scripts[0]);
    for (size_t i = 0; i < parts->script_count; i++) {
        parts->scripts[i] = script_new(source, err);
        if (parts->scripts[i] == NULL)
            return -1;
    }
    return 0;
}

int consumer_parts_make(struct consumer_parts *parts, const struct cluster *cluster,
                        const struct script_source *source, struct error *err)
{
    *parts = (struct consumer_parts){0};
    if (make_scripts(parts, source, err) == 0 &&
        make_handle(parts, cluster, source->consumer, err) == 0)
        return 0;
    consumer_parts_destroy(parts);
    return -1;
}

void consumer_parts_destroy(struct consumer_parts *parts)
{
    for (size_t i = 0; i < parts->script_count; i++)
        script_free(&parts->scripts[i]);
    free(parts->scripts);
    *parts = (struct consumer_parts){0};
}
