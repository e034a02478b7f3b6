/* admin_address.h - where the admin server listens: an address and port, or a Unix socket.
 *
 * Threads: main. */
#ifndef ADMIN_ADDRESS_H
#define ADMIN_ADDRESS_H

#include <sys/socket.h>

#include "error.h"

#define ADMIN_DEFAULT_LISTEN "127.0.0.1:9464"

struct admin_address {
    struct sockaddr_storage bytes;
    socklen_t length;
    bool is_local; /* only this machine can reach it */
};

/* "127.0.0.1:9464", "[::1]:9464", "localhost:9464", ":9464" (every address) or "unix:/path"; else
 * -1 and err. */
MUST_USE int admin_address_parse(struct admin_address *address, const char *text,
                                 struct error *err);

enum admin_listen_result {
    ADMIN_LISTENS,
    ADMIN_TAKEN,  /* somebody listens there; err says so */
    ADMIN_FAILED, /* err says why */
};

/* A socket that listens, the caller's; a Unix socket that nobody listens at any more is replaced.
 */
enum admin_listen_result admin_address_listen(const struct admin_address *address, int *file,
                                              struct error *err);

/* "http://127.0.0.1:9464" of the listening socket, whose port may have been chosen by the system;
 * the caller frees it. */
char *admin_address_url(int file);

/* Removes the Unix socket's file; others leave nothing. */
void admin_address_remove(const struct admin_address *address);

#endif
