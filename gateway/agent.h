/*
 * agent.h: agents on the loop: the nailed-up phone leg, the leg to Twilio, and their relay.
 *
 * The truth of a session (state, wishes, turn) is in the database; here live the dialogs, and
 * the work that brings the legs to where the session wants them.
 */
#ifndef OMNIVOX_GATEWAY_AGENT_H
#define OMNIVOX_GATEWAY_AGENT_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "db/sessions.h"
#include "gateway/gateway.h"

struct sip_binding;
struct rtp_event;
struct twilio_answer;

/* An agent's name at Twilio: its browser is called as "client:" and this, with the agent's id. */
#define AGENT_IDENTITY "agent-%" PRId64
#define AGENT_IDENTITY_SIZE 32

/* Loop thread, at start and end. Freeing sends no BYE. */
int agents_new(struct gateway *gw, struct agents **ret_agents);
void agents_free(struct agents **agents);

/*
 * Any thread. This session is new, or its row changed: publishes it, and on the loop brings
 * phone and Twilio leg up (signed in, ready) or down (offline).
 */
void agent_changed(struct gateway *gw, const struct db_agent_session *session);

/* Any thread. The same for a session that was just claimed: its row is read first. */
void agent_claimed(struct gateway *gw, int64_t session_id);

/*
 * Loop, before it runs. Takes up the sessions of an earlier worker of this node: same ports,
 * same dialogs, nobody called again. Returns how many dialogs were taken up.
 */
struct db_dialog;
size_t agents_resume(struct gateway *gw, const struct db_agent_session *rows,
	size_t row_count, const struct db_dialog *dialogs, size_t dialog_count);

/* sip_edge_config.account and .bind with arg = struct gateway; loop thread. */
void agent_sip_account(void *gateway, uint64_t query, const char *user);
void agent_sip_bind(void *gateway, uint64_t query, const struct sip_binding *binding);

/* Loop. Twilio's answer about a conference of a session; `id` is the session's. */
void agent_twilio_answer(struct gateway *gw, const struct twilio_answer *answer);

/* Loop. Agents of this campaign who could take a call now, as far as the loop knows. */
unsigned agents_ready(struct gateway *gw, int64_t campaign_id);

/* Loop. How many are signed in here, and their sessions (free() them). -ENOMEM. */
size_t agents_count(struct gateway *gw);
int agents_ids(struct gateway *gw, int64_t **ret_ids, size_t *ret_count);

/* Loop. The version that is known of each session, in the order of agents_ids(). */
void agents_versions(struct gateway *gw, int64_t *ret_versions);

/* rtp_config.event with arg = struct gateway; rtp thread. */
void agent_rtp_event(void *gateway, const struct rtp_event *event);

#endif
