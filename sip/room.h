/*
 * room.h: what the files of this room share, sofia-sip's types included. Nobody else's business.
 */
#ifndef OMNIVOX_SIP_ROOM_H
#define OMNIVOX_SIP_ROOM_H

#include <stdarg.h>
#include <stdint.h>

struct sip_edge;
struct sip_dialog;

/* sofia-sip lets its callbacks carry our types when told before its headers. */
#define NTA_AGENT_MAGIC_T struct sip_edge
#define NTA_LEG_MAGIC_T struct sip_dialog
#define NTA_OUTGOING_MAGIC_T struct sip_dialog
#define NTA_INCOMING_MAGIC_T struct sip_dialog
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* in its inline functions */
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>
#pragma GCC diagnostic pop

#include "base/list.h"
#include "base/timers.h"
#include "sip/edge.h"

#define SIP_ALLOW "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REGISTER"

struct registrar;

struct sip_edge {
	struct sip_edge_config config; /* its strings are owned below */
	nta_agent_t *agent;
	struct addr addr;
	char *host, *realm, *user_agent;
	char contact[SIP_URI_SIZE]; /* "<sip:host:port>" for dialogs */
	struct list dialogs;
	struct registrar *registrar;
};

/* loop.c */
su_root_t *sip_loop_root(struct sip_loop *loop);
/* As timer_start, and safe inside sofia's own timers: poll will not oversleep it. */
void sip_loop_start_timer(struct sip_loop *loop, struct timer *timer, int64_t delay_ms);

/* registrar.c */
int registrar_new(struct sip_edge *edge, struct registrar **ret_registrar);
void registrar_free(struct registrar **registrar);
/* Takes over msg. */
void registrar_recv(struct registrar *registrar, msg_t *msg, const sip_t *sip);

/* dialog.c */
void dialog_free_all(struct sip_edge *edge);

/* edge.c: the address a message came from. */
void edge_source(msg_t *msg, struct addr *ret_addr);

#endif
