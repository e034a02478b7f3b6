/* control_name.h - how a running lagoon is found: by an abstract Unix socket that is named after
 * its config's real path, its PID namespace and its instance name.
 *
 * Such a name is the network namespace's, needs no file, and is gone with its process.
 *
 * Threads: any. */
#ifndef CONTROL_NAME_H
#define CONTROL_NAME_H

#include <sys/socket.h>
#include <sys/un.h>

#include "error.h"

enum { CONTROL_INSTANCE_BYTES = 64 };

/* The socket's address, and how long it is. */
struct control_name {
    struct sockaddr_un address;
    socklen_t length;
};

/* An instance name is 1 to 63 letters, digits, and any of "._-"; else -1 and err. */
MUST_USE int control_check_instance(const char *instance, struct error *err);

/* The address of the instance of the config; -1 and err when the config is not there. */
MUST_USE int control_name_make(struct control_name *name, const char *config, const char *instance,
                               struct error *err);

/* Whether the name, as the system lists it ("@lagoon/..."), is an instance of the config; which
 * one then follows behind the returned pointer's place. NULL: it is none. `prefix` is of
 * control_name_prefix. */
const char *control_name_instance(const char *listed, const char *prefix);

/* What all instances of the config begin with in the system's list; the caller frees it. NULL and
 * err when the config is not there. */
char *control_name_prefix(const char *config, struct error *err);

#endif
