#include "json_text.h"

#include <assert.h>

/* Four hexadecimal digits, and *at behind them; or -1, and *at where there is another byte. */
static int read_unit(const char **at, const char *end)
{
    int unit = 0;
    for (int i = 0; i < 4; i++, ++*at) {
        if (*at == end)
            return -1;
        char lower = (char)(**at | 0x20);
        if (text_is_digit(**at))
            unit = unit << 4 | (**at - '0');
        else if (lower >= 'a' && lower <= 'f')
            unit = unit << 4 | (lower - 'a' + 10);
        else
            return -1;
    }
    return unit;
}

static bool is_high_surrogate(int unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low_surrogate(int unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* The same, behind \u: one unit, or two with another \u between. A fault of a whole unit is one of
 * its backslash. */
static int read_units(const char **at, const char *end, const char **expected)
{
    const char *backslash = *at - 2;
    *expected = "a hexadecimal digit";
    int unit = read_unit(at, end);
    if (unit < 0 || (!is_high_surrogate(unit) && !is_low_surrogate(unit)))
        return unit;
    if (is_high_surrogate(unit) && end - *at >= 2 && memcmp(*at, "\\u", 2) == 0) {
        *at += 2;
        int low = read_unit(at, end);
        if (low < 0)
            return -1;
        if (is_low_surrogate(low))
            return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    *at = backslash;
    *expected = "a character and not one half of a surrogate pair";
    return -1;
}

int text_read_escape(const char **at, const char *end, const char **expected)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    ++*at;
    if (*at < end && **at == 'u') {
        ++*at;
        return read_units(at, end, expected);
    }
    const char *known = *at < end ? memchr(letters, **at, strlen(letters)) : NULL;
    if (known == NULL) {
        *expected = "one of \" \\ / b f n r t u behind the backslash";
        return -1;
    }
    ++*at;
    return meanings[known - letters];
}

static char *write_utf8(char *to, int character)
{
    static const int leads[] = {0, 0xc0, 0xe0, 0xf0};
    int more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    *to++ = (char)(leads[more] | character >> 6 * more);
    while (more-- > 0)
        *to++ = (char)(0x80 | (character >> 6 * more & 0x3f));
    return to;
}

char *text_unescape(char *to, const char *at, const char *end)
{
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape != NULL ? escape : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (escape != NULL) {
            const char *expected;
            int character = text_read_escape(&at, end, &expected);
            assert(character >= 0);
            to = write_utf8(to, character);
        }
    }
    return to;
}
