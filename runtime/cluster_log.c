#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "log.h"
#include "thread.h"

enum { REPEAT_MS = 5000, REMEMBERED = 32, DETAIL_BYTES = 1024 };

/* --- librdkafka's errors in plain words --- */

/* An error of a connection, taken apart: `127.0.0.1:9092/1: Connect to ipv4#127.0.0.1:9092 failed:
 * Connection refused (after 0ms in state CONNECT)`. */
struct detail {
    char text[DETAIL_BYTES]; /* what the pointers point into */
    const char *address;     /* 127.0.0.1:9092 */
    const char *reason;      /* Connect to ... refused */
};

static void drop_prefix(const char **text, const char *prefix)
{
    if (strncmp(*text, prefix, strlen(prefix)) == 0)
        *text += strlen(prefix);
}

/* Times and repetitions would make every occurrence a new sentence. */
static void drop_duration(char *text)
{
    char *suffix = strstr(text, " (after ");
    if (suffix != NULL)
        *suffix = '\0';
}

static void detail_take_apart(struct detail *detail, const char *text)
{
    drop_prefix(&text, "GroupCoordinator: ");
    snprintf(detail->text, sizeof detail->text, "%s", text);
    drop_duration(detail->text);

    detail->address = detail->text;
    char *end = strstr(detail->text, ": ");
    detail->reason = end != NULL ? end + 2 : detail->text;
    if (end != NULL)
        *end = '\0';
    char *scheme = strstr(detail->text, "://");
    if (scheme != NULL)
        detail->address = scheme + 3;
    char *slash = strrchr(scheme != NULL ? scheme + 3 : detail->text, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* What stands behind the last ": ", in lower case: `connection refused`. */
static void last_part(const char *reason, char *part, size_t size)
{
    for (const char *next = strstr(reason, ": "); next != NULL; next = strstr(reason, ": "))
        reason = next + 2;
    snprintf(part, size, "%s", reason);
    part[0] = (char)tolower((unsigned char)part[0]);
}

static void explain_transport(const struct detail *detail, struct error *err)
{
    char cause[256];
    last_part(detail->reason, cause, sizeof cause);
    if (strncmp(detail->reason, "Connect", strlen("Connect")) == 0)
        error_set(err, "no broker answers at %s: %s", detail->address, cause);
    else if (strcmp(detail->reason, "Disconnected") == 0)
        error_set(err, "the broker at %s closed the connection", detail->address);
    else if (strncmp(detail->reason, "Disconnected", strlen("Disconnected")) == 0)
        error_set(err, "the broker at %s closed the connection: %s", detail->address, cause);
    else
        error_set(err, "the broker at %s cannot be used: %s", detail->address, detail->reason);
}

/* `Receive failed: Invalid response size 10485932 (0..5000000): increase
 * receive.message.max.bytes`. Who speaks another protocol sends its first letters in place of a
 * size. */
static void explain_answer(const struct detail *detail, struct error *err)
{
    enum { LETTERS_HTTP = 0x48545450, LETTERS_TLS_ALERT = 0x1503 };
    static const char lead[] = "response size ";
    const char *size = strstr(detail->reason, lead);
    long long bytes = size != NULL ? strtoll(size + strlen(lead), NULL, 10) : 0;
    if (bytes == LETTERS_HTTP)
        error_set(err, "the server at %s is no Kafka broker, it speaks HTTP", detail->address);
    else if (bytes >> 16 == LETTERS_TLS_ALERT)
        error_set(err, "the broker at %s wants TLS, see security.protocol", detail->address);
    else if (size != NULL && strstr(size, "receive.message.max.bytes") != NULL)
        error_set(err,
                  "the broker at %s answers with %lld bytes, more than receive.message.max.bytes "
                  "allows",
                  detail->address, bytes);
    else
        error_set(err, "the broker at %s cannot be understood: %s", detail->address,
                  detail->reason);
}

static void explain_login(const struct detail *detail, struct error *err)
{
    enum { VERSION_2_6_1 = 0x02060100 };
    error_set(err, "the broker at %s refuses the login: %s", detail->address, detail->reason);
    if (strstr(detail->reason, "SCRAM") != NULL && rd_kafka_version() < VERSION_2_6_1)
        error_set(err, "%s (librdkafka %s cannot log in to Kafka 4 by SCRAM, 2.6.1 and later can)",
                  err->text, rd_kafka_version_str());
}

/* `Subscribed topic not available: NAME: Broker: Unknown topic or partition` */
static void explain_topic(rd_kafka_resp_err_t code, const char *text, struct error *err)
{
    const char *name = text;
    drop_prefix(&name, "Subscribed topic not available: ");
    if (name == text) {
        error_set(err, "%s", text);
        return;
    }
    int length = (int)strcspn(name, ":");
    if (name[0] == '^')
        error_set(err, "no topic matches \"%.*s\" yet; waiting for one", length, name);
    else if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        error_set(err, "topic \"%.*s\" does not exist; waiting for it", length, name);
    else
        error_set(err, "no right to read topic \"%.*s\"", length, name);
}

void cluster_explain(rd_kafka_resp_err_t code, const char *text, struct error *err)
{
    struct detail detail;
    detail_take_apart(&detail, text);
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        explain_transport(&detail, err);
        break;
    case RD_KAFKA_RESP_ERR__RESOLVE: {
        char cause[256];
        last_part(detail.reason, cause, sizeof cause);
        error_set(err, "the broker's name in %s cannot be resolved: %s", detail.address, cause);
        break;
    }
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        explain_login(&detail, err);
        break;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        explain_answer(&detail, err);
        break;
    case RD_KAFKA_RESP_ERR__SSL:
        error_set(err, "no TLS connection to %s: %s", detail.address, detail.reason);
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        explain_topic(code, text, err);
        break;
    default:
        error_set(err, "%s", text);
        break;
    }
}

/* --- folding of repeats --- */

/* Several handles meet the same trouble, each again and again. Main only. */
static struct {
    char text[DETAIL_BYTES];
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
    char text[DETAIL_BYTES];
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
    bool is_failure = strcmp(facility, "FAIL") == 0 || strcmp(facility, "FATAL") == 0;
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
        error_set(err, "%s", text);
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
