/* config.c - any bytes as config.lua: a config that keeps what it promises, or sentences that say
 * what is wrong. */
#include "config.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t max_length);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t max_length, unsigned seed);

enum { FEATURES = 1 << 14 };

/* The checker is Lua, of which the fuzzer sees nothing; a sentence that it has not said before is
 * something new too. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t features[FEATURES];

/* The sentence without what is quoted and counted. */
static void note_sentence(const char *line)
{
    uint32_t hash = 2166136261;
    bool is_quoted = false;
    for (; *line != '\0'; line++) {
        is_quoted ^= *line == '"' || *line == '\'';
        if (!is_quoted && (*line < '0' || *line > '9'))
            hash = (hash ^ (uint8_t)*line) * 16777619;
    }
    features[hash % FEATURES] = 1;
}

static void check_problems(const struct config_problems *problems)
{
    assert(problems->count > 0);
    for (size_t i = 0; i < problems->count; i++) {
        const char *line = problems->lines[i];
        assert(line[0] != '\0' && strlen(line) > strlen(": "));
        note_sentence(line);
    }
}

static void check_consumer(const struct consumer_config *consumer)
{
    assert(consumer->name[0] != '\0' && consumer->group[0] != '\0' && consumer->topic_count > 0);
    assert(consumer->cluster != NULL);
    assert(consumer->workers_min >= 1 && consumer->workers_max >= consumer->workers_min);
    assert(consumer->lag_threshold >= 1 && consumer->buffer_size >= 1);
    assert(consumer->handler_count > 0 || consumer->handler.module != NULL);
    assert(consumer->window_records >= 1 && consumer->window_bytes >= 1);
    assert(consumer->max_ahead >= 1 && consumer->max_record_bytes >= 1);
    assert(consumer->on_error.retries >= 0 && consumer->on_error.breaker >= 0);
    assert(consumer->on_error.backoff_ms >= 0);
    assert(consumer->on_error.max_backoff_ms >= consumer->on_error.backoff_ms);
    for (size_t i = 0; i < consumer->topic_count; i++)
        free(config_dead_letter_topic(consumer, consumer->topics[i]));
}

static void check_config(const struct config *config)
{
    assert(config->cluster_count > 0);
    for (size_t i = 0; i < config->cluster_count; i++)
        assert(config->clusters[i].brokers[0] != '\0');
    for (size_t i = 0; i < config->consumer_count; i++)
        check_consumer(&config->consumers[i]);
    for (size_t i = 0; i < config->producer_count; i++)
        assert(config->producers[i].topic[0] != '\0' && config->producers[i].cluster != NULL);
}

/* The first byte says whether it is for dev; the file is one in memory. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = {bytes, length};
    bool is_dev = input_byte(&input) == 'd';
    int file = memfd_create("config.lua", MFD_CLOEXEC);
    ssize_t written = write(file, input.bytes, input.left);
    assert(written == (ssize_t)input.left);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const struct config_options options = {.path = path, .is_dev = is_dev};
    struct config *config = NULL;
    struct config_problems problems;
    if (config_load(&options, &config, &problems) == 0) {
        assert(problems.count == 0);
        check_config(config);
        config_free(&config);
    } else {
        assert(config == NULL);
        check_problems(&problems);
        config_problems_destroy(&problems);
    }
    close(file);
    return 0;
}

/* --- changes --- */

/* Where a word or sign begins, from a random place on; or the end. */
static size_t next_token(const uint8_t *bytes, size_t length, size_t place)
{
    bool is_word = place < length && isalnum(bytes[place]);
    while (place < length && is_word && isalnum(bytes[place]))
        place++;
    return place;
}

/* Some tokens are taken out. */
static size_t drop_tokens(uint8_t *bytes, size_t length, size_t first, size_t end)
{
    memmove(bytes + first, bytes + end, length - end);
    return length - (end - first);
}

/* Some tokens come a second time, somewhere else. */
static size_t repeat_tokens(uint8_t *bytes, size_t length, size_t max_length, size_t place,
                            size_t first, size_t end)
{
    size_t count = end - first;
    if (length + count > max_length)
        return length;
    char *copy = exact_copy(bytes + first, count);
    memmove(bytes + place + count, bytes + place, length - place);
    memcpy(bytes + place, copy, count);
    free(copy);
    return length + count;
}

/* Most changes of bytes are mistakes of syntax, which all look alike; so now and then whole tokens
 * move. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t max_length, unsigned seed)
{
    enum { MOST_BYTES = 80 };
    srand(seed);
    int lot = rand() % 4;
    if (lot < 2 || length < 2)
        return LLVMFuzzerMutate(bytes, length, max_length);
    size_t first = next_token(bytes, length, 1 + (size_t)rand() % (length - 1));
    size_t reach = first + 1 + (size_t)rand() % MOST_BYTES;
    size_t end = next_token(bytes, length, reach < length ? reach : length);
    size_t place = next_token(bytes, length, 1 + (size_t)rand() % (length - 1));
    return lot == 2 ? drop_tokens(bytes, length, first, end)
                    : repeat_tokens(bytes, length, max_length, place, first, end);
}
