#include "first_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit_code.h"

/* As a shell says it: 128 and the signal that killed it. */
static int code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The exit code of the child if it is among those that have ended, else -1. */
static int reap_ended(pid_t child)
{
    int status, code = -1;
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
        if (ended == child)
            code = code_of(status);
    return code;
}

/* What the terminal sends, Ctrl-C say, comes from the kernel to the whole foreground group; the
 * child has it already. */
static void pass_on(const siginfo_t *signal, pid_t child)
{
    if (signal->si_code != SI_KERNEL)
        kill(child, signal->si_signo);
}

static int stand_by(pid_t child, const sigset_t *signals)
{
    for (;;) {
        siginfo_t signal;
        if (sigwaitinfo(signals, &signal) < 0)
            continue;
        if (signal.si_signo != SIGCHLD) {
            pass_on(&signal, child);
            continue;
        }
        int code = reap_ended(child);
        if (code >= 0)
            return code;
    }
}

int first_process_split(void)
{
    if (getpid() != 1)
        return -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child > 0)
        return stand_by(child, &all);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (child == 0)
        return -1;
    fprintf(stderr, "lagoon: fork: %s\n", strerror(errno));
    return EXIT_INTERNAL;
}
