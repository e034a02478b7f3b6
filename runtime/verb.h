/* verb.h - what `lagoon VERB` does; each returns the exit code.
 *
 * Threads: main. */
#ifndef VERB_H
#define VERB_H

#include "command_line.h"

int verb_run(const struct command_line *line);
int verb_dev(const struct command_line *line);
int verb_broker(const struct command_line *line);
int verb_check(const struct command_line *line);
int verb_new(const struct command_line *line);
int verb_handle(const struct command_line *line);
int verb_publish(const struct command_line *line);
int verb_dead_letters(const struct command_line *line);
int verb_status(const struct command_line *line);
int verb_top(const struct command_line *line);
int verb_health(const struct command_line *line);
int verb_pause(const struct command_line *line);
int verb_seek(const struct command_line *line);
int verb_workers(const struct command_line *line);
int verb_log_level(const struct command_line *line);
int verb_resume(const struct command_line *line);
int verb_reload(const struct command_line *line);
int verb_rollback(const struct command_line *line);
int verb_exec(const struct command_line *line);

#endif
