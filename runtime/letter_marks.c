#include "letter_marks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* In front of the lengths, in this base: how many letters stay, how many behind them were taken,
 * and so on, from the committed offset on. */
static const char PREFIX[] = "lagoon1:";
enum { NUMBER_BASE = 36, NUMBER_BYTES = 16 };

/* --- ranges --- */

static void insert(struct letter_marks *marks, size_t place, struct letter_range range)
{
    if (marks->count == marks->capacity) {
        marks->capacity = marks->capacity > 0 ? marks->capacity * 2 : 16;
        marks->taken = xrealloc(marks->taken, marks->capacity * sizeof marks->taken[0]);
    }
    memmove(&marks->taken[place + 1], &marks->taken[place],
            (marks->count - place) * sizeof marks->taken[0]);
    marks->taken[place] = range;
    marks->count++;
}

static void remove_at(struct letter_marks *marks, size_t place)
{
    marks->count--;
    memmove(&marks->taken[place], &marks->taken[place + 1],
            (marks->count - place) * sizeof marks->taken[0]);
}

/* Joins it with what it touches. */
static void add(struct letter_marks *marks, struct letter_range range)
{
    size_t place = 0;
    while (place < marks->count && marks->taken[place].to < range.from)
        place++;
    while (place < marks->count && marks->taken[place].from <= range.to) {
        const struct letter_range *other = &marks->taken[place];
        range.from = other->from < range.from ? other->from : range.from;
        range.to = other->to > range.to ? other->to : range.to;
        remove_at(marks, place);
    }
    insert(marks, place, range);
}

bool letter_marks_is_taken(const struct letter_marks *marks, int64_t offset)
{
    for (size_t i = 0; i < marks->count && marks->taken[i].from <= offset; i++)
        if (offset < marks->taken[i].to)
            return true;
    return false;
}

/* --- reading --- */

/* A length, and moves *text behind it; -1: there is none. */
static int64_t read_length(const char **text)
{
    char *end;
    long long length = strtoll(*text, &end, NUMBER_BASE);
    if (end == *text || length <= 0)
        return -1;
    *text = end;
    return length;
}

void letter_marks_init(struct letter_marks *marks, int64_t base, const char *text)
{
    *marks = (struct letter_marks){.base = base, .position = base, .free = base};
    if (text == NULL || strncmp(text, PREFIX, strlen(PREFIX)) != 0)
        return;
    text += strlen(PREFIX);
    for (int64_t from = base; *text != '\0';) {
        int64_t staying = read_length(&text);
        int64_t taken = read_length(&text);
        if (staying < 0 || taken < 0)
            return;
        add(marks, (struct letter_range){from + staying, from + staying + taken});
        from += staying + taken;
    }
}

void letter_marks_destroy(struct letter_marks *marks)
{
    free(marks->taken);
    *marks = (struct letter_marks){0};
}

/* --- what becomes of letters --- */

void letter_marks_raise(struct letter_marks *marks, int64_t low)
{
    if (low <= marks->base)
        return;
    marks->base = marks->position = marks->free = low;
    while (marks->count > 0 && marks->taken[0].to <= low)
        remove_at(marks, 0);
}

/* What was not taken until now stays. */
static void end_pending(struct letter_marks *marks)
{
    if (marks->is_pending)
        marks->free = marks->position;
    marks->is_pending = false;
}

void letter_marks_see(struct letter_marks *marks, int64_t offset)
{
    assert(offset >= marks->position);
    end_pending(marks);
    marks->position = offset + 1;
    marks->is_pending = true;
    if (letter_marks_is_taken(marks, offset))
        letter_marks_take(marks);
}

/* With what holds no letter in front of it. */
void letter_marks_take(struct letter_marks *marks)
{
    add(marks, (struct letter_range){marks->free, marks->position});
    marks->is_pending = false;
}

/* Behind a letter that stays this waits for the next one that is taken, which spares a range. */
void letter_marks_pass(struct letter_marks *marks, int64_t position)
{
    if (position <= marks->position)
        return;
    end_pending(marks);
    marks->position = position;
    if (marks->free == marks->base || letter_marks_is_taken(marks, marks->free))
        add(marks, (struct letter_range){marks->free, position});
}

/* --- writing --- */

static void append_length(struct buffer *text, int64_t length)
{
    char digits[NUMBER_BYTES];
    size_t place = sizeof digits;
    digits[--place] = '\0';
    for (; length > 0; length /= NUMBER_BASE)
        digits[--place] = "0123456789abcdefghijklmnopqrstuvwxyz"[length % NUMBER_BASE];
    buffer_append_text(text, digits + place);
}

int64_t letter_marks_write(const struct letter_marks *marks, struct buffer *text)
{
    size_t first = marks->count > 0 && marks->taken[0].from <= marks->base;
    int64_t offset = first > 0 ? marks->taken[0].to : marks->base;
    int64_t from = offset;
    for (size_t i = first; i < marks->count; i++) {
        buffer_append_text(text, i == first ? PREFIX : " ");
        append_length(text, marks->taken[i].from - from);
        buffer_append_text(text, " ");
        append_length(text, marks->taken[i].to - marks->taken[i].from);
        from = marks->taken[i].to;
    }
    return offset;
}

bool letter_marks_have_room(const struct letter_marks *marks)
{
    struct buffer text;
    buffer_init(&text);
    letter_marks_write(marks, &text);
    bool has_room = text.length + 2 * NUMBER_BYTES <= LETTER_MARKS_MAX_BYTES;
    buffer_destroy(&text);
    return has_room;
}
