/*
 * agent_live.h: an agent session as the loop holds it. Private to agent*.c.
 */
#ifndef OMNIVOX_GATEWAY_AGENT_LIVE_H
#define OMNIVOX_GATEWAY_AGENT_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/timers.h"
#include "db/dialogs.h"
#include "db/legs.h"
#include "db/sessions.h"
#include "gateway/gateway.h"
#include "rtp/relay.h"
#include "sip/dialog.h"
#include "sip/sdp.h"

struct agents {
	struct gateway *gw;
	struct list all;
	struct list unstored; /* agent_store.c: what the database did not take yet */
};

/* One of the two dialogs of a session. */
struct agent_side {
	struct agent *agent;
	enum rtp_side side;
	struct sip_dialog *dialog; /* NULL: none */
	bool starting;             /* a job prepares the INVITE */
	bool up;                   /* answered */
	bool let_go;               /* by us: its end says nothing of the agent */
	unsigned told;     /* how often its dialog came up or ended: the last is true */
	unsigned failures; /* in a row: the next try waits longer */
	struct timer retry;
};

struct agent {
	struct list node;
	struct gateway *gw;
	struct db_agent_session row; /* as last told; may be older than the database's */
	struct agent_side phone, twilio;
	bool relay_open;
	uint16_t ports[RTP_SIDES];
	bool call_phone; /* sign-in or Ready asked for the phone; off once it was refused */
	struct db_agent_leg leg; /* of the twilio side; id 0: none */
	struct timer join_check; /* agent_check.c, from here */
	bool looking;            /* Twilio was asked who is in the leg's conference */
	unsigned missed;         /* answers in a row without the leg */
	/* agent_ring.c */
	int64_t rung_leg; /* the last that Twilio was asked to ring, and with which caller id */
	char rung_from[DB_NUMBER_SIZE];
	bool ending;        /* the leg was told to end, and is not gone yet */
	int64_t failed_leg; /* the last that ended before it joined, and was counted */
	bool going;         /* a job asks whether the customer may be dialled */
	int64_t gone_call;  /* the call that it was asked for */
	struct timer go;
};

struct agent *agent_find(struct gateway *gw, int64_t session_id);

/* Whether its legs have a purpose: nailed up, or a call is there. */
bool agent_wanted(const struct agent *agent);

/* Brings the legs to where the row wants them. Called after every change. */
void agent_step(struct agent *agent);

/* agent_legs.c: starts the missing dialog of a side; asynchronous. */
void agent_phone_start(struct agent *agent);
void agent_twilio_start(struct agent *agent);

/* agent_legs.c: takes up a stored dialog. */
int agent_side_resume(struct agent_side *side, const struct db_dialog *dialog);

/* Calls agent_step() after a while that grows with the failures. */
void agent_retry(struct agent_side *side);

/* agent_legs.c: opens the relay on the row's ports, or on new ones. */
int agent_relay_open(struct agent *agent, const struct rtp_side_params sides[RTP_SIDES]);

/* How a phone's dialog ended. */
enum phone_end {
	PHONE_LOST,    /* not answered, or nobody is there any more */
	PHONE_HUNG_UP, /* by the agent */
	PHONE_REFUSED, /* busy, declined, or it will not take our calls */
	PHONE_LET_GO,  /* by us: the call that holds the agent now may be another one */
};

/*
 * agent_store.c: jobs that write what happened and tell the loop the new row. When the database
 * does not take it, they try again every second while it is true.
 */
void agent_store_answered(struct agent_side *side);
void agent_store_phone_ended(struct agent *agent, enum phone_end how);
void agent_store_twilio_ended(struct agent *agent, int64_t leg_id);
void agent_store_ports(struct agent *agent);
void agent_store_joined(struct gateway *gw, const char *label, const char *sid);
/* Forgets what waits to be stored again. */
void agent_store_forget(struct agents *agents);

/* agent_check.c: join_check's; a leg of which no join was told is looked for so often. */
#define AGENT_CHECK_MS 3000
void agent_check_fire(struct timer *timer);

/* agent_check.c; rtp thread. Nothing is heard from this side: looks whether it is still there. */
void agent_silent(struct gateway *gw, int64_t session_id, enum rtp_side side);

#endif
