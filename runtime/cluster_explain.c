#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "cluster_certificate.h"

enum { DETAIL_BYTES = 1024 };

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

/* `Receive failed: error:0A000412:SSL routines::sslv3 alert bad certificate: SSL alert number 42`:
 * what the broker says before it closes a TLS connection. False when it is no alert. */
static bool explain_alert(const struct detail *detail, struct error *err)
{
    enum { BAD_CERTIFICATE = 42, UNKNOWN_CA = 48, CERTIFICATE_REQUIRED = 116 };
    static const char words[] = " alert ", lead[] = ": SSL alert number ";
    const char *text = strstr(detail->reason, words);
    const char *end = strstr(detail->reason, lead);
    if (text == NULL || end == NULL || end < text)
        return false;
    text += strlen(words);
    int number = atoi(end + strlen(lead));
    if ((number >= BAD_CERTIFICATE && number <= UNKNOWN_CA) || number == CERTIFICATE_REQUIRED)
        error_set(err,
                  "the broker at %s does not take this client's certificate, or misses one (%.*s); "
                  "see cert_file and key_file of tls",
                  detail->address, (int)(end - text), text);
    else
        error_set(err, "no TLS connection to %s: the broker refuses it (%.*s)", detail->address,
                  (int)(end - text), text);
    return true;
}

static void say_no_tls(const struct detail *detail, struct error *err)
{
    error_set(err,
              "no TLS connection to %s: the broker closed it; perhaps this port is without TLS",
              detail->address);
}

/* `Disconnected`, with a guess of librdkafka's behind it. */
static void explain_disconnect(const struct detail *detail, struct error *err)
{
    if (strstr(detail->reason, "SSL listener") != NULL)
        error_set(err, "the broker at %s closed the connection; perhaps it wants TLS, see tls",
                  detail->address);
    else if (strstr(detail->reason, "require SASL") != NULL)
        error_set(err, "the broker at %s closed the connection; perhaps it wants a login, see sasl",
                  detail->address);
    else
        error_set(err, "the broker at %s closed the connection", detail->address);
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void explain_tls(const struct detail *detail, struct error *err)
{
    /* The connection stood: a broker that ends does not take leave by the rules of TLS. */
    bool has_stood =
        begins_with(detail->reason, "Receive failed") || begins_with(detail->reason, "Send failed");
    if (strstr(detail->reason, "certificate verify failed") != NULL) {
        struct error reason;
        cluster_certificate_explain(detail->address, &reason);
        error_set(err, "no TLS connection to %s: %s", detail->address, reason.text);
    } else if (strstr(detail->reason, "unexpected eof") != NULL && has_stood) {
        error_set(err, "the broker at %s closed the connection", detail->address);
    } else if (strstr(detail->reason, "unexpected eof") != NULL) {
        say_no_tls(detail, err);
    } else if (strstr(detail->reason, "wrong version number") != NULL) {
        error_set(err, "no TLS connection to %s: what answers there does not speak TLS",
                  detail->address);
    } else if (!explain_alert(detail, err)) {
        error_set(err, "no TLS connection to %s: %s", detail->address, detail->reason);
    }
}

static void explain_transport(const struct detail *detail, struct error *err)
{
    char cause[256];
    last_part(detail->reason, cause, sizeof cause);
    if (strstr(detail->reason, "SSL routines") != NULL)
        explain_tls(detail, err);
    else if (begins_with(detail->reason, "Connect"))
        error_set(err, "no broker answers at %s: %s", detail->address, cause);
    else if (begins_with(detail->reason, "Disconnected"))
        explain_disconnect(detail, err);
    else if (strstr(detail->reason, "PLAINTEXT broker listener") != NULL)
        say_no_tls(detail, err);
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
        error_set(err, "the broker at %s wants TLS, see tls", detail->address);
    else if (size != NULL && strstr(size, "receive.message.max.bytes") != NULL)
        error_set(err,
                  "the broker at %s answers with %lld bytes, more than receive.message.max.bytes "
                  "allows",
                  detail->address, bytes);
    else
        error_set(err, "the broker at %s cannot be understood: %s", detail->address,
                  detail->reason);
}

/* `SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported
 * mechanisms: SCRAM-SHA-256`. False when it is something else. */
static bool explain_mechanism(const struct detail *detail, struct error *err)
{
    static const char lead[] = "broker's supported mechanisms: ";
    const char *known = strstr(detail->reason, lead);
    char mechanism[64];
    if (known == NULL || sscanf(detail->reason, "SASL %63s mechanism", mechanism) != 1)
        return false;
    known += strlen(lead);
    if (*known == '\0')
        error_set(err, "the broker at %s takes no login here, see sasl", detail->address);
    else
        error_set(err, "the broker at %s does not take a login by %s; it takes %s", detail->address,
                  mechanism, known);
    return true;
}

static void explain_login(const struct detail *detail, struct error *err)
{
    enum { VERSION_2_6_1 = 0x02060100 };
    static const char prefix[] = "SASL authentication error: ";
    const char *reason = detail->reason;
    drop_prefix(&reason, prefix);
    bool is_wrong_password = strstr(reason, "nvalid username or password") != NULL ||
                             strstr(reason, "nvalid credentials") != NULL;
    if (is_wrong_password)
        error_set(err, "the broker at %s refuses the login: the username or the password is wrong",
                  detail->address);
    else if (!explain_mechanism(detail, err))
        error_set(err, "the broker at %s refuses the login: %s", detail->address, reason);
    if (strstr(reason, "SCRAM") != NULL && rd_kafka_version() < VERSION_2_6_1)
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

/* What the code means, and what librdkafka says of it: which broker, which request. */
static void explain_other(rd_kafka_resp_err_t code, const char *text, struct error *err)
{
    if (!cluster_has_cause(code)) {
        error_set(err, "%s", text);
        return;
    }
    char detail[DETAIL_BYTES];
    snprintf(detail, sizeof detail, "%s", text);
    drop_duration(detail);
    error_set(err, "%s (%s)", cluster_cause(code), detail);
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
        explain_tls(&detail, err);
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        explain_topic(code, text, err);
        break;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        cluster_explain_code(code, NULL, NULL, err);
        break;
    default:
        explain_other(code, text, err);
        break;
    }
}

void cluster_explain_fatal(const char *text, struct error *err)
{
    /* What an idempotent producer meets first; nothing else asks for a right to the cluster. */
    if (strstr(text, "Cluster authorization failed") != NULL)
        error_set(err, "no right to write; Kafka wants WRITE on some topic, or IDEMPOTENT_WRITE on "
                       "the cluster");
    else
        error_set(err, "%s", text);
}

void cluster_explain_code(rd_kafka_resp_err_t code, const char *topic, const char *group,
                          struct error *err)
{
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && topic != NULL)
        error_set(err, "no right to read topic \"%s\"", topic);
    else if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED && group != NULL)
        error_set(err, "no right to read as group \"%s\"", group);
    else if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        error_set(err, "no right to read as this group");
    else
        error_set(err, "%s", cluster_cause(code));
}
