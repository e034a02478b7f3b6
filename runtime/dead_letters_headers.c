/* What a letter says of its record. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dead_letters.h"

enum { OWN_HEADERS = 8 };

static void add(struct letter_headers *headers, const char *name, const char *value)
{
    headers->items[headers->count++] =
        (struct record_header){.name = name, .value = value, .value_length = strlen(value)};
}

static const char *say_number(struct letter_headers *headers, size_t index, int64_t number)
{
    char *text = headers->numbers[index];
    snprintf(text, sizeof headers->numbers[index], "%" PRId64, number);
    return text;
}

void letter_headers_init(struct letter_headers *headers, const struct record *record,
                         const struct consumer_config *consumer)
{
    size_t count = record->header_count;
    headers->items = xcalloc(count + OWN_HEADERS, sizeof headers->items[0]);
    headers->count = count;
    if (count > 0)
        memcpy(headers->items, record->headers, count * sizeof headers->items[0]);
    add(headers, "lagoon-dead-letter-topic", record->topic);
    add(headers, "lagoon-dead-letter-partition", say_number(headers, 0, record->partition));
    add(headers, "lagoon-dead-letter-offset", say_number(headers, 1, record->offset));
    if (record->timestamp_ms >= 0)
        add(headers, "lagoon-dead-letter-timestamp", say_number(headers, 2, record->timestamp_ms));
    add(headers, "lagoon-dead-letter-group", consumer->group);
    add(headers, "lagoon-dead-letter-consumer", consumer->name);
    add(headers, "lagoon-dead-letter-attempts", say_number(headers, 3, record->attempt));
    add(headers, "lagoon-dead-letter-error", record->failure != NULL ? record->failure : "");
}

void letter_headers_destroy(struct letter_headers *headers)
{
    free(headers->items);
    headers->items = NULL;
}
