/* output.h - lines for standard output, written by a thread of its own: whoever reads them may be
 * slow, and the loop never waits for that.
 *
 * Nothing here bounds what waits to be written: who makes the lines come asks output_has_room
 * first.
 *
 * Owns:    its thread and what is not written yet. Threads: any; start and finish on main. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "util.h"

struct error;
struct output;

MUST_USE int output_start(struct output **output, struct error *err);

void output_add(struct output *output, const void *bytes, size_t length);

/* False while so much waits that no more should be made; always true once writing has failed. */
bool output_has_room(struct output *output);

/* Writing failed: what came later was thrown away. */
bool output_has_failed(struct output *output);

/* Writes what is left, and waits for it at most so long. -1 and err when not all was written. Sets
 * *output to NULL. */
MUST_USE int output_finish(struct output **output, int64_t timeout_ms, struct error *err);

#endif
