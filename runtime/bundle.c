#include "bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

enum { BUNDLE_MAX_BYTES = 64 * 1024 * 1024 };

/* A folder on the way down. The chain shows whether a symbolic link leads back up. */
struct folder {
    const struct folder *parent;
    const char *path;   /* scripts/handlers */
    const char *module; /* handlers. with its dot; empty for the top */
    dev_t device;
    ino_t inode;
};

struct reading {
    struct bundle *bundle;
    size_t bytes;
};

static int read_folder(struct reading *reading, const struct folder *parent, const char *path,
                       const char *module, struct error *err);
static int read_entries(struct reading *reading, const struct folder *folder, struct error *err);
static int read_entry(struct reading *reading, const struct folder *folder, const char *name,
                      struct error *err);
static int read_script(struct reading *reading, const char *path, const char *module,
                       struct error *err);
static int read_bytes(struct reading *reading, int descriptor, struct bundle_file *file,
                      struct error *err);
static int check_modules(const struct bundle *bundle, struct error *err);
static int compare_modules(const void *left, const void *right);

int bundle_read(const char *directory, struct bundle **bundle, struct error *err)
{
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/')
        length--;
    struct bundle *new = xcalloc(1, sizeof *new);
    new->directory = xstrndup(directory, length);
    struct reading reading = {.bundle = new};
    if (read_folder(&reading, NULL, new->directory, "", err) != 0)
        goto fail;
    if (new->count > 0)
        qsort(new->files, new->count, sizeof new->files[0], compare_modules);
    if (check_modules(new, err) != 0)
        goto fail;
    *bundle = new;
    return 0;

fail:
    bundle_free(&new);
    return -1;
}

int bundle_empty(const char *directory, struct bundle **bundle)
{
    *bundle = xcalloc(1, sizeof **bundle);
    (*bundle)->directory = xstrdup(directory);
    return 0;
}

void bundle_free(struct bundle **bundle_owned)
{
    struct bundle *bundle = *bundle_owned;
    *bundle_owned = NULL;
    if (bundle == NULL)
        return;
    for (size_t i = 0; i < bundle->count; i++) {
        free(bundle->files[i].module);
        free(bundle->files[i].path);
        free(bundle->files[i].bytes);
    }
    free(bundle->files);
    free(bundle->directory);
    free(bundle);
}

const struct bundle_file *bundle_find(const struct bundle *bundle, const char *module)
{
    struct bundle_file wanted = {.module = (char *)module};
    if (bundle->count == 0)
        return NULL;
    return bsearch(&wanted, bundle->files, bundle->count, sizeof wanted, compare_modules);
}

static int compare_modules(const void *left, const void *right)
{
    const struct bundle_file *a = left;
    const struct bundle_file *b = right;
    return strcmp(a->module, b->module);
}

static int check_modules(const struct bundle *bundle, struct error *err)
{
    for (size_t i = 1; i < bundle->count; i++) {
        const struct bundle_file *files = &bundle->files[i - 1];
        if (strcmp(files[0].module, files[1].module) == 0) {
            bool is_first = strcmp(files[0].path, files[1].path) < 0;
            error_set(err, "%s and %s are both the module %s; rename one of them",
                      files[is_first ? 0 : 1].path, files[is_first ? 1 : 0].path, files[0].module);
            return -1;
        }
    }
    return 0;
}

/* By errno. */
static void refuse(const char *path, struct error *err)
{
    const char *why = strerror(errno);
    if (errno == ENOENT)
        error_set(err, "%s: there is no such folder", path);
    else if (errno == ENOTDIR)
        error_set(err, "%s: is no folder", path);
    else
        error_set(err, "%s: cannot be read: %s", path, why);
}

static int read_folder(struct reading *reading, const struct folder *parent, const char *path,
                       const char *module, struct error *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        refuse(path, err);
        return -1;
    }
    struct folder folder = {parent, path, module, status.st_dev, status.st_ino};
    for (const struct folder *above = parent; above != NULL; above = above->parent) {
        if (above->device == folder.device && above->inode == folder.inode) {
            error_set(err, "%s: the link leads back to %s", path, above->path);
            return -1;
        }
    }
    return read_entries(reading, &folder, err);
}

static int read_entries(struct reading *reading, const struct folder *folder, struct error *err)
{
    DIR *directory = opendir(folder->path);
    if (directory == NULL) {
        refuse(folder->path, err);
        return -1;
    }
    int rc = 0;
    errno = 0;
    struct dirent *entry = readdir(directory);
    for (; entry != NULL && rc == 0; errno = 0, entry = readdir(directory))
        if (entry->d_name[0] != '.')
            rc = read_entry(reading, folder, entry->d_name, err);
    if (rc == 0 && errno != 0) {
        refuse(folder->path, err);
        rc = -1;
    }
    closedir(directory);
    return rc;
}

/* The length of the name without .lua; 0 when it is no Lua file's. */
static size_t stem_length(const char *name)
{
    size_t length = strlen(name);
    bool is_lua = length > 4 && strcmp(name + length - 4, ".lua") == 0;
    return is_lua ? length - 4 : 0;
}

/* As require names the file: handlers/init.lua is handlers. */
static char *module_name(const struct folder *folder, const char *name)
{
    size_t prefix = strlen(folder->module);
    if (strcmp(name, "init.lua") == 0 && prefix > 0)
        return xstrndup(folder->module, prefix - 1);
    return xasprintf("%s%.*s", folder->module, (int)stem_length(name), name);
}

static int read_entry(struct reading *reading, const struct folder *folder, const char *name,
                      struct error *err)
{
    char *path = xasprintf("%s/%s", folder->path, name);
    struct stat status;
    bool is_there = stat(path, &status) == 0;
    int rc = 0;
    if (is_there && S_ISDIR(status.st_mode)) {
        char *module = xasprintf("%s%s.", folder->module, name);
        rc = read_folder(reading, folder, path, module, err);
        free(module);
    } else if (stem_length(name) > 0) {
        char *module = module_name(folder, name);
        rc = read_script(reading, path, module, err);
        free(module);
    }
    free(path);
    return rc;
}

static int read_script(struct reading *reading, const char *path, const char *module,
                       struct error *err)
{
    /* Not to wait for the writer of a pipe that somebody called x.lua. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        error_set(err, "%s: cannot be read: %s", path, strerror(errno));
        return -1;
    }
    struct bundle *bundle = reading->bundle;
    bundle->files = xrealloc(bundle->files, (bundle->count + 1) * sizeof bundle->files[0]);
    struct bundle_file *file = &bundle->files[bundle->count++];
    *file = (struct bundle_file){.module = xstrdup(module), .path = xstrdup(path)};
    int rc = read_bytes(reading, descriptor, file, err);
    close(descriptor);
    return rc;
}

static int read_bytes(struct reading *reading, int descriptor, struct bundle_file *file,
                      struct error *err)
{
    enum { CHUNK_BYTES = 64 * 1024 };
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        error_set(err, "%s: is no file", file->path);
        return -1;
    }
    struct buffer bytes;
    buffer_init(&bytes);
    ssize_t length;
    do {
        length = read(descriptor, buffer_reserve(&bytes, CHUNK_BYTES), CHUNK_BYTES);
        bytes.length += length > 0 ? (size_t)length : 0;
    } while (length > 0 && reading->bytes + bytes.length <= BUNDLE_MAX_BYTES);
    file->bytes = bytes.bytes;
    file->length = bytes.length;
    reading->bytes += bytes.length;
    if (length < 0) {
        error_set(err, "%s: cannot be read: %s", file->path, strerror(errno));
        return -1;
    }
    if (reading->bytes > BUNDLE_MAX_BYTES) {
        error_set(err, "%s: the scripts are more than 64 MiB", reading->bundle->directory);
        return -1;
    }
    return 0;
}
