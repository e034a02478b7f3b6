#include "dead_letters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "thread.h"

enum {
    LOOK_MS = 4000, /* a helper's question for a topic */
    RETRY_MS = 500, /* before it asks again */
    SAID_MS = 5000, /* that letters wait is said this often */
};

enum address_state {
    ADDRESS_NEW,    /* nobody has looked for the topic */
    ADDRESS_LOOKED, /* a helper looks */
    ADDRESS_READY,
};

/* The dead-letter topic of one source. */
struct address {
    struct dead_letters *letters;
    struct link link;
    char *source;
    char *name;
    enum address_state state;
    int partitions;
    struct link waiting;           /* by letter_link: records whose letter is not on its way */
    uv_work_t work;                /* of the helper that looks */
    struct generation *generation; /* held while it does: it reads of that */
    struct dead_letter_topic topic;
    enum topic_check check;
    struct error err;
};

struct dead_letters {
    struct dead_letters_options options;
    struct generation *generation;          /* held */
    const struct consumer_config *consumer; /* of that */
    char *name;                             /* of its producer */
    struct property size;
    struct producer_config producer_config;
    struct producer *producer;
    struct link addresses;
    uv_timer_t retry;   /* while letters wait for a topic or for room */
    int64_t said_ms;    /* that letters wait */
    size_t open_looks;  /* helpers at work */
    size_t open_closes; /* producer and timer, once they are being closed */
    bool is_closing;
    void (*on_closed)(void *context);
    void *closed_context;
};

static void on_report(void *context, struct record *record, int run, const char *reason);
static void on_fatal(void *context, const char *producer, const char *reason);
static void pump(struct address *address);

/* --- new --- */

struct dead_letters *dead_letters_new(const struct dead_letters_options *options)
{
    struct dead_letters *letters = xcalloc(1, sizeof *letters);
    letters->options = *options;
    letters->generation = generation_reference(options->generation);
    letters->consumer = config_consumer(options->generation->config, options->consumer);
    letters->name = xasprintf("%s.dead-letter", options->consumer);
    /* What was read can be written, with its new headers; the topic's limit is the one that counts.
     */
    letters->size = (struct property){.name = "message.max.bytes", .value = "1000000000"};
    letters->producer_config = (struct producer_config){
        .name = letters->name,
        .cluster = options->cluster->config,
        .properties = {&letters->size, 1},
    };
    const struct producer_callbacks callbacks = {
        .context = letters, .on_report = on_report, .on_fatal = on_fatal};
    letters->producer =
        producer_new(options->loop, &letters->producer_config, options->cluster, &callbacks);
    list_init(&letters->addresses);
    uv_timer_init(options->loop, &letters->retry);
    return letters;
}

static struct address *address_find(struct dead_letters *letters, const char *source)
{
    struct link *link = letters->addresses.next;
    for (; link != &letters->addresses; link = link->next) {
        struct address *address = CONTAINER_OF(link, struct address, link);
        if (strcmp(address->source, source) == 0)
            return address;
    }
    struct address *address = xcalloc(1, sizeof *address);
    address->letters = letters;
    address->source = xstrdup(source);
    address->name = config_dead_letter_topic(letters->consumer, source);
    list_init(&address->waiting);
    list_append(&letters->addresses, &address->link);
    return address;
}

/* False: its letters go where they went before. While a helper looks the name is its to read. */
static bool rename_address(struct address *address)
{
    assert(address->generation == NULL);
    char *name = config_dead_letter_topic(address->letters->consumer, address->source);
    bool is_other = strcmp(name, address->name) != 0;
    if (is_other) {
        free(address->name);
        address->name = name;
        address->state = ADDRESS_NEW;
    } else {
        free(name);
    }
    return is_other;
}

/* --- letters that wait --- */

static void on_retry(uv_timer_t *timer)
{
    struct dead_letters *letters = CONTAINER_OF(timer, struct dead_letters, retry);
    struct link *link = letters->addresses.next;
    for (; link != &letters->addresses; link = link->next)
        pump(CONTAINER_OF(link, struct address, link));
}

static void retry_later(struct dead_letters *letters)
{
    if (!uv_is_active((uv_handle_t *)&letters->retry))
        uv_timer_start(&letters->retry, on_retry, RETRY_MS, 0);
}

static void say_waiting(struct address *address)
{
    struct dead_letters *letters = address->letters;
    int64_t now_ms = clock_monotonic_ms();
    if (letters->said_ms == 0 || now_ms - letters->said_ms >= SAID_MS) {
        letters->said_ms = now_ms;
        log_warn("consumer %s: dead letters wait for topic \"%s\", and nothing is committed past "
                 "them: %s",
                 letters->options.consumer, address->name, address->err.text);
    }
    retry_later(letters);
}

/* --- the topic --- */

/* On a helper. */
static void look(uv_work_t *work)
{
    struct address *address = CONTAINER_OF(work, struct address, work);
    const struct dead_letters_options *options = &address->letters->options;
    address->check = TOPICS_REFUSED;
    if (producer_connect(address->letters->producer, &address->err) != 0)
        return;
    address->check = cluster_ensure_dead_letters(options->query, options->cluster, &address->topic,
                                                 LOOK_MS, &address->partitions, &address->err);
}

/* The topic can never be written to as things stand; a letter that comes later looks anew. */
static void refuse_waiting(struct address *address)
{
    struct link refused;
    list_init(&refused);
    list_move_all(&refused, &address->waiting);
    for (struct link *link; (link = list_pop(&refused)) != NULL;)
        address->letters->options.on_end(address->letters->options.context,
                                         CONTAINER_OF(link, struct record, letter_link),
                                         address->err.text);
}

static void close_when_settled(struct dead_letters *letters);

static void on_looked(uv_work_t *work, int status)
{
    (void)status;
    struct address *address = CONTAINER_OF(work, struct address, work);
    struct dead_letters *letters = address->letters;
    letters->open_looks--;
    generation_release(&address->generation);
    address->state = address->check == TOPICS_READY ? ADDRESS_READY : ADDRESS_NEW;
    if (letters->is_closing) {
        close_when_settled(letters);
        return;
    }
    if (rename_address(address)) {
        pump(address);
        return;
    }
    switch (address->check) {
    case TOPICS_READY:
        pump(address);
        return;
    case TOPICS_UNREACHABLE:
        say_waiting(address);
        return;
    case TOPICS_REFUSED:
        refuse_waiting(address);
        return;
    }
}

static void start_looking(struct address *address)
{
    const struct dead_letters *letters = address->letters;
    const struct consumer_config *consumer = letters->consumer;
    address->generation = generation_reference(letters->generation);
    address->topic = (struct dead_letter_topic){
        .source = address->source,
        .name = address->name,
        .declared = config_topic(letters->generation->config, consumer->cluster, address->name),
        .max_record_bytes = consumer->max_record_bytes,
    };
    address->state = ADDRESS_LOOKED;
    address->letters->open_looks++;
    uv_queue_work(address->letters->options.loop, &address->work, look, on_looked);
}

/* --- sending --- */

static enum publish_result publish(struct address *address, const struct record *record)
{
    struct dead_letters *letters = address->letters;
    struct letter_headers headers;
    letter_headers_init(&headers, record, letters->consumer);
    const struct publication publication = {
        .topic = address->name,
        /* Where they stood together they stand together again. */
        .partition = record->partition < address->partitions ? record->partition : -1,
        .key = record->key,
        .key_length = record->key_length,
        .value = record->value,
        .value_length = record->value_length,
        .headers = headers.items,
        .header_count = headers.count,
        .record = (struct record *)record,
        .attempt = record->run,
    };
    struct delivery *delivery = NULL;
    enum publish_result result =
        producer_publish(letters->producer, &publication, &delivery, &address->err);
    delivery_release(&delivery);
    letter_headers_destroy(&headers);
    return result;
}

/* Sends what waits, as far as there is room. */
static void pump(struct address *address)
{
    struct dead_letters *letters = address->letters;
    if (list_is_empty(&address->waiting) || address->state == ADDRESS_LOOKED)
        return;
    if (address->state == ADDRESS_NEW) {
        start_looking(address);
        return;
    }
    while (!list_is_empty(&address->waiting)) {
        struct record *record = CONTAINER_OF(address->waiting.next, struct record, letter_link);
        enum publish_result result = publish(address, record);
        if (result == PUBLISH_FULL) {
            retry_later(letters);
            return;
        }
        list_remove(&record->letter_link);
        if (result == PUBLISH_QUEUED)
            record->deliveries_open++;
        else
            letters->options.on_end(letters->options.context, record, address->err.text);
    }
}

void dead_letters_send(struct dead_letters *letters, struct record *record)
{
    ASSERT_ON(THREAD_MAIN);
    struct address *address = address_find(letters, record->topic);
    list_append(&address->waiting, &record->letter_link);
    if (address->state == ADDRESS_NEW)
        start_looking(address);
    else
        uv_timer_start(&letters->retry, on_retry, 0, 0);
}

void dead_letters_go_by(struct dead_letters *letters, struct generation *generation)
{
    ASSERT_ON(THREAD_MAIN);
    generation_reference(generation);
    generation_release(&letters->generation);
    letters->generation = generation;
    letters->consumer = config_consumer(generation->config, letters->options.consumer);
    struct link *link = letters->addresses.next;
    for (; link != &letters->addresses; link = link->next) {
        struct address *address = CONTAINER_OF(link, struct address, link);
        if (address->state != ADDRESS_LOOKED && rename_address(address))
            pump(address);
    }
}

void dead_letters_forget(struct record *record)
{
    list_remove(&record->letter_link);
}

static void on_report(void *context, struct record *record, int run, const char *reason)
{
    (void)run;
    struct dead_letters *letters = context;
    struct address *address = address_find(letters, record->topic);
    record->deliveries_open--;
    /* Whatever was wrong may be mended when the next letter comes. */
    if (reason != NULL && address->state == ADDRESS_READY)
        address->state = ADDRESS_NEW;
    letters->options.on_end(letters->options.context, record, reason);
}

static void on_fatal(void *context, const char *producer, const char *reason)
{
    struct dead_letters *letters = context;
    struct error err;
    error_set(&err, "producer %s: %s", producer, reason);
    letters->options.on_fatal(letters->options.context, &err);
}

const struct statistics *dead_letters_statistics(const struct dead_letters *letters,
                                                 const char **name)
{
    *name = letters->name;
    return producer_statistics(letters->producer);
}

/* --- the end --- */

static void letters_free(struct dead_letters *letters)
{
    for (struct link *link; (link = list_pop(&letters->addresses)) != NULL;) {
        struct address *address = CONTAINER_OF(link, struct address, link);
        assert(list_is_empty(&address->waiting));
        free(address->source);
        free(address->name);
        free(address);
    }
    generation_release(&letters->generation);
    free(letters->name);
    free(letters);
}

static void on_part_closed(struct dead_letters *letters)
{
    if (--letters->open_closes > 0)
        return;
    void (*on_closed)(void *) = letters->on_closed;
    void *context = letters->closed_context;
    letters_free(letters);
    on_closed(context);
}

static void on_producer_closed(void *context)
{
    on_part_closed(context);
}

static void on_timer_closed(uv_handle_t *timer)
{
    on_part_closed(CONTAINER_OF((uv_timer_t *)timer, struct dead_letters, retry));
}

/* A helper may be making the producer's handle. */
static void close_when_settled(struct dead_letters *letters)
{
    if (letters->open_looks > 0)
        return;
    letters->open_closes = 2;
    producer_purge(letters->producer);
    producer_close(&letters->producer, on_producer_closed, letters);
    uv_close((uv_handle_t *)&letters->retry, on_timer_closed);
}

void dead_letters_close(struct dead_letters **letters_owned, void (*on_closed)(void *context),
                        void *context)
{
    ASSERT_ON(THREAD_MAIN);
    struct dead_letters *letters = *letters_owned;
    *letters_owned = NULL;
    letters->is_closing = true;
    letters->on_closed = on_closed;
    letters->closed_context = context;
    close_when_settled(letters);
}
