#include "config_internal.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int config_cpu_count(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int quota = config_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    return quota > 0 && quota < count ? quota : count;
}

/* The first line of a small file, without its end; false when there is none. */
static bool read_line(const char *path, char *line, int size)
{
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(line, size, file) != NULL;
    if (file != NULL)
        fclose(file);
    if (is_read)
        line[strcspn(line, "\n")] = '\0';
    return is_read;
}

static int whole_cpus(int64_t quota, int64_t period)
{
    return quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

/* Version 2 has both numbers in one file: "150000 100000", or "max 100000" without a quota. */
static int quota_of_v2(const char *directory)
{
    char *path = xasprintf("%s/cpu.max", directory);
    char line[64];
    int64_t quota, period;
    bool is_limited = read_line(path, line, sizeof line) &&
                      sscanf(line, "%" SCNd64 " %" SCNd64, &quota, &period) == 2;
    free(path);
    return is_limited ? whole_cpus(quota, period) : 0;
}

static int64_t number_in(const char *directory, const char *name)
{
    char *path = xasprintf("%s/%s", directory, name);
    char line[64];
    int64_t number = read_line(path, line, sizeof line) ? strtoll(line, NULL, 10) : 0;
    free(path);
    return number;
}

/* Version 1 has -1 for no quota. */
static int quota_of_v1(const char *directory)
{
    return whole_cpus(number_in(directory, "cpu.cfs_quota_us"),
                      number_in(directory, "cpu.cfs_period_us"));
}

/* The least quota of a group and those above it; `group` is cut up on the way. A container may
 * show the host's path, which is not there: then only the mount itself counts. */
static int least_quota(const char *mount, char *group, int (*quota_of)(const char *directory))
{
    int least = 0;
    for (;;) {
        char *directory = xasprintf("%s%s", mount, group);
        int quota = quota_of(directory);
        free(directory);
        if (quota > 0 && (least == 0 || quota < least))
            least = quota;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

static bool has_word(const char *list, size_t length, const char *word)
{
    for (const char *at = list; at < list + length;) {
        size_t part = strcspn(at, ",:");
        if (part == strlen(word) && strncmp(at, word, part) == 0)
            return true;
        at += part + 1;
    }
    return false;
}

/* A line is 0::/group in version 2, 4:cpu,cpuacct:/group in version 1. */
static int quota_of_line(char *line, const char *mount)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL)
        return 0;
    size_t length = (size_t)(group - controllers - 1);
    group++;
    if (length == 0)
        return least_quota(mount, group, quota_of_v2);
    if (!has_word(controllers + 1, length, "cpu"))
        return 0;
    char *cpu_mount = xasprintf("%s/cpu", mount);
    int quota = least_quota(cpu_mount, group, quota_of_v1);
    free(cpu_mount);
    return quota;
}

int config_cpu_quota(const char *groups, const char *mount)
{
    FILE *file = fopen(groups, "re");
    if (file == NULL)
        return 0;
    int least = 0;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        int quota = quota_of_line(line, mount);
        if (quota > 0 && (least == 0 || quota < least))
            least = quota;
    }
    free(line);
    fclose(file);
    return least;
}
