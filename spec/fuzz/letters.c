/* letters.c - any record as a dead letter: its key, value and headers stay what they are, and what
 * is written beside them says where it was. */
#include <assert.h>
#include <stdio.h>

#include <librdkafka/rdkafka.h>

#include "dead_letters.h"
#include "fuzz.h"

enum { MAX_HEADERS = 12, POLL_MS = 1000 };

static struct record *reported;

/* A delivery report is a whole message, with its headers. */
static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *context)
{
    (void)kafka;
    (void)context;
    reported = record_new(message, "orders");
}

static rd_kafka_t *producer(void)
{
    static rd_kafka_t *kafka;
    if (kafka != NULL)
        return kafka;
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text);
    kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert(kafka != NULL);
    return kafka;
}

/* What the record has to have, in bytes that stay. */
struct expected {
    size_t count;
    struct {
        char *name;
        char *value; /* NULL: null */
        size_t length;
    } headers[MAX_HEADERS];
    const char *key;
    size_t key_length;
    const char *value;
    size_t value_length;
};

static char *take_text(struct input *input)
{
    size_t length;
    const char *text = input_take(input, input_byte(input) % 64, &length);
    return xstrndup(text, length);
}

static const char *take_bytes(struct input *input, size_t *length)
{
    uint8_t wanted = input_byte(input);
    *length = 0;
    return wanted == 255 ? NULL : input_take(input, wanted, length);
}

static rd_kafka_headers_t *make_headers(struct input *input, struct expected *expected)
{
    expected->count = input_byte(input) % MAX_HEADERS;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        size_t length;
        const char *value = take_bytes(input, &length);
        expected->headers[i].name = take_text(input);
        expected->headers[i].value = value != NULL ? exact_copy(value, length) : NULL;
        expected->headers[i].length = length;
        rd_kafka_header_add(headers, expected->headers[i].name, -1, value, (ssize_t)length);
    }
    return headers;
}

static struct record *make_record(struct input *input, struct expected *expected)
{
    rd_kafka_headers_t *headers = make_headers(input, expected);
    expected->key = take_bytes(input, &expected->key_length);
    expected->value = take_bytes(input, &expected->value_length);
    rd_kafka_resp_err_t rc = rd_kafka_producev(
        producer(), RD_KAFKA_V_TOPIC("orders"), RD_KAFKA_V_PARTITION(3),
        RD_KAFKA_V_KEY(expected->key, expected->key_length),
        RD_KAFKA_V_VALUE((void *)expected->value, expected->value_length),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    assert(rc == RD_KAFKA_RESP_ERR_NO_ERROR);
    reported = NULL;
    rd_kafka_purge(producer(), RD_KAFKA_PURGE_F_QUEUE);
    while (reported == NULL)
        rd_kafka_poll(producer(), POLL_MS);
    return reported;
}

static void check_original(const struct record *record, const struct letter_headers *letter,
                           const struct expected *expected)
{
    assert((record->key == NULL) == (expected->key == NULL));
    assert(record->key_length == expected->key_length);
    assert(memcmp(record->key != NULL ? record->key : "",
                  expected->key != NULL ? expected->key : "", record->key_length) == 0);
    assert((record->value == NULL) == (expected->value == NULL));
    assert(record->value_length == expected->value_length);
    for (size_t i = 0; i < expected->count; i++) {
        const struct record_header *header = &letter->items[i];
        assert(strcmp(header->name, expected->headers[i].name) == 0);
        assert(header->is_null == (expected->headers[i].value == NULL));
        assert(header->value_length == expected->headers[i].length);
        assert(header->is_null ||
               memcmp(header->value, expected->headers[i].value, header->value_length) == 0);
    }
}

/* The last header of that name is the writer's, whatever the record brought along. */
static void check_own(const struct letter_headers *letter, const char *name, const char *value)
{
    for (size_t i = letter->count; i > 0; i--) {
        const struct record_header *header = &letter->items[i - 1];
        if (strcmp(header->name, name) != 0)
            continue;
        assert(!header->is_null && header->value_length == strlen(value));
        assert(memcmp(header->value, value, header->value_length) == 0);
        return;
    }
    assert(!"the header is there");
}

static void check_letter(const struct record *record, const struct expected *expected)
{
    const struct consumer_config consumer = {.name = "c", .group = "g"};
    struct letter_headers letter;
    char number[32];
    letter_headers_init(&letter, record, &consumer);
    size_t own = record->timestamp_ms >= 0 ? 8 : 7;
    assert(record->header_count == expected->count && letter.count == expected->count + own);
    check_original(record, &letter, expected);
    check_own(&letter, "lagoon-dead-letter-topic", "orders");
    check_own(&letter, "lagoon-dead-letter-partition", "3");
    snprintf(number, sizeof number, "%lld", (long long)record->offset);
    check_own(&letter, "lagoon-dead-letter-offset", number);
    snprintf(number, sizeof number, "%d", record->attempt);
    check_own(&letter, "lagoon-dead-letter-attempts", number);
    check_own(&letter, "lagoon-dead-letter-error", record->failure != NULL ? record->failure : "");
    letter_headers_destroy(&letter);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = {bytes, length};
    struct expected expected = {0};
    struct record *record = make_record(&input, &expected);
    record->attempt = input_byte(&input) * 8421504; /* up to nearly INT_MAX */
    record->offset = (int64_t)record->attempt << 31;
    record->timestamp_ms = (int8_t)input_byte(&input);
    record->failure = take_text(&input);
    check_letter(record, &expected);
    record_free(&record);
    for (size_t i = 0; i < expected.count; i++) {
        free(expected.headers[i].name);
        free(expected.headers[i].value);
    }
    return 0;
}
