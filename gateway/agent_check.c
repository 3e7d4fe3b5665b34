/*
 * agent_check.c: looks after legs of which nothing is heard. A join, a leave, a BYE may be lost:
 * who is in a conference is asked of Twilio, and a phone whether it knows its call.
 */
#include "gateway/agent_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/post.h"
#include "gateway/agent.h"
#include "gateway/agent_ring.h"
#include "twilio/conferences.h"

#define MISSED_MAX 2 /* it may be on its way in when Twilio is asked first */

/* ---- the leg to Twilio ---- */

/* One question at a time: a late answer about an earlier leg counts once at most. */
static void look(struct agent *agent)
{
	if (agent->looking)
		return;
	agent->looking = twilio_conference_find(agent->gw->twilio,
				 (uint64_t)agent->row.id, agent->leg.conference) == 0;
}

void agent_check_fire(struct timer *timer)
{
	struct agent *agent = list_entry(timer, struct agent, join_check);

	if (agent_is_rung(agent)) {
		agent_ring_check(agent);
		return;
	}
	if (!agent->twilio.up || (agent->row.twilio_up && agent->missed == 0))
		return;
	look(agent);
	timer_start(agent->gw->timers, &agent->join_check, AGENT_CHECK_MS);
}

static void found(struct agent *agent, const char *sid)
{
	bool known = !agent_is_rung(agent) && agent->row.twilio_up;

	agent->missed = 0;
	if (!known)
		agent_store_joined(agent->gw,
			agent_is_rung(agent) ? agent->row.leg_label : agent->leg.label,
			sid);
}

/* Twilio ended it, and its BYE did not come: hung up, it is replaced as after a loss. */
static void missed(struct agent *agent)
{
	if (agent_is_rung(agent) || !agent->twilio.up)
		return;
	if (++agent->missed < MISSED_MAX) {
		timer_start(agent->gw->timers, &agent->join_check, AGENT_CHECK_MS);
		return;
	}
	log_warn("agent", agent->row.call_id,
		"%s: the leg to Twilio is in no conference any more: a new one is made",
		agent->row.username);
	agent->missed = 0;
	sip_dialog_hangup(agent->twilio.dialog);
}

/* Whose phone still rings is listed, too. */
static bool is_in(const struct twilio_participant_row *participant, const char *label)
{
	return strcmp(participant->label, label) == 0 &&
	       strcmp(participant->status, "connected") == 0;
}

void agent_twilio_answer(struct gateway *gw, const struct twilio_answer *answer)
{
	struct agent *agent = agent_find(gw, (int64_t)answer->id);
	const char *label;

	if (agent == NULL)
		return;
	agent->looking = false;
	if (answer->result != TWILIO_OK)
		return;
	if (answer->op == TWILIO_CONFERENCE_FIND && answer->sid[0] != '\0') {
		agent->looking =
			twilio_participant_list(gw->twilio, answer->id, answer->sid) == 0;
		return;
	}
	label = agent_is_rung(agent) ? agent->row.leg_label : agent->leg.label;
	for (size_t i = 0; answer->op == TWILIO_PARTICIPANT_LIST && i < answer->count;
		i++)
		if (is_in(&answer->list.participants[i], label)) {
			found(agent, answer->list.participants[i].call_sid);
			return;
		}
	missed(agent);
}

/* ---- silence ---- */

struct silent_post {
	struct post post;
	struct gateway *gw;
	int64_t session_id;
	enum rtp_side side;
};

static void silent_drop(struct post *post)
{
	free(list_entry(post, struct silent_post, post));
}

/*
 * A phone may be muted, or on hold: only who does not know its call any more has lost it. Twilio
 * sends sound to everybody in a conference.
 */
static void silent_run(struct post *post)
{
	struct silent_post *told = list_entry(post, struct silent_post, post);
	struct agent *agent = agent_find(told->gw, told->session_id);

	if (agent != NULL && told->side == RTP_PHONE && agent->phone.up)
		sip_dialog_ask(agent->phone.dialog);
	if (agent != NULL && told->side == RTP_TWILIO && agent->twilio.up)
		look(agent);
	free(told);
}

void agent_silent(struct gateway *gw, int64_t session_id, enum rtp_side side)
{
	struct silent_post *told = calloc(1, sizeof(*told));

	log_debug("agent", 0, "session %" PRId64 ": no RTP from %s", session_id,
		side == RTP_PHONE ? "the phone" : "Twilio");
	if (told == NULL)
		return; /* told again while it lasts */
	told->post.run = silent_run;
	told->post.drop = silent_drop;
	told->gw = gw;
	told->session_id = session_id;
	told->side = side;
	if (post_queue_put(gw->queue, &told->post) < 0)
		free(told);
}
