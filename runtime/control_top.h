/* control_top.h - what `lagoon top` knows and shows, which lua/top/ decides: answers and keys go
 * in, screens come out.
 *
 * Owns:    a Lua state.
 * Threads: the one that made it.
 * Life:    control_top_new -> the others, in any order, a look first -> control_top_free. */
#ifndef CONTROL_TOP_H
#define CONTROL_TOP_H

#include "control_name.h"
#include "error.h"
#include "util.h"

struct control_top;

/* What a key asks for. */
enum control_top_wish {
    TOP_NOTHING, /* but that it is drawn anew */
    TOP_QUIT,
    TOP_PAUSE,
    TOP_RESUME,
};

/* Which lagoon answered. */
struct control_top_who {
    char instance[CONTROL_INSTANCE_BYTES];
    int64_t process;
};

/* Aborts when the Lua files that are built in do not load. */
struct control_top *control_top_new(bool is_coloured);

/* Takes an answer to "status". -1 and err when it is an error, or no status. */
MUST_USE int control_top_look(struct control_top *top, const struct buffer *answer,
                              struct control_top_who *who, struct error *err);

/* There has been no answer for so long. */
void control_top_miss(struct control_top *top, int64_t silent_ms);

/* The answer to what a key asked for is shown, in the words of lua/answers/WORDING.lua. */
void control_top_tell(struct control_top *top, const char *wording, const struct buffer *answer);

/* So is a sentence of ours. */
void control_top_say(struct control_top *top, const char *text);

/* Takes what was typed. With a wish for a consumer its name is appended to *consumer. */
enum control_top_wish control_top_type(struct control_top *top, const char *bytes, size_t length,
                                       struct buffer *consumer);

/* Appends a whole screen, from its upper left corner on. */
void control_top_draw(struct control_top *top, int width, int height, struct buffer *frame);

void control_top_free(struct control_top **top);

#endif
