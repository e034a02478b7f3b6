#include "intake.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

enum {
    MAX_WARNED_TYPES = 100,
    UNKNOWN_RECORD_BYTES = 16 * 1024, /* taken for the size of records while none is known */
};

void intake_init(struct intake *intake, const struct consumer_config *config,
                 struct dispatcher *dispatcher, void (*on_ready)(void *context), void *context)
{
    *intake = (struct intake){
        .config = config,
        .dispatcher = dispatcher,
        .on_ready = on_ready,
        .context = context,
        .clock_ms = clock_monotonic_ms,
        .send_letter = dead_letters_send,
        .breaker = {.limit = config->on_error.breaker},
        .random = (uint64_t)clock_monotonic_ns() | 1,
    };
    retries_init(&intake->retries);
}

void intake_destroy(struct intake *intake)
{
    for (size_t i = 0; i < intake->warned_count; i++)
        free(intake->warned_types[i]);
    free(intake->warned_types);
    retries_destroy(&intake->retries);
}

void intake_note_time(struct intake *intake)
{
    intake->now_ns = clock_monotonic_ns();
}

void intake_note_wait(struct intake *intake, const struct record *record)
{
    int64_t wait_ns = intake->now_ns - record->read_ns - record->handler_ns;
    histogram_note(&intake->waits, wait_ns / 1000);
}

void intake_add(struct intake *intake, struct share *share, size_t bytes)
{
    share->records++;
    share->bytes += bytes;
    intake->window.records++;
    intake->window.bytes += bytes;
}

void intake_remove(struct intake *intake, struct share *share, size_t bytes)
{
    share->records--;
    share->bytes -= bytes;
    intake->window.records--;
    intake->window.bytes -= bytes;
}

void intake_remove_all(struct intake *intake, struct share *share)
{
    intake->window.records -= share->records;
    intake->window.bytes -= share->bytes;
    *share = (struct share){0};
}

static size_t left(size_t limit, size_t used)
{
    return limit > used ? limit - used : 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t quarter(size_t limit)
{
    return limit >= 4 ? limit / 4 : 1;
}

/* What is left of a limit of the window to a partition that uses `own` of the `used`. */
static size_t left_to(const struct intake *intake, size_t limit, size_t used, size_t own)
{
    size_t room = left(limit, used);
    if (intake->assigned_partitions > 1) {
        size_t untaken = left(limit, used - own);
        room = least(room, left(untaken - untaken / 4, own));
    }
    if (intake->active_partitions > 1)
        room = least(room, left(quarter(limit), own));
    return room;
}

size_t intake_room(const struct intake *intake, const struct share *share)
{
    size_t records = left_to(intake, (size_t)intake->config->window_records, intake->window.records,
                             share->records);
    size_t bytes =
        left_to(intake, (size_t)intake->config->window_bytes, intake->window.bytes, share->bytes);
    if (records == 0 || bytes == 0)
        return 0;
    size_t average = share->records > 0 ? share->bytes / share->records : UNKNOWN_RECORD_BYTES;
    size_t fitting = bytes / average;
    return least(records, fitting > 0 ? fitting : 1);
}

/* Marsaglia's xorshift: retries only have to come apart. */
double intake_random(struct intake *intake)
{
    intake->random ^= intake->random << 13;
    intake->random ^= intake->random >> 7;
    intake->random ^= intake->random << 17;
    return (double)(intake->random >> 11) / (double)(UINT64_C(1) << 53);
}

void intake_warn_unknown_type(struct intake *intake, const struct record *record)
{
    const char *type = record->failure;
    for (size_t i = 0; i < intake->warned_count; i++)
        if (strcmp(intake->warned_types[i], type) == 0)
            return;
    if (intake->warned_count == MAX_WARNED_TYPES)
        return;
    intake->warned_types =
        xrealloc(intake->warned_types, (intake->warned_count + 1) * sizeof intake->warned_types[0]);
    intake->warned_types[intake->warned_count++] = xstrdup(type);
    char name[RECORD_NAME_BYTES];
    log_warn("consumer %s: no handler for type '%s', first at %s: such records are skipped and "
             "counted (said once for each type)",
             intake->config->name, type, record_name(record, name));
}
