/* `lagoon new`: the folder of a new application, from the templates under lua/new/. */
#include "verb.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "exit_code.h"
#include "library.h"

static const struct {
    const char *module;
    const char *path;
} templates[] = {
    {"lagoon.new.config", "config.lua"},
    {"lagoon.new.handler", "scripts/handlers/visitor_came.lua"},
    {"lagoon.new.dev", "scripts/dev.lua"},
    {"lagoon.new.spec", "spec/visitor_came_spec.lua"},
    {"lagoon.new.busted", ".busted"},
    {"lagoon.new.luarc.json", ".luarc.json"},
    {"lagoon.new.gitignore", ".gitignore"},
};

static const char *const folders[] = {"scripts", "scripts/handlers", "spec"};

/* What stands in a template as @WORD@; a line with a word that has no value is left out. */
enum { NAME, CPATH, ANNOTATIONS, WORD_COUNT };
static const char *const words[WORD_COUNT] = {"@NAME@", "@CPATH@", "@ANNOTATIONS@"};

enum { NAME_MAX_BYTES = 100 };

/* --- what the templates say --- */

/* A name for topics and groups: Kafka takes letters, digits, dots, underscores and dashes. */
static char *name_of_folder(const char *path)
{
    const char *base = strrchr(path, '/');
    base = base != NULL ? base + 1 : path;
    char *name = xstrndup(base, NAME_MAX_BYTES);
    size_t length = 0;
    bool has_letter = false;
    for (const char *at = name; *at != '\0'; at++) {
        bool is_letter =
            (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        bool is_known = is_letter || *at == '.' || *at == '_' || *at == '-';
        has_letter = has_letter || is_letter;
        if (is_known || (length > 0 && name[length - 1] != '-'))
            name[length++] = is_known ? *at : '-';
    }
    while (length > 0 && name[length - 1] == '-')
        length--;
    name[length] = '\0';
    if (has_letter)
        return name;
    free(name);
    return xstrdup("app");
}

/* The first of both that is there, in the folder of this program; NULL when none is. */
static char *find_beside(const char *program, const char *installed, const char *built)
{
    const char *const places[] = {installed, built};
    int length = (int)(strrchr(program, '/') - program);
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        char *path = xasprintf("%.*s/%s", length, program, places[i]);
        char *resolved = realpath(path, NULL);
        free(path);
        if (resolved != NULL)
            return resolved;
    }
    return NULL;
}

/* Of lagoon/testing.so; NULL when Lua looks there by itself, or there is none. */
static char *find_cpath(const char *program)
{
    char *folder =
        find_beside(program, "../lib/lua/5.4/lagoon/testing.so", "lua/lagoon/testing.so");
    if (folder == NULL)
        return NULL;
    folder[strlen(folder) - strlen("/lagoon/testing.so")] = '\0';
    bool is_default =
        strcmp(folder, "/usr/local/lib/lua/5.4") == 0 || strcmp(folder, "/usr/lib/lua/5.4") == 0;
    char *cpath = is_default ? NULL : xasprintf("%s/?.so", folder);
    free(folder);
    return cpath;
}

/* The folder of the annotations for editors, NULL when there is none. */
static char *find_annotations(const char *program)
{
    char *file = find_beside(program, "../share/lagoon/lagoon.d.lua", "lua/lagoon.d.lua");
    if (file != NULL)
        *strrchr(file, '/') = '\0';
    return file;
}

/* How the user calls this program: by its name when the shell finds this very one. */
static const char *command_of(const char *program)
{
    const char *at = getenv("PATH");
    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, ":");
        char *path = xasprintf("%.*s/lagoon", (int)length, at);
        char *resolved = realpath(path, NULL);
        bool is_first = resolved != NULL && access(path, X_OK) == 0;
        bool is_this = is_first && strcmp(resolved, program) == 0;
        free(resolved);
        free(path);
        if (is_first)
            return is_this ? "lagoon" : program;
        at += length + (at[length] == ':');
    }
    return program;
}

/* --- writing --- */

/* The text of a line, with every word's value in its place; false when one has none. */
static bool fill_line(struct buffer *text, const char *line, size_t length,
                      const char *const *values)
{
    size_t began = text->length;
    for (size_t i = 0; i < length;) {
        int word = 0;
        while (word < WORD_COUNT && strncmp(line + i, words[word], strlen(words[word])) != 0)
            word++;
        if (word < WORD_COUNT && values[word] == NULL) {
            text->length = began;
            return false;
        }
        if (word < WORD_COUNT)
            buffer_append_text(text, values[word]);
        else
            buffer_append(text, line + i, 1);
        i += word < WORD_COUNT ? strlen(words[word]) : 1;
    }
    return true;
}

static void fill(struct buffer *text, const struct library_file *file, const char *const *values)
{
    const char *end = file->bytes + file->length;
    for (const char *line = file->bytes; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = stop != NULL ? (size_t)(stop - line) + 1 : (size_t)(end - line);
        fill_line(text, line, length, values);
        line += length;
    }
}

static int write_file(const char *folder, size_t index, const char *const *values,
                      struct error *err)
{
    struct buffer text;
    buffer_init(&text);
    fill(&text, library_find(templates[index].module), values);
    char *path = xasprintf("%s/%s", folder, templates[index].path);
    FILE *file = fopen(path, "wbx");
    bool is_written = file != NULL && fwrite(text.bytes, 1, text.length, file) == text.length;
    if (file != NULL && fclose(file) != 0)
        is_written = false;
    if (!is_written)
        error_set(err, "%s: %s", path, strerror(errno));
    free(path);
    buffer_destroy(&text);
    return is_written ? 0 : -1;
}

static int write_all(const char *folder, const char *const *values, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        char *path = xasprintf("%s/%s", folder, folders[i]);
        int rc = mkdir(path, 0777);
        if (rc != 0)
            error_set(err, "%s: %s", path, strerror(errno));
        free(path);
        if (rc != 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(templates); i++)
        if (write_file(folder, i, values, err) != 0)
            return -1;
    return 0;
}

/* Makes the folder, or takes one that is there and empty. */
static int take_folder(const char *folder, struct error *err)
{
    if (mkdir(folder, 0777) == 0)
        return 0;
    if (errno != EEXIST) {
        error_set(err, "%s: %s", folder, strerror(errno));
        return -1;
    }
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        error_set(err, "%s: %s", folder, strerror(errno));
        return -1;
    }
    const struct dirent *entry;
    do
        entry = readdir(directory);
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    if (entry != NULL)
        error_set(err, "%s is not empty: it has %.200s; take a new folder", folder, entry->d_name);
    bool is_empty = entry == NULL;
    closedir(directory);
    return is_empty ? 0 : -1;
}

/* --- the verb --- */

/* As a shell takes it for one word. */
static char *quoted(const char *path)
{
    struct buffer text;
    buffer_init(&text);
    bool is_plain = strpbrk(path, " \t\n'\"\\$`&|;<>()*?[]#~!{}") == NULL;
    buffer_append_text(&text, is_plain ? "" : "'");
    for (const char *at = path; *at != '\0'; at++)
        if (*at == '\'')
            buffer_append_text(&text, "'\\''");
        else
            buffer_append(&text, at, 1);
    buffer_append(&text, is_plain ? "" : "'", is_plain ? 1 : 2);
    return text.bytes;
}

static void say_next(const char *folder, const char *program)
{
    char *where = quoted(folder);
    char *command = quoted(command_of(program));
    printf("Next:\n  cd %s && %s dev\n  cd %s && busted\n", where, command, where);
    free(where);
    free(command);
    char *library =
        find_beside(program, "../lib/lua/5.4/lagoon/testing.so", "lua/lagoon/testing.so");
    if (library == NULL)
        printf("(busted needs lagoon.testing, which `make install` puts in place)\n");
    free(library);
}

int verb_new(const struct command_line *line)
{
    const char *folder = line->arguments[0];
    struct error err;
    if (take_folder(folder, &err) != 0) {
        fprintf(stderr, "lagoon new: %s\n", err.text);
        return EXIT_USAGE;
    }
    char *place = realpath(folder, NULL);
    char *program = realpath("/proc/self/exe", NULL);
    if (place == NULL || program == NULL) {
        fprintf(stderr, "lagoon new: %s\n", strerror(errno));
        free(place);
        free(program);
        return EXIT_INTERNAL;
    }
    char *values[WORD_COUNT] = {name_of_folder(place), find_cpath(program),
                                find_annotations(program)};
    int rc = write_all(folder, (const char *const *)values, &err);
    if (rc == 0)
        say_next(folder, program);
    else
        fprintf(stderr, "lagoon new: %s\n", err.text);
    for (size_t i = 0; i < WORD_COUNT; i++)
        free(values[i]);
    free(program);
    free(place);
    return rc == 0 ? EXIT_OK : EXIT_INTERNAL;
}
