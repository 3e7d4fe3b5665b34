/*
 * twiml_listen.c: <Gather> and <Record>: what the far end types and says.
 * Source: twilio.com/docs/voice/twiml/gather, /record.
 */
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "sandbox/call.h"
#include "sandbox/call_sound.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/player.h"
#include "sandbox/population.h"
#include "sandbox/sandbox.h"
#include "sandbox/twiml_verbs.h"

#define KEY_MS 300       /* between two keys of a simulated customer */
#define SILENCE_LOOK 100 /* ms between two looks whether it has been silent */
#define BEEP_MS 300

static void start(struct twiml_run *run, struct timer *timer,
	void (*fire)(struct timer *timer), int64_t ms)
{
	const struct sandbox *sandbox = run->call->sandbox;

	timer->fire = fire;
	loop_timer(sandbox->loop, timer, sandbox_scaled(sandbox, ms));
}

static void stop_all(struct twiml_run *run)
{
	timer_stop(&run->pause);
	timer_stop(&run->typing);
	timer_stop(&run->silence);
	run_stop_playing(run);
}

static void on_typing(struct timer *timer)
{
	struct twiml_run *run = list_entry(timer, struct twiml_run, typing);
	const char *digits = run->call->customer->digits;
	char digit = digits[run->typed++];

	if (digits[run->typed] != '\0')
		start(run, timer, on_typing, digit == 'w' ? 500 : KEY_MS);
	if (digit != 'w')
		twiml_run_digit(run->call, digit); /* may end the verb, and the run */
}

/* A simulated customer types, if it ever does. */
static void let_type(struct twiml_run *run)
{
	const struct customer *customer = run->call->customer;

	run->typed = 0;
	if (customer != NULL && customer->digits != NULL && *customer->digits != '\0')
		start(run, &run->typing, on_typing, customer->digits_ms);
}

/* ---- Gather ---- */

static void gather_end(struct twiml_run *run)
{
	const struct twiml_node *verb = run->verb;
	const char *action = twiml_text(verb, "action");
	struct buf extra = {0};

	stop_all(run);
	if (run->digits.len == 0 && run->speech == NULL &&
		!twiml_flag(verb, "actionOnEmptyResult", false)) {
		run_next(run);
		return;
	}
	if (run->speech != NULL) {
		form_add(&extra, "SpeechResult", run->speech);
		form_add(&extra, "Confidence", "0.92");
	} else {
		form_add(&extra, "Digits", run->digits.len > 0 ? run->digits.data : "");
	}
	run->verb = NULL;
	run_go_to(run, action, twiml_method(verb, "method"), &extra);
	buf_free(&extra);
}

static void on_gather_timeout(struct timer *timer)
{
	gather_end(list_entry(timer, struct twiml_run, pause));
}

static bool takes(const struct twiml_node *verb, const char *input)
{
	const char *inputs = twiml_text(verb, "input");

	return strstr(inputs != NULL ? inputs : "dtmf", input) != NULL;
}

static void wait_for_input(struct twiml_run *run)
{
	start(run, &run->pause, on_gather_timeout,
		(int64_t)twiml_number(run->verb, "timeout", 5) * 1000);
}

static void on_prompted(void *arg)
{
	run_stop_playing(arg);
	wait_for_input(arg);
}

static void on_spoken(struct timer *timer)
{
	struct twiml_run *run = list_entry(timer, struct twiml_run, silence);

	run->speech = run->call->customer->speech;
	gather_end(run);
}

void gather_begin(struct twiml_run *run, const struct twiml_node *verb)
{
	const struct customer *customer = run->call->customer;

	run->verb = verb;
	buf_reset(&run->digits);
	run->speech = NULL;
	if (takes(verb, "dtmf"))
		let_type(run);
	if (takes(verb, "speech") && customer != NULL && customer->speech != NULL)
		start(run, &run->silence, on_spoken, customer->digits_ms);
	if (verb->children != NULL)
		run_play(run, verb, true, on_prompted);
	else
		wait_for_input(run);
}

void gather_digit(struct twiml_run *run, char digit)
{
	const char *finish = twiml_text(run->verb, "finishOnKey");
	unsigned most = twiml_number(run->verb, "numDigits", 0);

	if (!takes(run->verb, "dtmf"))
		return;
	run_stop_playing(run);
	if (strchr(finish != NULL ? finish : "#", digit) != NULL) {
		gather_end(run);
		return;
	}
	buf_add_char(&run->digits, digit);
	if (most > 0 && run->digits.len >= most)
		gather_end(run);
	else
		wait_for_input(run);
}

/* ---- Record ---- */

static struct recording *recording_of(const struct twiml_run *run)
{
	return recordings_find(run->call->sandbox->recordings, run->recording_sid);
}

/* `digits`: the key, "hangup", or NULL. False: nothing was said. */
static bool record_result(struct twiml_run *run, const char *digits, struct buf *extra)
{
	struct recording *recording = recording_of(run);

	if (recording == NULL)
		return false;
	recording_stop(recording, false);
	if (recording->loud_frames == 0)
		return false;
	recording_form(recording, extra);
	if (digits != NULL)
		form_add(extra, "Digits", digits);
	return true;
}

static void record_end(struct twiml_run *run, const char *digits)
{
	const struct twiml_node *verb = run->verb;
	struct buf extra = {0};

	stop_all(run);
	if (record_result(run, digits, &extra)) {
		run->verb = NULL;
		run_go_to(run, twiml_text(verb, "action"), twiml_method(verb, "method"),
			&extra);
	} else {
		run_next(run);
	}
	buf_free(&extra);
}

static void on_record_full(struct timer *timer)
{
	record_end(list_entry(timer, struct twiml_run, pause), NULL);
}

static void on_silence_look(struct timer *timer)
{
	struct twiml_run *run = list_entry(timer, struct twiml_run, silence);
	const struct recording *recording = recording_of(run);
	int64_t patience_ms = sandbox_scaled(run->call->sandbox,
		(int64_t)twiml_number(run->verb, "timeout", 5) * 1000);

	if (recording == NULL || (int64_t)recording->quiet_frames * 20 >= patience_ms)
		record_end(run, NULL);
	else
		loop_timer(run->call->sandbox->loop, timer, SILENCE_LOOK);
}

static void record_start(void *arg)
{
	struct twiml_run *run = arg;
	const struct twiml_node *verb = run->verb;
	struct recording_wish wish;

	run_stop_playing(run);
	recording_wish_init(&wish, "RecordVerb");
	wish.track = "inbound";
	run_recording_wish(run, verb, &wish);
	strcpy(run->recording_sid, recording_start(run->call, &wish)->sid);
	recording_wish_free(&wish);
	let_type(run);
	start(run, &run->pause, on_record_full,
		(int64_t)twiml_number(verb, "maxLength", 3600) * 1000);
	if (twiml_number(verb, "timeout", 5) > 0) {
		run->silence.fire = on_silence_look;
		loop_timer(run->call->sandbox->loop, &run->silence, SILENCE_LOOK);
	}
}

void record_begin(struct twiml_run *run, const struct twiml_node *verb)
{
	struct call *call = run->call;

	run->verb = verb;
	*run->recording_sid = '\0';
	player_free(&call->player);
	call->player = player_new(call->sandbox, false, record_start, run);
	if (twiml_flag(verb, "playBeep", true))
		player_add_tone(call->player, "tone:1400", BEEP_MS);
	call_settle_sound(call);
	player_start(call->player);
}

void record_digit(struct twiml_run *run, char digit)
{
	const char *finish = twiml_text(run->verb, "finishOnKey");
	const char key[] = {digit, '\0'};

	if (strchr(finish != NULL ? finish : "1234567890*#", digit) != NULL)
		record_end(run, key);
}

void record_call_over(struct twiml_run *run)
{
	const char *action = twiml_text(run->verb, "action");
	struct buf form = {0}, extra = {0};
	char *url;

	if (!record_result(run, "hangup", &extra))
		return;
	url = action != NULL ? player_resolve(run->url, action) : memory_text(run->url);
	call_form(run->call, &form);
	buf_add_char(&form, '&');
	buf_add(&form, extra.data, extra.len);
	/* Whatever it answers, nobody is there to hear it. */
	outbox_notify(run->call->sandbox->outbox,
		&(struct letter){.url = url,
			.method = twiml_method(run->verb, "method"),
			.form = &form,
			.call = run->call});
	buf_free(&form);
	buf_free(&extra);
	free(url);
}
