#include "verb_control.h"

#include <stdio.h>

#include "control_client.h"
#include "control_print.h"
#include "error.h"
#include "exit_code.h"
#include "units.h"

int verb_check_instance(const char *verb, const struct command_line *line)
{
    struct error err;
    if (line->instance == NULL || control_check_instance(line->instance, &err) == 0)
        return 0;
    fprintf(stderr, "lagoon %s: %s\n", verb, err.text);
    return EXIT_USAGE;
}

int verb_print(const char *verb, const char *wording, const struct command_line *line,
               const struct buffer *answer)
{
    struct error err;
    int exit_code;
    if (control_print(line->is_json ? NULL : wording, answer, &exit_code, &err) == 0)
        return exit_code;
    fprintf(stderr, "lagoon %s: %s\n", verb, err.text);
    return EXIT_USAGE;
}

int verb_ask_only(const char *verb, const struct command_line *line, const struct buffer *request,
                  struct buffer *answer)
{
    struct error err;
    int exit_code = verb_check_instance(verb, line);
    if (exit_code != 0)
        return exit_code;
    switch (control_ask(line->config, line->instance, request, answer, &err)) {
    case CONTROL_ANSWERED:
        return EXIT_OK;
    case CONTROL_AMBIGUOUS:
        exit_code = EXIT_USAGE;
        break;
    case CONTROL_NOBODY:
    case CONTROL_SILENT:
        exit_code = EXIT_UNREACHABLE;
        break;
    }
    fprintf(stderr, "lagoon %s: %s\n", verb, err.text);
    return exit_code;
}

int verb_ask(const char *verb, const char *wording, const struct command_line *line,
             const struct buffer *request)
{
    struct buffer answer;
    buffer_init(&answer);
    int exit_code = verb_ask_only(verb, line, request, &answer);
    if (exit_code == EXIT_OK)
        exit_code = verb_print(verb, wording, line, &answer);
    buffer_destroy(&answer);
    return exit_code;
}

int verb_write_number(const char *verb, struct json_writer *writer, const char *name,
                      const char *text, int64_t most)
{
    int64_t number;
    if (text == NULL)
        return 0;
    if (integer_parse(text, 0, most, &number) != 0) {
        fprintf(stderr, "lagoon %s: --%s takes a whole number from 0, got '%s'\n", verb, name,
                text);
        return -1;
    }
    json_write_integer(writer, name, number);
    return 0;
}
