/* agent_check.c: looks after legs that nobody ended and that may be gone. See agent_live.h. */
#include "gateway/agent_live.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/post.h"

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

/* A phone may be muted, or on hold: only who does not know its call any more has lost it. */
static void silent_run(struct post *post)
{
	struct silent_post *told = list_entry(post, struct silent_post, post);
	struct agent *agent = agent_find(told->gw, told->session_id);

	if (agent != NULL && told->side == RTP_PHONE && agent->phone.up)
		sip_dialog_ask(agent->phone.dialog);
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
