#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_property.h"

/* One problem, at the place of what it belongs to. Librdkafka quotes values. */
static void add_problem(struct config_problems *problems, const struct config *config,
                        const char *place, const char *text)
{
    char *redacted = config_redact(config, text);
    problems->lines = xrealloc(problems->lines, (problems->count + 1) * sizeof problems->lines[0]);
    problems->lines[problems->count++] = xasprintf("%s: %s", place, redacted);
    free(redacted);
}

/* What is checked, and where problems go. */
struct check {
    const struct config *config;
    struct config_problems *problems;
    const struct cluster_config *cluster;
    enum cluster_handle handle;
    const struct properties *properties; /* the inner ones, or the cluster's own */
    const char *path;                    /* of these properties */
    const char *place;
    bool is_embedded;
    bool is_right; /* of a cluster: nothing is wrong with its own */
};

static void check_say(const struct check *check, const char *place, const char *text)
{
    add_problem(check->problems, check->config, place, text);
}

/* Of the first property that the text names; else of what they belong to. */
static const char *place_in(const struct check *check, const char *text)
{
    for (size_t i = 0; i < check->properties->count; i++) {
        const struct property *property = &check->properties->items[i];
        if (strstr(text, cluster_property_canonical(property->name)) != NULL)
            return property->place;
    }
    return check->place;
}

/* Each by itself, so that one look names all; true when none is wrong. */
static bool check_each(const struct check *check, unsigned handles)
{
    struct error err;
    size_t before = check->problems->count;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < check->properties->count; i++) {
        const struct property *property = &check->properties->items[i];
        if (cluster_property_set(conf, handles, property, check->path, &err) != 0)
            check_say(check, property->place, err.text);
    }
    rd_kafka_conf_destroy(conf);
    return check->problems->count == before;
}

/* Librdkafka only warns of `Configuration property NAME is a consumer property and will be ignored
 * by this producer instance`; set right at the handle, it is a mistake. */
static void check_warning(const struct check *check, const char *warning)
{
    static const char lead[] = "onfiguration property ";
    const char *name = strstr(warning, lead);
    if (name == NULL || strstr(warning, "will be ignored by this") == NULL)
        return;
    name += strlen(lead);
    size_t length = strcspn(name, " ");
    for (size_t i = 0; i < check->properties->count; i++) {
        const struct property *property = &check->properties->items[i];
        const char *own = property->name;
        const char *canonical = cluster_property_canonical(own);
        if (strlen(canonical) != length || strncmp(canonical, name, length) != 0)
            continue;
        struct error err;
        bool is_producer = check->handle == CLUSTER_PRODUCER;
        error_set(&err, "%s[\"%s\"]: only %s have it, it does nothing here", check->path, own,
                  is_producer ? "consumers" : "producers");
        check_say(check, property->place, err.text);
    }
}

static void check_warnings(const struct check *check, rd_kafka_t *handle)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(handle);
    for (rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 0); event != NULL;
         event = rd_kafka_queue_poll(queue, 0)) {
        const char *facility, *text;
        int severity;
        if (rd_kafka_event_log(event, &facility, &text, &severity) == 0)
            check_warning(check, text);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
}

/* OpenSSL's words in ours. */
static const char *explain_tls(const char *key, const char *detail)
{
    if (strstr(detail, "key values mismatch") != NULL)
        return "is not the key of cert_file";
    if (strstr(detail, "PEM lib") == NULL && strstr(detail, "bad decrypt") == NULL)
        return detail;
    return strcmp(key, "key_file") == 0 ? "is damaged, or key_password is wrong" : "is damaged";
}

/* A refusal that speaks of a file which `tls` names: `ssl.key.location failed: ...`. */
static bool say_tls(const struct check *check, const struct error *refusal)
{
    const struct tls_config *tls = &check->cluster->tls;
    const struct {
        const char *property;
        const char *key;
        const char *file;
    } rows[] = {
        {"ssl.ca.location ", "ca_file", tls->ca_file},
        {"ssl.certificate.location ", "cert_file", tls->cert_file},
        {"ssl.key.location ", "key_file", tls->key_file},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t length = strlen(rows[i].property);
        if (rows[i].file == NULL || strncmp(refusal->text, rows[i].property, length) != 0)
            continue;
        struct error err;
        int path_length = (int)(strlen(check->path) - strlen(".properties"));
        error_set(&err, "%.*s.tls.%s: %s: %s", path_length, check->path, rows[i].key, rows[i].file,
                  explain_tls(rows[i].key, refusal->text + length));
        add_problem(check->problems, check->config, tls->place, err.text);
        return true;
    }
    return false;
}

/* What only rd_kafka_new finds: values that do not go together, files that cannot be read. Without
 * brokers in the conf nothing is dialled. */
static void check_together(const struct check *check)
{
    struct error err;
    struct cluster cluster = {.config = check->cluster, .is_embedded = check->is_embedded};
    const struct properties *inner =
        check->properties == &check->cluster->properties ? NULL : check->properties;
    rd_kafka_conf_t *conf = cluster_conf_new(&cluster, check->handle, inner, check->path, &err);
    if (conf == NULL)
        return; /* said by check_each of the cluster */
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_LOG);
    rd_kafka_conf_set(conf, "log.queue", "true", NULL, 0); /* else it warns of missing brokers */
    rd_kafka_t *handle = cluster_handle_new(check->handle, &conf, &err);
    if (handle == NULL && inner == NULL && say_tls(check, &err))
        return;
    if (handle == NULL) {
        const char *place = place_in(check, err.text);
        error_prefix(&err, "%s: ", check->path);
        check_say(check, place, err.text);
        return;
    }
    if (inner != NULL)
        check_warnings(check, handle);
    rd_kafka_destroy(handle);
}

/* The properties of one producer or consumer; together with the cluster's only if those are right,
 * or each handle would repeat what is wrong with them. */
static void check_inner(struct check check, const char *kind, const char *name,
                        const struct check *outer)
{
    char path[CLUSTER_PATH_BYTES];
    snprintf(path, sizeof path, "%s.%s.properties", kind, name);
    check.config = outer->config;
    check.problems = outer->problems;
    check.cluster = outer->cluster;
    check.is_embedded = outer->is_embedded;
    check.path = path;
    if (check_each(&check, 1u << check.handle) && outer->is_right)
        check_together(&check);
}

static void check_handles(const struct check *outer)
{
    const struct config *config = outer->config;
    for (size_t i = 0; i < config->producer_count; i++) {
        const struct producer_config *producer = &config->producers[i];
        struct check check = {.handle = CLUSTER_PRODUCER,
                              .properties = &producer->properties,
                              .place = producer->place};
        if (producer->cluster == outer->cluster)
            check_inner(check, "producers", producer->name, outer);
    }
    for (size_t i = 0; i < config->consumer_count; i++) {
        const struct consumer_config *consumer = &config->consumers[i];
        struct check check = {.handle = CLUSTER_CONSUMER,
                              .properties = &consumer->properties,
                              .place = consumer->place};
        if (consumer->cluster == outer->cluster)
            check_inner(check, "consumers", consumer->name, outer);
    }
}

void cluster_check_config(const struct config *config, bool is_embedded,
                          struct config_problems *problems)
{
    for (size_t i = 0; i < config->cluster_count; i++) {
        const struct cluster_config *cluster = &config->clusters[i];
        char path[CLUSTER_PATH_BYTES];
        cluster_properties_path(cluster, path, sizeof path);
        struct check check = {.config = config,
                              .problems = problems,
                              .cluster = cluster,
                              .handle = CLUSTER_QUERY,
                              .properties = &cluster->properties,
                              .path = path,
                              .place = cluster->place,
                              .is_embedded = is_embedded};
        size_t before = problems->count;
        if (check_each(&check, ALL_HANDLES))
            check_together(&check);
        check.is_right = problems->count == before;
        check_handles(&check);
    }
}
