/* amd.c: a detector that knows the truth and takes its time. */
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "sandbox/call.h"
#include "sandbox/calllog.h"
#include "sandbox/loop.h"
#include "sandbox/outbox.h"
#include "sandbox/population.h"
#include "sandbox/sandbox.h"

#define SPEECH_STARTS_MS 400 /* after the answer */
#define BEEP_MS 600          /* from the last word to the end of the beep */

/* What it finds in the customer's first words, and when. */
static void judge(
	const struct facts *facts, const struct customer *customer, struct amd *amd)
{
	int64_t greeting_ms = customer->greeting_ms;
	int64_t at;

	if (customer->behaviour == BEHAVIOUR_FAX) {
		amd->verdict = "fax";
		at = facts->amd_fax_ms;
	} else if (greeting_ms == 0 || strcmp(customer->say, "silence") == 0) {
		amd->verdict = "unknown";
		at = amd->silence_ms;
	} else if (greeting_ms < amd->speech_ms) {
		amd->verdict = "human";
		at = SPEECH_STARTS_MS + greeting_ms + amd->speech_end_ms;
	} else if (!amd->to_the_end) {
		amd->verdict = "machine_start";
		at = SPEECH_STARTS_MS + amd->speech_ms + facts->amd_sure_ms;
	} else {
		amd->verdict =
			customer->beep ? "machine_end_beep" : "machine_end_silence";
		at = SPEECH_STARTS_MS + greeting_ms +
		     (customer->beep ? BEEP_MS : amd->speech_end_ms);
	}
	if (at > amd->timeout_ms) {
		amd->verdict = "unknown";
		at = amd->timeout_ms;
	}
	amd->duration_ms = (long)at;
}

void amd_init(struct amd *amd)
{
	amd->timeout_ms = 30000;
	amd->speech_ms = 2400;
	amd->speech_end_ms = 1200;
	amd->silence_ms = 5000;
}

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

	amd->answered_by = amd->verdict;
	report(call);
	if (amd->decided != NULL)
		amd->decided(call);
}

/* At the far end of a SIP call nobody is simulated. */
static const struct customer somebody = {
	.behaviour = BEHAVIOUR_HUMAN, .greeting_ms = 800, .say = "speech"};

void amd_start(struct call *call, void (*decided)(struct call *call))
{
	struct amd *amd = &call->amd;

	judge(&call->sandbox->facts, call->customer != NULL ? call->customer : &somebody,
		amd);
	amd->decided = decided;
	amd->timer.fire = on_timer;
	loop_timer(call->sandbox->loop, &amd->timer,
		sandbox_scaled(call->sandbox, amd->duration_ms));
}

void amd_stop(struct call *call)
{
	timer_stop(&call->amd.timer);
}
