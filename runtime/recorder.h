/* recorder.h - what a handler does while Kafka is away: the records it publishes, the lines it logs
 * and the time it sleeps, kept in place of being done.
 *
 * A publication is judged as a producer would judge it at the call, and acknowledged at once.
 *
 * Owns:    copies of what it recorded. Borrows the config, which outlives it.
 * Threads: the one that runs the state. */
#ifndef RECORDER_H
#define RECORDER_H

#include "log.h"
#include "producer.h"

/* One published record as it would have been sent. */
struct recorded_publication {
    const struct producer_config *producer;
    char *topic;
    char *type;
    char *key; /* NULL: null key */
    size_t key_length;
    char *value; /* NULL: a tombstone */
    size_t value_length;
    struct record_header *headers; /* names and values are its own */
    size_t header_count;
    int32_t partition;    /* -1: by key */
    int64_t timestamp_ms; /* 0: now */
};

struct recorded_line {
    enum log_level level;
    char *message;
    struct log_field *fields; /* names and texts are its own */
    size_t field_count;
};

struct recorder {
    const struct config *config;
    struct producer_limits *limits; /* in the order of config->producers; read when first asked */
    int64_t slept_ms;               /* by which the handlers' clock is ahead of the real one */
    struct recorded_publication *publications;
    size_t publication_count;
    struct recorded_line *lines;
    size_t line_count;
};

void recorder_init(struct recorder *recorder, const struct config *config);
void recorder_destroy(struct recorder *recorder);

/* Forgets publications and lines; the time stays, since it only goes forward. */
void recorder_clear(struct recorder *recorder);

/* QUEUED, or INVALID and err. *delivery is acknowledged: by the partition asked for, else by the
 * first one, and the number of records recorded there before. */
enum publish_result recorder_publish(struct recorder *recorder,
                                     const struct producer_config *producer, const char *type,
                                     const struct publication *publication,
                                     struct delivery **delivery, struct error *err);

/* For log_set_sink: context is the recorder. */
void recorder_on_log(void *context, enum log_level level, const char *message,
                     const struct log_field *fields, size_t field_count);

#endif
