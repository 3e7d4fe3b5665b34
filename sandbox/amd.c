/* amd.c: a detector that knows the truth and takes its time. */
#include <stdlib.h>

#include "base/form.h"
#include "sandbox/call.h"
#include "sandbox/calllog.h"
#include "sandbox/loop.h"
#include "sandbox/outbox.h"
#include "sandbox/population.h"
#include "sandbox/sandbox.h"

/* Twilio publishes no times; about four seconds is what people see. */
static const struct {
	const char *start, *end;
	long start_ms, end_ms;
} verdicts[] = {
	[BEHAVIOUR_HUMAN] = {"human", "human", 2000, 2000},
	[BEHAVIOUR_MACHINE] = {"machine_start", "machine_end_beep", 4000, 8000},
	[BEHAVIOUR_FAX] = {"fax", "fax", 3000, 3000},
	[BEHAVIOUR_NO_ANSWER] = {"unknown", "unknown", 4000, 4000},
	[BEHAVIOUR_BUSY] = {"unknown", "unknown", 4000, 4000},
	[BEHAVIOUR_FAILED] = {"unknown", "unknown", 4000, 4000},
};

static void report(struct call *call)
{
	struct amd *amd = &call->amd;
	struct buf form = {0};

	if (amd->callback_url == NULL)
		return;
	form_add(&form, "CallSid", call->sid);
	form_add(&form, "AccountSid", call->sandbox->settings.account_sid);
	form_add(&form, "AnsweredBy", amd->answered_by);
	form_add_int(&form, "MachineDetectionDuration", amd->duration_ms);
	outbox_notify(call->sandbox->outbox, &(struct letter){.url = amd->callback_url,
						     .method = amd->callback_method,
						     .form = &form,
						     .call = call});
	buf_free(&form);
}

static void on_timer(struct timer *timer)
{
	struct call *call = list_entry(timer, struct call, amd.timer);
	struct amd *amd = &call->amd;
	enum behaviour behaviour = call->customer->behaviour;

	amd->answered_by =
		amd->to_the_end ? verdicts[behaviour].end : verdicts[behaviour].start;
	report(call);
	if (amd->decided != NULL)
		amd->decided(call);
}

void amd_start(struct call *call, void (*decided)(struct call *call))
{
	struct amd *amd = &call->amd;
	enum behaviour behaviour = call->customer->behaviour;

	amd->duration_ms = amd->to_the_end ? verdicts[behaviour].end_ms
					   : verdicts[behaviour].start_ms;
	amd->decided = decided;
	amd->timer.fire = on_timer;
	loop_timer(call->sandbox->loop, &amd->timer,
		sandbox_scaled(call->sandbox, amd->duration_ms));
}

void amd_stop(struct call *call)
{
	timer_stop(&call->amd.timer);
}
