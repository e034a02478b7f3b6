/* fuzz.h - an input of a fuzzer that is read piece by piece.
 *
 * What has to hold is an assert. Threads: the one that runs the fuzzer. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct input {
    const uint8_t *bytes;
    size_t left;
};

/* The next byte; 0 at the end. */
static inline uint8_t input_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->bytes++;
}

/* Up to `wanted` of the next bytes; *length says how many they are. */
static inline const char *input_take(struct input *input, size_t wanted, size_t *length)
{
    *length = wanted < input->left ? wanted : input->left;
    const char *taken = (const char *)input->bytes;
    input->bytes += *length;
    input->left -= *length;
    return taken;
}

/* A copy in a block that ends with it, so that a sanitizer sees who reads on. */
static inline char *exact_copy(const void *bytes, size_t length)
{
    char *copy = xmalloc(length);
    memcpy(copy, bytes, length);
    return copy;
}

#endif
