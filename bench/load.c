/* load.c - the data set: orders of 203 bytes, the same in each run, over all partitions of a topic
 * that is there.
 *
 * load BROKERS TOPIC PARTITIONS RECORDS KEYS [header | RATE]
 *
 * A key's records are in one partition. With "header" the type is in a header as well. With a rate,
 * in records a second, each record has a moment at which it is due, sent late or not, and says so
 * in created_at, in nanoseconds of the monotonic clock: latency is counted from there. The first
 * second of them is due at 0, which says not to count it: connections and caches come to be. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVENT_BYTES = 203 };

#define NS_PER_S INT64_C(1000000000)

static const char *const types[] = {"OrderCreated", "OrderPaid", "OrderShipped"};

static int64_t refused;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "load: %s: %s\n", what, why);
    exit(1);
}

static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    (void)handle;
    (void)opaque;
    refused += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_t *open_handle(const char *brokers, bool is_paced)
{
    const char *const properties[][2] = {{"linger.ms", is_paced ? "1" : "20"},
                                         {"max.in.flight", "5"},
                                         {"batch.num.messages", "10000"},
                                         {"queue.buffering.max.messages", "500000"}};
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) != 0)
        die("brokers", text);
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof text) != 0)
            die(properties[i][0], text);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (handle == NULL)
        die("no handle", text);
    return handle;
}

/* A generator of Park and Miller: the same numbers everywhere. */
static uint32_t next_random(uint64_t *state)
{
    *state = *state * 48271 % 2147483647;
    return (uint32_t)*state;
}

static int write_event(char *event, int64_t number, int64_t at, uint32_t order, const char *type)
{
    int length = snprintf(event, EVENT_BYTES + 1,
                          "{\"type\":\"%s\",\"order_id\":\"order-%05u\",\"customer_id\":%u,"
                          "\"total_amount\":%u.%02u,\"created_at\":%" PRId64 ",\"paid\":%s,"
                          "\"items\":[{\"sku\":\"A-%03u\",\"count\":%u}],\"note\":\"",
                          type, order, order * 7 % 9973, order % 500, order % 100, at,
                          number % 2 == 0 ? "true" : "false", order % 1000, order % 9 + 1);
    for (; length < EVENT_BYTES - 2; length++)
        event[length] = (char)('a' + length % 26);
    memcpy(event + length, "\"}", 2);
    return EVENT_BYTES;
}

static void send_one(rd_kafka_t *handle, const char *topic, int32_t partition, const char *key,
                     char *event, const char *header)
{
    for (;;) {
        rd_kafka_resp_err_t rc = rd_kafka_producev(
            handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(event, EVENT_BYTES),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            header != NULL ? RD_KAFKA_VTYPE_HEADER : RD_KAFKA_VTYPE_END, "Message-Type", header,
            (ssize_t)-1, RD_KAFKA_V_END);
        if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
        if (rc != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            die("send", rd_kafka_err2str(rc));
        rd_kafka_poll(handle, 100);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(int64_t at)
{
    struct timespec moment = {at / NS_PER_S, at % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) != 0)
        ;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        die("usage", "load BROKERS TOPIC PARTITIONS RECORDS KEYS [header]");
    const int32_t partitions = (int32_t)strtol(argv[3], NULL, 10);
    const int64_t records = strtoll(argv[4], NULL, 10);
    const uint32_t keys = (uint32_t)strtol(argv[5], NULL, 10);
    const bool has_header = argc > 6 && strcmp(argv[6], "header") == 0;
    const int64_t rate = argc > 6 && !has_header ? strtoll(argv[6], NULL, 10) : 0;
    rd_kafka_t *handle = open_handle(argv[1], rate > 0);
    const int64_t began = now_ns();
    uint64_t state = 20240229;
    for (int64_t i = 0; i < records; i++) {
        char key[32], event[EVENT_BYTES + 1];
        uint32_t order = next_random(&state) % keys;
        const char *type = types[next_random(&state) % 3];
        int64_t at = rate > 0 ? began + i * NS_PER_S / rate : 1700000000000 + i;
        if (rate > 0 && at > now_ns())
            sleep_until(at);
        snprintf(key, sizeof key, "order-%05u", order);
        write_event(event, i, i < rate ? 0 : at, order, type);
        send_one(handle, argv[2], (int32_t)(order % (uint32_t)partitions), key, event,
                 has_header ? type : NULL);
        if (i % 1000 == 0)
            rd_kafka_poll(handle, 0);
    }
    if (rd_kafka_flush(handle, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR || refused != 0)
        die("not all records", "were acknowledged");
    rd_kafka_destroy(handle);
    return 0;
}
