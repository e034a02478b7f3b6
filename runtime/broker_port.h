/* broker_port.h - the port at which librdkafka's mock cluster listens.
 *
 * The mock cluster lets the system choose its port and has no setting for it, while an address that
 * people type has to stay the same. So the program defines bind(), which the dynamic linker then
 * gives to librdkafka too; it does what the system's does, except in the thread and for the time
 * that a port is wanted. The program has to be linked with -Wl,-E.
 *
 * Threads: each its own wish. */
#ifndef BROKER_PORT_H
#define BROKER_PORT_H

/* From now on the next socket of this thread that is bound to any port of 127.0.0.1 gets the first
 * free one from `first` to `last`; 0: any. */
void broker_port_want(int first, int last);

/* Ends the wish: 0, or the error number of why no such port could be had. The socket was bound to
 * any port then, because the mock cluster aborts when bind fails. */
int broker_port_end(void);

/* The port that was bound last for a wish of this thread. */
int broker_port_bound(void);

#endif
