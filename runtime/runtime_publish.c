#include "runtime_publish_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json_event.h"
#include "json_writer.h"
#include "thread.h"

enum {
    LOOK_MS = 500,
    TIMEOUT_MS = 30 * 1000, /* for the acknowledgement */
};

/* Scripts number what they publish from 0; these cannot be theirs. */
#define FIRST_TAG (UINT64_C(1) << 63)

/* --- answers --- */

static void event_free(struct event *event)
{
    for (size_t i = 0; i < event->declared_count; i++)
        free(event->declared[i]);
    if (event->lua != NULL)
        event->lua->context = NULL;
    buffer_destroy(&event->key);
    free(event->key_field);
    free(event->name);
    list_remove(&event->link);
    free(event);
}

/* Takes the body. While the helper reads the request's texts the answer is kept. */
static void answer(struct event *event, enum admin_status status, struct buffer *body)
{
    event->status = status;
    event->answer = *body;
    buffer_init(body);
    if (event->is_working)
        return;
    admin_answer(event->request, status, NULL, &event->answer);
    event_free(event);
}

void publishing_answer_error(struct event *event, enum admin_status status, const struct error *err)
{
    struct buffer body;
    buffer_init(&body);
    json_write_error(&body, err->text);
    answer(event, status, &body);
}

static void answer_delivered(struct event *event, const struct loose_report *report)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body);
    json_writer_init(&writer, &body);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "topic", report->topic);
    json_write_integer(&writer, "partition", report->partition);
    json_write_integer(&writer, "offset", report->offset);
    json_end_object(&writer);
    answer(event, ADMIN_OK, &body);
}

/* --- what is asked --- */

static int add_header(struct event *event, const char *name, const char *value, struct error *err)
{
    if (event->header_count == MAX_HEADERS) {
        error_set(err, "a record has at most %d headers here", MAX_HEADERS);
        return -1;
    }
    event->headers[event->header_count++] =
        (struct record_header){name, value, strlen(value), false};
    return 0;
}

/* A copy, for what the request does not own. */
static char *keep(struct event *event, const char *text, size_t length)
{
    char *copy = xstrndup(text, length);
    if (event->declared_count < ARRAY_LENGTH(event->declared)) {
        event->declared[event->declared_count++] = copy;
        return copy;
    }
    free(copy);
    return "";
}

/* ?header=NAME=VALUE */
static int take_header(struct event *event, const char *text, struct error *err)
{
    const char *equals = strchr(text, '=');
    if (equals != NULL && equals != text)
        return add_header(event, keep(event, text, (size_t)(equals - text)), equals + 1, err);
    error_set(err, "header is NAME=VALUE, got '%s'", text);
    return -1;
}

static int take_parameters(struct event *event, struct error *err)
{
    const char *name, *value;
    for (size_t i = 0; (name = admin_request_parameter(event->request, i, &value)) != NULL; i++) {
        int rc = 0;
        if (strcmp(name, "header") == 0) {
            rc = take_header(event, value, err);
        } else if (strcmp(name, "key") == 0) {
            buffer_clear(&event->key, 0);
            buffer_append_text(&event->key, value);
            event->has_key = true;
        } else {
            error_set(err, "unknown parameter '%s': there are key and header", name);
            rc = -1;
        }
        if (rc != 0)
            return -1;
    }
    return 0;
}

static bool is_set(const struct event *event, const char *name)
{
    for (size_t i = 0; i < event->header_count; i++)
        if (strcmp(event->headers[i].name, name) == 0)
            return true;
    return false;
}

/* Those of the config, but for what the request has set itself. */
static int add_declared(struct event *event, const struct properties *declared, struct error *err)
{
    for (size_t i = 0; i < declared->count; i++) {
        const struct property *header = &declared->items[i];
        if (is_set(event, header->name))
            continue;
        char *name = keep(event, header->name, strlen(header->name));
        if (add_header(event, name, keep(event, header->value, strlen(header->value)), err) != 0)
            return -1;
    }
    return 0;
}

/* What a publisher does needs no more than the request says. */
static int prepare(struct event *event, const struct producer_config *config, struct error *err)
{
    const char *type = admin_request_name(event->request, 1);
    event->is_raw = config->codec.codec == CODEC_RAW;
    if (event->is_lua)
        return take_parameters(event, err);
    event->needs_key = config->key_missing == KEY_MISSING_ERROR;
    event->key_field = config->key_field != NULL ? xstrdup(config->key_field) : NULL;
    if (config->type_header != NULL &&
        add_header(event, keep(event, config->type_header, strlen(config->type_header)), type,
                   err) != 0)
        return -1;
    if (take_parameters(event, err) != 0)
        return -1;
    return add_declared(event, &config->headers, err);
}

/* --- the helper --- */

/* The parameter, else the event's key field, else a fresh UUID. */
static int find_key(struct event *event, const char *body, size_t length)
{
    bool wants_field = !event->has_key && !event->is_raw;
    enum json_event_result result = JSON_EVENT_LACKS;
    if (!event->is_raw)
        result = json_event_find(body, length, wants_field ? event->key_field : NULL, &event->key,
                                 &event->err);
    if (result == JSON_EVENT_INVALID)
        return -1;
    if (event->has_key || result == JSON_EVENT_HAS)
        return 0;
    if (event->key_field != NULL && event->needs_key) {
        error_set(&event->err, "the event has no '%s', which is the key of the producer",
                  event->key_field);
        return -1;
    }
    char uuid[UUID_BYTES];
    uuid_make(uuid);
    buffer_append_text(&event->key, uuid);
    return 0;
}

static void publish(uv_work_t *work)
{
    struct event *event = CONTAINER_OF(work, struct event, work);
    struct delivery *delivery = NULL;
    size_t length;
    const char *body = admin_request_body(event->request, &length);
    event->result = PUBLISH_INVALID;
    if (find_key(event, body, length) != 0 || producer_connect(event->producer, &event->err) != 0)
        return;
    const struct publication publication = {
        .partition = -1,
        .key = event->key.length > 0 ? event->key.bytes : "",
        .key_length = event->key.length,
        .value = body,
        .value_length = length,
        .headers = event->headers,
        .header_count = event->header_count,
        .tag = event->tag,
    };
    event->result = producer_publish(event->producer, &publication, &delivery, &event->err);
    if (event->result == PUBLISH_QUEUED)
        delivery_release(&delivery);
}

/* The report may have come before. */
static void on_published(uv_work_t *work, int status)
{
    (void)status;
    ASSERT_ON(THREAD_MAIN);
    struct event *event = CONTAINER_OF(work, struct event, work);
    struct publishing *publishing = event->publishing;
    event->is_working = false;
    publishing->producers->connecting--;
    if (event->result == PUBLISH_FULL) {
        error_set(&event->err, "the producer's queue is full: Kafka does not take records as fast");
        publishing_answer_error(event, ADMIN_UNAVAILABLE, &event->err);
    } else if (event->result == PUBLISH_INVALID) {
        publishing_answer_error(event, ADMIN_BAD, &event->err);
    } else if (event->status != 0) {
        struct buffer kept = event->answer;
        answer(event, event->status, &kept);
    }
    publishing->on_idle(publishing->context);
}

/* --- time --- */

/* Who gives up is told that the record may still be written: it stays in the queue. */
static void on_timer(uv_timer_t *timer)
{
    struct publishing *publishing = CONTAINER_OF(timer, struct publishing, timer);
    int64_t now_ms = clock_monotonic_ms();
    for (struct link *link = publishing->open.next, *next; link != &publishing->open; link = next) {
        struct event *event = CONTAINER_OF(link, struct event, link);
        next = link->next;
        if (event->is_working || now_ms - event->began_ms < TIMEOUT_MS)
            continue;
        error_set(&event->err,
                  "Kafka has not acknowledged the record within %d s; it may still be written",
                  TIMEOUT_MS / 1000);
        publishing_answer_error(event, ADMIN_TIMEOUT, &event->err);
    }
    if (list_is_empty(&publishing->open))
        uv_timer_stop(timer);
}

/* --- on main --- */

void publishing_init(struct publishing *publishing, uv_loop_t *loop, struct producers *producers,
                     void *context, void (*on_idle)(void *context))
{
    *publishing = (struct publishing){.loop = loop,
                                      .producers = producers,
                                      .last_tag = FIRST_TAG,
                                      .context = context,
                                      .on_idle = on_idle};
    list_init(&publishing->open);
    uv_timer_init(loop, &publishing->timer);
}

void publishing_begin(struct publishing *publishing, struct generation *generation, size_t index,
                      struct admin_request *request)
{
    struct error err;
    const struct producer_config *config = &generation->config->producers[index];
    struct event *event = xcalloc(1, sizeof *event);
    event->publishing = publishing;
    event->request = request;
    event->producer = generation->producers[index];
    event->is_lua = publishing_is_lua(config);
    event->began_ms = clock_monotonic_ms();
    event->tag = ++publishing->last_tag;
    event->name = xstrdup(config->name);
    buffer_init(&event->key);
    list_append(&publishing->open, &event->link);
    if (prepare(event, config, &err) != 0) {
        publishing_answer_error(event, ADMIN_BAD, &err);
        return;
    }
    if (!uv_is_active((uv_handle_t *)&publishing->timer))
        uv_timer_start(&publishing->timer, on_timer, LOOK_MS, LOOK_MS);
    if (event->is_lua) {
        publishing_begin_lua(event, generation, config);
        return;
    }
    event->is_working = true;
    publishing->producers->connecting++;
    uv_queue_work(publishing->loop, &event->work, publish, on_published);
}

static struct event *find(const struct publishing *publishing, uint64_t tag)
{
    for (struct link *link = publishing->open.next; link != &publishing->open; link = link->next) {
        struct event *event = CONTAINER_OF(link, struct event, link);
        if (event->tag == tag)
            return event;
    }
    return NULL;
}

/* A middleware may publish by other producers meanwhile: the tag of what it does is the event's. */
bool publishing_report(struct publishing *publishing, const struct loose_report *report)
{
    struct event *event = find(publishing, report->tag);
    if (event == NULL || strcmp(report->producer, event->name) != 0)
        return report->tag >= FIRST_TAG && report->reason == NULL;
    if (report->reason != NULL) {
        struct error err;
        error_set(&err, "the record is refused: %s", report->reason);
        publishing_answer_error(event, report->is_given_up ? ADMIN_UNAVAILABLE : ADMIN_REFUSED,
                                &err);
    } else {
        answer_delivered(event, report);
    }
    return true;
}

void publishing_go_by(struct publishing *publishing, struct generation *generation)
{
    if (publishing->publisher != NULL)
        publisher_go_by(publishing->publisher, generation);
}

void publishing_stop(struct publishing *publishing)
{
    if (publishing->publisher != NULL)
        publisher_stop(publishing->publisher);
}

void publishing_close(struct publishing *publishing)
{
    struct error err;
    error_set(&err, "the process stops");
    while (!list_is_empty(&publishing->open)) {
        struct event *event = CONTAINER_OF(publishing->open.next, struct event, link);
        assert(!event->is_working);
        publishing_answer_error(event, ADMIN_UNAVAILABLE, &err);
    }
    uv_close((uv_handle_t *)&publishing->timer, NULL);
    if (publishing->publisher != NULL)
        publisher_close(&publishing->publisher);
}
