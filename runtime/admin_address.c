#include "admin_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "units.h"

/* A connection that finds no room in the backlog comes again a second later. */
enum { BACKLOG = 1024, HOST_BYTES = 64 };

static const char UNIX[] = "unix:";

/* --- reading --- */

static int parse_unix(struct admin_address *address, const char *path, struct error *err)
{
    struct sockaddr_un *place = (struct sockaddr_un *)&address->bytes;
    if (path[0] != '/' || strlen(path) >= sizeof place->sun_path) {
        error_set(err, "a Unix socket is unix: and an absolute path of at most %zu bytes",
                  sizeof place->sun_path - 1);
        return -1;
    }
    place->sun_family = AF_UNIX;
    strcpy(place->sun_path, path);
    address->length = sizeof *place;
    address->is_local = true;
    return 0;
}

static int parse_port(const char *text, in_port_t *port)
{
    int64_t number;
    if (text[0] < '0' || text[0] > '9' || integer_parse(text, 0, 65535, &number) != 0)
        return -1;
    *port = htons((uint16_t)number);
    return 0;
}

static int set_ipv4(struct admin_address *address, const char *host, in_port_t port)
{
    struct sockaddr_in *place = (struct sockaddr_in *)&address->bytes;
    if (inet_pton(AF_INET, host, &place->sin_addr) != 1)
        return -1;
    place->sin_family = AF_INET;
    place->sin_port = port;
    address->length = sizeof *place;
    address->is_local = ntohl(place->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return 0;
}

static int set_ipv6(struct admin_address *address, const char *host, in_port_t port)
{
    struct sockaddr_in6 *place = (struct sockaddr_in6 *)&address->bytes;
    if (inet_pton(AF_INET6, host, &place->sin6_addr) != 1)
        return -1;
    place->sin6_family = AF_INET6;
    place->sin6_port = port;
    address->length = sizeof *place;
    address->is_local = IN6_IS_ADDR_LOOPBACK(&place->sin6_addr);
    return 0;
}

/* A name may stand for several addresses, and for others tomorrow. */
static int set_host(struct admin_address *address, const char *host, in_port_t port)
{
    size_t length = strlen(host);
    if (length == 0)
        return set_ipv6(address, "::", port);
    if (strcmp(host, "localhost") == 0)
        return set_ipv4(address, "127.0.0.1", port);
    if (host[0] != '[' || host[length - 1] != ']')
        return set_ipv4(address, host, port);
    char inner[HOST_BYTES];
    memcpy(inner, host + 1, length - 2);
    inner[length - 2] = '\0';
    return set_ipv6(address, inner, port);
}

int admin_address_parse(struct admin_address *address, const char *text, struct error *err)
{
    *address = (struct admin_address){.length = 0};
    if (strncmp(text, UNIX, sizeof UNIX - 1) == 0)
        return parse_unix(address, text + sizeof UNIX - 1, err);
    const char *colon = strrchr(text, ':');
    char host[HOST_BYTES];
    in_port_t port;
    size_t length = colon != NULL ? (size_t)(colon - text) : sizeof host;
    if (length < sizeof host && parse_port(colon + 1, &port) == 0) {
        memcpy(host, text, length);
        host[length] = '\0';
        if (set_host(address, host, port) == 0)
            return 0;
    }
    error_set(err,
              "an address to listen on is such as 127.0.0.1:9464, [::1]:9464, :9464 for every "
              "address of this machine, or unix:/path; got '%s'",
              text);
    return -1;
}

/* --- listening --- */

static char *word_address(const struct sockaddr_storage *bytes)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (bytes->ss_family == AF_UNIX)
        return xasprintf("%s%s", UNIX, ((const struct sockaddr_un *)bytes)->sun_path);
    if (bytes->ss_family == AF_INET) {
        const struct sockaddr_in *place = (const struct sockaddr_in *)bytes;
        inet_ntop(AF_INET, &place->sin_addr, host, sizeof host);
        return xasprintf("http://%s:%d", host, ntohs(place->sin_port));
    }
    const struct sockaddr_in6 *place = (const struct sockaddr_in6 *)bytes;
    inet_ntop(AF_INET6, &place->sin6_addr, host, sizeof host);
    return xasprintf("http://[%s]:%d", host, ntohs(place->sin6_port));
}

char *admin_address_url(int file)
{
    struct sockaddr_storage bytes = {.ss_family = AF_INET};
    socklen_t length = sizeof bytes;
    if (getsockname(file, (struct sockaddr *)&bytes, &length) != 0)
        bytes.ss_family = AF_INET;
    return word_address(&bytes);
}

void admin_address_remove(const struct admin_address *address)
{
    if (address->bytes.ss_family == AF_UNIX)
        unlink(((const struct sockaddr_un *)&address->bytes)->sun_path);
}

/* A process that was killed leaves its socket's file: nobody answers there. Any other kind of file
 * stays. */
static void remove_stale(const struct admin_address *address)
{
    struct stat status;
    const char *path = ((const struct sockaddr_un *)&address->bytes)->sun_path;
    if (address->bytes.ss_family != AF_UNIX || lstat(path, &status) != 0 ||
        !S_ISSOCK(status.st_mode))
        return;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0)
        return;
    if (connect(file, (const struct sockaddr *)&address->bytes, address->length) != 0 &&
        errno == ECONNREFUSED)
        unlink(path);
    close(file);
}

/* A Unix socket is its owner's alone, from the first moment on. */
static int bind_and_listen(const struct admin_address *address, int file)
{
    int on = 1, off = 0;
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->bytes.ss_family == AF_INET6)
        setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    mode_t mask = umask(0177);
    int rc = bind(file, (const struct sockaddr *)&address->bytes, address->length);
    umask(mask);
    return rc == 0 ? listen(file, BACKLOG) : rc;
}

enum admin_listen_result admin_address_listen(const struct admin_address *address, int *file,
                                              struct error *err)
{
    remove_stale(address);
    *file = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*file >= 0 && bind_and_listen(address, *file) == 0)
        return ADMIN_LISTENS;
    int code = errno;
    char *place = word_address(&address->bytes);
    error_set(err, "%s: %s", place, strerror(code));
    free(place);
    if (*file >= 0)
        close(*file);
    return code == EADDRINUSE ? ADMIN_TAKEN : ADMIN_FAILED;
}
