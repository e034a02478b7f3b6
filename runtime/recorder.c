#include "recorder.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

void recorder_init(struct recorder *recorder, const struct config *config)
{
    *recorder = (struct recorder){.config = config};
    recorder->limits = xcalloc(config->producer_count + 1, sizeof recorder->limits[0]);
}

void recorder_destroy(struct recorder *recorder)
{
    recorder_clear(recorder);
    free(recorder->limits);
    recorder->limits = NULL;
}

/* --- publications --- */

/* With a NUL behind it, also for bytes that are none of C's strings; NULL stays NULL. */
static char *copy_bytes(const char *bytes, size_t length)
{
    if (bytes == NULL)
        return NULL;
    char *copy = xmalloc(length + 1);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

static void copy_headers(struct recorded_publication *recorded,
                         const struct publication *publication)
{
    recorded->header_count = publication->header_count;
    recorded->headers = xcalloc(publication->header_count + 1, sizeof recorded->headers[0]);
    for (size_t i = 0; i < publication->header_count; i++) {
        const struct record_header *header = &publication->headers[i];
        recorded->headers[i] = (struct record_header){
            .name = xstrdup(header->name),
            .value = copy_bytes(header->value, header->value_length),
            .value_length = header->value_length,
            .is_null = header->is_null,
        };
    }
}

static void add_publication(struct recorder *recorder, const struct producer_config *producer,
                            const char *type, const struct publication *publication)
{
    const char *topic = publication->topic != NULL ? publication->topic : producer->topic;
    recorder->publications = xrealloc(recorder->publications, (recorder->publication_count + 1) *
                                                                  sizeof recorder->publications[0]);
    struct recorded_publication *recorded = &recorder->publications[recorder->publication_count++];
    *recorded = (struct recorded_publication){
        .producer = producer,
        .topic = xstrdup(topic),
        .type = xstrdup(type),
        .key = copy_bytes(publication->key, publication->key_length),
        .key_length = publication->key_length,
        .value = copy_bytes(publication->value, publication->value_length),
        .value_length = publication->value_length,
        .partition = publication->partition,
        .timestamp_ms = publication->timestamp_ms,
    };
    copy_headers(recorded, publication);
}

static void publication_destroy(struct recorded_publication *recorded)
{
    for (size_t i = 0; i < recorded->header_count; i++) {
        free((char *)recorded->headers[i].name);
        free((char *)recorded->headers[i].value);
    }
    free(recorded->headers);
    free(recorded->topic);
    free(recorded->type);
    free(recorded->key);
    free(recorded->value);
}

/* The records of that partition so far. */
static int64_t next_offset(const struct recorder *recorder, const char *topic, int32_t partition)
{
    int64_t count = 0;
    for (size_t i = 0; i < recorder->publication_count; i++) {
        const struct recorded_publication *recorded = &recorder->publications[i];
        int32_t its_partition = recorded->partition < 0 ? 0 : recorded->partition;
        count += its_partition == partition && strcmp(recorded->topic, topic) == 0;
    }
    return count;
}

/* Of the topics that exist only the declared ones are known here. */
static int check_partition(const struct recorder *recorder, const struct producer_config *producer,
                           const struct publication *publication, struct error *err)
{
    const char *name = publication->topic != NULL ? publication->topic : producer->topic;
    const struct topic_config *topic = config_topic(recorder->config, producer->cluster, name);
    if (topic == NULL || topic->partitions == 0 || publication->partition < topic->partitions)
        return 0;
    error_set(err, "topic \"%s\" has no partition %d", name, (int)publication->partition);
    return -1;
}

enum publish_result recorder_publish(struct recorder *recorder,
                                     const struct producer_config *producer, const char *type,
                                     const struct publication *publication,
                                     struct delivery **delivery, struct error *err)
{
    struct producer_limits *limits = &recorder->limits[producer - recorder->config->producers];
    if (limits->max_record_bytes == 0 && producer_limits_read(limits, producer, err) != 0)
        return PUBLISH_INVALID;
    if (producer_check(producer, limits, publication, err) != 0 ||
        check_partition(recorder, producer, publication, err) != 0)
        return PUBLISH_INVALID;
    const char *topic = publication->topic != NULL ? publication->topic : producer->topic;
    int32_t partition = publication->partition < 0 ? 0 : publication->partition;
    *delivery = delivery_acknowledged(partition, next_offset(recorder, topic, partition));
    add_publication(recorder, producer, type, publication);
    return PUBLISH_QUEUED;
}

/* --- lines --- */

void recorder_on_log(void *context, enum log_level level, const char *message,
                     const struct log_field *fields, size_t field_count)
{
    struct recorder *recorder = context;
    recorder->lines =
        xrealloc(recorder->lines, (recorder->line_count + 1) * sizeof recorder->lines[0]);
    struct recorded_line *line = &recorder->lines[recorder->line_count++];
    *line = (struct recorded_line){.level = level, .message = xstrdup(message)};
    line->fields = xcalloc(field_count + 1, sizeof line->fields[0]);
    for (size_t i = 0; i < field_count; i++) {
        if (fields[i].kind != FIELD_INTEGER && fields[i].text == NULL)
            continue;
        struct log_field *field = &line->fields[line->field_count++];
        *field = fields[i];
        field->name = xstrdup(fields[i].name);
        field->text = copy_bytes(fields[i].text, fields[i].length);
    }
}

static void line_destroy(struct recorded_line *line)
{
    for (size_t i = 0; i < line->field_count; i++) {
        free((char *)line->fields[i].name);
        free((char *)line->fields[i].text);
    }
    free(line->fields);
    free(line->message);
}

void recorder_clear(struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->publication_count; i++)
        publication_destroy(&recorder->publications[i]);
    for (size_t i = 0; i < recorder->line_count; i++)
        line_destroy(&recorder->lines[i]);
    free(recorder->publications);
    free(recorder->lines);
    recorder->publications = NULL;
    recorder->publication_count = 0;
    recorder->lines = NULL;
    recorder->line_count = 0;
}
