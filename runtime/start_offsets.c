#include "start_offsets.h"

/* Nothing is committed: the reset decides. */
static int resolve_one(rd_kafka_t *query, rd_kafka_topic_partition_t *place,
                       enum offset_reset reset, int timeout_ms, struct partition_start *start,
                       struct error *err)
{
    int64_t low, high;
    rd_kafka_resp_err_t rc = rd_kafka_query_watermark_offsets(query, place->topic, place->partition,
                                                              &low, &high, timeout_ms);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, "%s[%d]: the first and last offset cannot be read: %s", place->topic,
                  place->partition, cluster_cause(rc));
        return -1;
    }
    start->is_committed = false;
    start->is_missing = reset == OFFSET_RESET_NONE;
    start->offset = reset == OFFSET_RESET_EARLIEST ? low : high;
    place->offset = start->offset;
    return 0;
}

int start_offsets_resolve(rd_kafka_t *consumer, rd_kafka_t *query,
                          rd_kafka_topic_partition_list_t *list, enum offset_reset reset,
                          int timeout_ms, struct partition_start *starts, struct error *err)
{
    rd_kafka_resp_err_t rc = rd_kafka_committed(consumer, list, timeout_ms);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, "the committed offsets cannot be read: %s", cluster_cause(rc));
        return -1;
    }
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *place = &list->elems[i];
        if (place->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            error_set(err, "%s[%d]: the committed offset cannot be read: %s", place->topic,
                      place->partition, cluster_cause(place->err));
            return -1;
        }
        starts[i] = (struct partition_start){.offset = place->offset, .is_committed = true};
        if (place->offset < 0 && resolve_one(query, place, reset, timeout_ms, &starts[i], err) != 0)
            return -1;
    }
    return 0;
}
