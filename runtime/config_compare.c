#include "config_compare.h"

#include <stdlib.h>
#include <string.h>

/* Where tables with names of their own stand. */
struct section {
    const char *lead;
    /* The name of the item at `index`; NULL: there are not so many. */
    const char *(*name)(const struct config *config, size_t index);
    const char *const *live;     /* keys, of every item; ends with NULL */
    const char *const *consumer; /* the same */
    enum config_reach item;      /* of one that is new or removed */
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
static const char *const producer_live[] = {"topic",      "key_field", "key_missing", "type_header",
                                            "codec",      "headers",   "middlewares", "cluster",
                                            "properties", NULL};
static const char *const consumer_live[] = {
    "handlers",        "handler",         "type_header",     "type_field",  "codec",
    "nulls",           "middlewares",     "workers",         "buffer_size", "on_error",
    "on_invalid",      "on_unknown_type", "on_tombstone",    "on_stuck",    "dead_letter",
    "handler_timeout", "cpu_limit",       "stall_after",     "window",      "max_ahead",
    "max_record",      "drain_timeout",   "commit_interval", "enabled",     NULL};
static const char *const consumer_anew[] = {"topic",       "topics",       "group",
                                            "cluster",     "distribution", "offset_reset",
                                            "instance_id", "properties",   NULL};
static const char *const topic_live[] = {"partitions", "replicas", "cluster",
                                         "create",     "config",   NULL};
static const struct section sections[] = {
    {"clusters.", cluster_name, nothing, nothing, REACH_LIVE},
    {"topics.", topic_name, topic_live, nothing, REACH_LIVE},
    {"producers.", producer_name, producer_live, nothing, REACH_LIVE},
    {"consumers.", consumer_name, consumer_live, consumer_anew, REACH_LIVE},
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

/* `text` is what stands behind the item's name. */
static enum config_reach reach_of_key(const struct section *section, const char *text)
{
    if (*text == '.' && begins_with_key(text + 1, section->live))
        return REACH_LIVE;
    if (*text == '.' && begins_with_key(text + 1, section->consumer))
        return REACH_CONSUMER;
    return REACH_RESTART;
}

static void note_item(struct comparing *comparing, const struct section *section,
                      const char *setting)
{
    const char *text = setting + strlen(section->lead);
    size_t before = match_name(section, comparing->before, text);
    size_t after = match_name(section, comparing->after, text);
    bool is_in_both = before == after;
    enum config_reach reach = is_in_both ? reach_of_key(section, text + after) : section->item;
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

enum config_reach config_reach_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(sections); i++) {
        const struct section *section = &sections[i];
        size_t length = strlen(section->lead);
        if (strncmp(path, section->lead, length - 1) == 0 && path[length - 1] == '\0')
            return section->item;
        if (strncmp(path, section->lead, length) == 0)
            return reach_of_key(section, path + length + strcspn(path + length, "."));
    }
    return begins_with_key(path, top_live) ? REACH_LIVE : REACH_RESTART;
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

/* --- a consumer --- */

static void append_key(struct buffer *keys, const char *key)
{
    buffer_format(keys, "%s%s", keys->length > 0 ? ", " : "", key);
}

/* Those that have no pattern do not go by it. */
static bool reads_pattern(const struct consumer_config *consumer)
{
    for (size_t i = 0; i < consumer->topic_count; i++)
        if (config_is_pattern(consumer->topics[i]))
            return true;
    return false;
}

static bool has_dead_letter(const struct config *config, const char *topic)
{
    for (size_t i = 0; i < config->consumer_count; i++)
        if (config->consumers[i].dead_letter != NULL &&
            strcmp(config->consumers[i].dead_letter, topic) == 0)
            return true;
    return false;
}

/* A topic of dead letters that only `after` names: a pattern must not match it. */
static bool has_new_dead_letter(const struct config *before, const struct config *after)
{
    for (size_t i = 0; i < after->consumer_count; i++)
        if (after->consumers[i].dead_letter != NULL &&
            !has_dead_letter(before, after->consumers[i].dead_letter))
            return true;
    return false;
}

char *config_compare_consumer(const struct config *before, const struct config *after,
                              const char *name)
{
    struct config_difference difference;
    struct buffer keys;
    char *lead = xasprintf("consumers.%s.", name);
    buffer_init(&keys);
    config_compare(before, after, REACH_CONSUMER, &difference);
    for (size_t i = 0; i < difference.count; i++) {
        const char *key = difference.paths[i] + strlen(lead);
        if (strncmp(difference.paths[i], lead, strlen(lead)) == 0 &&
            begins_with_key(key, consumer_anew) && strcmp(key, "cluster") != 0)
            append_key(&keys, key);
    }
    /* Which it comes to counts, not by which of the ways to say it. */
    const struct consumer_config *one = config_consumer(before, name);
    const struct consumer_config *other = config_consumer(after, name);
    if (strcmp(one->cluster->name, other->cluster->name) != 0)
        append_key(&keys, "cluster");
    if (reads_pattern(other) && has_new_dead_letter(before, after))
        append_key(&keys, "what its pattern must not match");
    config_difference_destroy(&difference);
    free(lead);
    return keys.bytes;
}

void config_difference_destroy(struct config_difference *difference)
{
    for (size_t i = 0; i < difference->count; i++)
        free(difference->paths[i]);
    free(difference->paths);
    *difference = (struct config_difference){0};
}
