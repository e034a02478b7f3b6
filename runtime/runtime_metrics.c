/* What the whole process counts, for Prometheus, and whether it is ready. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <dirent.h>

#include "log.h"
#include "metrics.h"
#include "runtime_internal.h"

/* --- the process --- */

static size_t count_files(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count - 3; /* itself and its parent are listed, and so is this look */
}

double runtime_resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%*s %lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

double runtime_cpu_seconds(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}

static void add_process(struct metrics *metrics, const struct runtime *runtime)
{
    struct rlimit limit;
    metrics_add(metrics, METRIC_CPU, NULL, runtime_cpu_seconds());
    metrics_add(metrics, METRIC_CPUS, NULL, config_cpu_count());
    metrics_add(metrics, METRIC_RESIDENT, NULL, runtime_resident_bytes());
    metrics_add(metrics, METRIC_OPEN_FILES, NULL, (double)count_files());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_add(metrics, METRIC_MAX_FILES, NULL, (double)limit.rlim_cur);
    /* Taken once: whoever counts restarts by it must not see a clock that is being set right. */
    metrics_add(metrics, METRIC_START_TIME, NULL, (double)runtime->started_wall_ms / 1000);
}

/* --- what it runs --- */

static void add_reloads(struct metrics *metrics, const struct reload *reload)
{
    static const char *const results[] = {
        [RELOAD_DONE] = "done", [RELOAD_UNCHANGED] = "unchanged", [RELOAD_REFUSED] = "refused"};
    metrics_add(metrics, METRIC_GENERATION, NULL, (double)reload->serving->number);
    metrics_add(metrics, METRIC_FILES_REFUSED, NULL, reload->refusal != NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(results); i++) {
        const struct metric_labels labels = {{results[i]}};
        metrics_add(metrics, METRIC_RELOADS, &labels, (double)reload->ends[i]);
    }
}

static void add_producer(struct metrics *metrics, const char *name, const struct producer *producer)
{
    const struct producer_counts counts = producer_counts(producer);
    const struct metric_labels acknowledged = {{name, "acknowledged"}};
    const struct metric_labels refused = {{name, "refused"}};
    const struct metric_labels labels = {{name}};
    metrics_add(metrics, METRIC_PUBLISHED, &acknowledged, (double)counts.acknowledged);
    metrics_add(metrics, METRIC_PUBLISHED, &refused, (double)counts.refused);
    metrics_add(metrics, METRIC_OUTSTANDING, &labels, (double)producer_outstanding(producer));
    metrics_add_client(metrics, METRIC_OF_PRODUCER, name, producer_statistics(producer));
}

static void add_shared(struct metrics *metrics, struct shared *shared)
{
    const struct shared_counts counts = shared_counts(shared);
    metrics_add(metrics, METRIC_SHARED_KEYS, NULL, (double)counts.keys);
    metrics_add(metrics, METRIC_SHARED_BYTES, NULL, (double)counts.bytes);
    metrics_add(metrics, METRIC_SHARED_LIMIT, NULL, (double)counts.limit_bytes);
    metrics_add(metrics, METRIC_SHARED_EVICTED, NULL, (double)counts.evicted);
    metrics_add(metrics, METRIC_SHARED_REFUSED, NULL, (double)counts.refused);
}

static void collect(struct metrics *metrics, struct runtime *runtime)
{
    struct buffer reasons;
    buffer_init(&reasons);
    runtime_add_reasons(runtime, &reasons);
    metrics_add(metrics, METRIC_READY, NULL, reasons.length == 0);
    buffer_destroy(&reasons);
    add_reloads(metrics, &runtime->reload);
    const struct crew *crew = &runtime->crew;
    for (struct consumer *consumer = crew_first(crew); consumer != NULL;
         consumer = crew_next(crew, consumer))
        consumer_add_metrics(consumer, metrics);
    /* Once they are being closed they are nobody's to look at. */
    const struct generation *serving = runtime->reload.serving;
    const struct config *config = serving->config;
    for (size_t i = 0; i < config->producer_count && runtime->phase < PHASE_CLOSING; i++)
        add_producer(metrics, config->producers[i].name, serving->host.producers[i]);
    add_shared(metrics, runtime->shared);
    metrics_add(metrics, METRIC_LOG_DROPPED, NULL, (double)log_dropped_count());
    add_process(metrics, runtime);
}

void runtime_write_metrics(struct runtime *runtime, struct buffer *out)
{
    struct metrics metrics;
    metrics_init(&metrics);
    collect(&metrics, runtime);
    metrics_write(&metrics, out);
    metrics_destroy(&metrics);
}

/* --- readiness --- */

void runtime_add_reasons(const struct runtime *runtime, struct buffer *reasons)
{
    if (runtime->phase != PHASE_RUNNING)
        buffer_append_text(reasons, "the process stops\n");
    else if (!connections_are_ready(&runtime->connections))
        buffer_append_text(reasons, "a cluster that is needed has not answered yet\n");
    const struct crew *crew = &runtime->crew;
    for (struct consumer *consumer = crew_first(crew);
         consumer != NULL && runtime->phase == PHASE_RUNNING; consumer = crew_next(crew, consumer))
        consumer_add_reasons(consumer, reasons);
}

bool runtime_write_health(const struct runtime *runtime, struct json_writer *writer)
{
    struct buffer reasons;
    char *rest = NULL;
    buffer_init(&reasons);
    runtime_add_reasons(runtime, &reasons);
    bool is_ready = reasons.length == 0;
    buffer_append(&reasons, "", 1);
    json_write_bool(writer, "ready", is_ready);
    json_begin_array(writer, "reasons");
    for (char *line = strtok_r(reasons.bytes, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        json_write_text(writer, NULL, line);
    json_end_array(writer);
    buffer_destroy(&reasons);
    return is_ready;
}
