#include "command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "units.h"
#include "words.h"

enum { DEFAULT_TIMEOUT_MS = 30000, FLAG_BYTES = 32 };

enum option_kind {
    OPTION_SWITCH,
    OPTION_TEXT,
    OPTION_LIST,
    OPTION_ASSIGNMENTS, /* a list of NAME=VALUE, of which no value is to be shown */
    OPTION_PORT,
    OPTION_COUNT,
    OPTION_DURATION
};

#define PLACE(field) offsetof(struct command_line, field), 0
#define LIST_PLACE(field, counter)                                                                 \
    offsetof(struct command_line, field), offsetof(struct command_line, counter)

static const struct option {
    const char *name;
    enum option_kind kind;
    size_t place;       /* of its field in struct command_line */
    size_t count_place; /* of a list: of the count */
    const char *value;  /* what the manual calls its value */
    const char *help;   /* NULL: no part of the manual */
} options[] = {
    {"only", OPTION_TEXT, PLACE(only), "WHAT",
     "producers, consumers, or a consumer's name (or LAGOON_ONLY)"},
    {"watch", OPTION_SWITCH, PLACE(is_watching), NULL,
     "reloads when config or scripts change, as `watch = true` does"},
    {"listen", OPTION_TEXT, PLACE(listen), "ADDRESS",
     "where the admin server listens, in place of the config's admin.listen;\n"
     "false for none (or LAGOON_LISTEN)"},
    {"instance", OPTION_TEXT, PLACE(instance), "NAME",
     "which of several that run with one config (or LAGOON_INSTANCE)"},
    {"port", OPTION_PORT, PLACE(port), "N",
     "the broker's port at 127.0.0.1; 0 takes any that is free"},
    {"topic", OPTION_LIST, LIST_PLACE(topics, topic_count), "NAME:PARTITIONS",
     "a topic to create; may be repeated"},
    {"topic", OPTION_TEXT, PLACE(topic), "NAME", "only this topic"},
    {"partition", OPTION_TEXT, PLACE(partition), "N", "only this partition"},
    {"skip", OPTION_TEXT, PLACE(skip), "OFFSET",
     "the record at this offset, which has stopped its partition, counts as skipped"},
    {"to", OPTION_TEXT, PLACE(to), "WHERE",
     "beginning, end, an offset, +100 or -100 records, a time such as\n"
     "2026-01-31T12:00:00Z, or -15m for so long ago"},
    {"for", OPTION_DURATION, PLACE(for_ms), "DURATION", "how long that holds (default 1h)"},
    {"every", OPTION_DURATION, PLACE(every_ms), "DURATION", "how often it looks (default 1s)"},
    {"key", OPTION_TEXT, PLACE(key), "K", "the records' key, in place of the one in the event"},
    {"header", OPTION_LIST, LIST_PLACE(headers, header_count), "NAME=VALUE",
     "a header behind the type's; may be repeated"},
    {"limit", OPTION_COUNT, PLACE(limit), "N", "no more than so many"},
    {"rate", OPTION_COUNT, PLACE(rate), "N", "no more than so many a second"},
    {"where", OPTION_TEXT, PLACE(where), "LUA",
     "those for which this is true: an expression over event, key, headers,\n"
     "error, attempts, topic, partition, offset and timestamp"},
    {"dry-run", OPTION_SWITCH, PLACE(is_dry), NULL, "only says what it would do"},
    {"ack", OPTION_SWITCH, PLACE(wants_acks), NULL,
     "prints a line of JSON for each line: acknowledged, refused or bad"},
    {"timeout", OPTION_DURATION, PLACE(timeout_ms), "DURATION",
     "gives up when no broker answers or acknowledges for so long\n"
     "(default 30s; 0 waits for ever)"},
    {"config", OPTION_TEXT, PLACE(config), "FILE",
     "the config (or LAGOON_CONFIG; default config.lua)"},
    {"scripts", OPTION_TEXT, PLACE(scripts), "DIR",
     "the scripts folder (or LAGOON_SCRIPTS; default scripts, beside the config)"},
    {"set", OPTION_ASSIGNMENTS, LIST_PLACE(sets, set_count), "PATH=VALUE",
     "a value in place of the config's, such as log.level=debug;\nmay be repeated"},
    {"tombstone", OPTION_SWITCH, PLACE(is_tombstone), NULL, "the record has no value"},
    {"json", OPTION_SWITCH, PLACE(is_json), NULL, "prints one JSON object, for programs"},
    {"dev", OPTION_SWITCH, PLACE(is_dev), NULL,
     "as in `lagoon dev`: the brokers are those of the one that runs, and no others;\n"
     "a missing env() gets a placeholder"},
    {"connect", OPTION_SWITCH, PLACE(wants_brokers), NULL, "asks the brokers too"},
    {"child", OPTION_SWITCH, PLACE(is_child), NULL, NULL},
    {"any-port", OPTION_SWITCH, PLACE(is_any_port), NULL, NULL},
    {"help", OPTION_SWITCH, PLACE(wants_help), NULL, "shows this"},
};

/* --- which flags a verb knows --- */

static bool is_known(const char *flags, const struct option *option)
{
    if (strcmp(option->name, "help") == 0 || words_have(flags, option->name))
        return true;
    char name_and_value[2 * FLAG_BYTES];
    snprintf(name_and_value, sizeof name_and_value, "%s=%s", option->name,
             option->value != NULL ? option->value : "");
    return words_have(flags, name_and_value);
}

static int say_unknown(const char *flags, const char *word, const char *name, struct error *err)
{
    const char *known[ARRAY_LENGTH(options)];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
        if (is_known(flags, &options[i]) && options[i].help != NULL)
            known[count++] = options[i].name;
    char *meant = words_did_you_mean(name, known, count, "--");
    error_set(err, "unknown flag '%s'%s", word, meant);
    free(meant);
    return -1;
}

static const struct option *find_option(const char *flags, const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
        if (strcmp(options[i].name, name) == 0 && is_known(flags, &options[i]))
            return &options[i];
    return NULL;
}

/* --- values --- */

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

static int parse_port(int *port, const char *value, struct error *err)
{
    int64_t number;
    if (integer_parse(value, 0, 65535, &number) != 0) {
        error_set(err, "--port takes a number from 0 to 65535, got '%s'", value);
        return -1;
    }
    *port = (int)number;
    return 0;
}

static int parse_count(size_t *count, const char *name, const char *value, struct error *err)
{
    int64_t number;
    if (integer_parse(value, 1, 1000000000, &number) != 0) {
        error_set(err, "--%s takes a number from 1 to 1000000000, got '%s'", name, value);
        return -1;
    }
    *count = (size_t)number;
    return 0;
}

static int set(struct command_line *line, const struct option *option, const char *value,
               struct error *err)
{
    void *field = (char *)line + option->place;
    size_t *count = (void *)((char *)line + option->count_place);
    switch (option->kind) {
    case OPTION_SWITCH:
        *(bool *)field = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)field = value;
        return 0;
    case OPTION_LIST:
        return add(field, count, value, option->name, err);
    case OPTION_ASSIGNMENTS:
        if (strchr(value, '=') > value)
            return add(field, count, value, option->name, err);
        error_set(err, "--%s takes %s, such as log.level=debug", option->name, option->value);
        return -1;
    case OPTION_PORT:
        return parse_port(field, value, err);
    case OPTION_COUNT:
        return parse_count(field, option->name, value, err);
    case OPTION_DURATION:
        if (duration_parse(value, field, err) == 0)
            return 0;
        error_prefix(err, "--%s: ", option->name);
        return -1;
    }
    return 0;
}

/* --- the words --- */

/* One flag, as --name VALUE or --name=VALUE; moves *index to its last word. */
static int parse_flag(struct command_line *line, int argc, char **argv, int *index,
                      const struct command_syntax *syntax, struct error *err)
{
    const char *word = argv[*index] + strspn(argv[*index], "-");
    const char *value = strchr(word, '=');
    char name[FLAG_BYTES];
    snprintf(name, sizeof name, "%.*s",
             (int)(value != NULL ? (size_t)(value - word) : strlen(word)), word);
    bool is_long = strncmp(argv[*index], "--", 2) == 0;
    const struct option *option = is_long ? find_option(syntax->flags, name) : NULL;
    if (option == NULL)
        return say_unknown(syntax->flags, argv[*index], name, err);
    if (option->kind == OPTION_SWITCH && value != NULL) {
        error_set(err, "--%s takes no value", option->name);
        return -1;
    }
    if (option->kind == OPTION_SWITCH)
        return set(line, option, NULL, err);
    if (value != NULL)
        return set(line, option, value + 1, err);
    if (*index + 1 >= argc) {
        error_set(err, "--%s needs a value", option->name);
        return -1;
    }
    return set(line, option, argv[++*index], err);
}

static int parse_words(struct command_line *line, int argc, char **argv,
                       const struct command_syntax *syntax, struct error *err)
{
    bool are_flags_over = false;
    for (int i = 0; i < argc && !line->wants_help; i++) {
        bool is_flag = !are_flags_over && argv[i][0] == '-' && argv[i][1] != '\0';
        int rc = 0;
        if (is_flag && strcmp(argv[i], "--") == 0)
            are_flags_over = true;
        else if (is_flag && strcmp(argv[i], "-h") == 0)
            line->wants_help = true;
        else if (is_flag)
            rc = parse_flag(line, argc, argv, &i, syntax, err);
        else
            rc = add(line->arguments, &line->argument_count, argv[i], "arguments", err);
        if (rc != 0)
            return -1;
        if (syntax->has_rest && line->argument_count > 0) {
            line->rest = (const char *const *)argv + i + 1;
            line->rest_count = (size_t)(argc - i - 1);
            break;
        }
    }
    return 0;
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

int command_line_parse(struct command_line *line, int argc, char **argv,
                       const struct command_syntax *syntax, struct error *err)
{
    *line = (struct command_line){
        .config = from_environment("LAGOON_CONFIG"),
        .scripts = from_environment("LAGOON_SCRIPTS"),
        .instance = from_environment("LAGOON_INSTANCE"),
        .listen = from_environment("LAGOON_LISTEN"),
        .only = from_environment("LAGOON_ONLY"),
        .timeout_ms = DEFAULT_TIMEOUT_MS,
        .port = -1,
    };
    if (parse_words(line, argc, argv, syntax, err) != 0)
        return -1;
    if (line->config == NULL)
        line->config = COMMAND_LINE_CONFIG;
    if (line->wants_help || (line->argument_count >= syntax->arguments_min &&
                             line->argument_count <= syntax->arguments_max))
        return 0;
    error_set(err, line->argument_count > syntax->arguments_max ? "too many arguments"
                                                                : "too few arguments");
    return -1;
}

/* --- the manual --- */

void command_line_describe(const char *flags)
{
    enum { COLUMN = 28 };
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++) {
        const struct option *option = &options[i];
        if (option->help == NULL || !is_known(flags, option))
            continue;
        int width = printf("  --%s%s%s", option->name, option->value != NULL ? " " : "",
                           option->value != NULL ? option->value : "");
        for (const char *line = option->help; line != NULL;) {
            const char *end = strchr(line, '\n');
            printf("%*s%.*s\n", width < COLUMN ? COLUMN - width : 2, "",
                   (int)(end != NULL ? end - line : (long)strlen(line)), line);
            width = 0;
            line = end != NULL ? end + 1 : NULL;
        }
    }
}
