/*
 * agent_ring.h: agents whom Twilio rings: plain phones and browsers. One leg each, made by POST
 * Participants into the session's conference; and for every kind of agent who is rung before the
 * customer: the moment at which the customer may be dialled.
 *
 * What a leg is, and whether there is one, is in the database row (leg_*): so that nothing rings
 * twice after a crash, and a leg that nobody wants is found and ended.
 */
#ifndef OMNIVOX_GATEWAY_AGENT_RING_H
#define OMNIVOX_GATEWAY_AGENT_RING_H

#include "db/legs.h"
#include "gateway/agent_live.h"
#include "twilio/client.h"

/* Ids of requests to Twilio about agents' legs have this bit; the rest is the leg's id. */
#define AGENT_RING_ID (UINT64_C(1) << 63)

/* Loop. The row's leg is at Twilio alone. */
bool agent_is_rung(const struct agent *agent);

/* Whether a nailed agent waits for Ready until it is rung again. */
bool agent_gave_up(const struct db_agent_session *row);

/* Loop. Rings or ends the leg as the row wants it; true when nothing is left of it. */
bool agent_ring_step(struct agent *agent);

/* Loop. Its timer: looks after a leg that is ringing, unwanted or long up. */
void agent_ring_check(struct agent *agent);

/* Loop. Dials the customer of a `claimed` call whose agent is there. */
void agent_ring_go(struct agent *agent);

/* Loop. Twilio's answer to a request whose id has AGENT_RING_ID. */
void agent_ring_answer(struct gateway *gw, const struct twilio_answer *answer);

/* One piece of news of a leg, told by its id or, when that is 0, its label. */
struct agent_leg_news {
	int64_t leg_id;
	char label[64];
	char sid[TWILIO_SID_SIZE]; /* "": not known */
	bool ended;                /* else: Twilio has it */
	enum db_leg_end how;
	char detail[256]; /* for people; "" */
};

/* On a database worker. Stores it, tells the call what follows from it, and the loop. */
int agent_leg_news_store(
	struct gateway *gw, struct db *db, const struct agent_leg_news *news);

/* Any thread. The same through a database worker. */
void agent_leg_news(struct gateway *gw, const struct agent_leg_news *news);

/* How a leg has ended, in Twilio's word for its status. */
enum db_leg_end agent_leg_end(const char *call_status);

#endif
