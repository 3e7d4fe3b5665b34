/*
 * loop.h: the main loop: libre's, with base's timers and post queue plugged in, so that only
 * this file and the SIP and sound rooms know libre. One per program; main thread only.
 */
#ifndef OMNIVOX_SANDBOX_LOOP_H
#define OMNIVOX_SANDBOX_LOOP_H

#include <stdint.h>

#include "base/post.h"
#include "base/timers.h"

struct loop;

int loop_new(struct loop **ret_loop);
void loop_free(struct loop **loop);

/* Runs until SIGTERM or SIGINT. */
int loop_run(struct loop *loop);

/* Where other threads post to the main loop. */
struct post_queue *loop_posts(struct loop *loop);

/* As timer_start(); also wakes the loop in time. Stop with timer_stop(). */
void loop_timer(struct loop *loop, struct timer *timer, int64_t delay_ms);

#endif
