/* util.h - the small things every file needs: allocation that cannot fail, clocks, a list.
 *
 * Threads: any. */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE                 __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define ARRAY_LENGTH(array)      (sizeof(array) / sizeof((array)[0]))

/* The struct of which `pointer` is the field `member`. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* These abort when memory is exhausted: a restart handles everything again, a half-handled shortage
 * does not. What they return is released with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);

/* A new string in the manner of sprintf; the caller frees it. */
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);

/* FNV-1a, to tell contents apart; the hash of several parts is begun with HASH_START and goes on
 * from part to part. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length);

/* A random UUID (version 4). */
enum { UUID_BYTES = 37 };
void uuid_make(char text[UUID_BYTES]);

/* Time that only goes forward, for durations and deadlines. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_ns(void);

/* The same to the tick of the system, up to 10 ms ago, and cheaper. */
int64_t clock_coarse_ms(void);

/* The time that this thread has run. */
int64_t clock_thread_ms(void);

/* Milliseconds since 1970. */
int64_t clock_wall_ms(void);

/* A doubly linked list through a field of its members. A list's head is a link to itself when the
 * list is empty; a link that is on no list points to itself too, so list_remove may be called
 * twice. */
struct link {
    struct link *previous;
    struct link *next;
};

static inline void list_init(struct link *head)
{
    head->previous = head;
    head->next = head;
}

static inline bool list_is_empty(const struct link *head)
{
    return head->next == head;
}

static inline void list_insert_after(struct link *place, struct link *link)
{
    link->previous = place;
    link->next = place->next;
    place->next->previous = link;
    place->next = link;
}

static inline void list_append(struct link *head, struct link *link)
{
    list_insert_after(head->previous, link);
}

static inline void list_prepend(struct link *head, struct link *link)
{
    list_insert_after(head, link);
}

static inline void list_remove(struct link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

/* The first link, removed from the list; NULL when the list is empty. */
static inline struct link *list_pop(struct link *head)
{
    if (list_is_empty(head))
        return NULL;
    struct link *first = head->next;
    list_remove(first);
    return first;
}

/* Moves all members of `from` to the end of `to`. */
static inline void list_move_all(struct link *to, struct link *from)
{
    if (list_is_empty(from))
        return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

/* A growing array of bytes that keeps its memory between uses. */
struct buffer {
    char *bytes;
    size_t length;
    size_t capacity;
};

void buffer_init(struct buffer *buffer);
void buffer_destroy(struct buffer *buffer);

/* Empties it; memory above `keep_bytes` is given back, so that one large use is not kept for ever.
 */
void buffer_clear(struct buffer *buffer, size_t keep_bytes);

/* Room for `more_bytes` behind the end; the caller writes there and adds to length. */
char *buffer_reserve(struct buffer *buffer, size_t more_bytes);

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
