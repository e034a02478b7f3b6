#include "budget.h"

#include <stdio.h>

#include "log.h"
#include "offsets.h"
#include "units.h"

/* A worker that is stuck gets a replacement, of which there are half as many. */
static size_t states_of(const struct consumer_config *consumer)
{
    size_t max = (size_t)consumer->workers_max;
    return max + (max >= 2 ? max / 2 : 1);
}

struct budget budget_of_consumer(const struct config *config,
                                 const struct consumer_config *consumer, int64_t prefetch_bytes)
{
    size_t unsettled = (size_t)consumer->window_records;
    return (struct budget){
        .window_bytes = consumer->window_bytes,
        .letters_bytes = consumer->has_dead_letters ? consumer->window_bytes : 0,
        .prefetch_bytes = prefetch_bytes,
        .ahead_bytes = (int64_t)offsets_bytes((size_t)consumer->max_ahead + unsettled),
        .states = states_of(consumer),
        .lua_bytes = (int64_t)states_of(consumer) * config->lua_memory_limit_bytes,
    };
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void budget_add(struct budget *sum, const struct budget *one)
{
    sum->window_bytes += one->window_bytes;
    sum->letters_bytes += one->letters_bytes;
    sum->queues_bytes += one->queues_bytes;
    sum->prefetch_bytes = larger(sum->prefetch_bytes, one->prefetch_bytes);
    sum->ahead_bytes = larger(sum->ahead_bytes, one->ahead_bytes);
    sum->states += one->states;
    sum->lua_bytes += one->lua_bytes;
}

int64_t budget_total(const struct budget *budget, size_t partitions)
{
    return budget->window_bytes + budget->letters_bytes + budget->queues_bytes +
           budget->shared_bytes +
           (int64_t)partitions * (budget->prefetch_bytes + budget->ahead_bytes);
}

/* --- the log --- */

/* Text says it in words; for programs there are the bytes as well. */
static void say(const struct budget *budget, size_t partitions, const char *text)
{
    const struct log_field fields[] = {
        log_integer("total_bytes", budget_total(budget, partitions)),
        log_integer("partitions", (int64_t)partitions),
        log_integer("window_bytes", budget->window_bytes),
        log_integer("dead_letters_bytes", budget->letters_bytes),
        log_integer("producers_bytes", budget->queues_bytes),
        log_integer("shared_bytes", budget->shared_bytes),
        log_integer("partition_prefetch_bytes", budget->prefetch_bytes),
        log_integer("partition_ahead_bytes", budget->ahead_bytes),
        log_integer("lua_states", (int64_t)budget->states),
        log_integer("lua_bytes", budget->lua_bytes),
        log_integer("lua_loaded_bytes", budget->loaded_bytes),
    };
    log_event(LOG_INFO, fields, log_is_for_programs() ? ARRAY_LENGTH(fields) : 0, "%s", text);
}

/* " + dead letters 64 MiB"; nothing when there are none. */
static void append_part(struct buffer *text, const char *name, int64_t bytes)
{
    char size[SIZE_TEXT_BYTES];
    if (bytes > 0)
        buffer_format(text, " %s %s", name, size_say(bytes, size));
}

/* "; 15 Lua states, of 33 KiB when loaded and 256 MiB at most" */
static void append_lua(struct buffer *text, const struct budget *budget)
{
    char size[SIZE_TEXT_BYTES];
    if (budget->states == 0)
        return;
    buffer_format(text, "; %zu Lua states, of ", budget->states);
    if (budget->loaded_bytes > 0)
        buffer_format(text, "%s when loaded and ", size_say(budget->loaded_bytes, size));
    buffer_format(text, "%s at most", size_say(budget->lua_bytes / (int64_t)budget->states, size));
}

/* Nothing of the sum stands before what is shared. */
static bool is_first(const struct budget *budget)
{
    return budget->states == 0 && budget->queues_bytes == 0;
}

void budget_say_process(const struct budget *budget)
{
    struct buffer text;
    char size[SIZE_TEXT_BYTES];
    buffer_init(&text);
    buffer_format(&text, "memory: at most %s", size_say(budget_total(budget, 0), size));
    append_part(&text, "= windows", budget->window_bytes);
    append_part(&text, "+ dead letters", budget->letters_bytes);
    append_part(&text, budget->states > 0 ? "+ producers' queues" : "= producers' queues",
                budget->queues_bytes);
    append_part(&text, is_first(budget) ? "= lagoon.shared" : "+ lagoon.shared",
                budget->shared_bytes);
    if (budget->states > 0)
        buffer_format(&text, ", and %s for each partition that is assigned",
                      size_say(budget->prefetch_bytes + budget->ahead_bytes, size));
    append_lua(&text, budget);
    say(budget, 0, text.bytes);
    buffer_destroy(&text);
}

void budget_say_assigned(const struct budget *budget, const char *consumer, size_t partitions)
{
    struct buffer text;
    char size[SIZE_TEXT_BYTES], ahead[SIZE_TEXT_BYTES];
    buffer_init(&text);
    buffer_format(&text, "consumer %s: memory: at most %s = window %s", consumer,
                  size_say(budget_total(budget, partitions), size),
                  size_say(budget->window_bytes, ahead));
    append_part(&text, "+ dead letters", budget->letters_bytes);
    buffer_format(&text, " + %zu partition%s of %s read ahead and %s of offsets", partitions,
                  partitions == 1 ? "" : "s", size_say(budget->prefetch_bytes, size),
                  size_say(budget->ahead_bytes, ahead));
    append_lua(&text, budget);
    say(budget, partitions, text.bytes);
    buffer_destroy(&text);
}
