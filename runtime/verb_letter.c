#include "verb_letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_BYTES = 120 }; /* of the reason, in a list */

const char *letter_field(const struct record *letter, const char *name)
{
    char header[64];
    snprintf(header, sizeof header, "%s%s", LETTER_PREFIX, name);
    const struct record_header *found = record_header(letter, header);
    return found != NULL && !found->is_null ? found->value : NULL;
}

int letter_rounds(const struct record *letter)
{
    const struct record_header *found = record_header(letter, LETTER_ROUNDS);
    return found != NULL && !found->is_null ? atoi(found->value) : 0;
}

bool letter_is_of(const struct record *letter, const struct consumer_config *consumer)
{
    const char *group = letter_field(letter, "group");
    return letter_field(letter, "topic") != NULL && letter_field(letter, "partition") != NULL &&
           group != NULL && strcmp(group, consumer->group) == 0;
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "?";
}

void letter_list(const struct record *letter)
{
    const char *reason = or_none(letter_field(letter, "error"));
    int length = (int)strcspn(reason, "\n");
    char name[RECORD_NAME_BYTES];
    printf("%s  %s[%s]@%s  %s attempts  %.*s\n", record_name(letter, name),
           letter_field(letter, "topic"), letter_field(letter, "partition"),
           or_none(letter_field(letter, "offset")), or_none(letter_field(letter, "attempts")),
           length < ERROR_BYTES ? length : ERROR_BYTES, reason);
}

void letter_show(const struct record *letter)
{
    char name[RECORD_NAME_BYTES];
    printf("%s\n", record_name(letter, name));
    printf("key: %.*s\n", (int)letter->key_length, letter->key != NULL ? letter->key : "(null)");
    for (size_t i = 0; i < letter->header_count; i++)
        printf("%s: %.*s\n", letter->headers[i].name, (int)letter->headers[i].value_length,
               letter->headers[i].is_null ? "(null)" : letter->headers[i].value);
    printf("\n%.*s\n\n", (int)letter->value_length,
           letter->value != NULL ? letter->value : "(no value)");
}
