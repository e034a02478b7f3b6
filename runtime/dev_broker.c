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

enum {
    DEFAULT_PORT = 9092,
    DEFAULT_PARTITIONS = 4, /* what a topic gets that leaves its partitions to the broker */
};

struct dev_broker {
    pid_t process;
    int input; /* held open: its end ends the child */
    int output;
    char address[64];
};

/* Where a broker is to listen. */
struct wish {
    int port;
    bool is_any_from; /* or on the first free one behind it */
};

/* The arguments of `lagoon broker`; what is allocated is freed by free_arguments. */
static char **make_arguments(const struct config *config, const struct cluster_config *cluster,
                             const struct wish *wish)
{
    char **arguments = xcalloc(6 + config->topic_count, sizeof arguments[0]);
    size_t count = 0;
    arguments[count++] = xstrdup("lagoon");
    arguments[count++] = xstrdup("broker");
    arguments[count++] = xstrdup("--child");
    arguments[count++] = xasprintf("--port=%d", wish->port);
    if (wish->is_any_from)
        arguments[count++] = xstrdup("--any-port");
    for (size_t i = 0; i < config->topic_count; i++) {
        const struct topic_config *topic = &config->topics[i];
        if (topic->cluster != cluster)
            continue;
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

static int start_child(struct dev_broker *broker, char **arguments, struct error *err)
{
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) {
        error_set(err, "no pipe for the embedded broker: %s", strerror(errno));
        return -1;
    }
    fflush(NULL);
    *broker = (struct dev_broker){.process = fork(), .input = input[1], .output = output[0]};
    if (broker->process == 0)
        become_broker(input[0], output[1], arguments);
    close(input[0]);
    close(output[1]);
    if (broker->process >= 0)
        return 0;
    error_set(err, "the embedded broker cannot be started: %s", strerror(errno));
    close(broker->input);
    close(broker->output);
    return -1;
}

static void stop_child(struct dev_broker *broker)
{
    close(broker->input);
    close(broker->output);
    kill(broker->process, SIGTERM);
    waitpid(broker->process, NULL, 0);
}

static int start_one(struct dev_broker *broker, const struct config *config,
                     const struct cluster_config *cluster, const struct wish *wish,
                     struct error *err)
{
    char **arguments = make_arguments(config, cluster, wish);
    int rc = start_child(broker, arguments, err);
    free_arguments(arguments);
    if (rc != 0)
        return -1;
    if (read_address(broker, err) == 0)
        return 0;
    stop_child(broker);
    return -1;
}

static void say_started(const struct dev_broker *broker, const struct cluster_config *cluster,
                        bool has_others)
{
    if (has_others)
        log_info("cluster %s: embedded broker on %s: memory only, nothing survives the end of this "
                 "process",
                 cluster->name, broker->address);
    else
        log_info("embedded broker on %s: memory only, nothing survives the end of this process",
                 broker->address);
}

static int port_of(const struct dev_broker *broker)
{
    return atoi(strrchr(broker->address, ':') + 1);
}

/* Where the next one is to listen, behind those that do. */
static struct wish next_wish(const struct dev_brokers *brokers, int port)
{
    if (port == 0)
        return (struct wish){0, false};
    if (brokers->count > 0)
        return (struct wish){port_of(&brokers->items[brokers->count - 1]) + 1, true};
    return port > 0 ? (struct wish){port, false} : (struct wish){DEFAULT_PORT, true};
}

int dev_brokers_start(struct dev_brokers *brokers, const struct config *config, int port,
                      struct error *err)
{
    *brokers = (struct dev_brokers){
        .items = xcalloc(config->cluster_count, sizeof brokers->items[0]),
        .addresses = xcalloc(config->cluster_count, sizeof brokers->addresses[0]),
    };
    for (size_t i = 0; i < config->cluster_count; i++) {
        const struct wish wish = next_wish(brokers, port);
        struct dev_broker *broker = &brokers->items[i];
        if (start_one(broker, config, &config->clusters[i], &wish, err) != 0) {
            dev_brokers_stop(brokers);
            return -1;
        }
        brokers->addresses[brokers->count++] = broker->address;
        say_started(broker, &config->clusters[i], config->cluster_count > 1);
    }
    if (port < 0 && config->cluster_count == 1 && port_of(&brokers->items[0]) != DEFAULT_PORT)
        log_info("port %d is taken; other programs find this broker by KAFKA_BROKERS=%s",
                 DEFAULT_PORT, brokers->addresses[0]);
    return 0;
}

void dev_brokers_stop(struct dev_brokers *brokers)
{
    for (size_t i = 0; i < brokers->count; i++)
        stop_child(&brokers->items[i]);
    free(brokers->items);
    free(brokers->addresses);
    *brokers = (struct dev_brokers){0};
}
