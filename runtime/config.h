/* config.h - config.lua, read, checked and turned into structs.
 *
 * The file is run in a Lua state of its own with a limit of time and memory, checked by the Lua
 * modules lagoon.config.*, whose schema has one row per key, and the state is thrown away.
 *
 * Owns:    every string in it; nothing in a struct config changes after config_load.
 * Threads: loading on main; reading on any. */
#ifndef CONFIG_H
#define CONFIG_H

#include "log.h"
#include "properties.h"
#include "util.h"

struct error;

/* Paths as a process can open them. */
struct tls_config {
    bool is_on;
    char *ca_file; /* NULL: the system's */
    char *cert_file;
    char *key_file;
    char *key_password;
    bool verify; /* false: any certificate will do */
    char *place;
};

struct sasl_config {
    char *mechanism; /* NULL: no login */
    char *username;
    char *password;
};

struct cluster_config {
    char *name;    /* "default" when the file says `cluster = {...}` */
    char *path;    /* as messages name it: cluster, clusters.NAME */
    char *brokers; /* host:port,host:port */
    struct tls_config tls;
    struct sasl_config sasl;
    struct properties properties;
    char *place; /* config.lua:12, for messages */
};

struct topic_config {
    char *name;
    const struct cluster_config *cluster;
    int partitions;             /* 0: the broker's default */
    int replicas;               /* 0: the broker's default */
    bool create;                /* false: only verified */
    struct properties settings; /* the topic's own, such as retention.ms */
    char *place;
};

/* A Lua function by the module that gives it: handlers.order_created, or a member of what the
 * module returns, handlers:order_created. */
struct module_config {
    char *module; /* as require takes it; NULL: none is declared */
    char *member; /* NULL: what the module returns itself */
    char *place;
};

struct module_list {
    struct module_config *items;
    size_t count;
};

/* How a value's bytes become an event, and back. */
enum codec { CODEC_JSON, CODEC_RAW, CODEC_CJSON, CODEC_MODULE };

struct codec_config {
    enum codec codec;
    struct module_config module; /* for CODEC_MODULE */
};

enum key_missing { KEY_MISSING_UUID, KEY_MISSING_ERROR };

struct producer_config {
    char *name;
    const struct cluster_config *cluster;
    char *topic;
    char *key_field; /* a path in the event such as payment.id; NULL: none */
    enum key_missing key_missing;
    char *type_header; /* NULL: none is written */
    struct codec_config codec;
    struct properties headers;      /* on each record */
    struct module_list middlewares; /* outermost first */
    struct properties properties;
    char *place;
};

/* free_worker: no order. partition: one after the other. key: equal keys one after the other. */
enum distribution { DISTRIBUTION_KEY, DISTRIBUTION_PARTITION, DISTRIBUTION_FREE_WORKER };

/* Where a partition without a committed offset begins. */
enum offset_reset { OFFSET_RESET_EARLIEST, OFFSET_RESET_LATEST, OFFSET_RESET_NONE };

/* What becomes of a record for which there is no hope. */
enum policy { POLICY_DEAD_LETTER, POLICY_SKIP, POLICY_STOP };

/* What becomes of one whose handler fails. */
struct error_policy {
    int retries;
    int64_t backoff_ms;     /* before the first retry; doubles with each */
    int64_t max_backoff_ms; /* its limit */
    bool has_jitter;
    enum policy give_up; /* when the retries are used up */
    int breaker;         /* records given up in a row after which none is; 0: none */
};

struct handler_config {
    char *type;
    struct module_config module;
};

struct consumer_config {
    char *name;
    const struct cluster_config *cluster;
    char **topics; /* names, and patterns: config_is_pattern */
    size_t topic_count;
    char *group;
    char *instance_id; /* of a static member; NULL: none */
    bool is_enabled;
    enum offset_reset offset_reset;
    int workers_min; /* the pool runs this many */
    int workers_max;
    int64_t lag_threshold;
    int buffer_size; /* handlers one worker may have begun and not finished */
    enum distribution distribution;
    struct handler_config *handlers;
    size_t handler_count;
    struct module_config handler; /* of every record that none of the handlers takes */
    char *type_header;
    char *type_field; /* a path in the event, for records without the header; NULL: none */
    struct codec_config codec;
    bool keeps_nulls;               /* a null field of an object is lagoon.null, not absent */
    struct module_list middlewares; /* outermost first */
    struct error_policy on_error;
    enum policy on_invalid;
    enum policy on_unknown_type;
    bool skips_tombstones;
    bool has_dead_letters;
    char *dead_letter;          /* the topic; NULL: one for each topic that is read */
    bool aborts_when_stuck;     /* on_stuck: the process ends when no worker replaces a stuck one */
    int64_t handler_timeout_ms; /* wall time of a call, but waits for a broker; 0: none */
    int64_t stall_after_ms;     /* a partition that stands still so long is named; 0: none is */
    int64_t cpu_limit_ms;       /* CPU time of one stretch of a call without a wait; 0: none */
    int64_t drain_timeout_ms;
    int64_t commit_interval_ms;
    int64_t window_records; /* read and not settled, the whole consumer */
    int64_t window_bytes;
    int64_t max_ahead;        /* settled beyond the oldest unsettled, a partition */
    int64_t max_record_bytes; /* larger is invalid */
    struct properties properties;
    char *place;
};

/* Narrows a .NET type to its last name, OrderPaid of "Shop.Events.OrderPaid, Shop"; false when the
 * whole type is one. */
bool config_last_name(const char **type, size_t *length);

/* The module of the handler of this type, which is NULL where a record has none; NULL: there is
 * none. */
const struct module_config *config_find_handler(const struct consumer_config *consumer,
                                                const char *type, size_t length);

struct config {
    char *path;      /* as given: config.lua */
    char *directory; /* of path */
    struct cluster_config *clusters;
    size_t cluster_count;
    struct topic_config *topics;
    size_t topic_count;
    struct producer_config *producers;
    size_t producer_count;
    struct consumer_config *consumers;
    size_t consumer_count;
    enum log_level log_level;
    enum log_format log_format;
    bool is_gc_incremental;            /* else generational */
    int64_t lua_memory_limit_bytes;    /* of one Lua state */
    int64_t shared_memory_limit_bytes; /* of all that lagoon.shared keeps */
    bool is_watched;                   /* watch: what changes on disk is reloaded */
    bool has_admin;                    /* the HTTP server for operators */
    char *admin_listen;                /* NULL: the default */
    char *admin_token;                 /* NULL: none */
    int64_t stop_timeout_ms;
    /* Sentences for the log at start, such as a key that has no effect yet. */
    char **notices;
    size_t notice_count;
    /* What secret() gave, and every password: never to be printed. The longest first. */
    char **secrets;
    size_t secret_count;
    /* Paths of what the file read beside itself: by include, file and secret. */
    char **files;
    size_t file_count;
    /* Every value of it, defaults included, as "path\nvalue", sorted: what tells two readings
     * apart. A value is never to be printed, there are passwords among them. */
    char **settings;
    size_t setting_count;
    uint64_t content_hash; /* of the file and what it includes */
    /* Environment variables that the file asked for, set or not. */
    char **variables;
    size_t variable_count;
};

struct config_options {
    const char *path;
    /* In `lagoon dev` a missing env() gets a placeholder and a notice; brokers and security
     * properties are set aside by the caller. */
    bool is_dev;
    /* PATH=VALUE each: values of --set, in their order. */
    const char *const *sets;
    size_t set_count;
};

/* Everything that is wrong with the file, one problem a line, sorted by line:
 * `config.lua:LINE: path: what is wrong, did you mean ...?`, with the file that it stands in, or
 * `--set path` in place of file and line.
 * No value of secret() and no password is in any of them. */
struct config_problems {
    char **lines;
    size_t count;
};

/* 0 and *config, which the caller frees; or -1 and the problems, at least one. */
MUST_USE int config_load(const struct config_options *options, struct config **config,
                         struct config_problems *problems);
void config_free(struct config **config);
void config_problems_destroy(struct config_problems *problems);

/* CPUs this process may use: by affinity, and by the quota of its control group. At least 1. */
int config_cpu_count(void);

/* They are the same one, perhaps of two readings. */
bool config_is_cluster(const struct cluster_config *one, const struct cluster_config *other);

/* CPUs this process may use: by affinity, and by the quota of its control group. At least 1. */
int config_cpu_count(void);

const struct topic_config *config_topic(const struct config *config,
                                        const struct cluster_config *cluster, const char *name);
const struct producer_config *config_producer(const struct config *config, const char *name);
const struct consumer_config *config_consumer(const struct config *config, const char *name);

/* A consumer's topic is a regular expression, for the names of all topics of its cluster. */
bool config_is_pattern(const char *topic);

/* Where records of this topic end that are given up, as a new string. */
char *config_dead_letter_topic(const struct consumer_config *consumer, const char *topic);

/* A copy of the text with <secret> in place of every secret; the caller frees it. For whatever may
 * quote a value of the config. */
char *config_redact(const struct config *config, const char *text);

#endif
