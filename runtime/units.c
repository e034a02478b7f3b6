#include "units.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct unit {
    const char *suffix;
    double seconds;
} units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"", 1}};

/* A hundred years; what is longer is a mistake. */
static const double MAX_SECONDS = 100.0 * 365 * 24 * 3600;

int duration_from_seconds(double seconds, int64_t *milliseconds, struct error *err)
{
    if (!(seconds >= 0 && seconds <= MAX_SECONDS)) {
        error_set(err, "a duration is a number of seconds, not negative, got %g", seconds);
        return -1;
    }
    /* The small part taken off keeps 0.1 s at 100 ms although 0.1 is a little more than 1/10. */
    *milliseconds = (int64_t)ceil(seconds * 1000 - 1e-6);
    return 0;
}

int duration_parse(const char *text, int64_t *milliseconds, struct error *err)
{
    char *suffix;
    double amount = strtod(text, &suffix);
    if (suffix != text && strspn(text, "0123456789.") == (size_t)(suffix - text)) {
        for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
            if (strcmp(suffix, units[i].suffix) == 0)
                return duration_from_seconds(amount * units[i].seconds, milliseconds, err);
        }
    }
    error_set(err, "a duration is written like \"250ms\", \"30s\" or \"5m\", got \"%s\"", text);
    return -1;
}

const char *size_say(int64_t bytes, char text[SIZE_TEXT_BYTES])
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes / 1024;
    size_t name = 0;
    while (amount >= 1023.5 && name + 1 < ARRAY_LENGTH(names)) {
        amount /= 1024;
        name++;
    }
    bool is_whole = amount >= 10 || amount == floor(amount);
    snprintf(text, SIZE_TEXT_BYTES, is_whole ? "%.0f %s" : "%.1f %s", amount, names[name]);
    return text;
}

int size_parse(const char *text, int64_t *bytes, struct error *err)
{
    static const struct {
        const char *suffix;
        double bytes;
    } sizes[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"", 1}};
    char *suffix;
    double amount = strtod(text, &suffix);
    if (suffix != text && strspn(text, "0123456789.") == (size_t)(suffix - text)) {
        for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
            if (strcmp(suffix, sizes[i].suffix) == 0 && amount * sizes[i].bytes < 0x1p53) {
                *bytes = (int64_t)(amount * sizes[i].bytes);
                return 0;
            }
        }
    }
    error_set(err, "a size is written like \"64KiB\", \"4MiB\" or \"1GiB\", got \"%s\"", text);
    return -1;
}

int integer_parse(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    errno = 0;
    long long found = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || found < least || found > most)
        return -1;
    *number = found;
    return 0;
}
