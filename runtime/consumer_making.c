/* How a consumer comes to its handle and Lua states: on an errand, since what scripts do when they
 * are loaded may take its time, or never end. */
#include <stdatomic.h>
#include <stdlib.h>

#include "consumer_internal.h"
#include "errand.h"
#include "thread.h"

/* What the errand's thread has in hand. */
struct making_parts {
    struct consumer_parts parts;
    const struct cluster *cluster;
    struct generation *generation; /* held */
    const struct consumer_config *config;
    atomic_bool is_given_up; /* by main: what is made is not wanted any more */
    struct error error;
    int rc;
};

static void making_free(struct making_parts *making)
{
    generation_release(&making->generation);
    free(making);
}

/* On the errand's thread, as what follows. */
static void make(void *data)
{
    struct making_parts *making = data;
    const struct consumer_parts_options options = {
        .cluster = making->cluster,
        .config = making->config,
        .generation = making->generation,
        .is_given_up = &making->is_given_up,
    };
    making->rc = consumer_parts_make(&making->parts, &options, &making->error);
}

static void drop(void *data)
{
    struct making_parts *making = data;
    if (making->rc == 0)
        consumer_parts_discard(&making->parts);
    making_free(making);
}

/* True when there are parts. */
static bool take_parts(struct consumer *consumer, struct making_parts *making,
                       const struct error *err)
{
    consumer->making = NULL;
    if (making == NULL || making->rc != 0)
        consumer->work_error = making != NULL ? making->error : *err;
    bool has_parts = making != NULL && making->rc == 0;
    if (has_parts)
        consumer->parts = making->parts;
    if (making != NULL)
        making_free(making);
    return has_parts;
}

static void on_made(void *context, void *data, const struct error *err)
{
    struct consumer *consumer = context;
    const struct consumer_callbacks *callbacks = &consumer->options.callbacks;
    bool has_parts = take_parts(consumer, data, err);
    if (consumer->state == CONSUMER_STOPPING && has_parts) {
        consumer_begin_destroy(consumer, consumer->parts.handle);
    } else if (consumer->state == CONSUMER_STOPPING) {
        consumer_close_handles(consumer);
    } else {
        consumer->state = has_parts ? CONSUMER_MADE : CONSUMER_FAILED;
        callbacks->on_made(callbacks->context, consumer, has_parts ? NULL : &consumer->work_error);
    }
}

static struct making_parts *making_new(const struct consumer *consumer)
{
    struct making_parts *making = xcalloc(1, sizeof *making);
    making->cluster = consumer->options.cluster;
    making->generation = generation_reference(consumer->generation);
    making->config = consumer->config;
    atomic_init(&making->is_given_up, false);
    return making;
}

void consumer_make(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    consumer->state = CONSUMER_STARTING;
    consumer_open_handles(consumer);
    consumer->making = making_new(consumer);
    const struct errand_options options = {
        .loop = consumer->options.loop,
        .name = "load",
        .data = consumer->making,
        .limit_ms = consumer->options.load_limit_ms,
        .gives_way = consumer->options.load_limit_ms > 0, /* others run */
        .work = make,
        .drop = drop,
        .context = consumer,
        .on_end = on_made,
    };
    errand_start(&options);
}

void consumer_give_up_making(struct consumer *consumer)
{
    atomic_store(&consumer->making->is_given_up, true);
}

bool consumer_is_made(const struct consumer *consumer)
{
    return consumer->state == CONSUMER_MADE;
}

bool consumer_is_new(const struct consumer *consumer)
{
    return consumer->state == CONSUMER_NEW;
}
