/* mounts.h - which mounts of a container keep a watching process from seeing that files changed.
 *
 * A mount of a single file stays the file that it was when the one on the host is replaced, which
 * is how editors save and how Kubernetes changes a ConfigMap; a subPath of such a volume stays the
 * version that it was.
 *
 * Threads: any. */
#ifndef MOUNTS_H
#define MOUNTS_H

enum mount_fault {
    MOUNT_IS_FILE,
    MOUNT_IS_SUBPATH,
};

/* Calls on_fault for each such mount that holds the config, a Lua file beside it, or one of the
 * scripts. `list` is in the form of /proc/self/mountinfo; without it nothing is found. */
void mounts_look(const char *list, const char *config, const char *scripts,
                 void (*on_fault)(void *context, enum mount_fault fault, const char *path),
                 void *context);

/* Warns of those of this process. */
void mounts_warn(const char *config, const char *scripts);

#endif
