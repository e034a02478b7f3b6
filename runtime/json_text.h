/* json_text.h - the bytes of JSON strings, as the decoder and the encoder both look at them.
 *
 * Threads: any. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A special byte is one that a string cannot be copied over blindly: a control character, a quote,
 * a backslash, or a part of a UTF-8 sequence. */
static inline bool text_is_special(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
}

/* Eight bytes at once: the top bit of each special byte is set in the answer. A borrow may set it
 * for a byte behind a special one too, so only the first is to be trusted. */
static inline uint64_t text_special_bytes(uint64_t bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t control = bytes - ones * 0x20;
    uint64_t quote = (bytes ^ ones * '"') - ones;
    uint64_t backslash = (bytes ^ ones * '\\') - ones;
    return (bytes | control | quote | backslash) & ones * 0x80;
}

/* The first special byte, or `end`. */
static inline const char *text_plain_end(const char *at, const char *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof(bytes));
        uint64_t special = text_special_bytes(le64toh(bytes));
        if (special != 0)
            return at + __builtin_ctzll(special) / 8;
    }
    while (at < end && !text_is_special(*at))
        at++;
    return at;
}

/* The length of the well-formed UTF-8 sequence of two to four bytes that starts here, or 0: no
 * overlong forms, no surrogates, nothing above U+10FFFF. */
static inline size_t text_sequence_length(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t available = (size_t)(end - at);
    if (available < 2 || byte[0] < 0xc2 || byte[0] > 0xf4 || (byte[1] & 0xc0) != 0x80)
        return 0;
    if (byte[0] < 0xe0)
        return 2;
    if (available < 3 || (byte[2] & 0xc0) != 0x80)
        return 0;
    if (byte[0] < 0xf0) {
        bool overlong = byte[0] == 0xe0 && byte[1] < 0xa0;
        bool surrogate = byte[0] == 0xed && byte[1] >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (available < 4 || (byte[3] & 0xc0) != 0x80)
        return 0;
    bool overlong = byte[0] == 0xf0 && byte[1] < 0x90;
    bool too_high = byte[0] == 0xf4 && byte[1] >= 0x90;
    return overlong || too_high ? 0 : 4;
}

/* The character that the escape at *at, a backslash, means, and *at behind it. Or -1, *at where it
 * goes wrong, and in *expected what belongs there. */
int text_read_escape(const char **at, const char *end, const char **expected);

/* Writes what the inside of a string means, all of whose escapes are known to be right, and returns
 * the end. That is never longer than the text. */
char *text_unescape(char *to, const char *at, const char *end);

#endif
