/* `lagoon exec`: a script of the user's with the config's producers, once or for ever. */
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "application.h"
#include "error.h"
#include "exit_code.h"
#include "runtime.h"
#include "words.h"

/* A script is written by people: what is larger is something else. */
enum { MAX_SCRIPT_BYTES = 16 * 1024 * 1024 };

static const char COMMANDS[] = "commands.";

struct command {
    char *chunkname; /* its path behind an @ */
    char *bytes;
    size_t length;
};

static void command_destroy(struct command *command)
{
    free(command->chunkname);
    free(command->bytes);
}

/* --- finding the script --- */

static bool ends_with_lua(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* The module that a name below scripts/commands/ stands for: commands.NAME. */
static const struct bundle_file *find_in_bundle(const struct bundle *bundle, const char *name)
{
    size_t length = strlen(name) - (ends_with_lua(name) ? 4 : 0);
    char *module = xasprintf("%s%.*s", COMMANDS, (int)length, name);
    for (char *place = module; *place != '\0'; place++)
        if (*place == '/')
            *place = '.';
    const struct bundle_file *file = bundle_find(bundle, module);
    free(module);
    return file;
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

static int read_file(const char *path, struct command *command, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        error_set(err, "%s: cannot be read: %s", path, strerror(errno));
        return -1;
    }
    struct buffer bytes;
    buffer_init(&bytes);
    size_t count;
    do {
        count = fread(buffer_reserve(&bytes, BUFSIZ), 1, BUFSIZ, file);
        bytes.length += count;
    } while (count > 0 && bytes.length <= MAX_SCRIPT_BYTES);
    bool has_failed = ferror(file) != 0;
    fclose(file);
    if (has_failed || bytes.length > MAX_SCRIPT_BYTES) {
        error_set(err, has_failed ? "%s: cannot be read" : "%s: is too large for a script", path);
        buffer_destroy(&bytes);
        return -1;
    }
    *command = (struct command){xasprintf("@%s", path), bytes.bytes, bytes.length};
    return 0;
}

static void say_no_script(const struct bundle *bundle, const char *name)
{
    const char **names = xcalloc(bundle->count + 1, sizeof names[0]);
    size_t count = 0;
    for (size_t i = 0; i < bundle->count; i++)
        if (strncmp(bundle->files[i].module, COMMANDS, sizeof COMMANDS - 1) == 0)
            names[count++] = bundle->files[i].module + sizeof COMMANDS - 1;
    size_t length = strlen(name) - (ends_with_lua(name) ? 4 : 0);
    char *stem = xstrndup(name, length);
    char *meant = words_did_you_mean(stem, names, count, "");
    fprintf(stderr,
            "lagoon exec: there is no script '%s': no such file, and no %s/commands/%s.lua%s", name,
            bundle->directory, stem, meant);
    if (*meant == '\0' && count > 0) {
        fprintf(stderr, "; there are:");
        for (size_t i = 0; i < count; i++)
            fprintf(stderr, " %s", names[i]);
    }
    fprintf(stderr, "\n");
    free(meant);
    free(stem);
    free(names);
}

/* A word that looks like a path is one when the file is there; any other is first looked for among
 * the commands. */
static int find_script(const struct bundle *bundle, const char *name, struct command *command)
{
    bool is_path = strchr(name, '/') != NULL || ends_with_lua(name);
    const struct bundle_file *file = find_in_bundle(bundle, name);
    struct error err;
    if (is_file(name) && (is_path || file == NULL)) {
        if (read_file(name, command, &err) == 0)
            return EXIT_OK;
        fprintf(stderr, "%s\n", err.text);
        return EXIT_CONFIG;
    }
    if (file == NULL) {
        say_no_script(bundle, name);
        return EXIT_USAGE;
    }
    command->chunkname = xasprintf("@%s", file->path);
    command->bytes = xstrndup(file->bytes, file->length);
    command->length = file->length;
    return EXIT_OK;
}

/* --- running it --- */

/* What is known about the end, of which the exit can say one thing. */
static int end_code(int exit_code, const struct runtime_result *result)
{
    if (result->main_failure != NULL)
        fprintf(stderr, "lagoon exec: %s\n", result->main_failure);
    if (result->refused > 0)
        fprintf(stderr, "lagoon exec: %zu of %zu published records were not acknowledged\n",
                (size_t)result->refused, (size_t)(result->refused + result->acknowledged));
    if (exit_code != EXIT_OK)
        return exit_code;
    if (result->main_failure != NULL)
        return EXIT_FAILED;
    return result->refused > 0 ? EXIT_UNFINISHED : EXIT_OK;
}

static int run_command(const struct application *application, const struct command_line *line,
                       const struct command *command)
{
    const struct script_main main = {
        .kind = MAIN_COMMAND,
        .chunkname = command->chunkname,
        .bytes = command->bytes,
        .length = command->length,
        .arguments = line->rest,
        .argument_count = line->rest_count,
    };
    const struct runtime_options options = {
        .config = application->config,
        .bundle = application->bundle,
        .main = &main,
        .is_main_all = true,
        .embedded_brokers = (const char *const *)application->dev.addresses,
        .timeout_ms = line->timeout_ms,
    };
    struct runtime_result result;
    struct error err;
    if (script_check_main(&main, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_CONFIG;
    }
    int exit_code = end_code(runtime_run(&options, &result), &result);
    free(result.main_failure);
    return exit_code;
}

int verb_exec(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, line->is_dev);
    if (exit_code != 0)
        return exit_code;
    struct command command = {0};
    exit_code = find_script(application.bundle, line->arguments[0], &command);
    if (exit_code == EXIT_OK)
        exit_code = application_find_dev(&application, line);
    if (exit_code == EXIT_OK)
        exit_code = run_command(&application, line, &command);
    command_destroy(&command);
    application_destroy(&application);
    return exit_code;
}
