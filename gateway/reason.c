/* reason.c: codes and sentences. See reason.h. */
#include "gateway/reason.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *code, *text;
} table[] = {
	/* Of a contact that waits. */
	{"next", "Its turn comes."},
	{"hours", "It is outside the calling hours where the number may be."},
	{"time_zone",
		"The number does not tell its time zone. Give the contact one, or the campaign a "
		"fallbackTimeZone."},
	{"attempts_24h",
		"The number was called as often in 24 hours as the campaign allows."},
	{"retry", "The next attempt is not due yet."},
	{"unsent",
		"The last call did not leave, or Twilio would have queued it; it is made again "
		"when the contact is due."},
	{"busy", "A call to this number is open."},
	{"locked", "Somebody else is working on the contact."},
	{"owner", "It is kept for one agent."},
	{"list", "Its list is not active, or another campaign's by now."},
	{"unqueued",
		"It is not in the queue yet; generate the queue or start auto-dial."},
	{"scheduled", "Its time has not come."},
	{"dialing", "It is being dialled."},
	{"done", "It was dialled to an end."},
	/* Of a contact that was left out. */
	{"invalid",
		"The number is not one that its country's numbering plan could have."},
	{"refused",
		"Twilio said that the number cannot be called. Correct the contact, or allow "
		"the number at Twilio, then queue it again."},
	{"dnc", "The number is on the list of those that must not be called."},
	{"attempts", "All attempts that the campaign allows have been made."},
	{"operator", "Somebody took it out of the queue."},
	{"by_hand",
		"It was only dialled by hand, and given up before anybody answered; nobody "
		"dials it again by itself."},
	{"removed", "What it was queued for is not wanted any more."},
	/* Of a whole campaign. */
	{"draft", "The campaign has not been started."},
	{"paused", "The campaign is paused."},
	{"completed", "The campaign is completed."},
	{"stopped", "Auto-dial is stopped."},
	{"method", "In this campaign agents dial, one contact after the other."},
	{"starting", "Auto-dial begins in a moment."},
	{"dialling", "Dialling."},
	{"sifting",
		"Contacts are looked through; those that may not be called now are put off."},
	{"no_agent", "No agent is ready."},
	{"gap", "The time between two calls or batches has to pass."},
	{"rate", "Twilio's calls per second are used up for the moment."},
	{"limit", "The campaign has used what it may use."},
	{"under_way", "Calls under way may use the rest of what the campaign may use."},
	{"twilio",
		"Twilio refuses calls; what it said stands in GET /api/twilio/status."},
	{"cli", "The Twilio account does not have the campaign's caller id any more."},
	{"waiting", "No contact is due; those that wait say why."},
	{"exhausted", "Every contact in the queue has been dialled."},
	{"drain", "This node is being drained; another may go on."},
	{"database", "The database does not answer."},
	/* Of an agent. */
	{"signed_out", "Not signed in."},
	{"elsewhere", "Signed in for another campaign."},
	{"phone", "The phone or its line to Twilio is not connected."},
	{"pause", "Paused."},
	{"wrap_up", "Noting down the last call."},
	{"reserved", "A call of its own is going out."},
	{"talking", "In a conversation."},
};

const char *reason_text(const char *code)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].code, code) == 0)
			return table[i].text;
	return code;
}

const char *reason_of_campaign(const struct db_campaign *c)
{
	if (strcmp(c->state, "active") != 0)
		return c->state;
	if (strcmp(c->dial_method, "progressive") != 0)
		return "method";
	if (!c->auto_dial)
		return "stopped";
	if (c->run_code[0] == '\0')
		return "starting";
	return strcmp(c->run_code, "dialling") == 0 ? "next" : c->run_code;
}
