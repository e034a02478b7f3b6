#include "main_script.h"

#include <stdlib.h>

#include "error.h"
#include "input.h"

static void on_worker_exit(void *context, struct worker *worker)
{
    (void)worker;
    struct main_script *main = context;
    uv_async_send(&main->ended);
}

static void on_ended(uv_async_t *async)
{
    struct main_script *main = CONTAINER_OF(async, struct main_script, ended);
    const char *text;
    main->has_ended = true;
    worker_join(main->worker);
    main->end = worker_main_end(main->worker, &text);
    main->text = text != NULL ? xstrdup(text) : NULL;
    worker_free(&main->worker);
    main->options.on_end(main->options.context);
}

void main_script_init(struct main_script *main, const struct main_script_options *options)
{
    *main = (struct main_script){.options = *options};
    uv_async_init(options->loop, &main->ended, on_ended);
}

int main_script_load(struct main_script *main, struct error *err)
{
    const struct script_source source = script_source_of(main->options.generation, NULL);
    if (main->options.chunk == NULL)
        return 0;
    main->script = script_new(&source, err);
    return main->script != NULL ? 0 : -1;
}

int main_script_start(struct main_script *main, struct error *err)
{
    const struct worker_options options = {
        .name = "main",
        .main = main->options.chunk,
        .context = main,
        .on_exit = on_worker_exit,
    };
    if (main->options.chunk == NULL)
        return 0;
    main->worker = worker_new(&options);
    if (worker_start(main->worker, &main->script, err) == 0)
        return 0;
    worker_free(&main->worker);
    return -1;
}

void main_script_retire(struct main_script *main)
{
    if (main->worker == NULL)
        return;
    input_end();
    worker_retire(main->worker);
}

void main_script_interrupt(struct main_script *main)
{
    if (main->worker != NULL)
        worker_interrupt(main->worker);
}

bool main_script_is_running(const struct main_script *main)
{
    return main->worker != NULL;
}

const char *main_script_name(const struct main_script *main)
{
    return main->options.chunk->chunkname + 1;
}

bool main_script_is_finished(const struct main_script *main)
{
    bool is_cut = main->end == MAIN_CUT_WAITING || main->end == MAIN_INTERRUPTED ||
                  (main->end == MAIN_CUT_SLEEPING && main->options.chunk->kind == MAIN_OWN);
    return main->has_ended && !is_cut && !input_was_cut();
}

int64_t main_script_stalled_ms(struct main_script *main, size_t outstanding, uint64_t reports)
{
    int64_t now_ms = clock_monotonic_ms();
    if (outstanding == 0 || reports != main->last_reports || main->progress_ms == 0) {
        main->last_reports = reports;
        main->progress_ms = now_ms;
    }
    return now_ms - main->progress_ms;
}

void main_script_close(struct main_script *main)
{
    uv_close((uv_handle_t *)&main->ended, NULL);
}

void main_script_destroy(struct main_script *main)
{
    script_free(&main->script);
    free(main->text);
}
