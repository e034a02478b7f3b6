/* letter_filter.h - which dead letters are meant: a Lua expression over what a letter holds.
 *
 * It sees event, key, headers, error, attempts, topic, partition, offset and timestamp, and of
 * Lua's libraries what computes and harms nobody; its time and memory are limited.
 *
 * Owns:    its Lua state.
 * Threads: any one. */
#ifndef LETTER_FILTER_H
#define LETTER_FILTER_H

#include "config.h"
#include "error.h"
#include "record.h"

struct letter_filter;

/* What a letter says beside its record; NULL: it says nothing of that. */
struct letter_reason {
    const char *error;
    const char *attempts;
    const char *topic;
    const char *partition;
    const char *offset;
    const char *timestamp;
};

/* NULL and err, with the line, when the expression is no Lua. */
struct letter_filter *letter_filter_new(const struct config *config,
                                        const struct consumer_config *consumer,
                                        const char *expression, struct error *err);
void letter_filter_free(struct letter_filter **filter);

enum letter_match { LETTER_MATCHES, LETTER_STAYS, LETTER_ERROR };

/* Of a letter without the headers that say why it is one, which begin with `prefix`. LETTER_ERROR:
 * err says why, with the line. */
enum letter_match letter_filter_match(struct letter_filter *filter, const struct record *letter,
                                      const char *prefix, const struct letter_reason *reason,
                                      struct error *err);

#endif
