#include "control_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TIMEOUT_S = 5,
    MAX_ANSWER_BYTES = 64 * 1024 * 1024,
    READ_BYTES = 64 * 1024,
    MAX_FOUND = 100,
    LISTENS = 0x10000, /* in the system's list: __SO_ACCEPTCON */
};

/* --- which there are --- */

struct found {
    char instances[MAX_FOUND][CONTROL_INSTANCE_BYTES];
    size_t count;
};

/* A line of /proc/net/unix: connections that were accepted have the name of their listener. */
static void take_line(struct found *found, const char *line, const char *prefix)
{
    unsigned flags;
    int behind = 0;
    if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %n", &flags, &behind) != 1 || behind == 0)
        return;
    const char *instance = control_name_instance(line + behind, prefix);
    if ((flags & LISTENS) == 0 || instance == NULL || found->count == MAX_FOUND)
        return;
    snprintf(found->instances[found->count++], CONTROL_INSTANCE_BYTES, "%.*s",
             (int)strcspn(instance, "\n"), instance);
}

static int by_name(const void *a, const void *b)
{
    return strverscmp(a, b);
}

static int find_instances(struct found *found, const char *prefix, struct error *err)
{
    static const char path[] = "/proc/net/unix";
    found->count = 0;
    FILE *list = fopen(path, "re");
    if (list == NULL) {
        error_set(err, "%s: %s: name the one that is meant by --instance", path, strerror(errno));
        return -1;
    }
    char line[256];
    while (fgets(line, sizeof line, list) != NULL)
        take_line(found, line, prefix);
    fclose(list);
    qsort(found->instances, found->count, CONTROL_INSTANCE_BYTES, by_name);
    return 0;
}

/* --- speaking to one --- */

/* Whoever could take the name first could tell tales. Root reaches every user's lagoon. */
static int check_peer(int file, struct ucred *who, struct error *err)
{
    socklen_t length = sizeof *who;
    if (getsockopt(file, SOL_SOCKET, SO_PEERCRED, who, &length) != 0) {
        error_set(err, "the running lagoon cannot be known: %s", strerror(errno));
        return -1;
    }
    if (geteuid() == 0 || who->uid == geteuid())
        return 0;
    error_set(err, "it runs as another user (%u): only that user and root may ask it",
              (unsigned)who->uid);
    return -1;
}

/* The connected file; or -1 and err, and *result says why. */
static int connect_to(const char *config, const char *instance, struct ucred *who,
                      enum control_result *result, struct error *err)
{
    struct control_name name;
    *result = CONTROL_NOBODY;
    if (control_name_make(&name, config, instance, err) != 0)
        return -1;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = TIMEOUT_S};
    if (file < 0 || setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        connect(file, (struct sockaddr *)&name.address, name.length) != 0) {
        /* More wait to be heard than it lets wait. */
        *result = errno == EAGAIN ? CONTROL_SILENT : CONTROL_NOBODY;
        error_set(err,
                  *result == CONTROL_SILENT ? "the lagoon of %s that runs as %s does not answer"
                                            : "no lagoon of %s runs here as %s",
                  config, instance);
    } else if (check_peer(file, who, err) == 0) {
        return file;
    }
    if (file >= 0)
        close(file);
    return -1;
}

static int send_all(int file, const struct buffer *request)
{
    size_t sent = 0;
    while (sent < request->length) {
        ssize_t rc = send(file, request->bytes + sent, request->length - sent, MSG_NOSIGNAL);
        if (rc < 0 && errno != EINTR)
            return -1;
        sent += rc > 0 ? (size_t)rc : 0;
    }
    return send(file, "\n", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Up to the end of the line. */
static int receive(int file, struct buffer *answer)
{
    for (;;) {
        ssize_t rc = recv(file, buffer_reserve(answer, READ_BYTES), READ_BYTES, 0);
        if (rc < 0 && errno == EINTR)
            continue;
        if (rc <= 0 || answer->length > MAX_ANSWER_BYTES)
            return -1;
        answer->length += (size_t)rc;
        if (answer->bytes[answer->length - 1] == '\n')
            break;
    }
    answer->length--;
    return 0;
}

static enum control_result ask(const char *config, const char *instance,
                               const struct buffer *request, struct buffer *answer,
                               struct error *err)
{
    struct ucred who;
    enum control_result result;
    int file = connect_to(config, instance, &who, &result, err);
    if (file < 0)
        return result;
    int rc = send_all(file, request);
    if (rc == 0)
        rc = receive(file, answer);
    if (rc != 0)
        error_set(err, "the lagoon of %s that runs as %s, process %d, does not answer", config,
                  instance, (int)who.pid);
    close(file);
    return rc == 0 ? CONTROL_ANSWERED : CONTROL_SILENT;
}

/* --- choosing one --- */

static void say_several(const struct found *found, const char *config, struct error *err)
{
    struct buffer list;
    buffer_init(&list);
    for (size_t i = 0; i < found->count; i++) {
        struct ucred who;
        struct error ignored;
        enum control_result result;
        int file = connect_to(config, found->instances[i], &who, &result, &ignored);
        if (file < 0)
            continue;
        buffer_format(&list, "\n  --instance %s  (process %d)", found->instances[i], (int)who.pid);
        close(file);
    }
    error_set(err, "several lagoons of %s run here; name the one that is meant:%.*s", config,
              (int)list.length, list.bytes);
    buffer_destroy(&list);
}

enum control_result control_ask(const char *config, const char *instance,
                                const struct buffer *request, struct buffer *answer,
                                struct error *err)
{
    if (instance != NULL)
        return ask(config, instance, request, answer, err);
    char *prefix = control_name_prefix(config, err);
    if (prefix == NULL)
        return CONTROL_NOBODY;
    struct found found;
    int rc = find_instances(&found, prefix, err);
    free(prefix);
    if (rc != 0)
        return CONTROL_NOBODY;
    if (found.count == 1)
        return ask(config, found.instances[0], request, answer, err);
    if (found.count == 0) {
        error_set(err, "no lagoon of %s runs here", config);
        return CONTROL_NOBODY;
    }
    say_several(&found, config, err);
    return CONTROL_AMBIGUOUS;
}
