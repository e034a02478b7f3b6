#include "drain.h"

enum {
    COMMIT_TIMEOUT_MS = 5000,
    MOST_ENDING_MS = 1000, /* for interrupted handlers to end */
};

/* --- limits --- */

static int64_t earlier(int64_t one_ms, int64_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

struct drain_limits drain_limits_of_revoke(int64_t now_ms, int64_t drain_timeout_ms,
                                           int64_t max_poll_ms)
{
    int64_t drain_ms = earlier(drain_timeout_ms, max_poll_ms / 2);
    return (struct drain_limits){
        .begin_ms = now_ms + drain_ms / 2,
        .handlers_ms = now_ms + drain_ms,
        .deliveries_ms = now_ms + drain_ms,
        .commit_ms = now_ms + max_poll_ms * 3 / 4,
    };
}

/* What is left behind the handlers' time is shared out: a quarter, or a second, for those that are
 * interrupted then to come to their end, up to the half for acknowledgements, up to three quarters
 * for the commit. The close has the rest. */
struct drain_limits drain_limits_of_stop(int64_t now_ms, int64_t interrupt_ms, int64_t end_ms)
{
    int64_t rest_ms = end_ms > interrupt_ms ? end_ms - interrupt_ms : 0;
    int64_t left_ms = interrupt_ms > now_ms ? interrupt_ms - now_ms : 0;
    return (struct drain_limits){
        .begin_ms = now_ms + left_ms / 2,
        .handlers_ms = interrupt_ms + earlier(rest_ms / 4, MOST_ENDING_MS),
        .deliveries_ms = interrupt_ms + rest_ms / 2,
        .commit_ms = interrupt_ms + rest_ms / 4 * 3,
    };
}

struct drain_limits drain_limits_in_stop(const struct drain_limits *stop, int64_t began_ms,
                                         int64_t max_poll_ms)
{
    const struct drain_limits most = drain_limits_of_revoke(began_ms, INT64_MAX, max_poll_ms);
    return (struct drain_limits){
        .begin_ms = earlier(stop->begin_ms, most.begin_ms),
        .handlers_ms = earlier(stop->handlers_ms, most.handlers_ms),
        .deliveries_ms = earlier(stop->deliveries_ms, most.deliveries_ms),
        .commit_ms = earlier(stop->commit_ms, most.commit_ms),
    };
}

/* --- steps --- */

void drain_begin(struct drain *drain, const struct drain_limits *limits)
{
    *drain = (struct drain){.limits = *limits};
}

void drain_limit(struct drain *drain, const struct drain_limits *limits)
{
    drain->limits = *limits;
    drain->answer_ms = earlier(drain->answer_ms, limits->commit_ms);
}

static enum drain_step go_on(struct drain *drain, enum drain_step step)
{
    drain->phase++;
    return step;
}

static enum drain_step step_committing(struct drain *drain, const struct drain_sight *sight,
                                       int64_t now_ms)
{
    if (sight->is_lost)
        return go_on(drain, DRAIN_END);
    if (!sight->is_commit_in_flight && !drain->has_committed) {
        drain->has_committed = true;
        return DRAIN_COMMIT;
    }
    if (sight->is_commit_in_flight && now_ms < drain->answer_ms)
        return DRAIN_WAIT;
    drain->is_late = sight->is_commit_in_flight;
    return go_on(drain, DRAIN_END);
}

enum drain_step drain_step(struct drain *drain, const struct drain_sight *sight, int64_t now_ms)
{
    const struct drain_limits *limits = &drain->limits;
    switch (drain->phase) {
    case DRAIN_FINISHING:
        if (sight->has_unstarted && !sight->is_at_stand && !sight->is_lost &&
            now_ms < limits->begin_ms)
            return DRAIN_WAIT;
        return go_on(drain, DRAIN_GIVE_BACK);
    case DRAIN_ENDING:
        if (sight->has_running && !sight->is_lost && now_ms < limits->handlers_ms)
            return DRAIN_WAIT;
        return go_on(drain, DRAIN_COLLECT);
    case DRAIN_ACKNOWLEDGING:
        if (sight->has_awaited && !sight->is_lost && now_ms < limits->deliveries_ms)
            return DRAIN_WAIT;
        drain->answer_ms = earlier(now_ms + COMMIT_TIMEOUT_MS, limits->commit_ms);
        return go_on(drain, DRAIN_LET_GO);
    case DRAIN_COMMITTING:
        return step_committing(drain, sight, now_ms);
    case DRAIN_OVER:
        break;
    }
    return DRAIN_WAIT;
}

bool drain_is_settled(const struct drain *drain)
{
    return drain->phase >= DRAIN_COMMITTING;
}
