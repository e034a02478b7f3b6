#include "control_name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char INSTANCE_BYTES[] = "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-";

int control_check_instance(const char *instance, struct error *err)
{
    size_t length = strlen(instance);
    if (length > 0 && length < CONTROL_INSTANCE_BYTES && strspn(instance, INSTANCE_BYTES) == length)
        return 0;
    error_set(err,
              "--instance takes up to %d letters, digits, dots, underscores and hyphens, got '%s'",
              CONTROL_INSTANCE_BYTES - 1, instance);
    return -1;
}

/* Containers may share the network namespace, which such a name belongs to, and have their configs
 * at the same path. Their PID namespaces they do not share; whoever is called into one is in it. */
static uint64_t hash_namespace(void)
{
    struct stat status;
    if (stat("/proc/self/ns/pid", &status) != 0)
        return HASH_START;
    return hash_bytes(HASH_START, &status.st_ino, sizeof status.st_ino);
}

/* A path is longer than a name may be, hence the hash. The system's list shows the NUL that an
 * abstract name begins with as an @. */
char *control_name_prefix(const char *config, struct error *err)
{
    char *real = realpath(config, NULL);
    if (real == NULL) {
        error_set(err, "%s: %s", config, strerror(errno));
        return NULL;
    }
    char *prefix =
        xasprintf("@lagoon/%016" PRIx64 "/", hash_bytes(hash_namespace(), real, strlen(real)));
    free(real);
    return prefix;
}

int control_name_make(struct control_name *name, const char *config, const char *instance,
                      struct error *err)
{
    char *prefix = control_name_prefix(config, err);
    if (prefix == NULL)
        return -1;
    *name = (struct control_name){.address.sun_family = AF_UNIX};
    int length =
        snprintf(name->address.sun_path, sizeof name->address.sun_path, "%s%s", prefix, instance);
    name->address.sun_path[0] = '\0';
    name->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length);
    free(prefix);
    return 0;
}

const char *control_name_instance(const char *listed, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(listed, prefix, length) == 0 ? listed + length : NULL;
}
