#include "dev_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

/* What a topic gets that leaves its partitions to the broker. */
enum { DEFAULT_PARTITIONS = 4 };

/* The arguments of `lagoon broker`; what is allocated is freed by free_arguments. */
static char **make_arguments(const struct config *config, int port)
{
    char **arguments = xcalloc(6 + 2 * config->topic_count, sizeof arguments[0]);
    size_t count = 0;
    arguments[count++] = xstrdup("lagoon");
    arguments[count++] = xstrdup("broker");
    arguments[count++] = xstrdup("--child");
    if (port >= 0)
        arguments[count++] = xasprintf("--port=%d", port);
    for (size_t i = 0; i < config->topic_count; i++) {
        const struct topic_config *topic = &config->topics[i];
        arguments[count++] =
            xasprintf("--topic=%s:%d", topic->name,
                      topic->partitions > 0 ? topic->partitions : DEFAULT_PARTITIONS);
    }
    return arguments;
}

static void free_arguments(char **arguments)
{
    for (char **argument = arguments; *argument != NULL; argument++)
        free(*argument);
    free(arguments);
}

/* In the child: becomes the broker. Ctrl-C on a terminal reaches the whole group; the broker has to
 * outlive its parent's stop, and ends with its standard input. */
static _Noreturn void become_broker(int input, int output, char **arguments)
{
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    setpgid(0, 0);
    execv("/proc/self/exe", arguments);
    fprintf(stderr, "lagoon: the embedded broker cannot be started: %s\n", strerror(errno));
    _exit(127);
}

/* Reads the line by which the child says that it is ready. */
static int read_address(struct dev_broker *broker, struct error *err)
{
    static const char READY[] = "listening on ";
    char line[256];
    FILE *output = fdopen(dup(broker->output), "r");
    bool is_ready = output != NULL && fgets(line, sizeof line, output) != NULL &&
                    strncmp(line, READY, sizeof READY - 1) == 0;
    if (output != NULL)
        fclose(output);
    if (!is_ready) {
        error_set(err, "the embedded broker did not start");
        return -1;
    }
    line[strcspn(line, "\n")] = '\0';
    snprintf(broker->address, sizeof broker->address, "%.60s", line + sizeof READY - 1);
    return 0;
}

int dev_broker_start(struct dev_broker *broker, const struct config *config, int port,
                     struct error *err)
{
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) {
        error_set(err, "no pipe for the embedded broker: %s", strerror(errno));
        return -1;
    }
    char **arguments = make_arguments(config, port);
    fflush(NULL);
    *broker = (struct dev_broker){.process = fork(), .input = input[1], .output = output[0]};
    if (broker->process == 0)
        become_broker(input[0], output[1], arguments);
    free_arguments(arguments);
    close(input[0]);
    close(output[1]);
    if (broker->process < 0) {
        error_set(err, "the embedded broker cannot be started: %s", strerror(errno));
        return -1;
    }
    if (read_address(broker, err) != 0) {
        dev_broker_stop(broker);
        return -1;
    }
    log_info("embedded broker on %s: memory only, nothing survives the end of this process",
             broker->address);
    if (port < 0 && strcmp(broker->address, "127.0.0.1:9092") != 0)
        log_info("port 9092 is taken; other programs find this broker by KAFKA_BROKERS=%s",
                 broker->address);
    return 0;
}

void dev_broker_stop(struct dev_broker *broker)
{
    close(broker->input);
    close(broker->output);
    kill(broker->process, SIGTERM);
    waitpid(broker->process, NULL, 0);
}
