#include "log_repeats.h"

#include <ctype.h>
#include <string.h>

enum { KEPT_BYTES = 8 * 1024, ID_DIGITS = 6, UUID_LENGTH = UUID_BYTES - 1 };

/* --- kinds --- */

static bool is_uuid(const char *text)
{
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

/* How many bytes from here on name a record rather than a failure; 0: none. */
static size_t id_length(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (is_uuid(text))
        return UUID_LENGTH;
    return digits >= ID_DIGITS ? digits : 0;
}

static uint64_t hash_kind(const char *kind)
{
    uint64_t hash = HASH_START;
    while (*kind != '\0') {
        size_t id = id_length(kind);
        /* The digits of a short number together, or the end of it would be looked at again. */
        size_t plain = strspn(kind, "0123456789");
        size_t length = id > 0 ? id : plain > 0 ? plain : 1;
        hash = id > 0 ? hash_bytes(hash, "\1", 1) : hash_bytes(hash, kind, length);
        kind += length;
    }
    return hash;
}

static void forget(struct log_kind *kind)
{
    buffer_destroy(&kind->texts);
    *kind = (struct log_kind){.is_known = false};
}

/* A kind that has not come for a while gives its place to another when that is needed. */
static bool is_better_place(const struct log_kind *kind, const struct log_kind *place,
                            int64_t now_ms)
{
    if (!kind->is_known)
        return place == NULL || place->is_known;
    bool is_idle = kind->left_out == 0 && now_ms - kind->seen_ms >= REPEATS_EVERY_MS;
    return is_idle && (place == NULL || (place->is_known && kind->seen_ms < place->seen_ms));
}

/* The kind, else a place for it; NULL when all are needed. */
static struct log_kind *find(struct log_repeats *repeats, uint64_t hash, int64_t now_ms)
{
    struct log_kind *place = NULL;
    for (size_t i = 0; i < REPEATS_KINDS; i++) {
        struct log_kind *kind = &repeats->kinds[i];
        if (kind->left_out == 0 && now_ms - kind->seen_ms >= REPEATS_FORGET_MS)
            forget(kind);
        if (kind->is_known && kind->hash == hash)
            return kind;
        if (is_better_place(kind, place, now_ms))
            place = kind;
    }
    if (place == NULL)
        return NULL;
    forget(place);
    place->is_known = true;
    place->hash = hash;
    return place;
}

/* --- what is left out --- */

static const char *keep_text(struct log_kind *kind, const char *text, size_t *length)
{
    size_t room = KEPT_BYTES - 1 - kind->texts.length;
    *length = *length < room ? *length : room;
    const char *kept = kind->texts.bytes + kind->texts.length;
    buffer_append(&kind->texts, text, *length);
    return kept;
}

/* The texts stay where they are: their room is there from the first. The names are literals. */
static void keep(struct log_kind *kind, const struct log_line *line)
{
    buffer_clear(&kind->texts, KEPT_BYTES);
    buffer_reserve(&kind->texts, KEPT_BYTES);
    kind->line = *line;
    kind->line.message = keep_text(kind, line->message, &kind->line.length);
    buffer_append(&kind->texts, "", 1);
    kind->line.fields = kind->fields;
    if (line->field_count > REPEATS_FIELDS)
        kind->line.field_count = REPEATS_FIELDS;
    for (size_t i = 0; i < kind->line.field_count; i++) {
        struct log_field *field = &kind->fields[i];
        *field = line->fields[i];
        if (field->text != NULL)
            field->text = keep_text(kind, field->text, &field->length);
    }
}

static uint64_t take_left_out(struct log_repeats *repeats, struct log_kind *kind, int64_t now_ms)
{
    uint64_t left_out = kind->left_out;
    repeats->waiting -= left_out > 0;
    kind->left_out = 0;
    kind->said_ms = now_ms;
    return left_out;
}

bool log_repeats_admit(struct log_repeats *repeats, const char *text, unsigned few,
                       const struct log_line *line, int64_t now_ms, uint64_t *left_out)
{
    struct log_kind *kind = find(repeats, hash_kind(text), now_ms);
    *left_out = 0;
    if (kind == NULL)
        return true;
    kind->seen_ms = now_ms;
    if (kind->times < few || now_ms - kind->said_ms >= REPEATS_EVERY_MS) {
        kind->times++;
        *left_out = take_left_out(repeats, kind, now_ms);
        return true;
    }
    keep(kind, line);
    repeats->waiting += kind->left_out == 0;
    kind->left_out++;
    return false;
}

const struct log_line *log_repeats_due(struct log_repeats *repeats, int64_t now_ms,
                                       uint64_t *left_out)
{
    for (size_t i = 0; i < REPEATS_KINDS; i++) {
        struct log_kind *kind = &repeats->kinds[i];
        if (kind->left_out == 0 || now_ms - kind->said_ms < REPEATS_EVERY_MS)
            continue;
        *left_out = take_left_out(repeats, kind, now_ms) - 1;
        return &kind->line;
    }
    return NULL;
}
