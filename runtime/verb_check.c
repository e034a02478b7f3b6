/* `lagoon check`: what can be said about config and scripts, and with --connect by the brokers. */
#include "verb.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "application.h"
#include "cluster_survey.h"
#include "error.h"
#include "exit_code.h"
#include "thread.h"

/* --- the brokers --- */

/* One cluster's; each is asked by a thread of its own, so that one that is away takes no time from
 * the others. */
struct inquiry {
    const struct config *config;
    struct cluster cluster;
    int64_t timeout_ms;
    struct survey survey;
    struct error err;
    int rc;
    pthread_t thread;
};

static void *inquire(void *argument)
{
    struct inquiry *inquiry = argument;
    int64_t deadline_ms = inquiry->timeout_ms > 0 ? clock_monotonic_ms() + inquiry->timeout_ms : 0;
    inquiry->rc = cluster_survey(&inquiry->cluster, inquiry->config, deadline_ms, &inquiry->survey,
                                 &inquiry->err);
    return NULL;
}

static int start_inquiry(struct inquiry *inquiry, const struct application *application,
                         size_t index, int64_t timeout_ms, struct error *err)
{
    const struct config *config = application->config;
    *inquiry = (struct inquiry){.config = config, .timeout_ms = timeout_ms};
    cluster_init(&inquiry->cluster, &config->clusters[index], config->cluster_count > 1);
    if (application->dev.count > 0) {
        inquiry->cluster.brokers = application->dev.addresses[index];
        inquiry->cluster.is_embedded = true;
    }
    return thread_start(&inquiry->thread, inquire, inquiry, err);
}

static int say_inquiry(const struct inquiry *inquiry)
{
    const struct survey *survey = &inquiry->survey;
    for (size_t i = 0; i < survey->remarks.count; i++)
        printf("%s\n", survey->remarks.items[i]);
    for (size_t i = 0; i < survey->problems.count; i++)
        fprintf(stderr, "%s\n", survey->problems.items[i]);
    if (inquiry->rc != 0) {
        fprintf(stderr, "%sKafka at %s cannot be asked: %s\n", inquiry->cluster.label,
                inquiry->cluster.brokers, inquiry->err.text);
        return EXIT_UNREACHABLE;
    }
    return survey->problems.count > 0 ? EXIT_BROKERS : EXIT_OK;
}

/* A cluster that did not answer outweighs what others said. */
static int worse(int one, int other)
{
    return one == EXIT_UNREACHABLE || other == EXIT_OK ? one : other;
}

static int ask_brokers(const struct application *application, int64_t timeout_ms)
{
    const struct config *config = application->config;
    struct inquiry *inquiries = xcalloc(config->cluster_count, sizeof inquiries[0]);
    struct error err;
    size_t started = 0;
    while (started < config->cluster_count &&
           start_inquiry(&inquiries[started], application, started, timeout_ms, &err) == 0)
        started++;
    int exit_code = EXIT_OK;
    if (started < config->cluster_count) {
        fprintf(stderr, "lagoon check: %s\n", err.text);
        exit_code = EXIT_INTERNAL;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(inquiries[i].thread, NULL);
        exit_code = worse(say_inquiry(&inquiries[i]), exit_code);
        survey_destroy(&inquiries[i].survey);
    }
    free(inquiries);
    if (exit_code == EXIT_OK)
        printf("%s: the brokers agree\n", config->path);
    return exit_code;
}

/* --- the files --- */

static void say_count(size_t count, const char *what, const char *behind)
{
    printf(" %zu %s%s%s", count, what, count == 1 ? "" : "s", behind);
}

static void say_good(const struct application *application)
{
    const struct config *config = application->config;
    for (size_t i = 0; i < config->notice_count; i++)
        printf("%s\n", config->notices[i]);
    for (size_t i = 0; i < application->dev.count; i++)
        printf("lagoon dev runs: cluster %s is at %s\n", config->clusters[i].name,
               application->dev.addresses[i]);
    printf("%s: good:", config->path);
    say_count(config->topic_count, "topic", ",");
    say_count(config->producer_count, "producer", ",");
    say_count(config->consumer_count, "consumer", ",");
    say_count(application->bundle->count, "script file", "\n");
    fflush(stdout);
}

int verb_check(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, line->is_dev);
    if (exit_code != 0)
        return exit_code;
    if (application.suspicions.count > 0) {
        application_say_suspicions(&application);
        exit_code = EXIT_CONFIG;
    }
    if (exit_code == 0)
        exit_code = application_find_dev(&application, line);
    if (exit_code == 0)
        say_good(&application);
    if (exit_code == 0 && line->wants_brokers)
        exit_code = ask_brokers(&application, line->timeout_ms);
    application_destroy(&application);
    return exit_code;
}
