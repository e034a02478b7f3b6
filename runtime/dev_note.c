#include "dev_note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NOTE_BYTES = 64 * 1024,
    /* Whoever only looks holds the lock for a moment. */
    LOCK_TRIES = 50,
    LOCK_PAUSE_US = 10000,
};

/* --- where the note is --- */

/* A folder that others could write to could send records anywhere. */
static int check_folder(const char *folder, struct error *err)
{
    struct stat status;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        error_set(err, "%s: cannot be made: %s", folder, strerror(errno));
        return -1;
    }
    if (lstat(folder, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
        (status.st_mode & 077) != 0) {
        error_set(err, "%s: is not a folder that only this user can use, so --dev does not work",
                  folder);
        return -1;
    }
    return 0;
}

static char *folder_new(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime != NULL && runtime[0] == '/')
        return xasprintf("%s/lagoon", runtime);
    return xasprintf("/tmp/lagoon-%u", (unsigned)geteuid());
}

static char *real_path(const struct config *config, struct error *err)
{
    char *real = realpath(config->path, NULL);
    if (real == NULL)
        error_set(err, "%s: %s", config->path, strerror(errno));
    return real;
}

/* Of the note about the config with this real path; NULL and err. A path is longer than a name may
 * be, so the name has its hash; the note says which path it is about. */
static char *note_path(const char *real, struct error *err)
{
    char *folder = folder_new();
    char *path = NULL;
    if (check_folder(folder, err) == 0)
        path = xasprintf("%s/dev-%016" PRIx64, folder, hash_bytes(HASH_START, real, strlen(real)));
    free(folder);
    return path;
}

/* --- writing it --- */

/* An unlinked file is the note of one that has just ended. */
static int open_locked(const char *path)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat status;
        int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file < 0)
            return -1;
        if (flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &status) == 0 && status.st_nlink > 0)
            return file;
        close(file);
        usleep(LOCK_PAUSE_US);
    }
    errno = EWOULDBLOCK;
    return -1;
}

static int write_note(int file, const char *real, const struct config *config,
                      const char *const *addresses)
{
    struct buffer text;
    buffer_init(&text);
    buffer_format(&text, "process %ld\nconfig %s\n", (long)getpid(), real);
    for (size_t i = 0; i < config->cluster_count; i++)
        buffer_format(&text, "cluster %s %s\n", addresses[i], config->clusters[i].name);
    bool is_written =
        ftruncate(file, 0) == 0 && write(file, text.bytes, text.length) == (ssize_t)text.length;
    buffer_destroy(&text);
    return is_written ? 0 : -1;
}

int dev_note_write(struct dev_note *note, const struct config *config, const char *const *addresses,
                   struct error *err)
{
    *note = (struct dev_note){NULL, -1};
    char *real = real_path(config, err);
    if (real == NULL)
        return -1;
    note->path = note_path(real, err);
    int rc = -1;
    if (note->path != NULL) {
        note->file = open_locked(note->path);
        if (note->file < 0 && errno == EWOULDBLOCK)
            error_set(err, "another lagoon dev of %s runs: --dev finds that one", real);
        else if (note->file < 0 || write_note(note->file, real, config, addresses) != 0)
            error_set(err, "%s: %s", note->path, strerror(errno));
        else
            rc = 0;
    }
    free(real);
    return rc;
}

void dev_note_remove(struct dev_note *note)
{
    if (note->file >= 0) {
        unlink(note->path);
        close(note->file);
    }
    free(note->path);
}

/* --- finding it --- */

/* The rest of the line that begins so, up to its end; NULL when there is none. */
static char *line_of(const char *text, const char *lead)
{
    size_t length = strlen(lead);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line != '\0')
        if (strncmp(line, lead, length) == 0)
            return xstrndup(line + length, strcspn(line + length, "\n"));
    return NULL;
}

/* The address of the cluster with this name. */
static char *address_of(const char *text, const char *name)
{
    for (const char *line = text; *line != '\0';
         line += strcspn(line, "\n"), line += *line != '\0') {
        char address[64];
        int behind = 0;
        if (sscanf(line, "cluster %63s %n", address, &behind) != 1 || behind == 0)
            continue;
        if (strcspn(line + behind, "\n") == strlen(name) &&
            strncmp(line + behind, name, strlen(name)) == 0)
            return xstrdup(address);
    }
    return NULL;
}

static int take_addresses(struct dev_found *found, const struct config *config, const char *text,
                          struct error *err)
{
    found->addresses = xcalloc(config->cluster_count + 1, sizeof found->addresses[0]);
    found->count = config->cluster_count;
    for (size_t i = 0; i < config->cluster_count; i++) {
        found->addresses[i] = address_of(text, config->clusters[i].name);
        if (found->addresses[i] == NULL) {
            error_set(err,
                      "--dev: the lagoon dev that runs has no broker for cluster '%s': "
                      "start it again",
                      config->clusters[i].name);
            return -1;
        }
    }
    return 0;
}

static int read_note(struct dev_found *found, const struct config *config, const char *real,
                     int file, struct error *err)
{
    char *text = xcalloc(1, NOTE_BYTES);
    ssize_t length = read(file, text, NOTE_BYTES - 1);
    char *process = length > 0 ? line_of(text, "process ") : NULL;
    char *about = length > 0 ? line_of(text, "config ") : NULL;
    int rc = -1;
    if (flock(file, LOCK_SH | LOCK_NB) == 0)
        error_set(err, "--dev: the lagoon dev of %s, process %s, is gone: start it again", real,
                  process != NULL ? process : "?");
    else if (about == NULL || strcmp(about, real) != 0)
        error_set(err, "--dev: the lagoon dev of %s is not ready yet", real);
    else
        rc = take_addresses(found, config, text, err);
    free(process);
    free(about);
    free(text);
    return rc;
}

int dev_note_find(struct dev_found *found, const struct config *config, struct error *err)
{
    *found = (struct dev_found){0};
    char *real = real_path(config, err);
    char *path = real != NULL ? note_path(real, err) : NULL;
    int rc = -1;
    if (path != NULL) {
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file < 0)
            error_set(err, "--dev: no lagoon dev of %s runs", real);
        else
            rc = read_note(found, config, real, file, err);
        if (file >= 0)
            close(file);
    }
    free(path);
    free(real);
    return rc;
}

void dev_found_destroy(struct dev_found *found)
{
    for (size_t i = 0; i < found->count; i++)
        free(found->addresses[i]);
    free(found->addresses);
}
