#include "verb_arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

static void say_none(const char *verb, const char *kind, const struct config *config,
                     const char *name, const char *const *names, size_t count)
{
    char *meant = words_did_you_mean(name, names, count, "");
    fprintf(stderr, "lagoon %s: there is no %s '%s' in %s%s", verb, kind, name, config->path,
            *meant != '\0' ? meant : "; it has:");
    for (size_t i = 0; i < count && *meant == '\0'; i++)
        fprintf(stderr, " %s", names[i]);
    fprintf(stderr, "\n");
    free(meant);
}

void verb_say_no_consumer(const char *verb, const struct config *config, const char *name)
{
    const char **names = xcalloc(config->consumer_count + 1, sizeof names[0]);
    for (size_t i = 0; i < config->consumer_count; i++)
        names[i] = config->consumers[i].name;
    say_none(verb, "consumer", config, name, names, config->consumer_count);
    free(names);
}

void verb_say_no_producer(const char *verb, const struct config *config, const char *name)
{
    const char **names = xcalloc(config->producer_count + 1, sizeof names[0]);
    for (size_t i = 0; i < config->producer_count; i++)
        names[i] = config->producers[i].name;
    say_none(verb, "producer", config, name, names, config->producer_count);
    free(names);
}

int verb_check_headers(const char *verb, const struct command_line *line)
{
    for (size_t i = 0; i < line->header_count; i++) {
        if (strchr(line->headers[i], '=') > line->headers[i])
            continue;
        fprintf(stderr, "lagoon %s: --header takes NAME=VALUE, got '%s'\n", verb, line->headers[i]);
        return -1;
    }
    return 0;
}
