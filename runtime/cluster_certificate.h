/* cluster_certificate.h - why a broker's certificate was refused.
 *
 * Librdkafka's error says only that it was. OpenSSL's reason is known while the certificate is
 * looked at, on a thread of librdkafka; it is kept by the broker's address until somebody has to
 * explain the error that follows.
 *
 * Threads: any. */
#ifndef CLUSTER_CERTIFICATE_H
#define CLUSTER_CERTIFICATE_H

#include <librdkafka/rdkafka.h>

#include "error.h"

/* Handles made of this conf keep the reasons, unless the conf takes every certificate. What is
 * refused stays librdkafka's and OpenSSL's to say. */
void cluster_certificate_watch(rd_kafka_conf_t *conf);

/* What was wrong with the certificate of the broker at this address (host:port) when it was refused
 * last: `the broker's certificate has expired`. */
void cluster_certificate_explain(const char *address, struct error *err);

#endif
