/* requests.h - requests that a well-behaved client would not send.
 *
 * With the token they ask only for what changes nothing, however they are read; without it for
 * anything.
 *
 * Threads: the one that calls. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "crowd.h"

/* Another request behind what is there, with the token or, when it is NULL, a wrong one or none. */
void requests_make(struct dice *dice, const char *token, struct buffer *out);

/* A token that is not the right one, in a whole header line. */
void requests_wrong_token(struct dice *dice, const char *token, struct buffer *out);

/* A header line of a page of another site, or of another name for this machine, and Host. */
void requests_cross_site(struct dice *dice, struct buffer *out);

/* The request line of something that changes the process, up to the headers. */
void requests_change(struct dice *dice, struct buffer *out);

#endif
