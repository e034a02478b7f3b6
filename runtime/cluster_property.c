#include "cluster_property.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSAL_BYTES = 512, NAME_BYTES_MAX = 64 };

/* What lagoon's promises rest on, and what to do instead. */
struct relied_on {
    const char *name;
    unsigned handles;
    const char *only;   /* this value alone is refused; NULL: every one */
    const char *except; /* this value alone is allowed; NULL: none */
    const char *reason;
};

static const char *const reason_brokers = "set `brokers` of the cluster instead";
static const char *const reason_reset = "set `offset_reset` of the consumer instead: the start is "
                                        "resolved and committed before the first record";
static const char *const reason_commit = "lagoon commits what is settled, and only that; see "
                                         "`commit_interval` of the consumer";
static const char *const reason_endless = "lagoon retries what is transient without limit, so that "
                                          "a delivery ends acknowledged or refused for good";
static const char *const reason_acks = "a delivery counts as acknowledged only when a broker has "
                                       "it, and with 0 none says so";

static const struct relied_on relied_on[] = {
    {"bootstrap.servers", ALL_HANDLES, NULL, NULL, reason_brokers},
    {"metadata.broker.list", ALL_HANDLES, NULL, NULL, reason_brokers},
    {"allow.auto.create.topics", ALL_HANDLES, NULL, NULL,
     "topics are created as `topics` declares them, never by asking for them"},
    {"log.queue", ALL_HANDLES, NULL, NULL, "lagoon writes librdkafka's log into its own"},
    {"plugin.library.paths", ALL_HANDLES, NULL, NULL,
     "plugins would run on threads that must run nothing of others"},
    {"enabled_events", ALL_HANDLES, NULL, NULL, "lagoon asks for the events it needs"},
    {"group.id", CONSUMERS, NULL, NULL, "set `group` of the consumer instead"},
    {"group.instance.id", CONSUMERS, NULL, NULL, "set `instance_id` of the consumer instead"},
    {"group.protocol", CONSUMERS, NULL, "classic",
     "a rebalance drains what is in hand, which needs the classic protocol"},
    {"enable.auto.commit", CONSUMERS, NULL, NULL, reason_commit},
    {"auto.commit.enable", CONSUMERS, NULL, NULL, reason_commit},
    {"auto.commit.interval.ms", CONSUMERS, NULL, NULL, reason_commit},
    {"enable.auto.offset.store", CONSUMERS, NULL, NULL, reason_commit},
    {"offset.store.method", CONSUMERS, NULL, NULL, reason_commit},
    {"auto.offset.reset", CONSUMERS, NULL, NULL, reason_reset},
    {"enable.partition.eof", CONSUMERS, NULL, NULL,
     "the end of a partition would be read as an error of it"},
    {"message.timeout.ms", PRODUCERS, NULL, NULL, reason_endless},
    {"delivery.timeout.ms", PRODUCERS, NULL, NULL, reason_endless},
    {"message.send.max.retries", PRODUCERS, NULL, NULL, reason_endless},
    {"retries", PRODUCERS, NULL, NULL, reason_endless},
    {"request.required.acks", PRODUCERS, "0", NULL, reason_acks},
    {"acks", PRODUCERS, "0", NULL, reason_acks},
    {"delivery.report.only.error", PRODUCERS, NULL, NULL,
     "a record settles when its deliveries are reported, good ones too"},
    {"transactional.id", PRODUCERS, NULL, NULL, "lagoon does not use transactions"},
};

/* Names that rd_kafka_conf_dump does not list, and what they stand for. */
static const struct {
    const char *name;
    const char *canonical;
} aliases[] = {
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"sasl.mechanism", "sasl.mechanisms"},
    {"max.partition.fetch.bytes", "fetch.message.max.bytes"},
    {"linger.ms", "queue.buffering.max.ms"},
    {"compression.type", "compression.codec"},
    {"acks", "request.required.acks"},
};

const char *cluster_property_canonical(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(aliases); i++) {
        if (strcmp(aliases[i].name, name) == 0)
            return aliases[i].canonical;
    }
    return name;
}

bool cluster_property_is_security(const char *name)
{
    static const char *const prefixes[] = {"security.", "ssl.", "sasl.", "enable.ssl.",
                                           "enable.sasl."};
    for (size_t i = 0; i < ARRAY_LENGTH(prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

/* --- names that do not exist --- */

/* How many letters have to be changed, added or left out to make one of the other. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_BYTES_MAX + 1];
    size_t columns = strlen(b);
    if (columns > NAME_BYTES_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (best > row[j] + 1)
                best = row[j] + 1;
            if (best > row[j - 1] + 1)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[columns];
}

struct suggestion {
    const char *wanted;
    size_t distance;
    char name[NAME_BYTES_MAX + 1];
};

static void suggestion_consider(struct suggestion *suggestion, const char *name)
{
    size_t distance = edit_distance(suggestion->wanted, name);
    if (distance >= suggestion->distance)
        return;
    suggestion->distance = distance;
    memcpy(suggestion->name, name, strlen(name) + 1);
}

static void suggestion_consider_dump(struct suggestion *suggestion, const char **dump, size_t count)
{
    /* Names and values take turns. */
    for (size_t i = 0; i < count; i += 2)
        suggestion_consider(suggestion, dump[i]);
    rd_kafka_conf_dump_free(dump, count);
}

static void say_unknown(const char *name, struct error *err)
{
    struct suggestion suggestion = {.wanted = name, .distance = 2 + strlen(name) / 8};
    for (size_t i = 0; i < ARRAY_LENGTH(aliases); i++)
        suggestion_consider(&suggestion, aliases[i].name);

    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_conf_t *topic_conf = rd_kafka_topic_conf_new();
    size_t count;
    const char **dump = rd_kafka_conf_dump(conf, &count);
    suggestion_consider_dump(&suggestion, dump, count);
    dump = rd_kafka_topic_conf_dump(topic_conf, &count);
    suggestion_consider_dump(&suggestion, dump, count);
    rd_kafka_conf_destroy(conf);
    rd_kafka_topic_conf_destroy(topic_conf);

    error_set(err, "librdkafka %s knows no such property", rd_kafka_version_str());
    if (suggestion.name[0] != '\0')
        error_set(err, "%s, did you mean '%s'?", err->text, suggestion.name);
}

/* --- values that are refused --- */

/* Cuts `length` bytes at `place` out of the text. */
static void cut(char *place, size_t length)
{
    memmove(place, place + length, strlen(place + length) + 1);
}

/* Librdkafka's sentence names the property in its own way, `Integer configuration property "x" `,
 * ` for configuration property "x"` or ` for "x"`; the user's name is in front of it already. */
static void cut_name(char *text)
{
    static const char *const leads[] = {" for configuration property \"", " for \"",
                                        "Configuration property \"", "onfiguration property \"",
                                        "Property \""};
    char *lead = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(leads) && lead == NULL; i++)
        lead = strstr(text, leads[i]);
    if (lead == NULL)
        return;
    char *end = strchr(strchr(lead, '"') + 1, '"');
    if (end == NULL)
        return;
    end++;
    if (*lead != ' ') {
        lead = text;
        end += *end == ' ';
    }
    cut(lead, (size_t)(end - lead));
}

static void say_refused(const struct property *property, char *refusal, struct error *err)
{
    refusal[strcspn(refusal, "\n")] = '\0';
    if (strstr(refusal, "dedicated") != NULL || strstr(refusal, "not settable") != NULL) {
        error_set(err, "is for programs that use librdkafka themselves");
        return;
    }
    cut_name(refusal);
    refusal[0] = (char)tolower((unsigned char)refusal[0]);
    if (strcmp(refusal, "invalid value") == 0)
        error_set(err, "invalid value \"%s\"", property->value);
    else
        error_set(err, "%s", refusal);
}

static const struct relied_on *find_relied_on(unsigned handles, const struct property *property)
{
    for (size_t i = 0; i < ARRAY_LENGTH(relied_on); i++) {
        const struct relied_on *row = &relied_on[i];
        if (strcmp(row->name, property->name) != 0 || (row->handles & handles) == 0)
            continue;
        if (row->except != NULL && strcmp(row->except, property->value) == 0)
            continue;
        if (row->only != NULL && strcmp(row->only, property->value) != 0)
            continue;
        return row;
    }
    return NULL;
}

int cluster_property_set(rd_kafka_conf_t *conf, unsigned handles, const struct property *property,
                         const char *path, struct error *err)
{
    const struct relied_on *row = find_relied_on(handles, property);
    if (row != NULL) {
        error_set(err, "%s[\"%s\"]: cannot be set: %s", path, property->name, row->reason);
        return -1;
    }

    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, property->name, property->value, refusal, sizeof refusal);
    if (result == RD_KAFKA_CONF_OK)
        return 0;
    if (result == RD_KAFKA_CONF_UNKNOWN)
        say_unknown(property->name, err);
    else
        say_refused(property, refusal, err);
    error_prefix(err, "%s[\"%s\"]: ", path, property->name);
    return -1;
}
