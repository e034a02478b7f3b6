#include "cluster_certificate.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

enum { ADDRESS_BYTES = 300, REMEMBERED = 32 };

/* OpenSSL's numbers, which are part of its interface: X509_V_ERR_... */
enum reason {
    NO_ISSUER = 2,
    NOT_YET_VALID = 9,
    EXPIRED = 10,
    SIGNED_BY_ITSELF = 18,
    UNKNOWN_ROOT = 19,
    NO_LOCAL_ISSUER = 20,
    NO_CHAIN = 21,
    REVOKED = 23,
    OTHER_HOST = 62,
    OTHER_ADDRESS = 64,
};

/* One broker's last refusal. The oldest gives way: brokers are few, and the reason is asked for
 * right after the refusal. */
static struct refusal {
    char address[ADDRESS_BYTES];
    enum reason reason;
    int depth; /* 0: the broker's own certificate; else one of those that sign it */
} refusals[REMEMBERED];
static size_t next_refusal;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct refusal *find(const char *address)
{
    for (size_t i = 0; i < REMEMBERED; i++) {
        if (strcmp(refusals[i].address, address) == 0)
            return &refusals[i];
    }
    return NULL;
}

static void remember(const char *address, int reason, int depth)
{
    pthread_mutex_lock(&mutex);
    struct refusal *refusal = find(address);
    if (refusal == NULL) {
        refusal = &refusals[next_refusal++ % REMEMBERED];
        snprintf(refusal->address, sizeof refusal->address, "%s", address);
    }
    refusal->reason = (enum reason)reason;
    refusal->depth = depth;
    pthread_mutex_unlock(&mutex);
}

/* On a thread of librdkafka, for each certificate of the chain. */
static int on_certificate(rd_kafka_t *handle, const char *address, int32_t broker, int *reason,
                          int depth, const char *bytes, size_t size, char *failure,
                          size_t failure_size, void *opaque)
{
    (void)handle;
    (void)broker;
    (void)bytes;
    (void)size;
    (void)failure;
    (void)failure_size;
    (void)opaque;
    if (*reason == 0)
        return 1;
    remember(address, *reason, depth);
    return 0;
}

void cluster_certificate_watch(rd_kafka_conf_t *conf)
{
    char value[16] = "";
    size_t size = sizeof value;
    rd_kafka_conf_get(conf, "enable.ssl.certificate.verification", value, &size);
    if (strcmp(value, "true") == 0)
        (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
}

static void explain_host(const char *address, struct error *err)
{
    const char *port = strrchr(address, ':');
    int length = (int)(port != NULL ? (size_t)(port - address) : strlen(address));
    error_set(err,
              "the broker's certificate is not for %.*s; brokers and advertised.listeners have to "
              "say a name that it holds",
              length, address);
}

static void explain(const struct refusal *refusal, struct error *err)
{
    const char *whose =
        refusal->depth == 0 ? "the broker's certificate" : "a certificate that signs the broker's";
    switch (refusal->reason) {
    case EXPIRED:
        error_set(err, "%s has expired", whose);
        break;
    case NOT_YET_VALID:
        error_set(err, "%s is not valid yet; look at the clocks of both sides", whose);
        break;
    case REVOKED:
        error_set(err, "%s was revoked", whose);
        break;
    case NO_ISSUER:
    case SIGNED_BY_ITSELF:
    case UNKNOWN_ROOT:
    case NO_LOCAL_ISSUER:
    case NO_CHAIN:
        error_set(err,
                  "the broker's certificate is signed by nobody who is trusted here; see ca_file "
                  "of tls");
        break;
    case OTHER_HOST:
    case OTHER_ADDRESS:
        explain_host(refusal->address, err);
        break;
    default:
        error_set(err, "%s is not accepted (OpenSSL's error %d)", whose, (int)refusal->reason);
        break;
    }
}

void cluster_certificate_explain(const char *address, struct error *err)
{
    pthread_mutex_lock(&mutex);
    const struct refusal *refusal = find(address);
    if (refusal != NULL)
        explain(refusal, err);
    else
        error_set(err, "the broker's certificate is not accepted");
    pthread_mutex_unlock(&mutex);
}
