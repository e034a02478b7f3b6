#include "broker_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local struct {
    bool is_wanted;
    int first;
    int last;
    int bound;
    int refused;
} wish;

void broker_port_want(int first, int last)
{
    wish.is_wanted = true;
    wish.first = first;
    wish.last = last;
    wish.bound = 0;
    wish.refused = 0;
}

int broker_port_end(void)
{
    wish.is_wanted = false;
    return wish.refused;
}

int broker_port_bound(void)
{
    return wish.bound;
}

static int bind_plain(int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)syscall(SYS_bind, fd, address, length);
}

static bool is_any_port_of_loopback(const struct sockaddr *address, socklen_t length)
{
    const struct sockaddr_in *internet = (const struct sockaddr_in *)address;
    return length >= sizeof *internet && address->sa_family == AF_INET && internet->sin_port == 0 &&
           internet->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

static int bind_wanted(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_in internet = *(const struct sockaddr_in *)address;
    for (int port = wish.first; port <= wish.last; port++) {
        internet.sin_port = htons((uint16_t)port);
        if (bind_plain(fd, (const struct sockaddr *)&internet, sizeof internet) == 0)
            return 0;
        wish.refused = errno;
        if (errno != EADDRINUSE)
            break;
    }
    return bind_plain(fd, address, length);
}

/* Under the name bind for everybody else; <sys/socket.h> declares that one in its own way. */
__attribute__((visibility("default"))) int broker_port_bind(int fd, const struct sockaddr *address,
                                                            socklen_t length) __asm__("bind");

int broker_port_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    if (!wish.is_wanted || !is_any_port_of_loopback(address, length))
        return bind_plain(fd, address, length);
    if (bind_wanted(fd, address, length) != 0)
        return -1;
    struct sockaddr_in bound;
    socklen_t bound_length = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &bound_length) == 0)
        wish.bound = ntohs(bound.sin_port);
    if (wish.bound >= wish.first && wish.bound <= wish.last)
        wish.refused = 0;
    return 0;
}
