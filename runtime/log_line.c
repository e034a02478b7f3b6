#include "log_line.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A longer message or value is cut, so that one bad record cannot fill a disk. */
enum { LOG_TEXT_BYTES = 16 * 1024 };

/* What a byte has to be safe against. */
enum escape {
    ESCAPE_LINE,     /* a line on a terminal */
    ESCAPE_QUOTED,   /* the same between double quotes */
    ESCAPE_JSON,     /* a JSON string */
    ESCAPE_RAW_JSON, /* JSON text: only what would end the line or the encoding */
};

/* Chosen by main, read by all who log. */
static atomic_bool is_json;
static atomic_bool is_coloured;
static atomic_bool has_screen;

static const char *const level_labels[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
static const char *const level_colours[] = {"\033[2m", "\033[32m", "\033[33m", "\033[31m"};
static const char colour_dim[] = "\033[2m";
static const char colour_off[] = "\033[0m";

static void append_json_line(struct buffer *out, const struct log_line *line);
static void append_text_line(struct buffer *out, const struct log_line *line);

void log_line_init(enum log_format format)
{
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_dumb = terminal != NULL && strcmp(terminal, "dumb") == 0;
    is_json = format == LOG_JSON || (format == LOG_AUTO && !is_terminal);
    has_screen = is_terminal && !is_dumb && !is_json;
    is_coloured = is_terminal && !is_dumb && (no_color == NULL || no_color[0] == '\0');
}

bool log_line_is_json(void)
{
    return is_json;
}

bool log_line_has_screen(void)
{
    return has_screen;
}

void log_line_append(struct buffer *out, const struct log_line *line)
{
    if (is_json)
        append_json_line(out, line);
    else
        append_text_line(out, line);
}

/* --- escaping --- */

/* The length of the UTF-8 character that begins here; 0 when these bytes are none. */
static size_t utf8_length(const unsigned char *bytes, size_t available)
{
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > available)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return length;
}

/* Control characters would move a terminal's cursor, or end the line. C1 controls are U+0080 to
 * U+009F, in UTF-8 two bytes. */
static bool is_control(const unsigned char *bytes, size_t length)
{
    return bytes[0] < 0x20 || bytes[0] == 0x7f ||
           (length == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

static void append_control(struct buffer *line, const unsigned char *bytes, size_t length,
                           enum escape escape)
{
    unsigned code = length == 2 ? bytes[1] : bytes[0];
    if (escape == ESCAPE_RAW_JSON)
        buffer_append_text(line, " ");
    else if (code == '\n')
        buffer_append_text(line, "\\n");
    else if (code == '\t')
        buffer_append_text(line, "\\t");
    else if (code == '\r')
        buffer_append_text(line, "\\r");
    else
        buffer_format(line, "\\u%04x", code);
}

static void append_escaped(struct buffer *line, const char *text, size_t length, enum escape escape)
{
    bool escapes_quotes = escape == ESCAPE_QUOTED || escape == ESCAPE_JSON;
    bool is_json_text = escape == ESCAPE_JSON || escape == ESCAPE_RAW_JSON;
    for (size_t i = 0; i < length;) {
        const unsigned char *bytes = (const unsigned char *)text + i;
        size_t size = utf8_length(bytes, length - i);
        if (size == 0)
            buffer_format(line, is_json_text ? "\\\\x%02x" : "\\x%02x", bytes[0]);
        else if (is_control(bytes, size))
            append_control(line, bytes, size, escape);
        else if (escapes_quotes && (bytes[0] == '"' || bytes[0] == '\\'))
            buffer_format(line, "\\%c", bytes[0]);
        else
            buffer_append(line, bytes, size);
        i += size > 0 ? size : 1;
    }
}

/* The same for text of any length. */
static void append_limited(struct buffer *line, const char *text, size_t length, enum escape escape)
{
    size_t kept = length;
    if (length > LOG_TEXT_BYTES) {
        kept = LOG_TEXT_BYTES;
        while (kept > LOG_TEXT_BYTES - 4 && ((unsigned char)text[kept] & 0xc0) == 0x80)
            kept--;
    }
    append_escaped(line, text, kept, escape);
    if (kept < length)
        buffer_format(line, "... (%zu bytes more)", length - kept);
}

/* --- JSON --- */

static bool field_is_absent(const struct log_field *field)
{
    return field->kind != FIELD_INTEGER && field->text == NULL;
}

static void append_json_string(struct buffer *line, const char *text, size_t length)
{
    buffer_append_text(line, "\"");
    append_limited(line, text, length, ESCAPE_JSON);
    buffer_append_text(line, "\"");
}

static void append_json_name(struct buffer *line, const char *name)
{
    bool is_taken =
        strcmp(name, "time") == 0 || strcmp(name, "level") == 0 || strcmp(name, "message") == 0;
    buffer_append_text(line, ",\"");
    append_limited(line, name, strlen(name), ESCAPE_JSON);
    buffer_append_text(line, is_taken ? "_\":" : "\":");
}

static void append_json_field(struct buffer *line, const struct log_field *field)
{
    append_json_name(line, field->name);
    if (field->kind == FIELD_INTEGER)
        buffer_format(line, "%" PRId64, field->integer);
    else if (field->kind == FIELD_JSON && field->length > 0 && field->length <= LOG_TEXT_BYTES)
        append_escaped(line, field->text, field->length, ESCAPE_RAW_JSON);
    else
        append_json_string(line, field->text, field->length);
}

static void append_json_line(struct buffer *out, const struct log_line *line)
{
    time_t seconds = (time_t)(line->at_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    buffer_format(out, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", utc.tm_year + 1900,
                  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                  (int)(line->at_ms % 1000));
    buffer_format(out, ",\"level\":\"%s\",\"message\":", log_level_name(line->level));
    append_json_string(out, line->message, line->length);
    for (size_t i = 0; i < line->field_count; i++)
        if (!field_is_absent(&line->fields[i]))
            append_json_field(out, &line->fields[i]);
    buffer_append_text(out, "}\n");
}

/* --- text --- */

static bool is_multi_line(const char *text, size_t length)
{
    return memchr(text, '\n', length) != NULL;
}

static bool needs_quotes(const struct log_field *field)
{
    if (field->length == 0)
        return true;
    for (size_t i = 0; i < field->length; i++)
        if (memchr(" \"=\\", field->text[i], 4) != NULL)
            return true;
    return false;
}

static void append_text_field(struct buffer *line, const struct log_field *field)
{
    buffer_append_text(line, is_coloured ? colour_dim : "");
    append_limited(line, field->name, strlen(field->name), ESCAPE_LINE);
    buffer_append_text(line, "=");
    buffer_append_text(line, is_coloured ? colour_off : "");
    if (field->kind == FIELD_INTEGER) {
        buffer_format(line, "%" PRId64, field->integer);
    } else if (field->kind == FIELD_JSON) {
        append_limited(line, field->text, field->length, ESCAPE_RAW_JSON);
    } else if (needs_quotes(field)) {
        buffer_append_text(line, "\"");
        append_limited(line, field->text, field->length, ESCAPE_QUOTED);
        buffer_append_text(line, "\"");
    } else {
        append_limited(line, field->text, field->length, ESCAPE_LINE);
    }
}

/* Each line of the text on one of its own, indented. Tabs stay: a traceback is full of them. */
static void append_block(struct buffer *line, const char *text, size_t length, const char *indent)
{
    const char *end = text + length;
    if (length > LOG_TEXT_BYTES)
        end = text + LOG_TEXT_BYTES;
    while (end > text && end[-1] == '\n')
        end--;
    for (const char *start = text; start < end;) {
        const char *stop = memchr(start, '\n', (size_t)(end - start));
        stop = stop != NULL ? stop : end;
        buffer_append_text(line, indent);
        for (; start < stop && *start == '\t'; start++)
            buffer_append_text(line, "  ");
        append_escaped(line, start, (size_t)(stop - start), ESCAPE_LINE);
        buffer_append_text(line, "\n");
        start = stop + 1;
    }
    if (length > LOG_TEXT_BYTES)
        buffer_format(line, "%s... (%zu bytes more)\n", indent, length - LOG_TEXT_BYTES);
}

static bool field_is_block(const struct log_field *field)
{
    return field->kind == FIELD_TEXT && field->text != NULL &&
           is_multi_line(field->text, field->length);
}

static void append_text_head(struct buffer *line, enum log_level level, int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    buffer_format(line, "%02d:%02d:%02d.%03d ", local.tm_hour, local.tm_min, local.tm_sec,
                  (int)(at_ms % 1000));
    buffer_append_text(line, is_coloured ? level_colours[level] : "");
    buffer_append_text(line, level_labels[level]);
    buffer_append_text(line, is_coloured ? colour_off : "");
    buffer_append_text(line, " ");
}

/* The line itself holds what fits on one; what has several lines stands indented under it. */
static void append_text_line(struct buffer *out, const struct log_line *line)
{
    append_text_head(out, line->level, line->at_ms);
    size_t first_length = strcspn(line->message, "\n");
    append_limited(out, line->message, first_length, ESCAPE_LINE);
    const char *gap = "  ";
    for (size_t i = 0; i < line->field_count; i++) {
        const struct log_field *field = &line->fields[i];
        if (field_is_absent(field) || field_is_block(field))
            continue;
        buffer_append_text(out, gap);
        append_text_field(out, field);
        gap = " ";
    }
    buffer_append_text(out, "\n");
    if (first_length < line->length)
        append_block(out, line->message + first_length + 1, line->length - first_length - 1,
                     "    ");
    for (size_t i = 0; i < line->field_count; i++) {
        const struct log_field *field = &line->fields[i];
        if (!field_is_block(field))
            continue;
        buffer_append_text(out, "    ");
        append_limited(out, field->name, strlen(field->name), ESCAPE_LINE);
        buffer_append_text(out, ":\n");
        append_block(out, field->text, field->length, "      ");
    }
}
