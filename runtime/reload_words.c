#include "reload_internal.h"

#include <stdlib.h>
#include <string.h>

#include "config_compare.h"
#include "log.h"

/* Of a list of names in one line. */
enum { MAX_NAMES = 12 };

static void add_name(struct names *names, const char *name, const char *behind)
{
    if (names->count < MAX_NAMES)
        buffer_format(&names->text, "%s%s%s", names->count > 0 ? ", " : "", name, behind);
    names->count++;
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

/* The text, which is the caller's; NULL when there are none. */
static char *take_names(struct names *names)
{
    if (names->count > MAX_NAMES)
        buffer_format(&names->text, " and %zu more", names->count - MAX_NAMES);
    return names->text.bytes;
}

void reload_note_change(void *context, enum crew_change change, const char *name)
{
    struct crew_words *words = context;
    add_name(&words->names[change], name, "");
}

/* --- outcomes --- */

static void begin(struct reload_outcome *outcome, enum reload_end end,
                  const struct generation *serving)
{
    *outcome = (struct reload_outcome){.end = end, .generation = serving->number};
    memcpy(outcome->hash, serving->hash, sizeof outcome->hash);
}

/* What takes another start is what differs from the process's own config, not only from the
 * generation before: it is said until the process is started again, or the key is back. */
void reload_word_done(struct reload_outcome *outcome, const struct config *first,
                      const struct generation *before, const struct generation *now,
                      struct crew_words *words)
{
    struct names changed = {0};
    struct names restart = {0};
    begin(outcome, RELOAD_DONE, now);
    add_files(&changed, before->bundle, now->bundle);
    add_keys(&changed, before->config, now->config, REACH_LIVE);
    add_keys(&changed, before->config, now->config, REACH_CONSUMER);
    add_keys(&restart, first, now->config, REACH_RESTART);
    outcome->text = take_names(&changed);
    outcome->restart = take_names(&restart);
    for (int i = 0; i < CREW_CHANGES; i++)
        outcome->changes[i] = take_names(&words->names[i]);
}

void reload_word_rest(struct reload_outcome *outcome, const struct generation *serving,
                      const char *reason)
{
    begin(outcome, reason != NULL ? RELOAD_REFUSED : RELOAD_UNCHANGED, serving);
    outcome->text = reason != NULL ? xstrdup(reason) : NULL;
}

void reload_outcome_destroy(struct reload_outcome *outcome)
{
    free(outcome->text);
    free(outcome->restart);
    for (int i = 0; i < CREW_CHANGES; i++)
        free(outcome->changes[i]);
    *outcome = (struct reload_outcome){0};
}

/* --- the log --- */

static void say_done(const struct reload_outcome *outcome)
{
    const struct log_field fields[] = {
        log_integer("generation", (int64_t)outcome->generation),
        log_text("hash", outcome->hash),
    };
    static const char *const changes[CREW_CHANGES] = {
        [CREW_STARTS] = "consumers that start",
        [CREW_STOPS] = "consumers that stop",
        [CREW_RESTARTS] = "consumers that leave their group and join anew",
        [CREW_RESUMES] = "stopped partitions that go on",
    };
    const char *text = outcome->text != NULL ? outcome->text : "";
    log_event(LOG_INFO, fields, ARRAY_LENGTH(fields), "reloaded, generation %llu runs%s%s",
              (unsigned long long)outcome->generation, *text != '\0' ? ": " : "", text);
    for (int i = 0; i < CREW_CHANGES; i++)
        if (outcome->changes[i] != NULL)
            log_info("generation %llu: %s: %s", (unsigned long long)outcome->generation, changes[i],
                     outcome->changes[i]);
    if (outcome->restart != NULL)
        log_warn("generation %llu: these changes take effect only when the process is started "
                 "again: %s",
                 (unsigned long long)outcome->generation, outcome->restart);
}

static void say_refused(const struct reload_outcome *outcome)
{
    size_t length = strcspn(outcome->text, "\n");
    const struct log_field fields[] = {
        log_integer("generation", (int64_t)outcome->generation),
        log_text("reason", outcome->text[length] != '\0' ? outcome->text : NULL),
    };
    log_event(LOG_ERROR, fields, ARRAY_LENGTH(fields),
              "reload refused, still running generation %llu: %.*s",
              (unsigned long long)outcome->generation, (int)length, outcome->text);
}

void reload_say(const struct reload_outcome *outcome)
{
    switch (outcome->end) {
    case RELOAD_DONE:
        say_done(outcome);
        return;
    case RELOAD_REFUSED:
        say_refused(outcome);
        return;
    case RELOAD_UNCHANGED:
        log_info("reload: nothing has changed, generation %llu goes on",
                 (unsigned long long)outcome->generation);
        return;
    }
}
