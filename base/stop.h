/*
 * stop.h: the signals that ask a program to end, for one that holds them back (blocks them) until
 * what it began is put away: above all the PostgreSQL that it started.
 */
#ifndef OMNIVOX_BASE_STOP_H
#define OMNIVOX_BASE_STOP_H

#include <signal.h>
#include <stdbool.h>

/*
 * SIGTERM, SIGINT and SIGHUP, without those that are ignored, as SIGHUP is under nohup and SIGINT in
 * what a shell without job control starts with &.
 */
void stop_signals(sigset_t *ret_set);

/* One of them has come and is held back. Never, where they are not blocked. */
bool stop_asked(void);

#endif
