/* `lagoon run`: what the config declares, until a signal. */
#include "verb.h"

#include <stdio.h>
#include <string.h>

#include "application.h"
#include "exit_code.h"
#include "runtime.h"
#include "verb_control.h"

/* --only names a side or a consumer. */
static int check_only(const struct config *config, const char *only)
{
    if (only == NULL || strcmp(only, "producers") == 0 || strcmp(only, "consumers") == 0)
        return 0;
    const struct consumer_config *consumer = config_consumer(config, only);
    if (consumer != NULL && consumer->is_enabled)
        return 0;
    if (consumer != NULL) {
        fprintf(stderr,
                "lagoon run: --only %s: this consumer is disabled; remove `enabled = false`"
                " at %s to run it\n",
                only, consumer->place);
        return EXIT_USAGE;
    }
    fprintf(stderr,
            "lagoon run: --only %s: it is producers, consumers, or a consumer's name:", only);
    for (size_t i = 0; i < config->consumer_count; i++)
        fprintf(stderr, " %s", config->consumers[i].name);
    fprintf(stderr, "\n");
    return EXIT_USAGE;
}

int verb_run(const struct command_line *line)
{
    struct application application;
    struct runtime_result result;
    int exit_code = verb_check_instance("run", line);
    if (exit_code == 0)
        exit_code = application_load(&application, line, false);
    if (exit_code != 0)
        return exit_code;
    exit_code = check_only(application.config, line->only);
    if (exit_code == 0) {
        application_say_notices(&application);
        bool is_watched = line->is_watching || application.config->is_watched;
        if (is_watched)
            application_warn_of_mounts(&application, line);
        struct application_source source = {line, false};
        const struct runtime_options options = {
            .config = application.config,
            .bundle = application.bundle,
            .read = application_read_again,
            .sign = application_sign,
            .read_context = &source,
            .is_watched = is_watched,
            .only = line->only,
            .is_controlled = true,
            .instance = line->instance,
            .listen = line->listen,
        };
        exit_code = runtime_run(&options, &result);
    }
    application_destroy(&application);
    return exit_code;
}
