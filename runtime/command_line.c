#include "command_line.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "units.h"

enum { DEFAULT_TIMEOUT_MS = 30000 };

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static int add(const char **list, size_t *count, const char *value, const char *what,
               struct error *err)
{
    if (*count == COMMAND_LINE_MAX_REPEATS) {
        error_set(err, "too many %s: %d is the most", what, COMMAND_LINE_MAX_REPEATS);
        return -1;
    }
    list[(*count)++] = value;
    return 0;
}

static int parse_port(struct command_line *line, const char *value, struct error *err)
{
    char *end;
    long port = strtol(value, &end, 10);
    if (end == value || *end != '\0' || port < 0 || port > 65535) {
        error_set(err, "--port takes a number from 0 to 65535, got '%s'", value);
        return -1;
    }
    line->port = (int)port;
    return 0;
}

static int set(struct command_line *line, const char *flag, const char *value, struct error *err)
{
    if (strcmp(flag, "config") == 0)
        line->config = value;
    else if (strcmp(flag, "scripts") == 0)
        line->scripts = value;
    else if (strcmp(flag, "only") == 0)
        line->only = value;
    else if (strcmp(flag, "key") == 0)
        line->key = value;
    else if (strcmp(flag, "port") == 0)
        return parse_port(line, value, err);
    else if (strcmp(flag, "header") == 0)
        return add(line->headers, &line->header_count, value, "--header", err);
    else if (strcmp(flag, "topic") == 0)
        return add(line->topics, &line->topic_count, value, "--topic", err);
    else if (strcmp(flag, "timeout") == 0 && duration_parse(value, &line->timeout_ms, err) != 0) {
        error_prefix(err, "--timeout: ");
        return -1;
    }
    return 0;
}

static bool is_known(const char *flags, const char *flag, size_t length)
{
    for (const char *place = flags; *place != '\0'; place += strspn(place, " ")) {
        size_t known = strcspn(place, " ");
        if (known == length && strncmp(place, flag, length) == 0)
            return true;
        place += known;
    }
    return false;
}

/* One flag, as --name VALUE or --name=VALUE; moves *index to its last word. */
static int parse_flag(struct command_line *line, int argc, char **argv, int *index,
                      const char *flags, struct error *err)
{
    const char *word = argv[*index] + 2;
    size_t length = strcspn(word, "=");
    char flag[32];
    if (length >= sizeof flag || !is_known(flags, word, length)) {
        error_set(err, "unknown flag '%s'", argv[*index]);
        return -1;
    }
    memcpy(flag, word, length);
    flag[length] = '\0';
    if (strcmp(flag, "child") == 0) {
        line->is_child = true;
        return 0;
    }
    if (word[length] == '=')
        return set(line, flag, word + length + 1, err);
    if (*index + 1 >= argc) {
        error_set(err, "--%s needs a value", flag);
        return -1;
    }
    return set(line, flag, argv[++*index], err);
}

int command_line_parse(struct command_line *line, int argc, char **argv, const char *flags,
                       struct error *err)
{
    *line = (struct command_line){
        .config = from_environment("LAGOON_CONFIG"),
        .scripts = from_environment("LAGOON_SCRIPTS"),
        .only = from_environment("LAGOON_ONLY"),
        .timeout_ms = DEFAULT_TIMEOUT_MS,
        .port = -1,
    };
    bool are_flags_over = false;
    for (int i = 0; i < argc; i++) {
        int rc;
        if (!are_flags_over && strcmp(argv[i], "--") == 0) {
            are_flags_over = true;
            continue;
        }
        if (!are_flags_over && argv[i][0] == '-' && argv[i][1] == '-')
            rc = parse_flag(line, argc, argv, &i, flags, err);
        else
            rc = add(line->arguments, &line->argument_count, argv[i], "arguments", err);
        if (rc != 0)
            return -1;
    }
    if (line->config == NULL)
        line->config = "config.lua";
    return 0;
}
