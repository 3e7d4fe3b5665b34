/* agent_sip.c: what the registrar asks of the database. */
#include "gateway/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timers.h"
#include "db/users.h"
#include "gateway/agent_live.h"
#include "sip/edge.h"

struct account_job {
	struct job job;
	struct gateway *gw;
	uint64_t query;
	char user[SIP_USER_SIZE];
	struct db_sip_account account;
	int err;
};

static void account_drop(struct job *job)
{
	free(list_entry(job, struct account_job, job));
}

static void account_work(struct job *job, void *ctx)
{
	struct account_job *task = list_entry(job, struct account_job, job);

	task->err = db_sip_account_find(ctx, task->user, &task->account);
}

static void account_done(struct job *job)
{
	struct account_job *task = list_entry(job, struct account_job, job);
	struct sip_account account = {.user = ""};

	if (task->err == 0) {
		(void)text_copy(
			account.user, sizeof(account.user), task->account.username);
		(void)text_copy(
			account.ha1_md5, sizeof(account.ha1_md5), task->account.ha1_md5);
		(void)text_copy(account.ha1_sha256, sizeof(account.ha1_sha256),
			task->account.ha1_sha256);
		sip_edge_account(task->gw->edge, task->query, &account);
	} else if (task->err == -ENOENT) {
		sip_edge_account(task->gw->edge, task->query, NULL);
	} else {
		/* No database, no verdict: the phone tries again. */
		sip_edge_bound(task->gw->edge, task->query, -EIO);
	}
	free(task);
}

void agent_sip_account(void *gateway, uint64_t query, const char *user)
{
	struct gateway *gw = gateway;
	struct account_job *task = calloc(1, sizeof(*task));

	if (task != NULL && text_copy(task->user, sizeof(task->user), user) == 0) {
		task->job.work = account_work;
		task->job.done = account_done;
		task->job.drop = account_drop;
		task->gw = gw;
		task->query = query;
		if (jobs_put(gw->db, &task->job) == 0)
			return;
	}
	free(task);
	sip_edge_bound(gw->edge, query, -EIO);
}

struct bind_job {
	struct job job;
	struct gateway *gw;
	uint64_t query;
	char user[SIP_USER_SIZE];
	struct db_registration binding;
	int err;
};

static void bind_drop(struct job *job)
{
	free(list_entry(job, struct bind_job, job));
}

static void bind_work(struct job *job, void *ctx)
{
	struct bind_job *task = list_entry(job, struct bind_job, job);

	task->err = db_registration_put(ctx, task->user, &task->binding);
}

/* An agent who waits for its phone need not wait for the retry. */
static void phone_is_here(struct gateway *gw, const char *sip_user)
{
	struct list *node, *tmp;

	list_for_each(&gw->agents->all, node, tmp)
	{
		struct agent *agent = list_entry(node, struct agent, node);

		if (strcmp(agent->row.sip_username, sip_user) != 0 ||
			agent->phone.dialog != NULL)
			continue;
		timer_stop(&agent->phone.retry);
		agent->phone.failures = 0;
		agent_step(agent);
		return; /* one session per user: stepping may have freed this one */
	}
}

static void bind_done(struct job *job)
{
	struct bind_job *task = list_entry(job, struct bind_job, job);

	sip_edge_bound(task->gw->edge, task->query, task->err);
	if (task->err == 0) {
		log_debug("agent", 0, "%s registered from %s for %lld s", task->user,
			task->binding.source, (long long)task->binding.expires_s);
		if (task->binding.expires_s > 0)
			phone_is_here(task->gw, task->user);
	}
	free(task);
}

void agent_sip_bind(void *gateway, uint64_t query, const struct sip_binding *binding)
{
	struct gateway *gw = gateway;
	struct bind_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		goto fail;
	task->job.work = bind_work;
	task->job.done = bind_done;
	task->job.drop = bind_drop;
	task->gw = gw;
	task->query = query;
	(void)text_copy(task->user, sizeof(task->user), binding->user);
	(void)text_copy(
		task->binding.contact, sizeof(task->binding.contact), binding->contact);
	(void)text_copy(
		task->binding.source, sizeof(task->binding.source), binding->source);
	(void)text_copy(
		task->binding.call_id, sizeof(task->binding.call_id), binding->call_id);
	(void)text_copy(task->binding.user_agent, sizeof(task->binding.user_agent),
		binding->user_agent);
	task->binding.cseq = binding->cseq;
	task->binding.expires_s = binding->expires_s;
	if (jobs_put(gw->db, &task->job) == 0)
		return;
	free(task);
fail:
	sip_edge_bound(gw->edge, query, -ENOSPC);
}
