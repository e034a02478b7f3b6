/* log_crash.h - the last lines before a crash: they are written before the process ends by it.
 *
 * Threads: log_crash_watch on main; what it installs runs where it crashes. */
#ifndef LOG_CRASH_H
#define LOG_CRASH_H

/* From here on the signals of a crash wait for the log first. Then they do what they did before: a
 * core dump, a sanitizer's report. */
void log_crash_watch(void);

#endif
