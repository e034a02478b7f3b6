/* `lagoon dev`: the same against an embedded broker, with the traffic of scripts/dev.lua. */
#include "verb.h"

#include <stdio.h>
#include <stdlib.h>

#include "application.h"
#include "dev_broker.h"
#include "dev_note.h"
#include "error.h"
#include "exit_code.h"
#include "runtime.h"
#include "verb_control.h"

static int run_dev(const struct application *application, const struct dev_brokers *brokers,
                   struct application_source *source)
{
    const struct bundle_file *traffic = bundle_find(application->bundle, "dev");
    log_info("in dev the brokers and security properties of the config are set aside");
    char chunkname[512] = "";
    struct script_main main = {.kind = MAIN_TRAFFIC};
    if (traffic != NULL) {
        snprintf(chunkname, sizeof chunkname, "@%s", traffic->path);
        main.chunkname = chunkname;
        main.bytes = traffic->bytes;
        main.length = traffic->length;
        log_info("traffic comes from %s", traffic->path);
    }
    const struct runtime_options options = {
        .config = application->config,
        .bundle = application->bundle,
        .read = application_read_again,
        .sign = application_sign,
        .read_context = source,
        .is_watched = true,
        .is_controlled = true,
        .instance = source->line->instance,
        .listen = source->line->listen,
        .embedded_brokers = brokers->addresses,
        .main = traffic != NULL ? &main : NULL,
    };
    struct runtime_result result;
    int exit_code = runtime_run(&options, &result);
    free(result.main_failure);
    return exit_code;
}

/* Without its note it runs all the same. */
static int run_noted(const struct application *application, const struct dev_brokers *brokers,
                     struct application_source *source)
{
    struct dev_note note;
    struct error err;
    if (dev_note_write(&note, application->config, brokers->addresses, &err) == 0)
        log_info("publish, exec and check find it by --dev");
    else
        log_warn("%s", err.text);
    int exit_code = run_dev(application, brokers, source);
    dev_note_remove(&note);
    return exit_code;
}

int verb_dev(const struct command_line *line)
{
    struct application application;
    struct dev_brokers brokers;
    struct error err;
    int exit_code = verb_check_instance("dev", line);
    if (exit_code == 0)
        exit_code = application_load(&application, line, true);
    if (exit_code != 0)
        return exit_code;
    application_say_notices(&application);
    application_warn_of_mounts(&application, line);
    struct application_source source = {line, true};
    if (dev_brokers_start(&brokers, application.config, line->port, &err) != 0) {
        log_error("%s", err.text);
        exit_code = EXIT_INTERNAL;
    } else {
        exit_code = run_noted(&application, &brokers, &source);
        dev_brokers_stop(&brokers);
    }
    application_destroy(&application);
    return exit_code;
}
