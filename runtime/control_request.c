#include "control_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "words.h"

struct reader {
    const char *at;
    const char *end;
    const char *start;
    struct error *err;
};

static int fail(const struct reader *reader, const char *expected)
{
    error_set(reader->err, "the request is not understood: byte %d: expected %s",
              (int)(reader->at - reader->start), expected);
    return -1;
}

static void skip_space(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

static int expect(struct reader *reader, char c, const char *what)
{
    skip_space(reader);
    if (*reader->at != c)
        return fail(reader, what);
    reader->at++;
    return 0;
}

/* --- values --- */

/* One character of a string, or of an escape in it. */
static int pass_character(struct reader *reader)
{
    const char *expected = NULL;
    unsigned char byte = (unsigned char)*reader->at;
    if (byte == '\\') {
        int character = text_read_escape(&reader->at, reader->end, &expected);
        if (character < 0)
            return fail(reader, expected);
        return character > 0 ? 0 : fail(reader, "a text without NUL");
    }
    size_t length = byte < 0x80 ? 1 : text_sequence_length(reader->at, reader->end);
    if (length == 0 || byte < 0x20)
        return fail(reader, "UTF-8 without control characters");
    reader->at += length;
    return 0;
}

static int read_text(struct reader *reader, char **text)
{
    if (expect(reader, '"', "a string") != 0)
        return -1;
    const char *from = reader->at;
    while (*reader->at != '"')
        if (pass_character(reader) != 0)
            return -1;
    *text = xmalloc((size_t)(reader->at - from) + 1);
    *text_unescape(*text, from, reader->at) = '\0';
    reader->at++;
    return 0;
}

static int read_integer(struct reader *reader, int64_t *integer)
{
    char *end;
    errno = 0;
    *integer = strtoll(reader->at, &end, 10);
    if (strspn(reader->at, "-0123456789") == 0 || end == reader->at || errno != 0 ||
        strspn(end, ".eE") > 0)
        return fail(reader, "a text, a whole number, true or false");
    reader->at = end;
    return 0;
}

static int read_value(struct reader *reader, struct control_member *member)
{
    skip_space(reader);
    if (*reader->at == '"')
        return read_text(reader, &member->text);
    member->is_integer = true;
    static const char *const words[] = {"false", "true"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (strncmp(reader->at, words[i], strlen(words[i])) != 0)
            continue;
        member->integer = (int64_t)i;
        reader->at += strlen(words[i]);
        return 0;
    }
    return read_integer(reader, &member->integer);
}

/* --- the object --- */

static int read_member(struct reader *reader, struct control_request *request)
{
    if (request->count == CONTROL_MAX_MEMBERS)
        return fail(reader, "no more members");
    struct control_member *member = &request->members[request->count++];
    if (read_text(reader, &member->name) != 0 || expect(reader, ':', "a colon") != 0)
        return -1;
    return read_value(reader, member);
}

static int read_object(struct reader *reader, struct control_request *request)
{
    if (expect(reader, '{', "an object") != 0)
        return -1;
    skip_space(reader);
    while (*reader->at != '}') {
        if (request->count > 0 && expect(reader, ',', "a comma or }") != 0)
            return -1;
        if (read_member(reader, request) != 0)
            return -1;
        skip_space(reader);
    }
    reader->at++;
    skip_space(reader);
    return reader->at == reader->end ? 0 : fail(reader, "the end");
}

int control_request_parse(struct control_request *request, const char *line, struct error *err)
{
    struct reader reader = {line, line + strlen(line), line, err};
    *request = (struct control_request){0};
    int rc = read_object(&reader, request);
    if (rc != 0)
        control_request_destroy(request);
    return rc;
}

void control_request_destroy(struct control_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        free(request->members[i].name);
        free(request->members[i].text);
    }
    request->count = 0;
}

/* --- what was asked --- */

static const struct control_member *find(const struct control_request *request, const char *name)
{
    for (size_t i = 0; i < request->count; i++)
        if (strcmp(request->members[i].name, name) == 0)
            return &request->members[i];
    return NULL;
}

void control_request_set(struct control_request *request, const char *name, const char *text)
{
    struct control_member *member = (struct control_member *)find(request, name);
    if (member == NULL && request->count == CONTROL_MAX_MEMBERS)
        return;
    if (member == NULL) {
        member = &request->members[request->count++];
        member->name = xstrdup(name);
    }
    free(member->text);
    member->text = xstrdup(text);
    member->is_integer = false;
}

int control_request_check(const struct control_request *request, const char *known,
                          struct error *err)
{
    for (size_t i = 0; i < request->count; i++) {
        const char *name = request->members[i].name;
        if (strcmp(name, "command") == 0 || words_have(known, name))
            continue;
        error_set(err, "the lagoon that runs does not understand \"%s\"", name);
        return -1;
    }
    return 0;
}

int control_request_text(const struct control_request *request, const char *name, const char **text,
                         struct error *err)
{
    const struct control_member *member = find(request, name);
    *text = member != NULL ? member->text : NULL;
    if (member == NULL || member->text != NULL)
        return 0;
    error_set(err, "\"%s\" has to be a text", name);
    return -1;
}

int control_request_integer(const struct control_request *request, const char *name,
                            int64_t otherwise, int64_t *integer, struct error *err)
{
    const struct control_member *member = find(request, name);
    *integer = member != NULL ? member->integer : otherwise;
    if (member == NULL || (member->is_integer && member->integer >= 0))
        return 0;
    error_set(err, "\"%s\" has to be a whole number from 0", name);
    return -1;
}
