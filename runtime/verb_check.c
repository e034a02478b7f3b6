/* `lagoon check`: what can be said about config and scripts. */
#include "verb.h"

#include <stdio.h>

#include "application.h"
#include "exit_code.h"

static void say_count(size_t count, const char *what, const char *behind)
{
    printf(" %zu %s%s%s", count, what, count == 1 ? "" : "s", behind);
}

int verb_check(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, false);
    if (exit_code != 0)
        return exit_code;
    const struct config *config = application.config;
    for (size_t i = 0; i < config->notice_count; i++)
        printf("%s\n", config->notices[i]);
    printf("%s: good:", config->path);
    say_count(config->topic_count, "topic", ",");
    say_count(config->producer_count, "producer", ",");
    say_count(config->consumer_count, "consumer", ",");
    say_count(application.bundle->count, "script file", "\n");
    application_destroy(&application);
    return EXIT_OK;
}
