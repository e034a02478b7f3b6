/* letter_marks.h - which letters of one partition were taken, when some between them stay.
 *
 * A committed offset says that everything below it was taken. Where a letter stays, those behind it
 * that were taken are written beside the offset, as text.
 *
 * Pure. Owns: its ranges. Threads: any one. */
#ifndef LETTER_MARKS_H
#define LETTER_MARKS_H

#include "util.h"

/* The longest text: brokers keep 4096 bytes unless they are told otherwise. */
enum { LETTER_MARKS_MAX_BYTES = 4000 };

struct letter_range {
    int64_t from;
    int64_t to; /* not in it */
};

struct letter_marks {
    int64_t base;     /* everything below was taken, or is no more */
    int64_t position; /* everything below was looked at */
    int64_t free;     /* from here on to the position nothing stays, but what is pending */
    bool is_pending;  /* the letter before the position was seen and not taken */
    struct letter_range *taken; /* ascending, not touching */
    size_t count;
    size_t capacity;
};

/* What was committed: the offset, and the text beside it or NULL. Text that is none of ours means
 * nothing. Nothing was looked at yet. */
void letter_marks_init(struct letter_marks *marks, int64_t base, const char *text);
/* Nothing is left below the offset. */
void letter_marks_raise(struct letter_marks *marks, int64_t low);

void letter_marks_destroy(struct letter_marks *marks);

bool letter_marks_is_taken(const struct letter_marks *marks, int64_t offset);

/* The next letter of the partition: it stays, unless it is taken before the one behind it is seen.
 */
void letter_marks_see(struct letter_marks *marks, int64_t offset);
void letter_marks_take(struct letter_marks *marks);

/* There are no further letters below. */
void letter_marks_pass(struct letter_marks *marks, int64_t position);

/* One more letter can be taken, and what is to be remembered has room. */
bool letter_marks_have_room(const struct letter_marks *marks);

/* The offset to be committed, and the text that belongs to it; *text may become empty. */
int64_t letter_marks_write(const struct letter_marks *marks, struct buffer *text);

#endif
