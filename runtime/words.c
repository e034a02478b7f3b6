#include "words.h"

#include <ctype.h>
#include <string.h>

/* Longer words are no typing errors. */
enum { WORD_MAX = 60, BEGINNING_MIN = 3 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The number of letters to insert, leave out, change or swap with their neighbour. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        rows[i][0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(rows[i - 1][j] + 1, rows[i][j - 1] + 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, rows[i - 2][j - 2] + 1);
            rows[i][j] = best;
        }
    }
    return rows[a_length][b_length];
}

static bool is_near(const char *a, size_t a_length, const char *b, size_t b_length, size_t apart)
{
    size_t shorter = least(a_length, b_length);
    size_t limit = (a_length > b_length ? a_length : b_length) / 3;
    return apart <= (limit > 1 ? limit : 1) ||
           (shorter >= BEGINNING_MIN && strncmp(a, b, shorter) == 0);
}

/* The length; WORD_MAX + 1 when it is too long to be copied. */
static size_t copy_lower(char lower[WORD_MAX + 1], const char *word)
{
    size_t length = strlen(word);
    if (length > WORD_MAX)
        return WORD_MAX + 1;
    for (size_t i = 0; i < length; i++)
        lower[i] = (char)tolower((unsigned char)word[i]);
    return length;
}

const char *words_nearest(const char *word, const char *const *candidates, size_t count)
{
    char lower[WORD_MAX + 1], candidate[WORD_MAX + 1];
    size_t length = copy_lower(lower, word);
    if (length > WORD_MAX)
        return NULL;

    const char *nearest = NULL;
    size_t nearest_apart = 0;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = copy_lower(candidate, candidates[i]);
        if (candidate_length > WORD_MAX)
            continue;
        size_t apart = distance(lower, length, candidate, candidate_length);
        if (is_near(lower, length, candidate, candidate_length, apart) &&
            (nearest == NULL || apart < nearest_apart)) {
            nearest = candidates[i];
            nearest_apart = apart;
        }
    }
    return nearest;
}

char *words_did_you_mean(const char *word, const char *const *candidates, size_t count,
                         const char *dashes)
{
    const char *nearest = words_nearest(word, candidates, count);
    return nearest != NULL ? xasprintf(", did you mean '%s%s'?", dashes, nearest) : xstrdup("");
}

bool words_have(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        size_t known = strcspn(at, " ");
        if (known == length && strncmp(at, word, length) == 0)
            return true;
        at += known;
    }
    return false;
}
