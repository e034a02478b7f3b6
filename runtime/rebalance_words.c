#include "rebalance_words.h"

#include <string.h>

static int compare_places(const void *a, const void *b, void *context)
{
    (void)context;
    const rd_kafka_topic_partition_t *one = a, *other = b;
    int order = strcmp(one->topic, other->topic);
    return order != 0 ? order : one->partition - other->partition;
}

/* "orders[0-9] payments[1,3]", for the log. */
static void describe_list(const rd_kafka_topic_partition_list_t *list, struct buffer *text)
{
    rd_kafka_topic_partition_list_t *sorted = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_sort(sorted, compare_places, NULL);
    for (int i = 0; i < sorted->cnt;) {
        const rd_kafka_topic_partition_t *first = &sorted->elems[i];
        bool is_same_topic = i > 0 && strcmp(first[-1].topic, first->topic) == 0;
        if (is_same_topic)
            buffer_append_text(text, ",");
        else
            buffer_format(text, "%s%s[", i > 0 ? "] " : "", first->topic);
        int length = 1;
        while (i + length < sorted->cnt && strcmp(first[length].topic, first->topic) == 0 &&
               first[length].partition == first->partition + length)
            length++;
        if (length > 1)
            buffer_format(text, "%d-%d", first->partition, first->partition + length - 1);
        else
            buffer_format(text, "%d", first->partition);
        i += length;
    }
    buffer_append(text, sorted->cnt > 0 ? "]" : "none", sorted->cnt > 0 ? 2 : 5);
    rd_kafka_topic_partition_list_destroy(sorted);
}

void rebalance_say_list(const char *consumer, enum log_level level, const char *what,
                        const rd_kafka_topic_partition_list_t *list)
{
    struct buffer text;
    buffer_init(&text);
    describe_list(list, &text);
    log_event(level, NULL, 0, "consumer %s: %s %s", consumer, what, text.bytes);
    buffer_destroy(&text);
}

void rebalance_say_memory(const struct assignment *assignment)
{
    size_t count = 0;
    for (const struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        count += partition->epoch != 0;
    budget_say_assigned(&assignment->intake.budget, assignment->intake.config->name, count);
}

void rebalance_say_refusal(const char *consumer, rd_kafka_error_t *error)
{
    if (error == NULL)
        return;
    log_warn("consumer %s: the answer to a rebalance was refused: %s", consumer,
             rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

void rebalance_say_missing_start(const char *consumer, const struct partition *partition)
{
    struct error way_out;
    if (partition_check_resume(partition, &way_out) != 0)
        log_error("consumer %s: %s[%d] is stopped: %s", consumer, partition->lane->topic,
                  partition->number, way_out.text);
}

void rebalance_say_leftovers(const char *consumer, const struct partition *partition)
{
    if (partition->epoch == 0 || !partition_is_busy(partition))
        return;
    log_warn("consumer %s: %s[%d] is given back while %zu handlers still run and %zu records "
             "wait for acknowledgements; they will not be committed",
             consumer, partition->lane->topic, partition->number, partition_running(partition),
             partition->awaited_count);
}

/* What is settled and was not committed is another reader's to repeat. */
void rebalance_say_uncommitted(const char *consumer, const struct partition *partition,
                               bool is_lost)
{
    const struct offsets *offsets = &partition->offsets;
    if (!offsets_is_commit_due(offsets) || offsets->committed < 0)
        return;
    log_warn("consumer %s: %s[%d] %s before offsets %lld to %lld were committed; whoever is "
             "assigned it next handles those records again",
             consumer, partition->lane->topic, partition->number,
             is_lost ? "was lost" : "is given back", (long long)offsets->committed,
             (long long)offsets->position - 1);
}
