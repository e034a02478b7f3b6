#include "reload_watch.h"

enum { LOOK_MS = 500 };

void reload_watch_init(struct reload_watch *watch, const struct reload_watch_options *options)
{
    *watch = (struct reload_watch){.options = *options};
    uv_timer_init(options->loop, &watch->timer);
}

/* On a helper. */
static void look(uv_work_t *work)
{
    struct reload_watch *watch = CONTAINER_OF(work, struct reload_watch, work);
    watch->signature = watch->options.sign(watch->options.sign_context, watch->generation->config);
}

static void on_looked(uv_work_t *work, int status)
{
    (void)status;
    struct reload_watch *watch = CONTAINER_OF(work, struct reload_watch, work);
    bool is_steady = watch->signature == watch->last;
    generation_release(&watch->generation);
    watch->is_looking = false;
    watch->last = watch->signature;
    if (!is_steady || watch->signature == watch->said || watch->is_stopped)
        return;
    watch->said = watch->signature;
    watch->options.on_change(watch->options.context);
}

/* A look at a slow disk may take longer. */
static void on_timer(uv_timer_t *timer)
{
    struct reload_watch *watch = CONTAINER_OF(timer, struct reload_watch, timer);
    if (watch->is_looking)
        return;
    watch->is_looking = true;
    watch->generation = generation_reference(watch->options.serving(watch->options.context));
    uv_queue_work(watch->options.loop, &watch->work, look, on_looked);
}

void reload_watch_start(struct reload_watch *watch)
{
    uv_timer_start(&watch->timer, on_timer, LOOK_MS, LOOK_MS);
}

void reload_watch_stop(struct reload_watch *watch)
{
    watch->is_stopped = true;
    uv_timer_stop(&watch->timer);
}

void reload_watch_close(struct reload_watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, NULL);
}
