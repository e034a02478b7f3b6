#include "partition_internal.h"

/* More workers would not help: it is at a stand, or somebody else's soon. */
static bool is_readable(const struct partition *partition)
{
    return !partition->is_revoking && !partition->is_stopped && !partition->intake->is_paused &&
           !partition_is_at_max_ahead(partition);
}

bool partition_lag(const struct partition *partition, int64_t *lag)
{
    *lag = (int64_t)partition->share.records;
    if (partition->intake->is_paused)
        *lag = 0;
    if (!is_readable(partition))
        return true;
    int64_t low, high;
    rd_kafka_resp_err_t rc = rd_kafka_get_watermark_offsets(
        partition->intake->handle, partition->lane->topic, partition->number, &low, &high);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0)
        return false;
    *lag += (int64_t)partition->offsets.given_back;
    if (high > partition->offsets.delivered)
        *lag += high - partition->offsets.delivered;
    return true;
}

int64_t partition_committed(const struct partition *partition)
{
    bool is_without_start = partition->is_stopped && partition->stop.is_without_start;
    return is_without_start ? -1 : partition->offsets.committed;
}

int64_t partition_end(const struct partition *partition)
{
    int64_t low, high;
    rd_kafka_resp_err_t rc = rd_kafka_get_watermark_offsets(
        partition->intake->handle, partition->lane->topic, partition->number, &low, &high);
    return rc == RD_KAFKA_RESP_ERR_NO_ERROR ? high : -1;
}
