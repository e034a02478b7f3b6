/* units.h - durations, sizes and whole numbers as people write them, the same in config, Lua and
 * flags; sizes as they read them.
 *
 * Threads: any. */
#ifndef UNITS_H
#define UNITS_H

#include "error.h"
#include "util.h"

/* "250ms", "30s", "5m", "1h", or a number of seconds. Not negative. */
MUST_USE int duration_parse(const char *text, int64_t *milliseconds, struct error *err);

/* Seconds as a number, to milliseconds; rounded up, so that a wait is never shorter than asked. */
MUST_USE int duration_from_seconds(double seconds, int64_t *milliseconds, struct error *err);

/* "512 KiB", "2.5 GiB", into `text`, which is returned. */
enum { SIZE_TEXT_BYTES = 32 };
const char *size_say(int64_t bytes, char text[SIZE_TEXT_BYTES]);

/* "64KiB", "4MiB", "1GiB", or a number of bytes. */
MUST_USE int size_parse(const char *text, int64_t *bytes, struct error *err);

/* A whole number from `least` to `most`, with nothing behind it in the text. -1: it is none. */
MUST_USE int integer_parse(const char *text, int64_t least, int64_t most, int64_t *number);

#endif
