/* agent_leg_news.c: what is told of agents' legs, on its way to the database. See agent_ring.h. */
#include "gateway/agent_ring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/log.h"
#include "gateway/agent.h"
#include "gateway/call.h"

enum db_leg_end agent_leg_end(const char *call_status)
{
	return strcmp(call_status, "failed") == 0 ? DB_LEG_LOST : DB_LEG_HUNG_UP;
}

static int follow(struct gateway *gw, struct db *db, enum db_leg_after after,
	const char *detail, struct db_agent_session *session)
{
	int err = 0;

	switch (after) {
	case DB_LEG_AFTER_NOTHING:
		return 0;
	case DB_LEG_AFTER_MISSING:
		err = call_tell(gw, db, session->call_id, "agent_missing",
			detail[0] != '\0' ? detail : "The agent did not answer.");
		break;
	case DB_LEG_AFTER_UNSENT:
		err = call_tell(gw, db, session->call_id, "unsent",
			detail[0] != '\0' ? detail : "The agent could not be rung.");
		break;
	case DB_LEG_AFTER_AWAY:
		err = call_tell(gw, db, session->call_id, "agent_away",
			detail[0] != '\0' ? detail : "The agent could not be rung.");
		break;
	case DB_LEG_AFTER_HANGUP:
		err = call_tell(gw, db, session->call_id, "hangup", "The agent hung up.");
		break;
	case DB_LEG_AFTER_SIGN_OUT:
		err = db_agent_session_end(db, session->id);
		/* A call has just taken it: that decides. */
		err = err == -EBUSY ? 0 : err;
		break;
	}
	return err < 0 ? err : db_agent_session_get(db, session->id, session);
}

int agent_leg_news_store(
	struct gateway *gw, struct db *db, const struct agent_leg_news *news)
{
	const char *sid = news->sid[0] != '\0' ? news->sid : NULL;
	enum db_leg_after after = DB_LEG_AFTER_NOTHING;
	struct db_agent_session session;
	int err;

	err = news->ended ? db_agent_leg_ended(db, news->leg_id, news->label, sid,
				    news->how, &after, &session)
			  : db_agent_leg_accepted(db, news->leg_id, sid, &session);
	if (err == 0)
		err = follow(gw, db, after, news->detail, &session);
	if (err < 0)
		return err;
	if (news->ended)
		log_info("agent", session.call_id, "%s: leg ended (%d) %s",
			session.username, (int)news->how, news->detail);
	agent_changed(gw, &session);
	return 0;
}

struct news_job {
	struct job job;
	struct gateway *gw;
	struct agent_leg_news news;
};

static void news_work(struct job *job, void *ctx)
{
	struct news_job *task = list_entry(job, struct news_job, job);
	int err = agent_leg_news_store(task->gw, ctx, &task->news);

	if (err < 0 && err != -ENOENT)
		log_warn("agent", 0, "leg %" PRId64 " not stored: %s", task->news.leg_id,
			db_error(ctx));
	free(task);
}

static void news_drop(struct job *job)
{
	free(list_entry(job, struct news_job, job));
}

void agent_leg_news(struct gateway *gw, const struct agent_leg_news *news)
{
	struct news_job *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = news_work;
		task->job.drop = news_drop;
		task->gw = gw;
		task->news = *news;
		if (jobs_put(gw->db, &task->job) == 0)
			return;
		free(task);
	}
	/* Twilio's webhooks tell it again, and the check asks. */
	log_warn("agent", 0, "leg %" PRId64 " not stored: database workers are busy",
		news->leg_id);
}
