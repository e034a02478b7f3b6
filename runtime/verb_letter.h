/* verb_letter.h - what a dead letter says of itself, and how `lagoon dead-letters` shows it.
 *
 * Threads: main. */
#ifndef VERB_LETTER_H
#define VERB_LETTER_H

#include "config.h"
#include "record.h"

/* What the names of the headers begin with that are the letter's and not its record's. */
#define LETTER_PREFIX "lagoon-dead-letter-"
/* How often it was sent back. */
#define LETTER_ROUNDS "lagoon-redrive-count"

/* The header behind the prefix; NULL when there is none. The letter's. */
const char *letter_field(const struct record *letter, const char *name);

int letter_rounds(const struct record *letter);

/* The consumer gave it up, and it says where it stood. */
bool letter_is_of(const struct record *letter, const struct consumer_config *consumer);

/* On standard output: a line, or all of it. */
void letter_list(const struct record *letter);
void letter_show(const struct record *letter);

#endif
