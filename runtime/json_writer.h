/* json_writer.h - JSON text written piece by piece, for what the program says of itself: no Lua is
 * needed for it.
 *
 * Owns:    nothing; it appends to the caller's buffer.
 * Threads: any. */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include "util.h"

struct json_writer {
    struct buffer *out;
    bool is_first; /* the next item needs no comma in front */
};

void json_writer_init(struct json_writer *writer, struct buffer *out);

/* In each of these `name` is the member's, or NULL for an item of an array and for the outermost
 * value. */
void json_begin_object(struct json_writer *writer, const char *name);
void json_begin_array(struct json_writer *writer, const char *name);
void json_end_object(struct json_writer *writer);
void json_end_array(struct json_writer *writer);

/* A byte that is no part of UTF-8 becomes U+FFFD. NULL is null. */
void json_write_text(struct json_writer *writer, const char *name, const char *text);
void json_write_integer(struct json_writer *writer, const char *name, int64_t integer);
void json_write_bool(struct json_writer *writer, const char *name, bool is_true);
void json_write_null(struct json_writer *writer, const char *name);

/* A text of its own: {"error": "..."} */
void json_write_error(struct buffer *out, const char *text);

#endif
