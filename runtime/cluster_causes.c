/* What Kafka and librdkafka answer by a code, in words, and what to look at. */
#include <string.h>

#include "cluster.h"

struct cause {
    rd_kafka_resp_err_t code;
    const char *words; /* what it is; look at what mends it */
};

/* Those that stay until somebody does something come first. */
static const struct cause causes[] = {
    /* --- rights --- */
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
     "no right to the topic; look at its ACLs (kafka-acls.sh --list): READ to consume, WRITE to "
     "publish"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
     "no right to the group; look at its ACLs (kafka-acls.sh --list): READ"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
     "no right to the cluster; look at its ACLs (kafka-acls.sh --list): CREATE to make topics, "
     "IDEMPOTENT_WRITE to publish where the broker is older than 3.0"},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
     "no right to this transactional.id; look at its ACLs (kafka-acls.sh --list)"},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
     "the broker refuses the login; look at username, password and mechanism of sasl"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM,
     "the broker does not take a login by this mechanism; look at sasl.mechanism, and at the "
     "broker's sasl.enabled.mechanisms"},
    {RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE,
     "the broker takes no login here; look whether the port is one with SASL"},
    {RD_KAFKA_RESP_ERR_SECURITY_DISABLED,
     "the broker has no security switched on; look at its authorizer"},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
     "a policy of the cluster refuses it; ask who runs the cluster"},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
     "a quota of Kafka holds this client back; look at its quotas (kafka-configs.sh --describe "
     "--entity-type users, or clients)"},

    /* --- records --- */
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
     "the record is too large; look at max.message.bytes of the topic"},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
     "no acknowledgement within message.timeout.ms; look whether the brokers can be reached, or "
     "leave the property out: then it waits"},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
     "a batch of records is larger than a segment of the topic's log; look at segment.bytes of the "
     "topic"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD,
     "the broker refuses the record as invalid; look at cleanup.policy of the topic: a compacted "
     "one wants a key on each"},
    {RD_KAFKA_RESP_ERR_INVALID_MSG,
     "a record was damaged on its way; look at the network and the broker's disk if it comes "
     "again"},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
     "the record's timestamp is too far from the broker's time; look at message.timestamp.* of the "
     "topic, and at the clocks"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE,
     "the broker does not know this compression; look at compression.type of the producer"},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
     "no name for a topic; look at `topic`: letters, digits, dots, underscores and hyphens"},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
     "more replicas than brokers; look at `replicas` of the topic"},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
     "fewer replicas are in sync than min.insync.replicas of the topic; look for brokers that are "
     "down (kafka-topics.sh --describe --under-min-isr-partitions)"},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
     "written by fewer replicas than min.insync.replicas of the topic; look for brokers that are "
     "down (kafka-topics.sh --describe --under-min-isr-partitions)"},

    /* --- producers --- */
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
     "another producer has taken its place; look whether two have one transactional.id"},
    {RD_KAFKA_RESP_ERR__FENCED,
     "another client has taken its place; look whether two have one transactional.id or "
     "instance_id"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
     "the broker has forgotten this producer, which happens when retention removed its last "
     "records; look at retention.ms of the topic if it comes again"},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
     "the broker misses a record before this one; look at the broker's log: it may have lost its "
     "last writes"},

    /* --- groups --- */
    {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
     "another member has joined by the same name; look at instance_id: each process needs one of "
     "its own"},
    {RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED,
     "the group has as many members as it may; look at group.max.size of the brokers"},
    {RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
     "the group's members do not agree on how partitions are given out; look at "
     "partition.assignment.strategy: one for all"},
    {RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
     "the broker does not allow this session.timeout.ms; look at group.min.session.timeout.ms and "
     "group.max.session.timeout.ms of the brokers"},
    {RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED,
     "this process stood still for longer than max.poll.interval.ms, and its partitions go to "
     "others; look whether it was suspended, or at its CPU limit"},
    {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
     "what is committed beside the offset is too large; look at offset.metadata.max.bytes of the "
     "brokers"},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,
     "there is no such offset any more; look at retention of the topic, and at offset_reset"},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
     "there is no such offset any more; look at retention of the topic, and at offset_reset"},

    /* --- what passes by itself, mostly --- */
    {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
     "the group went on without this member, whose session was over; look whether the process "
     "stood still for session.timeout.ms, if it comes again"},
    {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
     "the group has given out its partitions anew meanwhile; look at rebalances if it comes again"},
    {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
     "the group gives out its partitions anew; look at rebalances if it comes again"},
    {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
     "the group has no coordinator just now; look at the brokers and at the topic "
     "__consumer_offsets if it lasts"},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
     "the group's coordinator still reads its state; look at the brokers if it lasts"},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
     "the group's coordinator has moved; look at the brokers if it comes again"},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
     "the partition has no leader just now; look for brokers that are down if it lasts"},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
     "the partition's leader has moved; look at the brokers if it comes again"},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
     "a replica is not there just now; look for brokers that are down if it lasts"},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
     "a broker is not there just now; look for brokers that are down if it lasts"},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
     "the broker was gone before it had answered; look at the network if it comes again"},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
     "the brokers did not manage it in time; look at their load, and for brokers that are down"},
    {RD_KAFKA_RESP_ERR__TIMED_OUT,
     "no answer in time; look at the brokers' load and at the network"},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
     "the broker cannot use its disk; look at its log, and at its room"},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "no broker can be reached; look at what is said of each"},
    {RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE,
     "this machine lacks something; look at its memory and at its limit of open files"},

    /* --- versions --- */
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
     "broker and librdkafka have no version of this request in common; look at `lagoon version` "
     "and the broker's"},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, "the broker cannot do that; look at its version"},
};

const char *cluster_cause(rd_kafka_resp_err_t code)
{
    static const char prefix[] = "Broker: ";
    for (size_t i = 0; i < ARRAY_LENGTH(causes); i++)
        if (causes[i].code == code)
            return causes[i].words;
    const char *words = rd_kafka_err2str(code);
    return strncmp(words, prefix, strlen(prefix)) == 0 ? words + strlen(prefix) : words;
}

bool cluster_has_cause(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < ARRAY_LENGTH(causes); i++)
        if (causes[i].code == code)
            return true;
    return false;
}

const char *cluster_hint(const char *facility)
{
    static const struct {
        const char *facility;
        const char *hint;
    } hints[] = {
        {"REQTMOUT", "look at the broker's load and at the network"},
        {"SESSTMOUT", "look whether this process stood still, and at the brokers"},
        {"MAXPOLL", "look whether this process was suspended, or at its CPU limit"},
        {"CLUSTERID", "look at brokers: they are of two clusters"},
        {"PARTCNT", "look whether somebody made the topic anew, with fewer partitions"},
        {"CERTROOT", "look at ca_file of tls"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(hints); i++)
        if (strcmp(hints[i].facility, facility) == 0)
            return hints[i].hint;
    return NULL;
}
