/*
 * drain.h: taking a node out of service: no new calls, live ones go on until they end, then
 * agents are signed out and the worker stops. Asked for by SIGUSR1 (`--drain`).
 */
#ifndef OMNIVOX_GATEWAY_DRAIN_H
#define OMNIVOX_GATEWAY_DRAIN_H

#include <stdbool.h>

#include "base/config.h"
#include "gateway/gateway.h"

struct drain;

/* Loop, at start and end. A worker that follows one that died draining goes on with it. */
int drain_new(struct gateway *gw, struct drain **ret_drain);
void drain_free(struct drain **drain);

/* Loop. Begins, once. Ends in sip_loop_stop(), after DRAIN_TIMEOUT at the latest. */
void drain_begin(struct gateway *gw);

/* Any thread. */
bool drain_active(const struct gateway *gw);

/* On a database worker. True: the reply says 503 and why. */
struct api_reply;
bool drain_refuses(const struct gateway *gw, struct api_reply *reply);

/* --drain: tells the gateway that runs on DATA_DIR, and waits until it is gone. sysexits. */
int drain_command(const struct config *config);

#endif
