/* bundle_signature.h - whether files look changed, without reading them.
 *
 * Paths, places on their disks, sizes and times, which tell more than a notice of the system would:
 * that misses sub-folders, network and overlay mounts, and a file that replaces another one.
 *
 * Threads: any; may block where a disk does. */
#ifndef BUNDLE_SIGNATURE_H
#define BUNDLE_SIGNATURE_H

#include "util.h"

/* Of the file, which may be missing. */
uint64_t signature_of_file(const char *path);

enum signature_depth {
    SIGNATURE_HERE, /* what stands in the folder itself */
    SIGNATURE_BELOW,
};

/* Of every Lua file of the folder, which may be missing: those that bundle_read reads, links
 * followed. */
uint64_t signature_of_folder(const char *path, enum signature_depth depth);

#endif
