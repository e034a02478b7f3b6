#include "json_writer.h"

#include <inttypes.h>
#include <string.h>

#include "json_text.h"

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out, .is_first = true};
}

static void append_special(struct buffer *out, unsigned char byte)
{
    if (byte == '"' || byte == '\\')
        buffer_format(out, "\\%c", byte);
    else if (byte == '\n')
        buffer_append_text(out, "\\n");
    else if (byte < 0x20)
        buffer_format(out, "\\u%04x", byte);
    else
        buffer_append_text(out, "\xef\xbf\xbd");
}

static void append_quoted(struct buffer *out, const char *text)
{
    const char *end = text + strlen(text);
    buffer_append(out, "\"", 1);
    while (text < end) {
        const char *plain_end = text_plain_end(text, end);
        buffer_append(out, text, (size_t)(plain_end - text));
        text = plain_end;
        if (text == end)
            break;
        size_t length = text_sequence_length(text, end);
        if (length > 0)
            buffer_append(out, text, length);
        else
            append_special(out, (unsigned char)*text);
        text += length > 0 ? length : 1;
    }
    buffer_append(out, "\"", 1);
}

/* What stands in front of a value. */
static void begin_value(struct json_writer *writer, const char *name)
{
    if (!writer->is_first)
        buffer_append(writer->out, ",", 1);
    writer->is_first = false;
    if (name == NULL)
        return;
    append_quoted(writer->out, name);
    buffer_append(writer->out, ":", 1);
}

void json_begin_object(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    buffer_append(writer->out, "{", 1);
    writer->is_first = true;
}

void json_begin_array(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    buffer_append(writer->out, "[", 1);
    writer->is_first = true;
}

void json_end_object(struct json_writer *writer)
{
    buffer_append(writer->out, "}", 1);
    writer->is_first = false;
}

void json_end_array(struct json_writer *writer)
{
    buffer_append(writer->out, "]", 1);
    writer->is_first = false;
}

void json_write_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text == NULL) {
        json_write_null(writer, name);
        return;
    }
    begin_value(writer, name);
    append_quoted(writer->out, text);
}

void json_write_integer(struct json_writer *writer, const char *name, int64_t integer)
{
    begin_value(writer, name);
    buffer_format(writer->out, "%" PRId64, integer);
}

void json_write_bool(struct json_writer *writer, const char *name, bool is_true)
{
    begin_value(writer, name);
    buffer_append_text(writer->out, is_true ? "true" : "false");
}

void json_write_null(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    buffer_append_text(writer->out, "null");
}

void json_write_error(struct buffer *out, const char *text)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "error", text);
    json_end_object(&writer);
}
