/* agent_legs.c: the two dialogs of an agent session and the relay between them. */
#include "gateway/agent_live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/text.h"
#include "db/users.h"
#include "gateway/agent.h"
#include "gateway/sip_name.h"
#include "gateway/urls.h"
#include "sip/edge.h"
#include "twilio/host.h"

#define PHONE_RING_MS 60000
#define PHONE_RING_FIRST_MS 25000 /* a customer waits in the queue for it */
#define TWILIO_RING_MS 30000
#define TOKEN_BYTES 16

static struct agent_side *side_of(void *arg)
{
	return arg;
}

static const char *side_name(const struct agent_side *side)
{
	return side->side == RTP_PHONE ? "phone" : "twilio";
}

int agent_relay_open(struct agent *agent, const struct rtp_side_params sides[RTP_SIDES])
{
	struct rtp_side_params wanted[RTP_SIDES] = {sides[RTP_PHONE], sides[RTP_TWILIO]};
	int err;

	wanted[RTP_PHONE].port = (uint16_t)agent->row.port_phone;
	wanted[RTP_TWILIO].port = (uint16_t)agent->row.port_twilio;
	err = rtp_session_open(
		agent->gw->relay, (uint64_t)agent->row.id, wanted, agent->ports);
	if (err < 0) {
		log_error("agent", 0, "%s: no RTP ports: %s", agent->row.username,
			strerror(-err));
		return err;
	}
	agent->relay_open = true;
	if (agent->ports[RTP_PHONE] != agent->row.port_phone ||
		agent->ports[RTP_TWILIO] != agent->row.port_twilio)
		agent_store_ports(agent);
	return 0;
}

/* ---- what the dialogs tell ---- */

static void set_remote(struct agent_side *side, const char *sdp)
{
	struct sdp_audio audio;
	struct addr nowhere = {.len = 0};

	if (sdp == NULL || sdp_parse(sdp, &audio) < 0) {
		log_warn("agent", 0, "%s: %s sent no usable SDP",
			side->agent->row.username, side_name(side));
		return;
	}
	/* A phone may sit behind NAT; Twilio's word is taken as it is. */
	(void)rtp_session_remote(side->agent->gw->relay, (uint64_t)side->agent->row.id,
		side->side, addr_port(&audio.remote) == 0 ? &nowhere : &audio.remote,
		side->side == RTP_PHONE);
}

static void on_answered(void *arg, const char *sdp)
{
	struct agent_side *side = side_of(arg);

	side->up = true;
	if (side->side == RTP_PHONE)
		side->failures = 0;
	set_remote(side, sdp);
	log_info("agent", side->agent->row.call_id, "%s: %s leg is up",
		side->agent->row.username, side_name(side));
	agent_store_answered(side);
	agent_step(side->agent);
}

static void on_changed(void *arg, const char *sdp)
{
	set_remote(side_of(arg), sdp);
}

/* It is called until it is there, or the call is over: a customer waits for it (sweep.c). */
static bool is_missed(const struct agent *agent)
{
	return strcmp(agent->row.state, "on_call") == 0;
}

static enum phone_end phone_end(
	const struct agent_side *side, enum sip_end end, int status)
{
	if (side->let_go)
		return PHONE_LET_GO;
	if (end == SIP_END_BYE_REMOTE)
		return PHONE_HUNG_UP;
	return end == SIP_END_REFUSED && status != 408 && status != 480 &&
			       !is_missed(side->agent)
		       ? PHONE_REFUSED
		       : PHONE_LOST;
}

static void phone_ended(struct agent_side *side, enum sip_end end, int status)
{
	struct agent *agent = side->agent;
	enum phone_end how = phone_end(side, end, status);

	/*
	 * Red button, or a refusal: not called again until Ready. Lost: called again. Who is rung
	 * for a call has had its chance. Let go: the next call may be waiting for it already.
	 */
	if (how == PHONE_HUNG_UP || how == PHONE_REFUSED ||
		(how == PHONE_LOST && !agent->row.nailed && !side->up &&
			!is_missed(agent)))
		agent->call_phone = false;
	if (strcmp(agent->row.state, "offline") != 0) {
		agent_store_phone_ended(agent, how);
		if (agent->call_phone)
			agent_retry(side);
	}
}

static void on_ended(void *arg, enum sip_end end, int status, const char *reason)
{
	struct agent_side *side = side_of(arg);
	struct agent *agent = side->agent;

	log_info("agent", agent->row.call_id, "%s: %s leg ended: %d %s",
		agent->row.username, side_name(side), status,
		reason == NULL ? "" : reason);
	side->dialog = NULL;
	(void)rtp_session_remote(agent->gw->relay, (uint64_t)agent->row.id, side->side,
		&(struct addr){.len = 0}, false);
	if (side->side == RTP_PHONE) {
		phone_ended(side, end, status);
	} else if (strcmp(agent->row.state, "offline") != 0) {
		agent_store_twilio_ended(agent, agent->leg.id);
		if (agent_wanted(agent))
			agent_retry(side);
	}
	side->up = side->let_go = false;
	agent_step(agent);
}

static struct sip_dialog_events events_of(struct agent_side *side)
{
	return (struct sip_dialog_events){
		.answered = on_answered,
		.changed = on_changed,
		.ended = on_ended,
		.arg = side,
	};
}

static void resume_leg(struct agent *agent, const struct db_dialog *stored)
{
	struct db_agent_leg *leg = &agent->leg;

	leg->id = stored->leg_id;
	(void)text_copy(leg->label, sizeof(leg->label), stored->leg_label);
	(void)text_copy(leg->conference, sizeof(leg->conference), stored->leg_conference);
}

int agent_side_resume(struct agent_side *side, const struct db_dialog *stored)
{
	struct sip_dialog_events events = events_of(side);
	struct sip_dialog_state *state = calloc(1, sizeof(*state));
	struct addr source;
	int err = -ENOMEM;

	if (state == NULL)
		return err;
	(void)text_copy(state->call_id, sizeof(state->call_id), stored->call_id);
	(void)text_copy(state->local_uri, sizeof(state->local_uri), stored->local_uri);
	(void)text_copy(state->local_tag, sizeof(state->local_tag), stored->local_tag);
	(void)text_copy(state->remote_uri, sizeof(state->remote_uri), stored->remote_uri);
	(void)text_copy(state->remote_tag, sizeof(state->remote_tag), stored->remote_tag);
	(void)text_copy(state->remote_target, sizeof(state->remote_target),
		stored->remote_target);
	(void)text_copy(state->routes, sizeof(state->routes), stored->routes);
	(void)text_copy(state->next_hop, sizeof(state->next_hop), stored->next_hop);
	(void)text_copy(state->local_sdp, sizeof(state->local_sdp), stored->local_sdp);
	(void)text_copy(state->remote_sdp, sizeof(state->remote_sdp), stored->remote_sdp);
	state->local_seq = stored->local_seq;
	state->remote_seq = stored->remote_seq;
	err = sip_dialog_resume(side->agent->gw->edge, state, &events, &side->dialog);
	free(state);
	if (err < 0)
		return err;
	side->up = true;
	if (side->side == RTP_TWILIO)
		resume_leg(side->agent, stored);
	else if (addr_parse(stored->next_hop, &source) == 0)
		(void)rtp_session_signalling(side->agent->gw->relay,
			(uint64_t)side->agent->row.id, RTP_PHONE, &source);
	return 0;
}

/* ---- preparing an INVITE on other threads ---- */

struct start_job {
	struct job job;
	struct gateway *gw;
	int64_t session_id, user_id;
	enum rtp_side side;
	int err;
	struct db_registration binding; /* phone */
	struct db_agent_leg leg;        /* twilio */
	char token[2 * TOKEN_BYTES + 1];
	char host[TWILIO_SIP_HOST_SIZE], next_hop[ADDR_TEXT_SIZE];
};

static void start_drop(struct job *job)
{
	free(list_entry(job, struct start_job, job));
}

static struct start_job *start_new(struct agent_side *side,
	void (*work)(struct job *, void *), void (*done)(struct job *))
{
	struct start_job *task = calloc(1, sizeof(*task));
	struct agent *agent = side->agent;

	if (task == NULL)
		return NULL;
	task->job.work = work;
	task->job.done = done;
	task->job.drop = start_drop;
	task->gw = agent->gw;
	task->session_id = agent->row.id;
	task->user_id = agent->row.user_id;
	task->side = side->side;
	return task;
}

static void start_put(struct agent_side *side, struct jobs *jobs, struct start_job *task)
{
	if (task != NULL && jobs_put(jobs, &task->job) == 0) {
		side->starting = true;
		return;
	}
	free(task);
	agent_retry(side);
}

/* The agent of a finished job, when it still wants that leg. */
static struct agent *start_agent(struct start_job *task, struct agent_side **ret_side)
{
	struct agent *agent = agent_find(task->gw, task->session_id);
	struct agent_side *side;

	if (agent == NULL)
		return NULL;
	side = task->side == RTP_PHONE ? &agent->phone : &agent->twilio;
	side->starting = false;
	if (strcmp(agent->row.state, "offline") == 0) {
		agent_step(agent);
		return NULL;
	}
	*ret_side = side;
	return agent;
}

static int invite(struct agent_side *side, struct sip_invite *invite_params)
{
	struct agent *agent = side->agent;
	struct sip_dialog_events events = events_of(side);
	const char *host = sip_edge_host(agent->gw->edge);
	char sdp[SIP_SDP_SIZE], from[SIP_URI_SIZE];
	int err;

	err = sdp_write(sdp, sizeof(sdp), host, agent->ports[side->side],
		(uint64_t)agent->row.id, 1, SDP_SENDRECV);
	if (err < 0)
		return err;
	(void)snprintf(from, sizeof(from), "sip:omnivox@%s", host);
	invite_params->sdp = sdp;
	invite_params->from_uri = from;
	return sip_dialog_invite(agent->gw->edge, invite_params, &events, &side->dialog);
}

/* ---- the phone ---- */

static void phone_work(struct job *job, void *ctx)
{
	struct start_job *task = list_entry(job, struct start_job, job);

	task->err = db_registration_find(ctx, task->user_id, &task->binding);
}

static void phone_done(struct job *job)
{
	struct start_job *task = list_entry(job, struct start_job, job);
	struct agent_side *side;
	struct agent *agent = start_agent(task, &side);
	struct addr source;
	char headers[256];
	int err = 0;

	if (agent == NULL)
		goto out;
	if (task->err == -ENOENT && !agent->row.nailed && !is_missed(agent)) {
		agent->call_phone = false;
		agent_store_phone_ended(agent, PHONE_LOST);
		goto out;
	}
	if (task->err < 0) {
		/* Not registered: the next REGISTER, or the retry, comes back here. */
		agent_retry(side);
		goto out;
	}
	if (addr_parse(task->binding.source, &source) == 0)
		(void)rtp_session_signalling(
			agent->gw->relay, (uint64_t)agent->row.id, RTP_PHONE, &source);
	/* Three ways to say "answer by yourself": phones know one of them, or are answered by hand. */
	(void)snprintf(headers, sizeof(headers),
		"Call-Info: <sip:%s>;answer-after=0\r\n"
		"Alert-Info: <http://%s>;info=alert-autoanswer;delay=0\r\n"
		"Answer-Mode: Auto\r\n",
		sip_edge_host(agent->gw->edge), sip_edge_host(agent->gw->edge));
	err = invite(side, &(struct sip_invite){
				   .request_uri = task->binding.contact,
				   .next_hop = task->binding.source,
				   .from_display = "Omnivox",
				   .headers = headers,
				   .ring_ms = agent->row.nailed ? PHONE_RING_MS
								: PHONE_RING_FIRST_MS,
			   });
	if (err < 0) {
		log_warn("agent", 0, "%s: phone not called: %s", agent->row.username,
			strerror(-err));
		agent_retry(side);
	}
out:
	free(task);
}

void agent_phone_start(struct agent *agent)
{
	start_put(&agent->phone, agent->gw->db,
		start_new(&agent->phone, phone_work, phone_done));
}

/* ---- the leg to Twilio ---- */

static void name_work(struct job *job, void *ctx)
{
	struct start_job *task = list_entry(job, struct start_job, job);
	const struct config *config = task->gw->config;

	twilio_sip_host(config_text(config, "TWILIO_SIP_DOMAIN"),
		config_text(config, "TWILIO_REGION"), config_text(config, "TWILIO_EDGE"),
		task->host);
	task->err = sip_name_find(ctx, task->host, task->next_hop);
}

static void twilio_work(struct job *job, void *ctx)
{
	struct start_job *task = list_entry(job, struct start_job, job);

	(void)text_random(task->token, TOKEN_BYTES);
	task->err = db_agent_leg_new(
		ctx, task->session_id, task->gw->install, task->token, &task->leg);
}

static void twilio_done(struct job *job)
{
	struct start_job *task = list_entry(job, struct start_job, job);
	struct agent_side *side;
	struct agent *agent = start_agent(task, &side);
	struct config *config;
	char uri[SIP_URI_SIZE], header[128];
	int err;

	if (agent == NULL)
		goto out;
	config = agent->gw->config;
	err = task->err;
	if (err == 0) {
		agent->leg = task->leg;
		agent->missed = 0;
		(void)snprintf(uri, sizeof(uri), "sip:agent-%" PRId64 "@%s",
			agent->row.id, task->host);
		(void)snprintf(
			header, sizeof(header), URL_LEG_HEADER ": %s\r\n", task->token);
		err = invite(
			side, &(struct sip_invite){
				      .request_uri = uri,
				      .next_hop = task->next_hop,
				      .headers = header,
				      .auth_user = config_text(config, "TWILIO_SIP_USER"),
				      .auth_password =
					      config_text(config, "TWILIO_SIP_PASSWORD"),
				      .ring_ms = TWILIO_RING_MS,
			      });
	}
	if (err < 0) {
		log_warn("agent", 0, "%s: no leg to Twilio: %s", agent->row.username,
			strerror(-err));
		agent_retry(side);
	}
out:
	free(task);
}

/* With the address known, the leg is made in the database; the search may have taken long. */
static void name_done(struct job *job)
{
	struct start_job *task = list_entry(job, struct start_job, job);
	const struct agent *agent = agent_find(task->gw, task->session_id);
	int err = task->err;

	if (agent == NULL || strcmp(agent->row.state, "offline") == 0)
		err = -ECANCELED;
	job->work = twilio_work;
	job->done = twilio_done;
	if (err == 0)
		err = jobs_put(task->gw->db, job);
	if (err == 0)
		return; /* a worker's now */
	task->err = err;
	twilio_done(job);
}

void agent_twilio_start(struct agent *agent)
{
	start_put(&agent->twilio, agent->gw->names,
		start_new(&agent->twilio, name_work, name_done));
}
