/* requests.c - any bytes as what somebody asks of a running lagoon: a command's JSON, the headers
 * by which the admin server knows who asks, and where it is to listen. */
#include <assert.h>

#include "admin_address.h"
#include "admin_guard.h"
#include "control_request.h"
#include "fuzz.h"

/* Whatever was understood can be asked for, as the one kind or the other. */
static void check_command(const char *text)
{
    struct control_request request;
    struct error err = {0};
    if (control_request_parse(&request, text, &err) != 0) {
        assert(err.text[0] != '\0' && request.count == 0);
        return;
    }
    for (size_t i = 0; i < request.count; i++) {
        const char *name = request.members[i].name;
        const char *value;
        int64_t number;
        bool is_text = control_request_text(&request, name, &value, &err) == 0;
        bool is_number = control_request_integer(&request, name, 0, &number, &err) == 0;
        assert(!is_text || !is_number);
        assert(!is_number || number >= 0);
    }
    int rc = control_request_check(&request, "level to workers", &err);
    assert(rc == 0 || err.text[0] != '\0');
    control_request_set(&request, "consumer", "c");
    control_request_destroy(&request);
}

/* Nobody comes in without the whole token, nor from another site. */
static void check_guard(const struct admin_visit *visit, bool is_local)
{
    static const char token[] = "tkn";
    const struct admin_guard guard = {token, is_local};
    struct error err = {0};
    int status = admin_guard_check(&guard, visit, &err);
    assert(status == 0 || (err.text[0] != '\0' && (status == 401 || status == 403)));
    if (status != 0)
        return;
    size_t length = strlen(visit->authorization);
    assert(length >= sizeof token - 1);
    assert(strcmp(visit->authorization + length - (sizeof token - 1), token) == 0);
    assert(visit->origin == NULL || strncmp(visit->origin, "http://", strlen("http://")) == 0);
}

/* The next line, in a block of its own. */
static char *next_line(struct input *input)
{
    size_t length = 0;
    while (length < input->left && input->bytes[length] != '\n' && input->bytes[length] != '\0')
        length++;
    const char *line = input_take(input, length, &length);
    input_byte(input);
    return xstrndup(line, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = {bytes, length};
    uint8_t kind = input_byte(&input);
    char *lines[4] = {NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(lines) && input.left > 0; i++)
        lines[i] = next_line(&input);
    const struct admin_visit visit = {lines[0], lines[1], lines[2], lines[3]};
    check_guard(&visit, kind % 2 == 0);
    struct admin_address address = {0};
    struct error err = {0};
    if (lines[0] != NULL && admin_address_parse(&address, lines[0], &err) != 0)
        assert(err.text[0] != '\0');
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++)
        free(lines[i]);
    char *text = xstrndup((const char *)bytes, length);
    check_command(text);
    free(text);
    return 0;
}
