/* first_process.h - what a container's first process owes the others: to end the zombies that the
 * system hands to it, and to pass on signals. lagoon itself then is an ordinary process below it.
 *
 * In lagoon's own process neither could be done: to wait for any child would take the answer from
 * who waits for his own, such as os.execute of a script.
 *
 * Threads: main, as the first thing of all: it forks. */
#ifndef FIRST_PROCESS_H
#define FIRST_PROCESS_H

/* Where this process is number 1 of its PID namespace it forks: the child gets -1 and goes on; the
 * first process returns when the child has ended, with its exit code. Elsewhere it returns -1. */
int first_process_split(void);

#endif
