#include "bundle_signature.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A link may lead back up; bundle_read says so. */
enum { MAX_DEPTH = 32 };

static uint64_t add(uint64_t hash, const void *bytes, size_t length)
{
    return hash_bytes(hash, bytes, length);
}

/* Of a file of which stat said `rc` and errno. */
static uint64_t sign(const char *path, int rc, const struct stat *status)
{
    uint64_t hash = add(HASH_START, path, strlen(path) + 1);
    if (rc != 0)
        return add(hash, &errno, sizeof errno);
    hash = add(hash, &status->st_dev, sizeof status->st_dev);
    hash = add(hash, &status->st_ino, sizeof status->st_ino);
    hash = add(hash, &status->st_size, sizeof status->st_size);
    hash = add(hash, &status->st_mtim.tv_sec, sizeof status->st_mtim.tv_sec);
    return add(hash, &status->st_mtim.tv_nsec, sizeof status->st_mtim.tv_nsec);
}

uint64_t signature_of_file(const char *path)
{
    struct stat status;
    int rc = stat(path, &status);
    return sign(path, rc, &status);
}

static bool is_lua(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* A sum, since a folder lists its files in no order. */
static uint64_t sign_folder(const char *path, int depth)
{
    uint64_t sum = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        struct stat status;
        char *below = xasprintf("%s/%s", path, entry->d_name);
        int rc = stat(below, &status);
        if (rc == 0 && S_ISDIR(status.st_mode))
            sum += depth > 0 ? sign_folder(below, depth - 1) : 0;
        else if (is_lua(entry->d_name))
            sum += sign(below, rc, &status);
        free(below);
    }
    closedir(directory);
    return sum;
}

uint64_t signature_of_folder(const char *path, enum signature_depth depth)
{
    return sign_folder(path, depth == SIGNATURE_BELOW ? MAX_DEPTH : 0);
}
