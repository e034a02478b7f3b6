#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "log.h"
#include "thread.h"

enum { REPEAT_MS = 5000, REMEMBERED = 32, SENTENCE_BYTES = 1024 };

/* --- folding of repeats --- */

/* Several handles meet the same trouble, each again and again. Main only. */
static struct {
    char text[SENTENCE_BYTES];
    int64_t said_ms;
    unsigned repeats;
} remembered[REMEMBERED];

/* The entry of this sentence, else the one that was said longest ago. */
static size_t remembered_find(const char *text)
{
    size_t oldest = 0;
    for (size_t i = 0; i < REMEMBERED; i++) {
        if (strcmp(remembered[i].text, text) == 0)
            return i;
        if (remembered[i].said_ms < remembered[oldest].said_ms)
            oldest = i;
    }
    return oldest;
}

static void say(enum log_level level, const char *who, const char *sentence)
{
    char text[SENTENCE_BYTES];
    snprintf(text, sizeof text, "%s", sentence);
    int64_t now = clock_monotonic_ms();
    size_t i = remembered_find(text);
    unsigned repeats = 0;
    if (strcmp(remembered[i].text, text) == 0) {
        repeats = remembered[i].repeats;
        if (now - remembered[i].said_ms < REPEAT_MS) {
            remembered[i].repeats++;
            return;
        }
    }
    memcpy(remembered[i].text, text, sizeof text);
    remembered[i].said_ms = now;
    remembered[i].repeats = 0;

    struct log_field field = log_text("handle", who);
    if (repeats > 0)
        log_event(level, &field, 1, "%s (and %u times more since it was last said)", text, repeats);
    else
        log_event(level, &field, 1, "%s", text);
}

/* --- events --- */

static void log_line(rd_kafka_event_t *event, const char *who)
{
    const char *facility, *text;
    int severity;
    if (rd_kafka_event_log(event, &facility, &text, &severity) != 0)
        return;
    /* Failures come as error events too; and the cluster's properties are set on producers and
     * consumers alike, so that one of the two never needs them all. */
    bool is_failure = strcmp(facility, "FAIL") == 0 || strcmp(facility, "FATAL") == 0 ||
                      strcmp(facility, "SSLCERTVRFY") == 0;
    /* The embedded broker does not tell which requests it knows, so librdkafka warns of this one.
     */
    bool is_embedded_talk = strcmp(facility, "AUTOCREATE") == 0;
    if (is_failure || is_embedded_talk || strstr(text, "will be ignored by this") != NULL)
        return;
    if (strncmp(text, "[thrd:", strlen("[thrd:")) == 0 && strstr(text, "]: ") != NULL)
        text = strstr(text, "]: ") + strlen("]: ");

    enum { SYSLOG_ERROR = 3, SYSLOG_WARNING = 4, SYSLOG_INFO = 6 };
    /* It goes on by itself; only what stays so is worth a warning. */
    if (severity == SYSLOG_WARNING && strstr(text, ": retrying") != NULL)
        severity = SYSLOG_INFO;
    enum log_level level = severity <= SYSLOG_ERROR     ? LOG_ERROR
                           : severity == SYSLOG_WARNING ? LOG_WARN
                           : severity <= SYSLOG_INFO    ? LOG_INFO
                                                        : LOG_DEBUG;
    struct error line;
    error_set(&line, "librdkafka: %s: %s", facility, text);
    say(level, who, line.text);
}

static bool log_trouble(rd_kafka_event_t *event, const char *who, struct error *err)
{
    const char *text = rd_kafka_event_error_string(event);
    if (rd_kafka_event_error_is_fatal(event)) {
        cluster_explain_fatal(text, err);
        return true;
    }
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    struct error sentence;
    cluster_explain(code, text, &sentence);
    /* Every broker's own trouble has been said. */
    bool is_sum = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    say(is_sum ? LOG_DEBUG : LOG_WARN, who, sentence.text);
    return false;
}

bool cluster_log_event(rd_kafka_event_t *event, const char *who, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_LOG:
        log_line(event, who);
        return false;
    case RD_KAFKA_EVENT_ERROR:
        return log_trouble(event, who, err);
    default:
        return false;
    }
}
