/* bindings_http_internal.h - what the files of lagoon.http share.
 *
 * Threads: the one that runs the state. All of them may raise. */
#ifndef BINDINGS_HTTP_INTERNAL_H
#define BINDINGS_HTTP_INTERNAL_H

#include "bindings.h"
#include "http.h"

/* Of request's stack. */
enum { ARG_REQUEST = 1, ARG_EXCHANGE };

/* Reads the table at ARG_REQUEST; what the request points at stays on the stack. */
void http_read_request(lua_State *L, struct http_request *request);

/* Has the function of the test answer; what request returns. */
int http_ask_test(lua_State *L, const struct http_request *request);

/* Pushes a table of headers, whose names are kept in small letters and found in any. */
void http_headers_push(lua_State *L);

/* Replaces the name on top by itself in small letters. */
void http_headers_lower_top(lua_State *L);

/* Takes name and value from the top, for the table below them. One that comes again is a list, by
 * commas, but for cookies, which may have commas of their own. */
void http_headers_add(lua_State *L);

#endif
