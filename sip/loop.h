/*
 * loop.h: the one loop of the worker: sofia-sip's su_root with base's timers and post queue
 * plugged in. All SIP and every decision runs here; nothing on it may block.
 */
#ifndef OMNIVOX_SIP_LOOP_H
#define OMNIVOX_SIP_LOOP_H

struct sip_loop;
struct post_queue;
struct timers;

/* Borrows queue and timers; both outlive the loop. Timers are advanced with clock_mono_ms. */
int sip_loop_new(
	struct post_queue *queue, struct timers *timers, struct sip_loop **ret_loop);
void sip_loop_free(struct sip_loop **loop);

/* Calls `ready` on the loop when fd is readable. Returns an index for unwatch, or -errno. */
int sip_loop_watch(struct sip_loop *loop, int fd, void (*ready)(void *arg), void *arg);
void sip_loop_unwatch(struct sip_loop *loop, int index);

/* Runs until sip_loop_stop(), which is called on the loop itself. */
void sip_loop_run(struct sip_loop *loop);
void sip_loop_stop(struct sip_loop *loop);

#endif
