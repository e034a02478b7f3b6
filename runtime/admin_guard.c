#include "admin_guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { UNAUTHORIZED = 401, FORBIDDEN = 403, HOST_BYTES = 64 };

/* The time tells nothing of where they differ, nor how long the token is. */
static bool is_token(const char *token, const char *given)
{
    size_t token_length = strlen(token);
    size_t given_length = strlen(given);
    unsigned char differs = token_length != given_length;
    for (size_t i = 0; i < given_length; i++)
        differs |= (unsigned char)(given[i] ^ token[token_length > 0 ? i % token_length : 0]);
    return differs == 0;
}

static bool has_token(const struct admin_guard *guard, const struct admin_visit *visit)
{
    static const char scheme[] = "Bearer ";
    const char *given = visit->authorization;
    if (given == NULL || strncasecmp(given, scheme, sizeof scheme - 1) != 0)
        return false;
    given += sizeof scheme - 1;
    return is_token(guard->token, given + strspn(given, " "));
}

/* An address is what it says; a name is whatever its owner says, and may be our address today. */
static bool is_own_host(const char *host)
{
    char name[HOST_BYTES];
    unsigned char address[sizeof(struct in6_addr)];
    const char *start = host[0] == '[' ? host + 1 : host;
    size_t length = host[0] == '[' ? strcspn(start, "]") : strcspn(start, ":");
    if (length == 0 || length >= sizeof name)
        return false;
    memcpy(name, start, length);
    name[length] = '\0';
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1 ||
           inet_pton(AF_INET6, name, address) == 1;
}

/* A browser says where the page is from; ours has none. */
static bool is_cross_site(const struct admin_visit *visit)
{
    static const char scheme[] = "http://";
    if (visit->site != NULL && strcmp(visit->site, "same-origin") != 0 &&
        strcmp(visit->site, "none") != 0)
        return true;
    if (visit->origin == NULL)
        return false;
    return visit->host == NULL || strncmp(visit->origin, scheme, sizeof scheme - 1) != 0 ||
           strcasecmp(visit->origin + sizeof scheme - 1, visit->host) != 0;
}

int admin_guard_check(const struct admin_guard *guard, const struct admin_visit *visit,
                      struct error *err)
{
    if (guard->token == NULL && !guard->is_local) {
        error_set(err, "/v1 is off: it listens on an address that other machines reach, and the "
                       "config has no admin.token");
        return FORBIDDEN;
    }
    /* Elsewhere it is reached by names that only its owner knows, and always with the token. */
    if (guard->is_local && (visit->host == NULL || !is_own_host(visit->host))) {
        error_set(err, "the request is for another host: ask by address, or by localhost");
        return FORBIDDEN;
    }
    if (is_cross_site(visit)) {
        error_set(err, "the request comes from a page of another site");
        return FORBIDDEN;
    }
    if (guard->token != NULL && !has_token(guard, visit)) {
        error_set(err, visit->authorization == NULL
                           ? "a token is needed: Authorization: Bearer TOKEN, which is admin.token "
                             "of the config"
                           : "the token is wrong");
        return UNAUTHORIZED;
    }
    return 0;
}
