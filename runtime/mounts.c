#include "mounts.h"

#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "util.h"

/* One of the two places that are read, and the innermost mount that holds it. */
struct place {
    char *path; /* real; NULL when it is not there */
    size_t point_length;
    bool is_subpath;
};

struct look {
    struct place config;
    struct place folder; /* of the config */
    struct place scripts;
    void (*on_fault)(void *context, enum mount_fault fault, const char *path);
    void *context;
};

/* In the list a blank is \040. */
static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        unsigned byte;
        bool is_escape = *from == '\\' && sscanf(from + 1, "%3o", &byte) == 1;
        *to = is_escape ? (char)byte : *from;
        from += is_escape ? 4 : 1;
    }
    *to = '\0';
}

static bool is_within(const char *path, const char *folder)
{
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_lua(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".lua") == 0;
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Whether the program reads this file, which is a mount of its own. */
static bool is_read(const struct look *look, const char *point)
{
    if (look->config.path != NULL && strcmp(point, look->config.path) == 0)
        return true;
    if (!is_lua(point))
        return false;
    if (look->scripts.path != NULL && is_within(point, look->scripts.path))
        return true;
    const char *name = strrchr(point, '/');
    return look->folder.path != NULL && is_within(point, look->folder.path) &&
           (size_t)(name - point) <= strlen(look->folder.path);
}

/* Kubernetes keeps each version of such a volume in a folder ..2026_01_31_..., to which the whole
 * volume has a link. Later mounts hide earlier ones. */
static void take_holder(struct place *place, const char *root, const char *point)
{
    if (place->path == NULL || !is_within(place->path, point) ||
        strlen(point) < place->point_length)
        return;
    place->point_length = strlen(point);
    place->is_subpath = strstr(root, "/..2") != NULL;
}

/* "36 35 98:0 /root /point options ..." */
static void take_line(struct look *look, char *line)
{
    char *rest = line, *words[5] = {NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        words[i] = strsep(&rest, " ");
        if (rest == NULL)
            return;
    }
    char *root = words[3], *point = words[4];
    decode(root);
    decode(point);
    if (is_read(look, point) && is_file(point)) {
        look->on_fault(look->context, MOUNT_IS_FILE, point);
        return;
    }
    take_holder(&look->folder, root, point);
    take_holder(&look->scripts, root, point);
}

static void say_subpath(const struct look *look, const struct place *place)
{
    if (place->is_subpath)
        look->on_fault(look->context, MOUNT_IS_SUBPATH, place->path);
}

static char *real_folder_of(const char *path)
{
    char *copy = xstrdup(path);
    char *folder = realpath(dirname(copy), NULL);
    free(copy);
    return folder;
}

void mounts_look(const char *list, const char *config, const char *scripts,
                 void (*on_fault)(void *context, enum mount_fault fault, const char *path),
                 void *context)
{
    FILE *file = fopen(list, "re");
    if (file == NULL)
        return;
    struct look look = {
        .config.path = realpath(config, NULL),
        .folder.path = real_folder_of(config),
        .scripts.path = realpath(scripts, NULL),
        .on_fault = on_fault,
        .context = context,
    };
    char *line = NULL;
    for (size_t capacity = 0; getline(&line, &capacity, file) > 0;)
        take_line(&look, line);
    free(line);
    fclose(file);
    say_subpath(&look, &look.folder);
    say_subpath(&look, &look.scripts);
    free(look.config.path);
    free(look.folder.path);
    free(look.scripts.path);
}

static void warn(void *context, enum mount_fault fault, const char *path)
{
    (void)context;
    if (fault == MOUNT_IS_FILE)
        log_warn("%s is mounted as a single file: when it is replaced on the host, as editors do, "
                 "the old one stays here; mount the folder that holds it",
                 path);
    else
        log_warn("%s is a subPath of a Kubernetes volume, which stays as it is now: changes do not "
                 "come through; mount the whole volume",
                 path);
}

void mounts_warn(const char *config, const char *scripts)
{
    mounts_look("/proc/self/mountinfo", config, scripts, warn, NULL);
}
