#include "verb_control.h"

#include <stdio.h>

#include "control_client.h"
#include "control_print.h"
#include "error.h"
#include "exit_code.h"

int verb_check_instance(const char *verb, const struct command_line *line)
{
    struct error err;
    if (line->instance == NULL || control_check_instance(line->instance, &err) == 0)
        return 0;
    fprintf(stderr, "lagoon %s: %s\n", verb, err.text);
    return EXIT_USAGE;
}

static int print(const char *verb, const struct command_line *line, const struct buffer *answer)
{
    struct error err;
    int exit_code;
    if (control_print(line->is_json ? NULL : verb, answer, &exit_code, &err) == 0)
        return exit_code;
    fprintf(stderr, "lagoon %s: %s\n", verb, err.text);
    return EXIT_USAGE;
}

int verb_ask(const char *verb, const struct command_line *line, const struct buffer *request)
{
    struct error err;
    struct buffer answer;
    int exit_code = verb_check_instance(verb, line);
    if (exit_code != 0)
        return exit_code;
    buffer_init(&answer);
    exit_code = EXIT_UNREACHABLE;
    switch (control_ask(line->config, line->instance, request, &answer, &err)) {
    case CONTROL_ANSWERED:
        exit_code = print(verb, line, &answer);
        break;
    case CONTROL_AMBIGUOUS:
        exit_code = EXIT_USAGE;
        fprintf(stderr, "lagoon %s: %s\n", verb, err.text);
        break;
    case CONTROL_NOBODY:
        fprintf(stderr, "lagoon %s: %s\n", verb, err.text);
        break;
    }
    buffer_destroy(&answer);
    return exit_code;
}
