/*
 * stop.h: the signals that ask a program to end, for one that holds them back (blocks them) until
 * what it began is put away: above all the PostgreSQL that it started.
 */
#ifndef OMNIVOX_BASE_STOP_H
#define OMNIVOX_BASE_STOP_H

#include <signal.h>
#include <stdbool.h>

/*
 * SIGTERM, SIGINT, and SIGHUP unless it is ignored, as under nohup. SIGINT is ignored in what a
 * script starts with &, and who sends it there means it all the same.
 */
void stop_signals(sigset_t *ret_set);

/* One of them has come and is held back. Never, where they are not blocked. */
bool stop_asked(void);

#endif
