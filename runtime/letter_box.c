#include "letter_box.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 100 };

/* Librdkafka prints its log when nobody takes it; what matters comes as an answer. */
static void on_log(const rd_kafka_t *handle, int severity, const char *facility, const char *text)
{
    (void)handle;
    (void)severity;
    (void)facility;
    (void)text;
}

static int open_handle(struct letter_box *box, const struct cluster *cluster,
                       const struct consumer_config *consumer, struct error *err)
{
    rd_kafka_conf_t *conf = cluster_conf_new(cluster, CLUSTER_CONSUMER, NULL, NULL, err);
    if (conf == NULL)
        return -1;
    char *group = xasprintf("%s.dead-letter", consumer->group);
    char refusal[256];
    rd_kafka_conf_res_t rc = rd_kafka_conf_set(conf, "group.id", group, refusal, sizeof refusal);
    free(group);
    if (rc != RD_KAFKA_CONF_OK) {
        error_set(err, "the group of redrives: %s", refusal);
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    box->handle = cluster_handle_new(CLUSTER_CONSUMER, &conf, err);
    if (box->handle == NULL)
        return -1;
    rd_kafka_poll_set_consumer(box->handle);
    return 0;
}

static int say(struct error *err, struct letter_box *box, rd_kafka_resp_err_t code)
{
    box->is_unreachable = code == RD_KAFKA_RESP_ERR__TRANSPORT ||
                          code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                          code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (box->is_unreachable)
        error_set(err, "no broker of %s answers: %s", box->brokers, rd_kafka_err2str(code));
    else
        error_set(err, "topic \"%s\": %s", box->topic, rd_kafka_err2str(code));
    return -1;
}

static int find_partitions(struct letter_box *box, struct error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(box->handle, box->topic, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(box->handle, 0, topic, &metadata, box->timeout_ms);
    rd_kafka_topic_destroy(topic);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return say(err, box, code);
    code = metadata->topics[0].err;
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    /* Nothing was ever given up. */
    bool is_missing = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !is_missing)
        return say(err, box, code);
    if (is_missing)
        count = 0;
    box->places = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(box->places, box->topic, i);
    box->ends = xcalloc((size_t)count + 1, sizeof box->ends[0]);
    box->marks = xcalloc((size_t)count + 1, sizeof box->marks[0]);
    return 0;
}

/* What is committed, as far as it is there yet; what lies beyond the end is of a topic that was
 * made anew since. The metadata is text as we wrote it, or another's. */
static void begin_place(rd_kafka_topic_partition_t *place, struct letter_marks *marks, int64_t low,
                        int64_t end)
{
    bool is_valid = place->offset >= 0 && place->offset <= end;
    char *text = NULL;
    if (is_valid && place->metadata_size > 0)
        text = xstrndup(place->metadata, place->metadata_size);
    letter_marks_init(marks, is_valid ? place->offset : low, text);
    free(text);
    letter_marks_raise(marks, low);
    place->offset = marks->base;
}

/* From what is committed, or the beginning, to what is there now. */
static int find_ends(struct letter_box *box, struct error *err)
{
    if (box->places->cnt == 0)
        return 0;
    rd_kafka_resp_err_t code = rd_kafka_committed(box->handle, box->places, box->timeout_ms);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < box->places->cnt; i++) {
        rd_kafka_topic_partition_t *place = &box->places->elems[i];
        int64_t low = 0;
        code = place->err;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = rd_kafka_query_watermark_offsets(box->handle, box->topic, place->partition, &low,
                                                    &box->ends[i], box->timeout_ms);
        begin_place(place, &box->marks[i], low, box->ends[i]);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_assign(box->handle, box->places);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : say(err, box, code);
}

int letter_box_open(struct letter_box *box, const struct cluster *cluster,
                    const struct consumer_config *consumer, const char *topic, int timeout_ms,
                    struct error *err)
{
    *box = (struct letter_box){
        .brokers = cluster->brokers, .topic = xstrdup(topic), .timeout_ms = timeout_ms};
    if (open_handle(box, cluster, consumer, err) == 0 && find_partitions(box, err) == 0 &&
        find_ends(box, err) == 0)
        return 0;
    letter_box_close(box);
    return -1;
}

void letter_box_close(struct letter_box *box)
{
    for (int i = 0; box->places != NULL && box->marks != NULL && i < box->places->cnt; i++)
        letter_marks_destroy(&box->marks[i]);
    free(box->marks);
    if (box->places != NULL)
        rd_kafka_topic_partition_list_destroy(box->places);
    if (box->handle != NULL)
        rd_kafka_destroy(box->handle);
    free(box->ends);
    free(box->topic);
    *box = (struct letter_box){.is_unreachable = box->is_unreachable};
}

/* Behind a letter, or behind what holds none, such as the mark of a transaction. */
static void look_at_positions(struct letter_box *box)
{
    rd_kafka_topic_partition_list_t *now = rd_kafka_topic_partition_list_copy(box->places);
    if (rd_kafka_position(box->handle, now) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (int i = 0; i < now->cnt; i++)
            if (now->elems[i].offset > box->places->elems[i].offset)
                box->places->elems[i].offset = now->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(now);
}

/* The letter, or NULL when it was taken before. */
static struct record *see(struct letter_box *box, const rd_kafka_message_t *message)
{
    struct letter_marks *marks = &box->marks[message->partition];
    box->places->elems[message->partition].offset = message->offset + 1;
    letter_marks_see(marks, message->offset);
    return letter_marks_is_taken(marks, message->offset) ? NULL : record_new(message, box->topic);
}

static bool is_at_end(const struct letter_box *box)
{
    for (int i = 0; i < box->places->cnt; i++)
        if (box->places->elems[i].offset < box->ends[i])
            return false;
    return true;
}

int letter_box_next(struct letter_box *box, struct record **letter, struct error *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + box->timeout_ms;
    while (!is_at_end(box)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(box->handle, POLL_MS);
        if (message == NULL) {
            look_at_positions(box);
            if (clock_monotonic_ms() < deadline_ms)
                continue;
            return say(err, box, RD_KAFKA_RESP_ERR__TIMED_OUT);
        }
        *letter = NULL;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
            message->offset < box->ends[message->partition]) {
            *letter = see(box, message);
            deadline_ms = clock_monotonic_ms() + box->timeout_ms;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            box->places->elems[message->partition].offset = box->ends[message->partition];
        }
        rd_kafka_message_destroy(message);
        if (*letter != NULL)
            return 1;
    }
    return 0;
}

bool letter_box_has_room(const struct letter_box *box, const struct record *letter)
{
    return letter_marks_have_room(&box->marks[letter->partition]);
}

void letter_box_take(struct letter_box *box, const struct record *letter)
{
    letter_marks_take(&box->marks[letter->partition]);
}

int letter_box_commit(struct letter_box *box, struct error *err)
{
    if (box->places->cnt == 0)
        return 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(box->places->cnt);
    for (int i = 0; i < box->places->cnt; i++) {
        struct buffer text;
        buffer_init(&text);
        letter_marks_pass(&box->marks[i], box->places->elems[i].offset);
        rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(list, box->topic, i);
        place->offset = letter_marks_write(&box->marks[i], &text);
        place->metadata_size = text.length;
        place->metadata =
            text.length > 0 ? xstrndup(text.bytes, text.length) : NULL; /* the list's */
        buffer_destroy(&text);
    }
    rd_kafka_resp_err_t code = rd_kafka_commit(box->handle, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : say(err, box, code);
}
