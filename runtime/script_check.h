/* script_check.h - all that can be said of the scripts without a record.
 *
 * Threads: main, before the loop runs. */
#ifndef SCRIPT_CHECK_H
#define SCRIPT_CHECK_H

#include "bundle.h"
#include "config.h"

/* Appends to `problems` what does not load or is none of what the config wants, of all consumers
 * and producers; to `suspicions` what a look at the files' text finds: files that do not compile
 * though nobody asks for them yet, globals that nothing defines. Each with file and line. */
void script_check(const struct config *config, const struct bundle *bundle,
                  struct config_problems *problems, struct config_problems *suspicions);

#endif
