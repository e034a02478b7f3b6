#include "scaler.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

void scaler_init(struct scaler *scaler, const struct scaler_limits *limits)
{
    assert(limits->min >= 1 && limits->min <= limits->max && limits->lag_threshold >= 1);
    *scaler = (struct scaler){.limits = *limits, .wanted = limits->min};
    for (size_t i = 0; i < ARRAY_LENGTH(scaler->figures); i++)
        scaler->figures[i].second = INT64_MIN;
}

/* The most that may be wanted. Under `partition` further workers would have nothing to do; only
 * `min` is what somebody asked for in so many words. */
static size_t most(const struct scaler_limits *limits, size_t partitions)
{
    if (!limits->is_by_partition || partitions >= limits->max)
        return limits->max;
    return partitions > limits->min ? partitions : limits->min;
}

static size_t figure(const struct scaler_limits *limits, int64_t lag_seen, size_t partitions)
{
    int64_t lag = lag_seen > 0 ? lag_seen : 0;
    uint64_t asked = (uint64_t)(lag / limits->lag_threshold + (lag % limits->lag_threshold > 0));
    size_t upper = most(limits, partitions);
    if (asked < limits->min)
        return limits->min;
    return asked > upper ? upper : (size_t)asked;
}

static void remember(struct scaler *scaler, const struct scaler_figure *now)
{
    struct scaler_figure *kept =
        &scaler->figures[(uint64_t)now->second % ARRAY_LENGTH(scaler->figures)];
    bool is_larger =
        now->workers > kept->workers || (now->workers == kept->workers && now->lag > kept->lag);
    if (kept->second != now->second || is_larger)
        *kept = *now;
}

/* The largest of those remembered. */
static struct scaler_figure largest(const struct scaler *scaler, int64_t second)
{
    struct scaler_figure largest = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(scaler->figures); i++) {
        const struct scaler_figure *kept = &scaler->figures[i];
        if (kept->second >= second - SCALER_MEMORY_S && kept->workers > largest.workers)
            largest = *kept;
    }
    return largest;
}

static void explain(const struct scaler *scaler, const struct scaler_sight *sight,
                    const struct scaler_figure *largest, char *reason, size_t size)
{
    char before[64] = "";
    if (largest->lag > sight->lag)
        snprintf(before, sizeof before, ", %" PRId64 " within the last %d s", largest->lag,
                 SCALER_MEMORY_S);
    snprintf(reason, size, "lag %" PRId64 "%s, %" PRId64 " a worker%s", sight->lag, before,
             scaler->limits.lag_threshold,
             scaler->limits.is_by_partition ? ", at most one a partition" : "");
}

static size_t clamp(size_t count, size_t least, size_t most)
{
    return count < least ? least : count > most ? most : count;
}

size_t scaler_limit(struct scaler *scaler, const struct scaler_limits *limits)
{
    assert(limits->min >= 1 && limits->min <= limits->max && limits->lag_threshold >= 1);
    scaler->limits = *limits;
    for (size_t i = 0; i < ARRAY_LENGTH(scaler->figures); i++) {
        struct scaler_figure *kept = &scaler->figures[i];
        if (kept->second != INT64_MIN)
            kept->workers = figure(limits, kept->lag, kept->partitions);
    }
    scaler->wanted = clamp(scaler->wanted, limits->min, limits->max);
    return scaler->wanted;
}

size_t scaler_wanted(struct scaler *scaler, const struct scaler_sight *sight, int64_t now_ms,
                     char *reason, size_t reason_size)
{
    const struct scaler_figure now = {
        .second = now_ms / 1000,
        .workers = figure(&scaler->limits, sight->lag, sight->partitions),
        .lag = sight->lag,
        .partitions = sight->partitions,
    };
    remember(scaler, &now);
    const struct scaler_figure peak = largest(scaler, now.second);
    if (peak.workers > scaler->wanted || sight->is_lag_known)
        scaler->wanted = peak.workers;
    explain(scaler, sight, &peak, reason, reason_size);
    return scaler->wanted;
}
