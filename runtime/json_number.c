#include "json_number.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"

__extension__ typedef unsigned __int128 uint128;

/* What the shortest text of a double needs: 10^e for every e, rounded up to 128 bits of which the
 * first is set. */
enum { POWER_MIN = -292, POWER_MAX = 324 };
static uint128 powers[POWER_MAX - POWER_MIN + 1];

/* The C locale, which setlocale cannot change under us. */
static locale_t c_locale;

/* A large number, the lowest word first: room for 5^324, and for 128 bits of 2^831 / 5^292. */
enum { WORDS = 26 };

/* The first 128 bits, beginning with the highest that is set. */
static uint128 leading_bits(const uint32_t number[static WORDS])
{
    int word = WORDS - 1;
    while (number[word] == 0)
        word--;
    int shift = __builtin_clz(number[word]);
    uint128 bits = 0;
    for (int i = 0; i < 4; i++, word--)
        bits = bits << 32 | (word >= 0 ? number[word] : 0);
    uint64_t next = word >= 0 ? number[word] : 0;
    return bits << shift | next << shift >> 32;
}

static void multiply_by_5(uint32_t number[static WORDS])
{
    uint64_t carry = 0;
    for (int word = 0; word < WORDS; word++) {
        carry += (uint64_t)number[word] * 5;
        number[word] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void divide_by_5(uint32_t number[static WORDS])
{
    uint64_t rest = 0;
    for (int word = WORDS - 1; word >= 0; word--) {
        rest = rest << 32 | number[word];
        number[word] = (uint32_t)(rest / 5);
        rest %= 5;
    }
}

/* 10^e and 5^e have the same leading bits. Up to 5^55 they are all there is, so nothing is rounded;
 * a negative power never ends, so it always is. Dropping the rest of each division is no loss:
 * floor(floor(x / 5) / 5) is floor(x / 25). */
static void compute_tables(void)
{
    uint32_t number[WORDS] = {1};
    for (int e = 0; e <= POWER_MAX; e++) {
        powers[e - POWER_MIN] = leading_bits(number) + (e > 55);
        multiply_by_5(number);
    }
    memset(number, 0, sizeof(number));
    number[WORDS - 1] = UINT32_C(1) << 31;
    for (int e = -1; e >= POWER_MIN; e--) {
        divide_by_5(number);
        powers[e - POWER_MIN] = leading_bits(number) + 1;
    }
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert(c_locale != (locale_t)0);
}

void json_number_open(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int rc = pthread_once(&once, compute_tables);
    assert(rc == 0);
    (void)rc;
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

/* Writes the digits so that they end before `end`, and returns where they begin. */
static char *write_digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + value * 2, 2);
        return end;
    }
    *--end = (char)('0' + value);
    return end;
}

char *json_number_write_integer(char *to, long long value)
{
    uint64_t absolute = (uint64_t)value;
    if (value < 0) {
        *to++ = '-';
        absolute = -absolute;
    }
    char digits[20];
    char *first = write_digits_before(digits + sizeof(digits), absolute);
    size_t count = (size_t)(digits + sizeof(digits) - first);
    memcpy(to, first, count);
    return to + count;
}

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

static int floor_log2_of_power_of_10(int e)
{
    return (e * 1741647) >> 19;
}

/* The integer part of number * power / 2^128, its lowest bit set when there is a fraction: enough
 * to compare it with multiples of two. The power may be too large by less than one, which shows in
 * the fraction's lowest bit only, hence 1 counts as none. */
static uint64_t multiply_to_odd(uint128 power, uint64_t number)
{
    uint128 low = (uint128)(uint64_t)power * number;
    uint128 high = (power >> 64) * number + (low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The shortest decimal between the two neighbours' middles, by R. Giulietti's method ("The
 * Schubfach way to render doubles"): in units of the largest 10^k that is not above the distance of
 * the neighbours, value itself is rounded down and up, first to ten units, then to one; the
 * shortest is among these four. All is counted in quarters of a unit, so that the middles are
 * whole. */
static struct decimal shortest_decimal(uint64_t mantissa, int exponent, bool is_power_of_2)
{
    /* Below a power of 2 the doubles are twice as dense. */
    int k = (exponent * 1262611 - (is_power_of_2 ? 524031 : 0)) >> 22;
    int shift = exponent + floor_log2_of_power_of_10(-k) + 1;
    uint128 power = powers[-k - POWER_MIN];
    uint64_t value = multiply_to_odd(power, mantissa * 4 << shift);
    uint64_t lower = multiply_to_odd(power, (mantissa * 4 - (is_power_of_2 ? 1 : 2)) << shift);
    uint64_t upper = multiply_to_odd(power, (mantissa * 4 + 2) << shift);

    /* The middles themselves read back as the even one of the two doubles beside them. */
    lower += mantissa & 1;
    upper -= mantissa & 1;

    uint64_t down = value / 4;
    uint64_t tens = down / 10;
    if (tens > 0) {
        bool down_fits = lower <= tens * 40;
        bool up_fits = tens * 40 + 40 <= upper;
        if (down_fits != up_fits)
            return (struct decimal){tens + up_fits, k + 1};
    }
    bool down_fits = lower <= down * 4;
    bool up_fits = down * 4 + 4 <= upper;
    if (down_fits != up_fits)
        return (struct decimal){down + up_fits, k};
    uint64_t middle = down * 4 + 2;
    bool up_is_nearer = value > middle || (value == middle && (down & 1) != 0);
    return (struct decimal){down + up_is_nearer, k};
}

static struct decimal decimal_of(double positive)
{
    uint64_t bits;
    memcpy(&bits, &positive, sizeof(bits));
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int biased = (int)(bits >> 52);
    if (biased == 0)
        return shortest_decimal(fraction, -1074, false);
    return shortest_decimal(fraction | UINT64_C(1) << 52, biased - 1075,
                            fraction == 0 && biased > 1);
}

static void drop_trailing_zeros(struct decimal *decimal)
{
    while (decimal->digits % 10000 == 0) {
        decimal->digits /= 10000;
        decimal->exponent += 4;
    }
    while (decimal->digits % 10 == 0) {
        decimal->digits /= 10;
        decimal->exponent++;
    }
}

static char *write_bytes(char *to, const char *bytes, int count)
{
    memcpy(to, bytes, (size_t)count);
    return to + count;
}

static char *write_zeros(char *to, int count)
{
    memset(to, '0', (size_t)count);
    return to + count;
}

/* `point` is where the decimal point belongs, counted from the first digit. */
static char *write_plain(char *to, const char *digits, int count, int point)
{
    if (point <= 0) {
        to = write_bytes(to, "0.", 2);
        to = write_zeros(to, -point);
        return write_bytes(to, digits, count);
    }
    if (point < count) {
        to = write_bytes(to, digits, point);
        *to++ = '.';
        return write_bytes(to, digits + point, count - point);
    }
    to = write_bytes(to, digits, count);
    to = write_zeros(to, point - count);
    return write_bytes(to, ".0", 2);
}

static char *write_scientific(char *to, const char *digits, int count, int point)
{
    *to++ = digits[0];
    if (count > 1) {
        *to++ = '.';
        to = write_bytes(to, digits + 1, count - 1);
    }
    *to++ = 'e';
    return json_number_write_integer(to, point - 1);
}

char *json_number_write_float(char *to, double value)
{
    assert(isfinite(value));
    if (signbit(value)) {
        *to++ = '-';
        value = -value;
    }
    if (value == 0)
        return write_bytes(to, "0.0", 3);
    struct decimal decimal = decimal_of(value);
    drop_trailing_zeros(&decimal);
    char digits[20];
    char *first = write_digits_before(digits + sizeof(digits), decimal.digits);
    int count = (int)(digits + sizeof(digits) - first);
    int point = count + decimal.exponent;
    if (point >= -3 && point <= 16)
        return write_plain(to, first, count, point);
    return write_scientific(to, first, count, point);
}

/* Goes on only as long as it can matter: no text is long enough to make up for such an exponent. */
static int64_t read_exponent(const char *at, const char *end)
{
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    int64_t exponent = 0;
    for (; at < end && exponent < INT64_C(1) << 50; at++)
        exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

/* The digits, at `at` behind the sign, without point and leading zeros; false when they are more
 * than fit for sure. */
static bool read_decimal(struct decimal *decimal, const char *at, const char *end)
{
    const char *point = NULL;
    const char *first = NULL;
    *decimal = (struct decimal){0};
    for (; at < end && (text_is_digit(*at) || *at == '.'); at++) {
        if (*at == '.') {
            point = at;
            continue;
        }
        if (first == NULL && *at != '0')
            first = at;
        decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
    }
    int64_t exponent = point != NULL ? point + 1 - at : 0;
    if (at < end)
        exponent += read_exponent(at + 1, end);
    if (exponent < POWER_MIN || exponent > POWER_MAX)
        return false;
    decimal->exponent = (int)exponent;
    return first == NULL || at - first <= 19;
}

/* No number that this is for is subnormal, as the powers do not go that far. For numbers that are
 * too large it answers false.
 *
 * The product of digits and power has 192 bits, of which `product` is the highest 128. The power is
 * too large by less than one, hence so is `product`, and it lacks less than one below. So where the
 * bits behind the double's 53 are not just about one half, rounding them is right. */
static bool read_by_power(const struct decimal *decimal, double *value)
{
    if (decimal->digits == 0)
        return false;
    int zeros = __builtin_clzll(decimal->digits);
    uint64_t digits = decimal->digits << zeros;
    uint128 power = powers[decimal->exponent - POWER_MIN];
    uint128 product = (power >> 64) * digits + ((uint128)(uint64_t)power * digits >> 64);
    int carry = (int)(product >> 127);
    product <<= 1 - carry;

    uint128 half = (uint128)1 << 74;
    uint128 rest = product & ((half << 1) - 1);
    int biased = 1023 + 63 - zeros + floor_log2_of_power_of_10(decimal->exponent) + carry;
    if (rest - half + 2 <= 4 || biased > 2046)
        return false;
    uint64_t bits = (uint64_t)(product >> 75) - (UINT64_C(1) << 52) + (rest > half);
    bits += (uint64_t)biased << 52;
    memcpy(value, &bits, sizeof(bits));
    return true;
}

/* The digits of a number without sign, point and leading zeros: as many as can matter. Of further
 * ones only whether there was anything but zeros is told, by a 1 behind the others. */
enum { DIGITS_MAX = 800, EXPONENT_BYTES = 24 };
struct digits {
    int count;
    int64_t exponent; /* of the last digit */
    bool cut_something;
    char text[DIGITS_MAX + 1 + EXPONENT_BYTES];
};

static void digits_add(struct digits *digits, char digit)
{
    if (digits->count == DIGITS_MAX) {
        digits->cut_something |= digit != '0';
        digits->exponent++;
    } else if (digits->count > 0 || digit != '0') {
        digits->text[digits->count++] = digit;
    }
}

/* `at` is behind the sign. */
static void digits_read(struct digits *digits, const char *at, const char *end)
{
    digits->count = 0;
    digits->exponent = 0;
    digits->cut_something = false;
    for (; at < end && text_is_digit(*at); at++)
        digits_add(digits, *at);
    if (at < end && *at == '.') {
        for (at++; at < end && text_is_digit(*at); at++) {
            digits_add(digits, *at);
            digits->exponent--;
        }
    }
    if (at < end)
        digits->exponent += read_exponent(at + 1, end);
}

/* Rare, and slow. */
static double read_digits(const char *at, const char *end)
{
    struct digits digits;
    digits_read(&digits, at, end);
    if (digits.count == 0)
        return 0;
    if (digits.cut_something) {
        digits.text[digits.count++] = '1';
        digits.exponent--;
    }
    snprintf(digits.text + digits.count, EXPONENT_BYTES, "e%lld", (long long)digits.exponent);
    return strtod_l(digits.text, NULL, c_locale);
}

double json_number_read(const char *text, const char *end)
{
    bool negative = *text == '-';
    const char *at = text + negative;
    struct decimal decimal;
    double value;
    if (!read_decimal(&decimal, at, end) || !read_by_power(&decimal, &value))
        value = read_digits(at, end);
    return negative ? -value : value;
}
