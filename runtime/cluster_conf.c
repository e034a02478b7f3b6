#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster_certificate.h"
#include "cluster_property.h"

enum { HOST_NAME_BYTES = 256, REFUSAL_BYTES = 512 };

enum broker_kind { ANY_BROKER, REAL_BROKER, EMBEDDED_BROKER };

/* What lagoon sets before the user's own properties, which win. */
struct preset {
    const char *name;
    const char *value;
    unsigned handles;
    enum broker_kind brokers;
    int since;          /* rd_kafka_version() that knows it; 0: all we work with */
    int before;         /* only for libraries older than this; 0: all */
    const char *unless; /* left alone when the user sets this one, which librdkafka compares it to
                           or derives it from */
};

enum { VERSION_2_2 = 0x02020000, VERSION_2_5 = 0x02050000 };

static const struct preset presets[] = {
    {"allow.auto.create.topics", "false", ALL_HANDLES, ANY_BROKER, 0, 0, NULL},
    /* Nagle's algorithm costs up to 40 ms where requests wait in line. */
    {"socket.nagle.disable", "true", ALL_HANDLES, ANY_BROKER, 0, 0, NULL},
    /* A topic that appears is noticed within half a minute, a broker that comes back at once. */
    {"topic.metadata.refresh.interval.ms", "30000", ALL_HANDLES, ANY_BROKER, 0, 0, NULL},
    {"reconnect.backoff.max.ms", "2000", ALL_HANDLES, ANY_BROKER, 0, 0, "reconnect.backoff.ms"},
    /* Some libraries abort in it, and nobody asked for it. */
    {"enable.metrics.push", "false", ALL_HANDLES, ANY_BROKER, VERSION_2_5, 0, NULL},
    {"log.queue", "true", PRODUCERS | CONSUMERS, ANY_BROKER, 0, 0, NULL},
    /* For the metrics of what the library does; a scrape is seldom more frequent. */
    {"statistics.interval.ms", "15000", PRODUCERS | CONSUMERS, ANY_BROKER, 0, 0, NULL},

    {"enable.auto.commit", "false", CONSUMERS, ANY_BROKER, 0, 0, NULL},
    {"enable.auto.offset.store", "false", CONSUMERS, ANY_BROKER, 0, 0, NULL},
    /* Starts are resolved by us; this is where an offset that is gone leads. */
    {"auto.offset.reset", "earliest", CONSUMERS, ANY_BROKER, 0, 0, NULL},
    /* What a partition holds ahead is bounded. Before 2.2 a full queue is looked at again only
     * after a second, so it has to hold a second. */
    {"fetch.max.bytes", "4194304", CONSUMERS, ANY_BROKER, 0, 0, "message.max.bytes"},
    {"queued.min.messages", "100000", CONSUMERS, ANY_BROKER, 0, VERSION_2_2, NULL},
    {"queued.max.messages.kbytes", "32768", CONSUMERS, ANY_BROKER, 0, VERSION_2_2, NULL},
    {"queued.min.messages", "20000", CONSUMERS, ANY_BROKER, VERSION_2_2, 0, NULL},
    {"queued.max.messages.kbytes", "8192", CONSUMERS, ANY_BROKER, VERSION_2_2, 0, NULL},
    {"fetch.queue.backoff.ms", "10", CONSUMERS, ANY_BROKER, VERSION_2_2, 0, NULL},
    /* The embedded broker answers an empty fetch only when the wait is over, and waits for a
     * session's time in every rebalance. */
    {"fetch.wait.max.ms", "5", CONSUMERS, EMBEDDED_BROKER, 0, 0, NULL},
    {"session.timeout.ms", "6000", CONSUMERS, EMBEDDED_BROKER, 0, 0, NULL},
    {"heartbeat.interval.ms", "1000", CONSUMERS, EMBEDDED_BROKER, 0, 0, NULL},
    /* It has been seen to leave a request unanswered: then it is asked again before the session is
     * over, not after a minute. */
    {"socket.timeout.ms", "4000", CONSUMERS, EMBEDDED_BROKER, 0, 0, NULL},

    {"enable.idempotence", "true", PRODUCERS, ANY_BROKER, 0, 0, NULL},
    /* With more under way, librdkafka takes a partition's first record for written when a later one
     * is; but a broker that does not know the producer yet takes a later one also when it has
     * refused the first. */
    {"max.in.flight.requests.per.connection", "1", PRODUCERS, ANY_BROKER, 0, 0, NULL},
    {"linger.ms", "2", PRODUCERS, ANY_BROKER, 0, 0, NULL},
    /* No delivery fails for lack of a broker. */
    {"message.timeout.ms", "0", PRODUCERS, ANY_BROKER, 0, 0, NULL},
    /* The largest record, and what wraps it. */
    {"message.max.bytes", "1114112", PRODUCERS, ANY_BROKER, 0, 0, NULL},
    /* What waits for a broker is bounded; a full queue makes who publishes wait. */
    {"queue.buffering.max.kbytes", "65536", PRODUCERS, ANY_BROKER, 0, 0, NULL},
    {"compression.type", "lz4", PRODUCERS, REAL_BROKER, 0, 0, NULL},
};

static bool is_set_by_user(const struct cluster *cluster, const struct properties *inner,
                           const char *name)
{
    return properties_get(&cluster->config->properties, name) != NULL ||
           (inner != NULL && properties_get(inner, name) != NULL);
}

static bool preset_applies(const struct preset *preset, const struct cluster *cluster,
                           enum cluster_handle handle, const struct properties *inner)
{
    enum broker_kind brokers = cluster->is_embedded ? EMBEDDED_BROKER : REAL_BROKER;
    int version = rd_kafka_version();
    return (preset->handles & (1u << handle)) != 0 &&
           (preset->brokers == ANY_BROKER || preset->brokers == brokers) &&
           version >= preset->since && (preset->before == 0 || version < preset->before) &&
           (preset->unless == NULL || !is_set_by_user(cluster, inner, preset->unless));
}

/* Our own values are right, or the library is none that we work with. */
static void set_own(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char refusal[REFUSAL_BYTES];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, refusal, sizeof refusal);
    assert(result == RD_KAFKA_CONF_OK);
    (void)result;
}

/* Equal client ids make some libraries' cooperative assignor loop for ever. */
static void set_client_id(rd_kafka_conf_t *conf)
{
    char host[HOST_NAME_BYTES] = "localhost";
    gethostname(host, sizeof host - 1);
    char client_id[HOST_NAME_BYTES + 32];
    snprintf(client_id, sizeof client_id, "lagoon-%s-%d", host, (int)getpid());
    set_own(conf, "client.id", client_id);
}

/* Null: the config says nothing, librdkafka's own default holds. */
static void set_text(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    if (value != NULL)
        set_own(conf, name, value);
}

/* `tls` and `sasl` of the cluster. Values were checked; that the files are right rd_kafka_new
 * finds. */
static void set_security(rd_kafka_conf_t *conf, const struct tls_config *tls,
                         const struct sasl_config *sasl)
{
    bool has_login = sasl->mechanism != NULL;
    if (tls->is_on)
        set_own(conf, "security.protocol", has_login ? "sasl_ssl" : "ssl");
    else if (has_login)
        set_own(conf, "security.protocol", "sasl_plaintext");
    set_text(conf, "ssl.ca.location", tls->ca_file);
    set_text(conf, "ssl.certificate.location", tls->cert_file);
    set_text(conf, "ssl.key.location", tls->key_file);
    set_text(conf, "ssl.key.password", tls->key_password);
    if (tls->is_on && !tls->verify) {
        set_own(conf, "enable.ssl.certificate.verification", "false");
        set_own(conf, "ssl.endpoint.identification.algorithm", "none");
    }
    set_text(conf, "sasl.mechanisms", sasl->mechanism);
    set_text(conf, "sasl.username", sasl->username);
    set_text(conf, "sasl.password", sasl->password);
}

static int set_all(rd_kafka_conf_t *conf, const struct cluster *cluster, unsigned handles,
                   const struct properties *properties, const char *path, struct error *err)
{
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *property = &properties->items[i];
        if (cluster->is_embedded && cluster_property_is_security(property->name))
            continue;
        if (cluster_property_set(conf, handles, property, path, err) != 0)
            return -1;
    }
    return 0;
}

void cluster_init(struct cluster *cluster, const struct cluster_config *config, bool has_others)
{
    *cluster = (struct cluster){.config = config, .brokers = config->brokers};
    if (has_others)
        snprintf(cluster->label, sizeof cluster->label, "cluster %s: ", config->name);
}

void cluster_properties_path(const struct cluster_config *cluster, char *path, size_t size)
{
    snprintf(path, size, "%s.properties", cluster->path);
}

rd_kafka_conf_t *cluster_conf_new(const struct cluster *cluster, enum cluster_handle handle,
                                  const struct properties *inner, const char *inner_path,
                                  struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < ARRAY_LENGTH(presets); i++) {
        if (preset_applies(&presets[i], cluster, handle, inner))
            set_own(conf, presets[i].name, presets[i].value);
    }
    set_client_id(conf);
    if (cluster->brokers != NULL)
        set_own(conf, "bootstrap.servers", cluster->brokers);
    if (!cluster->is_embedded)
        set_security(conf, &cluster->config->tls, &cluster->config->sasl);

    char path[CLUSTER_PATH_BYTES];
    cluster_properties_path(cluster->config, path, sizeof path);
    const struct properties *outer = &cluster->config->properties;
    if (set_all(conf, cluster, ALL_HANDLES, outer, path, err) != 0)
        goto fail;
    if (inner != NULL && set_all(conf, cluster, 1u << handle, inner, inner_path, err) != 0)
        goto fail;
    cluster_certificate_watch(conf);
    return conf;

fail:
    rd_kafka_conf_destroy(conf);
    return NULL;
}

int64_t cluster_conf_integer(const rd_kafka_conf_t *conf, const char *name)
{
    char value[64];
    size_t size = sizeof value;
    rd_kafka_conf_res_t result = rd_kafka_conf_get(conf, name, value, &size);
    assert(result == RD_KAFKA_CONF_OK);
    (void)result;
    return strtoll(value, NULL, 10);
}

/* Librdkafka forgets a space in the sentence that is met most often: "`a`must be >= `b`". */
static void say_refusal(const char *refusal, struct error *err)
{
    const char *gap = strstr(refusal, "`must");
    int length = gap != NULL ? (int)(gap - refusal) + 1 : 0;
    error_set(err, "%.*s%s%s", length, refusal, gap != NULL ? " " : "", refusal + length);
}

rd_kafka_t *cluster_handle_new(enum cluster_handle handle, rd_kafka_conf_t **conf,
                               struct error *err)
{
    rd_kafka_type_t type = handle == CLUSTER_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_t *handle_new = rd_kafka_new(type, *conf, refusal, sizeof refusal);
    if (handle_new == NULL) {
        rd_kafka_conf_destroy(*conf);
        say_refusal(refusal, err);
    } else if (handle != CLUSTER_QUERY) {
        /* Until then the log waits in a queue that nobody reads. */
        rd_kafka_set_log_queue(handle_new, NULL);
    }
    *conf = NULL;
    return handle_new;
}
