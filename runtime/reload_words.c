#include "reload_internal.h"

#include <stdlib.h>
#include <string.h>

#include "config_compare.h"
#include "log.h"

/* Of a list of names in one line. */
enum { MAX_NAMES = 12 };

struct names {
    struct buffer text;
    size_t count;
};

static void add_name(struct names *names, const char *name, const char *behind)
{
    if (names->count < MAX_NAMES)
        buffer_format(&names->text, "%s%s%s", names->count > 0 ? ", " : "", name, behind);
    names->count++;
}

/* The text, which the names own; NULL when there are none. */
static const char *finish_names(struct names *names)
{
    if (names->count > MAX_NAMES)
        buffer_format(&names->text, " and %zu more", names->count - MAX_NAMES);
    return names->count > 0 ? names->text.bytes : NULL;
}

/* --- what changed --- */

static void add_files(struct names *names, const struct bundle *before, const struct bundle *now)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct bundle_file *file = &now->files[i];
        const struct bundle_file *old = bundle_find(before, file->module);
        if (old == NULL)
            add_name(names, file->path, " (new)");
        else if (old->length != file->length ||
                 (file->length > 0 && memcmp(old->bytes, file->bytes, file->length) != 0))
            add_name(names, file->path, "");
    }
    for (size_t i = 0; i < before->count; i++)
        if (bundle_find(now, before->files[i].module) == NULL)
            add_name(names, before->files[i].path, " (removed)");
}

static void add_keys(struct names *names, const struct config *before, const struct config *now,
                     enum config_reach reach)
{
    struct config_difference difference;
    config_compare(before, now, reach, &difference);
    for (size_t i = 0; i < difference.count; i++)
        add_name(names, difference.paths[i], "");
    config_difference_destroy(&difference);
}

/* What differs from the process's own config, not only from the generation before: it is said until
 * the process is started again, or the key is back. */
static void say_restart(const struct generation *first, const struct generation *now)
{
    struct names names = {0};
    add_keys(&names, first->config, now->config, REACH_RESTART);
    const char *text = finish_names(&names);
    if (text != NULL)
        log_warn("generation %llu: these changes take effect only when the process is started "
                 "again: %s",
                 (unsigned long long)now->number, text);
    buffer_destroy(&names.text);
}

void reload_say_done(const struct generation *first, const struct generation *before,
                     const struct generation *now)
{
    struct names names = {0};
    add_files(&names, before->bundle, now->bundle);
    add_keys(&names, before->config, now->config, REACH_LIVE);
    const char *text = finish_names(&names);
    const struct log_field fields[] = {
        log_integer("generation", (int64_t)now->number),
        log_text("hash", now->hash),
    };
    log_event(LOG_INFO, fields, ARRAY_LENGTH(fields), "reloaded, generation %llu runs%s%s",
              (unsigned long long)now->number, text != NULL ? ": " : "", text != NULL ? text : "");
    buffer_destroy(&names.text);
    say_restart(first, now);
}

/* --- refusals --- */

void reload_say_refused(const struct generation *serving, const char *reason)
{
    size_t length = strcspn(reason, "\n");
    const struct log_field fields[] = {
        log_integer("generation", (int64_t)serving->number),
        log_text("reason", reason[length] != '\0' ? reason : NULL),
    };
    log_event(LOG_ERROR, fields, ARRAY_LENGTH(fields),
              "reload refused, still running generation %llu: %.*s",
              (unsigned long long)serving->number, (int)length, reason);
}
