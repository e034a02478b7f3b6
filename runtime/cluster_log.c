#include <string.h>

#include "cluster.h"
#include "log.h"
#include "thread.h"

/* Several handles meet the same trouble, each again and again. */
static void say(enum log_level level, const char *who, const char *sentence)
{
    struct log_field field = log_text("handle", who);
    log_repeated(sentence, 1, level, &field, 1, "%s", sentence);
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
    const char *hint = cluster_hint(facility);
    error_set(&line, "librdkafka: %s: %s%s%s", facility, text, hint != NULL ? "; " : "",
              hint != NULL ? hint : "");
    /* Whoever asks for debug wants all of it, and it would fold nothing but itself. */
    const struct log_field field = log_text("handle", who);
    if (level == LOG_DEBUG)
        log_event(level, &field, 1, "%s", line.text);
    else
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
