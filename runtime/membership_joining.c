#include "membership_joining.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "util.h"

/* Of the Kafka protocol. */
enum { API_JOIN_GROUP = 11, API_SYNC_GROUP = 14 };

static const char name[] = "lagoon";

struct joining {
    atomic_bool is_under_way; /* librdkafka's threads write, any reads */
};

/* On one of librdkafka's threads. The group's answer to the join gives the member its new
 * generation; that it goes on to ask for its partitions says that it knows. */
static rd_kafka_resp_err_t on_request_sent(rd_kafka_t *handle, int socket, const char *broker,
                                           int32_t broker_id, int16_t api_key, int16_t api_version,
                                           int32_t correlation_id, size_t size, void *context)
{
    (void)handle, (void)socket, (void)broker, (void)broker_id;
    (void)api_version, (void)correlation_id, (void)size;
    struct joining *joining = context;
    if (api_key == API_JOIN_GROUP)
        atomic_store(&joining->is_under_way, true);
    else if (api_key == API_SYNC_GROUP)
        atomic_store(&joining->is_under_way, false);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *handle, const rd_kafka_conf_t *conf, void *context,
                                  char *reason, size_t size)
{
    (void)conf, (void)reason, (void)size;
    return rd_kafka_interceptor_add_on_request_sent(handle, name, on_request_sent, context);
}

struct joining *joining_watch(rd_kafka_conf_t *conf)
{
    struct joining *joining = xcalloc(1, sizeof *joining);
    atomic_init(&joining->is_under_way, false);
    rd_kafka_conf_set_opaque(conf, joining);
    rd_kafka_conf_interceptor_add_on_new(conf, name, on_new, joining);
    return joining;
}

void joining_free(struct joining **joining)
{
    free(*joining);
    *joining = NULL;
}

struct joining *joining_of(const rd_kafka_t *handle)
{
    return rd_kafka_opaque(handle);
}

bool joining_is_under_way(const rd_kafka_t *handle)
{
    return atomic_load(&joining_of(handle)->is_under_way);
}
