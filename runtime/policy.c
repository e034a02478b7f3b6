#include "policy.h"

enum decision policy_last(enum policy policy)
{
    switch (policy) {
    case POLICY_DEAD_LETTER:
        return DECISION_DEAD_LETTER;
    case POLICY_SKIP:
        return DECISION_SKIP;
    case POLICY_STOP:
        break;
    }
    return DECISION_STOP;
}

static enum decision decide_on_failure(const struct error_policy *policy,
                                       const struct record *record)
{
    if (record->is_uncounted || record->attempt <= policy->retries)
        return DECISION_RETRY;
    return policy_last(policy->give_up);
}

enum decision policy_decide(const struct consumer_config *consumer, const struct record *record)
{
    switch (record->outcome) {
    case OUTCOME_DONE:
        return DECISION_SETTLE;
    case OUTCOME_SKIPPED:
        return DECISION_SKIP;
    case OUTCOME_DEAD_LETTER:
        return DECISION_DEAD_LETTER;
    case OUTCOME_UNKNOWN_TYPE:
        return policy_last(consumer->on_unknown_type);
    case OUTCOME_INVALID:
        return policy_last(consumer->on_invalid);
    case OUTCOME_INTERRUPTED:
        return DECISION_GIVE_BACK;
    case OUTCOME_NONE:
    case OUTCOME_FAILED:
        break;
    }
    return decide_on_failure(&consumer->on_error, record);
}

enum verdict policy_verdict(const struct record *record)
{
    switch (record->decision) {
    case DECISION_SETTLE:
        return VERDICT_RELEASE;
    case DECISION_SKIP:
        /* Main may hold back one that failed: then it is tried again. */
        return record->outcome == OUTCOME_FAILED ? VERDICT_KEEP : VERDICT_RELEASE;
    case DECISION_RETRY:
    case DECISION_DEAD_LETTER:
    case DECISION_GIVE_BACK:
        return VERDICT_KEEP;
    case DECISION_STOP:
        break;
    }
    return VERDICT_HOLD;
}
