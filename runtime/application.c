#include "application.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle_signature.h"
#include "cluster.h"
#include "error.h"
#include "exit_code.h"
#include "mounts.h"
#include "script_check.h"
#include "words.h"

enum { LOG_END_MS = 1000 };

static int say_problems(struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        log_say(problems->lines[i]);
    bool has_problems = problems->count > 0;
    config_problems_destroy(problems);
    return has_problems ? EXIT_CONFIG : 0;
}

/* Somebody new, or in another folder than they think. */
static void say_no_config(const struct command_line *line)
{
    if (strcmp(line->config, COMMAND_LINE_CONFIG) == 0 && access(line->config, F_OK) != 0)
        log_say("`lagoon new DIR` writes an application to begin with; --config FILE says where "
                "another one's config is");
}

/* --- LAGOON_ and what nobody knows --- */

static const char lead[] = "LAGOON_";

/* By the config, or perhaps by a script in which the name stands. */
static bool is_asked_for(const struct application *application, const char *name)
{
    const struct config *config = application->config;
    const struct bundle *bundle = application->bundle;
    for (size_t i = 0; config != NULL && i < config->variable_count; i++)
        if (strcmp(config->variables[i], name) == 0)
            return true;
    for (size_t i = 0; bundle != NULL && i < bundle->count; i++)
        if (memmem(bundle->files[i].bytes, bundle->files[i].length, name, strlen(name)) != NULL)
            return true;
    return false;
}

/* Kubernetes sets these for a service that is called lagoon. */
static bool is_of_kubernetes(const char *own)
{
    return strncmp(own, "PORT", strlen("PORT")) == 0 ||
           strncmp(own, "SERVICE_", strlen("SERVICE_")) == 0;
}

/* The specs' own: who reads one of them says so. */
static bool is_of_specs(const char *own)
{
    return strncmp(own, "SPEC_", strlen("SPEC_")) == 0;
}

static void warn_of_variable(const struct application *application, const char *name)
{
    static const char *const known[] = {"CONFIG", "SCRIPTS", "ONLY", "INSTANCE", "LISTEN"};
    const char *own = name + strlen(lead);
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (strcmp(known[i], own) == 0)
            return;
    if (is_of_kubernetes(own) || is_of_specs(own) || is_asked_for(application, name))
        return;
    char *meant = words_did_you_mean(own, known, ARRAY_LENGTH(known), lead);
    if (application->bundle != NULL || *meant != '\0')
        log_warn("lagoon knows no environment variable %s%s", name, meant);
    free(meant);
}

/* Variables that look like lagoon's and are read by nobody. Without config or scripts, which may
 * ask for any, only those that look like a misspelling. */
static void warn_of_variables(const struct application *application)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, lead, strlen(lead)) != 0)
            continue;
        char *name = xasprintf("%.*s", (int)strcspn(*variable, "="), *variable);
        warn_of_variable(application, name);
        free(name);
    }
}

static int read_config(struct application *application, const struct command_line *line,
                       bool is_dev, struct config_problems *problems)
{
    const struct config_options options = {
        .path = line->config, .is_dev = is_dev, .sets = line->sets, .set_count = line->set_count};
    if (config_load(&options, &application->config, problems) != 0)
        return -1;
    cluster_check_config(application->config, is_dev, problems);
    return problems->count > 0 ? -1 : 0;
}

/* As messages show it; the caller frees it. */
static char *scripts_folder(const struct config *config, const struct command_line *line)
{
    if (line->scripts != NULL)
        return xstrdup(line->scripts);
    if (strcmp(config->directory, ".") == 0)
        return xstrdup("scripts");
    return xasprintf("%s/scripts", config->directory);
}

static int read_bundle(struct application *application, const struct command_line *line,
                       struct config_problems *problems)
{
    struct error err;
    char *directory = scripts_folder(application->config, line);
    /* An application that only publishes needs no scripts. */
    bool is_optional = line->scripts == NULL && application->config->consumer_count == 0;
    int rc = is_optional && access(directory, F_OK) != 0
                 ? bundle_empty(directory, &application->bundle)
                 : bundle_read(directory, &application->bundle, &err);
    free(directory);
    if (rc == 0)
        return 0;
    problems->lines = xrealloc(problems->lines, (problems->count + 1) * sizeof problems->lines[0]);
    problems->lines[problems->count++] = xstrdup(err.text);
    return -1;
}

int application_read(struct application *application, const struct command_line *line, bool is_dev,
                     struct config_problems *problems)
{
    *application = (struct application){0};
    if (read_config(application, line, is_dev, problems) != 0)
        return -1;
    return read_bundle(application, line, problems);
}

/* What is wrong, and when something is, what is only suspicious too. */
static int check_scripts(struct application *application)
{
    struct config_problems problems = {0};
    script_check(application->config, application->bundle, &problems, &application->suspicions);
    int exit_code = say_problems(&problems);
    if (exit_code != 0)
        application_say_suspicions(application);
    return exit_code;
}

void application_say_suspicions(const struct application *application)
{
    for (size_t i = 0; i < application->suspicions.count; i++)
        log_say(application->suspicions.lines[i]);
}

int application_load(struct application *application, const struct command_line *line, bool is_dev)
{
    struct config_problems problems = {0};
    int rc = application_read(application, line, is_dev, &problems);
    if (application->config != NULL)
        log_init(application->config->log_level, application->config->log_format);
    warn_of_variables(application);
    int exit_code = rc == 0 ? check_scripts(application) : say_problems(&problems);
    if (application->config == NULL)
        say_no_config(line);
    if (exit_code != 0)
        application_destroy(application);
    /* What the verb says itself stands behind it. */
    log_flush(LOG_END_MS);
    return exit_code;
}

void application_read_again(void *context, struct reading *reading)
{
    const struct application_source *source = context;
    struct application application;
    if (application_read(&application, source->line, source->is_dev, &reading->problems) == 0)
        script_check(application.config, application.bundle, &reading->problems,
                     &reading->suspicions);
    reading->config = application.config;
    reading->bundle = application.bundle;
}

/* What an `include` of a config that could not be read names stands beside the config, most
 * likely. */
uint64_t application_sign(void *context, const struct config *config)
{
    const struct application_source *source = context;
    char *scripts = scripts_folder(config, source->line);
    uint64_t signature = signature_of_folder(scripts, SIGNATURE_BELOW) +
                         signature_of_folder(config->directory, SIGNATURE_HERE) +
                         signature_of_file(config->path);
    for (size_t i = 0; i < config->file_count; i++)
        signature += signature_of_file(config->files[i]);
    free(scripts);
    return signature;
}

int application_find_dev(struct application *application, const struct command_line *line)
{
    struct error err;
    if (!line->is_dev || dev_note_find(&application->dev, application->config, &err) == 0)
        return 0;
    log_say(err.text);
    return EXIT_UNREACHABLE;
}

void application_say_notices(const struct application *application)
{
    for (size_t i = 0; i < application->config->notice_count; i++)
        log_info("%s", application->config->notices[i]);
    for (size_t i = 0; i < application->suspicions.count; i++)
        log_warn("%s", application->suspicions.lines[i]);
}

void application_warn_of_mounts(const struct application *application,
                                const struct command_line *line)
{
    char *scripts = scripts_folder(application->config, line);
    mounts_warn(application->config->path, scripts);
    free(scripts);
}

void application_destroy(struct application *application)
{
    dev_found_destroy(&application->dev);
    config_problems_destroy(&application->suspicions);
    bundle_free(&application->bundle);
    config_free(&application->config);
}
