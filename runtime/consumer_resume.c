/* Stopped partitions of a consumer start again, as an operator asks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer_internal.h"
#include "json_writer.h"
#include "log.h"
#include "thread.h"

static bool is_meant(const struct consumer_resume *resume, const struct partition *partition)
{
    return partition->epoch != 0 &&
           (resume->topic == NULL || strcmp(resume->topic, partition->lane->topic) == 0) &&
           (resume->partition < 0 || resume->partition == partition->number);
}

/* The first one from `partition` on that is meant; NULL when there is none. */
static struct partition *find_meant(const struct assignment *assignment,
                                    const struct consumer_resume *resume,
                                    struct partition *partition)
{
    while (partition != NULL && !is_meant(resume, partition))
        partition = assignment_next(assignment, partition);
    return partition;
}

static struct partition *first_meant(const struct assignment *assignment,
                                     const struct consumer_resume *resume)
{
    return find_meant(assignment, resume, assignment_first(assignment));
}

static struct partition *next_meant(const struct assignment *assignment,
                                    const struct consumer_resume *resume,
                                    const struct partition *partition)
{
    return find_meant(assignment, resume, assignment_next(assignment, partition));
}

/* Of those that are meant, how many are stopped, and the last of them. */
static size_t count_stopped(const struct assignment *assignment,
                            const struct consumer_resume *resume, struct partition **stopped)
{
    size_t count = 0;
    for (struct partition *partition = first_meant(assignment, resume); partition != NULL;
         partition = next_meant(assignment, resume, partition)) {
        if (!partition->is_stopped)
            continue;
        *stopped = partition;
        count++;
    }
    return count;
}

static int check(const struct consumer *consumer, const struct consumer_resume *resume,
                 struct error *err)
{
    const char *name = consumer->config->name;
    if (consumer->state != CONSUMER_RUNNING) {
        error_set(err, "consumer %s is %s", name,
                  consumer->state < CONSUMER_RUNNING ? "not running yet" : "stopping");
        return -1;
    }
    bool names_any = resume->topic != NULL || resume->partition >= 0;
    if (first_meant(&consumer->assignment, resume) != NULL || !names_any)
        return 0;
    char number[24] = "";
    if (resume->partition >= 0)
        snprintf(number, sizeof number, resume->topic != NULL ? "[%d]" : "partition %d",
                 resume->partition);
    error_set(err,
              "%s%s%s of consumer %s is not assigned to this process; lagoon status says what is",
              resume->partition < 0 ? "topic " : "", resume->topic != NULL ? resume->topic : "",
              number, name);
    return -1;
}

/* One record of one partition is meant, whichever partition that is. */
static int skip(struct consumer *consumer, const struct consumer_resume *resume, struct error *err)
{
    struct partition *stopped = NULL;
    size_t count = count_stopped(&consumer->assignment, resume, &stopped);
    if (count != 1) {
        error_set(err, count == 0
                           ? "nothing of it is stopped, so there is no record to be skipped"
                           : "several partitions are stopped: name the one that is meant, by "
                             "--topic and --partition");
        return -1;
    }
    if (partition_check_resume(stopped, err) != 0 ||
        partition_skip_stopper(stopped, resume->skip, err) != 0)
        return -1;
    log_info("consumer %s: %s[%d]: the record at offset %" PRId64 " is skipped, as was asked for",
             consumer->config->name, stopped->lane->topic, stopped->number, resume->skip);
    return 0;
}

static void resume_one(const struct consumer *consumer, struct partition *partition,
                       struct json_writer *answer)
{
    struct error err;
    int64_t offset = partition->stop.offset;
    json_begin_object(answer, NULL);
    json_write_text(answer, "topic", partition->lane->topic);
    json_write_integer(answer, "partition", partition->number);
    if (partition_resume(partition, &err) != 0) {
        json_write_text(answer, "refused", err.text);
    } else {
        size_t running = partition->is_stopped ? partition_running(partition) : 0;
        json_write_integer(answer, "offset", offset);
        json_write_integer(answer, "waits_for", (int64_t)running);
        log_info("consumer %s: %s[%d], stopped at offset %" PRId64 ", goes on%s, as was asked for",
                 consumer->config->name, partition->lane->topic, partition->number, offset,
                 running > 0 ? " when the handlers that have begun have ended" : "");
    }
    json_end_object(answer);
}

/* One that cannot go on stays as it is, and says so as before. */
void consumer_resume_stopped(struct consumer *consumer,
                             void (*on_resumed)(void *context, const char *place), void *context)
{
    const struct assignment *assignment = &consumer->assignment;
    assignment_collect(&consumer->assignment);
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        struct error err;
        bool is_meant = partition->epoch != 0 && partition->is_stopped;
        if (!is_meant || partition->stop.is_resuming || partition_resume(partition, &err) != 0)
            continue;
        char *place = xasprintf("%s[%d]", partition->lane->topic, partition->number);
        on_resumed(context, place);
        free(place);
    }
    uv_async_send(&consumer->wake);
}

int consumer_resume(struct consumer *consumer, const struct consumer_resume *resume,
                    struct json_writer *answer, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    if (check(consumer, resume, err) != 0)
        return -1;
    bool names_any = resume->topic != NULL || resume->partition >= 0 || resume->skip >= 0;
    if (names_any && consumer->assignment.intake.is_paused) {
        error_set(err, "consumer %s is paused, all of it: lagoon resume %s lets it go on",
                  consumer->config->name, consumer->config->name);
        return -1;
    }
    bool was_paused = consumer_unpause(consumer);
    assignment_collect(&consumer->assignment);
    if (resume->skip >= 0 && skip(consumer, resume, err) != 0)
        return -1;
    json_write_text(answer, "consumer", consumer->config->name);
    json_write_bool(answer, "was_paused", was_paused);
    if (resume->skip >= 0)
        json_write_integer(answer, "skipped", resume->skip);
    json_begin_array(answer, "partitions");
    const struct assignment *assignment = &consumer->assignment;
    for (struct partition *partition = first_meant(assignment, resume); partition != NULL;
         partition = next_meant(assignment, resume, partition))
        if (partition->is_stopped)
            resume_one(consumer, partition, answer);
    json_end_array(answer);
    uv_async_send(&consumer->wake);
    return 0;
}
