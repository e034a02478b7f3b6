/* json_number.h - numbers and their text, exactly, whatever the locale.
 *
 * Threads: any, after json_number_open. */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include <stddef.h>

/* No number that is written here is longer. */
enum { JSON_NUMBER_BYTES = 32 };

/* Computes the tables; the first call does it, the others only wait for it. */
void json_number_open(void);

/* Both write at `to`, without a NUL, and return the end. */
char *json_number_write_integer(char *to, long long value);

/* The fewest digits that read back as `value`, which is finite; of several such texts the nearest.
 * It never looks like an integer: 1.0, 1e100. */
char *json_number_write_float(char *to, double value);

/* The double nearest to a text that the grammar of JSON allows; infinite when it is too large. */
double json_number_read(const char *text, const char *end);

#endif
