/* What a consumer says of partitions that stand still: which record holds each, and what to look
 * at. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "consumer_internal.h"
#include "leaves.h"
#include "log.h"
#include "thread.h"

enum {
    SAID_AT_ONCE = 5, /* partitions that begin or end to stand still; of more their number */
    KEY_BYTES = 64,
    TYPE_PATH_BYTES = 256,
    SINCE_BYTES = 32,
};

/* --- the handler --- */

struct type_search {
    const char *path;
    struct span type;
};

/* The member that `type_field` names, its path with dots. */
static void on_leaf(void *context, const struct span *keys, size_t depth, const struct span *value)
{
    struct type_search *search = context;
    char path[TYPE_PATH_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < depth && length < sizeof path; i++)
        length += (size_t)snprintf(path + length, sizeof path - length, "%s%.*s", i > 0 ? "." : "",
                                   (int)keys[i].length, keys[i].text);
    if (length < sizeof path && strcmp(path, search->path) == 0)
        search->type = *value;
}

const struct module_config *consumer_handler_of(const struct consumer_config *config,
                                                const struct record *record)
{
    const struct record_header *header = record_header(record, config->type_header);
    if (header != NULL && !header->is_null)
        return config_find_handler(config, header->value, header->value_length);
    struct type_search search = {.path = config->type_field};
    if (config->type_field != NULL && record->value != NULL && config->codec.codec != CODEC_RAW)
        leaves_walk(record->value, record->value_length, on_leaf, &search);
    return config_find_handler(config, search.type.text, search.type.length);
}

/* --- the log --- */

static void say_begin(const struct consumer *consumer, const struct partition *partition,
                      int64_t now_ms)
{
    char since[SINCE_BYTES];
    struct tm parts;
    struct partition_oldest oldest;
    partition_find_oldest(partition, &oldest);
    const struct record *record = oldest.record;
    const struct module_config *handler =
        record != NULL ? consumer_handler_of(consumer->config, record) : NULL;
    int64_t lasted_ms = now_ms - partition->stall.since_ms;
    time_t began = (time_t)((clock_wall_ms() - lasted_ms) / 1000);
    strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&began, &parts));
    size_t key_length = record == NULL || record->key == NULL ? 0 : record->key_length;
    const struct log_field fields[] = {
        log_text("topic", partition->lane->topic),
        log_integer("partition", partition->number),
        log_integer("offset", oldest.offset),
        log_bytes("key", key_length > 0 ? record->key : NULL,
                  key_length < KEY_BYTES ? key_length : KEY_BYTES),
        log_text("handler", handler != NULL ? handler->module : NULL),
        log_text("since", since),
    };
    log_event(LOG_WARN, fields, ARRAY_LENGTH(fields),
              "consumer %s: %s[%d] stands still for %" PRId64 " s: %s", consumer->config->name,
              partition->lane->topic, partition->number, lasted_ms / 1000,
              stall_in_words(partition->stall.seen.hand));
}

static void say_end(const struct consumer *consumer, const struct partition *partition)
{
    const struct log_field fields[] = {
        log_text("topic", partition->lane->topic),
        log_integer("partition", partition->number),
    };
    log_event(LOG_INFO, fields, ARRAY_LENGTH(fields),
              "consumer %s: %s[%d] stands still no more, after %" PRId64 " s",
              consumer->config->name, partition->lane->topic, partition->number,
              partition->stall.lasted_ms / 1000);
}

/* A consumer whose workers all wait for the same service has a line for some of its partitions. */
static void say_rest(const struct consumer *consumer, size_t count, const char *what)
{
    if (count > SAID_AT_ONCE)
        log_warn("consumer %s: %zu more of its partitions %s: lagoon status names them",
                 consumer->config->name, count - SAID_AT_ONCE, what);
}

void consumer_watch_stalls(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    const struct assignment *assignment = &consumer->assignment;
    int64_t now_ms = clock_monotonic_ms();
    size_t begun = 0, ended = 0;
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        switch (partition_watch_stall(partition, consumer->config->stall_after_ms, now_ms)) {
        case STALL_BEGINS:
            if (++begun <= SAID_AT_ONCE)
                say_begin(consumer, partition, now_ms);
            break;
        case STALL_ENDS:
            if (++ended <= SAID_AT_ONCE)
                say_end(consumer, partition);
            break;
        case STALL_NO_NEWS:
            break;
        }
    }
    say_rest(consumer, begun, "stand still");
    say_rest(consumer, ended, "stand still no more");
}
