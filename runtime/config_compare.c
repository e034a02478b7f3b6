#include "config_compare.h"

#include <stdlib.h>
#include <string.h>

/* Where tables with names of their own stand. */
struct section {
    const char *lead;
    /* The name of the item at `index`; NULL: there are not so many. */
    const char *(*name)(const struct config *config, size_t index);
    const char *const *live; /* keys, of every item; ends with NULL */
};

static const char *cluster_name(const struct config *config, size_t index)
{
    return index < config->cluster_count ? config->clusters[index].name : NULL;
}

static const char *topic_name(const struct config *config, size_t index)
{
    return index < config->topic_count ? config->topics[index].name : NULL;
}

static const char *producer_name(const struct config *config, size_t index)
{
    return index < config->producer_count ? config->producers[index].name : NULL;
}

static const char *consumer_name(const struct config *config, size_t index)
{
    return index < config->consumer_count ? config->consumers[index].name : NULL;
}

static const char *const nothing[] = {NULL};
static const char *const producer_live[] = {"key_field", "key_missing", "type_header", "codec",
                                            "headers",   "middlewares", NULL};
static const char *const consumer_live[] = {
    "handlers",      "handler",         "type_header", "type_field",
    "codec",         "nulls",           "middlewares", "workers",
    "buffer_size",   "on_error",        "on_invalid",  "on_unknown_type",
    "on_tombstone",  "on_stuck",        "dead_letter", "handler_timeout",
    "cpu_limit",     "window",          "max_ahead",   "max_record",
    "drain_timeout", "commit_interval", NULL};
static const struct section sections[] = {
    {"clusters.", cluster_name, nothing},
    {"topics.", topic_name, nothing},
    {"producers.", producer_name, producer_live},
    {"consumers.", consumer_name, consumer_live},
};
static const char *const top_live[] = {"lua.gc",    "lua.memory_limit", "shared.memory_limit",
                                       "log.level", "stop_timeout",     NULL};

/* --- paths --- */

/* The length of `word` where `text` begins with it as a whole key, else 0. */
static size_t key_length(const char *text, const char *word)
{
    size_t length = strlen(word);
    bool is_whole = strncmp(text, word, length) == 0 && strchr(".[\n", text[length]) != NULL;
    return is_whole ? length : 0;
}

static bool begins_with_key(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (key_length(text, *words) > 0)
            return true;
    return false;
}

static const struct section *section_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(sections); i++)
        if (strncmp(path, sections[i].lead, strlen(sections[i].lead)) == 0)
            return &sections[i];
    return NULL;
}

/* The longest name that fits, since names may have dots. */
static size_t match_name(const struct section *section, const struct config *config,
                         const char *text)
{
    size_t longest = 0;
    const char *name;
    for (size_t i = 0; (name = section->name(config, i)) != NULL; i++) {
        size_t length = key_length(text, name);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The text up to the value. */
static char *path_of(const char *setting)
{
    return xstrndup(setting, strcspn(setting, "\n"));
}

/* --- one difference --- */

struct comparing {
    const struct config *before;
    const struct config *after;
    enum config_reach reach;
    struct config_difference *difference;
};

/* Takes the path; the settings of an item come one after the other. */
static void add(struct config_difference *difference, char *path)
{
    if (difference->count > 0 && strcmp(difference->paths[difference->count - 1], path) == 0) {
        free(path);
        return;
    }
    difference->paths =
        xrealloc(difference->paths, (difference->count + 1) * sizeof difference->paths[0]);
    difference->paths[difference->count++] = path;
}

static void note_item(struct comparing *comparing, const struct section *section,
                      const char *setting)
{
    const char *text = setting + strlen(section->lead);
    size_t before = match_name(section, comparing->before, text);
    size_t after = match_name(section, comparing->after, text);
    bool is_in_both = before == after;
    enum config_reach reach = REACH_RESTART;
    if (is_in_both && text[after] == '.' && begins_with_key(text + after + 1, section->live))
        reach = REACH_LIVE;
    if (reach != comparing->reach)
        return;
    size_t length = before > after ? before : after;
    if (is_in_both)
        add(comparing->difference, path_of(setting));
    else
        add(comparing->difference, xasprintf("%s%.*s (%s)", section->lead, (int)length, text,
                                             after > before ? "new" : "removed"));
}

static void note(struct comparing *comparing, const char *setting)
{
    const struct section *section = section_of(setting);
    if (section != NULL) {
        note_item(comparing, section, setting);
        return;
    }
    enum config_reach reach = begins_with_key(setting, top_live) ? REACH_LIVE : REACH_RESTART;
    if (reach == comparing->reach)
        add(comparing->difference, path_of(setting));
}

/* --- all of them --- */

/* By path, as both lists are sorted. */
static int compare_paths(const char *one, const char *other)
{
    size_t length = strcspn(one, "\n");
    size_t other_length = strcspn(other, "\n");
    int order = memcmp(one, other, length < other_length ? length : other_length);
    return order != 0 ? order : (length > other_length) - (length < other_length);
}

void config_compare(const struct config *before, const struct config *after,
                    enum config_reach reach, struct config_difference *difference)
{
    struct comparing comparing = {before, after, reach, difference};
    *difference = (struct config_difference){0};
    size_t i = 0;
    size_t j = 0;
    while (i < before->setting_count || j < after->setting_count) {
        int order = i == before->setting_count ? 1
                    : j == after->setting_count
                        ? -1
                        : compare_paths(before->settings[i], after->settings[j]);
        const char *setting = order <= 0 ? before->settings[i] : after->settings[j];
        if (order != 0 || strcmp(before->settings[i], after->settings[j]) != 0)
            note(&comparing, setting);
        i += order <= 0;
        j += order >= 0;
    }
}

void config_difference_destroy(struct config_difference *difference)
{
    for (size_t i = 0; i < difference->count; i++)
        free(difference->paths[i]);
    free(difference->paths);
    *difference = (struct config_difference){0};
}
