#include "record.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

/* A record, its headers' array and all its bytes are one block, laid out in this order:
 * struct record, struct record_header[], key NUL value NUL, then name NUL value NUL per header. The
 * NULs are no part of the values; they let names and keys be read as C strings where that is safe.
 */
static struct record *block_new(size_t header_count, size_t bytes)
{
    size_t size = sizeof(struct record) + header_count * sizeof(struct record_header) + bytes;
    struct record *record = xmalloc(size);
    memset(record, 0, sizeof *record);
    record->block_bytes = size;
    record->header_count = header_count;
    record->attempt = 1;
    record->run = 1;
    record->timestamp_ms = -1;
    list_init(&record->queue_link);
    list_init(&record->lane_link);
    list_init(&record->partition_link);
    list_init(&record->letter_link);
    return record;
}

/* Copies the bytes and a NUL to *end and moves *end behind them; NULL stays NULL. */
static const char *block_copy(char **end, const char *bytes, size_t length)
{
    if (bytes == NULL)
        return NULL;
    char *place = *end;
    memcpy(place, bytes, length);
    place[length] = '\0';
    *end += length + 1;
    return place;
}

static char *block_place(struct record *record)
{
    return (char *)(record + 1) + record->header_count * sizeof(struct record_header);
}

/* The bytes that the headers take, and how many there are. */
static size_t headers_measure(const rd_kafka_headers_t *headers, size_t *count)
{
    size_t bytes = 0;
    const char *name;
    const void *value;
    size_t length;
    *count = rd_kafka_header_cnt(headers);
    for (size_t i = 0; i < *count; i++) {
        if (rd_kafka_header_get_all(headers, i, &name, &value, &length) == 0)
            bytes += strlen(name) + 1 + length + 1;
    }
    return bytes;
}

static void headers_copy(struct record *record, const rd_kafka_headers_t *headers, char **end)
{
    struct record_header *copies = (struct record_header *)(record + 1);
    for (size_t i = 0; i < record->header_count; i++) {
        const char *name = "";
        const void *value = NULL;
        size_t length = 0;
        rd_kafka_header_get_all(headers, i, &name, &value, &length);
        copies[i] = (struct record_header){
            .name = block_copy(end, name, strlen(name)),
            .value = block_copy(end, value != NULL ? value : "", length),
            .value_length = length,
            .is_null = value == NULL,
        };
    }
    record->headers = copies;
}

struct record *record_new(const rd_kafka_message_t *message, const char *topic)
{
    rd_kafka_headers_t *headers = NULL;
    size_t header_count = 0;
    size_t header_bytes = 0;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        header_bytes = headers_measure(headers, &header_count);

    struct record *record =
        block_new(header_count, message->key_len + 1 + message->len + 1 + header_bytes);
    char *end = block_place(record);
    record->topic = topic;
    record->partition = message->partition;
    record->offset = message->offset;
    record->key = block_copy(&end, message->key, message->key_len);
    record->key_length = message->key_len;
    record->value = block_copy(&end, message->payload, message->len);
    record->value_length = message->len;
    if (header_count > 0)
        headers_copy(record, headers, &end);

    rd_kafka_timestamp_type_t kind;
    record->timestamp_ms = rd_kafka_message_timestamp(message, &kind);
    if (kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
        record->timestamp_ms = -1;
    return record;
}

struct record *record_make(const char *topic, int32_t partition, int64_t offset, const char *key,
                           size_t key_length, const char *value, size_t value_length)
{
    struct record *record = block_new(0, key_length + 1 + value_length + 1);
    char *end = block_place(record);
    record->topic = topic;
    record->partition = partition;
    record->offset = offset;
    record->key = block_copy(&end, key, key_length);
    record->key_length = key_length;
    record->value = block_copy(&end, value, value_length);
    record->value_length = value_length;
    return record;
}

void record_free(struct record **record)
{
    assert((*record)->deliveries_open == 0);
    free((*record)->failure);
    free((*record)->refusal);
    free(*record);
    *record = NULL;
}

const struct record_header *record_header(const struct record *record, const char *name)
{
    for (size_t i = record->header_count; i > 0; i--) {
        if (strcmp(record->headers[i - 1].name, name) == 0)
            return &record->headers[i - 1];
    }
    return NULL;
}

const char *record_name(const struct record *record, char *buffer)
{
    snprintf(buffer, RECORD_NAME_BYTES, "%s[%d]@%lld", record->topic, (int)record->partition,
             (long long)record->offset);
    return buffer;
}
