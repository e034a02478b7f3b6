#include "leaves.h"

#include <string.h>

struct walk {
    const char *at;
    const char *end;
    struct span keys[LEAVES_MAX_DEPTH];
    void (*on_leaf)(void *context, const struct span *keys, size_t depth, const struct span *value);
    void *context;
};

bool span_is(const struct span *span, const char *text)
{
    return strlen(text) == span->length && memcmp(span->text, text, span->length) == 0;
}

static void skip_spaces(struct walk *walk)
{
    while (walk->at < walk->end && strchr(" \t\r\n", *walk->at) != NULL)
        walk->at++;
}

/* The next character that is no space, which is passed. */
static bool passes(struct walk *walk, char wanted)
{
    skip_spaces(walk);
    if (walk->at == walk->end || *walk->at != wanted)
        return false;
    walk->at++;
    return true;
}

static bool read_text(struct walk *walk, struct span *text)
{
    if (!passes(walk, '"'))
        return false;
    text->text = walk->at;
    while (walk->at < walk->end && *walk->at != '"')
        walk->at += *walk->at == '\\' ? 2 : 1;
    if (walk->at >= walk->end)
        return false;
    text->length = (size_t)(walk->at - text->text);
    walk->at++;
    return true;
}

static bool read_word(struct walk *walk, struct span *word)
{
    skip_spaces(walk);
    word->text = walk->at;
    while (walk->at < walk->end && strchr(",]} \t\r\n", *walk->at) == NULL)
        walk->at++;
    word->length = (size_t)(walk->at - word->text);
    return word->length > 0;
}

/* An array or object of which nothing is told: to its end, whatever is in it. */
static bool pass_over(struct walk *walk)
{
    size_t open = 0;
    do {
        struct span ignored;
        skip_spaces(walk);
        if (walk->at == walk->end)
            return false;
        if (*walk->at == '"') {
            if (!read_text(walk, &ignored))
                return false;
            continue;
        }
        open += *walk->at == '{' || *walk->at == '[';
        open -= *walk->at == '}' || *walk->at == ']';
        walk->at++;
    } while (open > 0);
    return true;
}

static bool read_object(struct walk *walk, size_t depth);

static bool read_value(struct walk *walk, size_t depth)
{
    struct span value;
    skip_spaces(walk);
    if (walk->at == walk->end)
        return false;
    bool is_object = *walk->at == '{';
    if (is_object && depth < LEAVES_MAX_DEPTH)
        return read_object(walk, depth);
    if (is_object || *walk->at == '[')
        return pass_over(walk);
    if (!(*walk->at == '"' ? read_text(walk, &value) : read_word(walk, &value)))
        return false;
    walk->on_leaf(walk->context, walk->keys, depth, &value);
    return true;
}

static bool read_object(struct walk *walk, size_t depth)
{
    if (!passes(walk, '{'))
        return false;
    if (passes(walk, '}'))
        return true;
    do {
        if (!read_text(walk, &walk->keys[depth]) || !passes(walk, ':') ||
            !read_value(walk, depth + 1))
            return false;
    } while (passes(walk, ','));
    return passes(walk, '}');
}

void leaves_walk(const char *json, size_t length,
                 void (*on_leaf)(void *context, const struct span *keys, size_t depth,
                                 const struct span *value),
                 void *context)
{
    struct walk walk = {.at = json, .end = json + length, .on_leaf = on_leaf, .context = context};
    (void)read_object(&walk, 0);
}
