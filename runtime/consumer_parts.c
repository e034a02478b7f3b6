#include "consumer_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "membership_joining.h"

static int set(rd_kafka_conf_t *conf, const struct consumer_config *config, const char *key,
               const char *name, const char *value, struct error *err)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return 0;
    error_set(err, "consumers.%s.%s: %s", config->name, key, reason);
    return -1;
}

static int set_group(rd_kafka_conf_t *conf, const struct consumer_config *config, struct error *err)
{
    if (set(conf, config, "group", "group.id", config->group, err) != 0)
        return -1;
    if (config->instance_id == NULL)
        return 0;
    return set(conf, config, "instance_id", "group.instance.id", config->instance_id, err);
}

/* --- patterns --- */

static bool has_pattern(const struct consumer_config *config)
{
    for (size_t i = 0; i < config->topic_count; i++)
        if (config_is_pattern(config->topics[i]))
            return true;
    return false;
}

/* ",^NAME$" with the dots as they stand. */
static void append_name(struct buffer *list, const char *name)
{
    buffer_append_text(list, ",^");
    for (; *name != '\0'; name++)
        buffer_format(list, *name == '.' ? "[.]" : "%c", *name);
    buffer_append_text(list, "$");
}

/* What no pattern means: Kafka's own topics, and those where failed records end, which would come
 * back as work. The user's list is longer by these. */
static int set_hidden_topics(rd_kafka_conf_t *conf, const struct config *all,
                             const struct consumer_config *config, struct error *err)
{
    static const char hidden[] = "^__consumer_offsets$,^__transaction_state$,"
                                 "^__share_group_state$,[.]dead-letter$";
    struct buffer list;
    buffer_init(&list);
    buffer_append_text(&list, hidden);
    for (size_t i = 0; i < all->consumer_count; i++)
        if (all->consumers[i].dead_letter != NULL)
            append_name(&list, all->consumers[i].dead_letter);
    size_t size = 0;
    rd_kafka_conf_get(conf, "topic.blacklist", NULL, &size);
    char *own = xcalloc(size + 1, 1);
    rd_kafka_conf_get(conf, "topic.blacklist", own, &size);
    buffer_format(&list, "%s%s", own[0] != '\0' ? "," : "", own);
    int rc = set(conf, config, "topics", "topic.blacklist", list.bytes, err);
    free(own);
    buffer_destroy(&list);
    return rc;
}

/* How soon a new topic that matches is noticed. */
static int set_refresh(rd_kafka_conf_t *conf, const struct cluster *cluster,
                       const struct consumer_config *config, struct error *err)
{
    static const char name[] = "topic.metadata.refresh.interval.ms";
    if (properties_get(&config->properties, name) != NULL ||
        properties_get(&cluster->config->properties, name) != NULL)
        return 0;
    return set(conf, config, "topics", name, cluster->is_embedded ? "1000" : "10000", err);
}

static int set_patterns(rd_kafka_conf_t *conf, const struct cluster *cluster,
                        const struct config *all, const struct consumer_config *config,
                        struct error *err)
{
    if (!has_pattern(config))
        return 0;
    if (set_hidden_topics(conf, all, config, err) != 0)
        return -1;
    return set_refresh(conf, cluster, config, err);
}

/* --- the handle --- */

static bool is_cooperative(const rd_kafka_conf_t *conf)
{
    char strategy[256] = "";
    size_t size = sizeof strategy;
    rd_kafka_conf_get(conf, "partition.assignment.strategy", strategy, &size);
    return strstr(strategy, "cooperative") != NULL;
}

static int make_handle(struct consumer_parts *parts, const struct cluster *cluster,
                       const struct config *all, const struct consumer_config *config,
                       struct error *err)
{
    char path[300];
    snprintf(path, sizeof path, "consumers.%s.properties", config->name);
    rd_kafka_conf_t *conf =
        cluster_conf_new(cluster, CLUSTER_CONSUMER, &config->properties, path, err);
    if (conf == NULL)
        return -1;
    if (set_group(conf, config, err) != 0 || set_patterns(conf, cluster, all, config, err) != 0) {
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT |
                                       RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG |
                                       RD_KAFKA_EVENT_STATS);
    parts->prefetch_bytes = cluster_prefetch_bytes(config);
    parts->max_poll_ms = cluster_conf_integer(conf, "max.poll.interval.ms");
    parts->is_cooperative = is_cooperative(conf);
    struct joining *joining = joining_watch(conf);
    parts->handle = cluster_handle_new(CLUSTER_CONSUMER, &conf, err);
    if (parts->handle != NULL)
        return 0;
    joining_free(&joining);
    return -1;
}

static int make_scripts(struct consumer_parts *parts, const struct consumer_parts_options *options,
                        struct error *err)
{
    const struct script_source source =
        script_source_of(options->generation, options->config->name);
    parts->script_count = (size_t)options->config->workers_min;
    parts->scripts = xcalloc(parts->script_count, sizeof parts->scripts[0]);
    for (size_t i = 0; i < parts->script_count; i++) {
        if (atomic_load(options->is_given_up)) {
            error_set(err, "the stop came before its workers were made");
            return -1;
        }
        parts->scripts[i] = script_new(&source, err);
        if (parts->scripts[i] == NULL)
            return -1;
    }
    parts->state_bytes = script_bytes(parts->scripts[0]);
    return 0;
}

int consumer_parts_make(struct consumer_parts *parts, const struct consumer_parts_options *options,
                        struct error *err)
{
    *parts = (struct consumer_parts){0};
    if (make_scripts(parts, options, err) == 0 &&
        make_handle(parts, options->cluster, options->generation->config, options->config, err) ==
            0)
        return 0;
    consumer_parts_destroy(parts);
    return -1;
}

void consumer_parts_discard(struct consumer_parts *parts)
{
    struct joining *joining = joining_of(parts->handle);
    rd_kafka_destroy(parts->handle);
    joining_free(&joining);
    consumer_parts_destroy(parts);
}

void consumer_parts_destroy(struct consumer_parts *parts)
{
    for (size_t i = 0; i < parts->script_count; i++)
        script_free(&parts->scripts[i]);
    free(parts->scripts);
    *parts = (struct consumer_parts){0};
}
