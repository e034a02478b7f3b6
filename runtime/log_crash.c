#include "log_crash.h"

#include <assert.h>
#include <signal.h>

#include "log_write.h"

static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
static struct sigaction before[ARRAY_LENGTH(signals)];

/* What the processor has raised comes again when the handler returns; what somebody has sent has to
 * be sent again. */
static void on_crash(int number, siginfo_t *info, void *unused)
{
    (void)unused;
    log_write_last();
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
        if (signals[i] == number)
            sigaction(number, &before[i], NULL);
    if (info->si_code <= 0)
        raise(number);
}

void log_crash_watch(void)
{
    static bool is_watching;
    if (is_watching)
        return;
    is_watching = true;
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
        int rc = sigaction(signals[i], &action, &before[i]);
        assert(rc == 0);
        (void)rc;
    }
}
