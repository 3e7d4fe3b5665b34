/* facts.c: the table. */
#include <string.h>

#include "sandbox/facts.h"

#define FACT(field, otherwise, low, high, help)                                   \
	{                                                                         \
#field, otherwise, low, high, help, offsetof(struct facts, field) \
	}

static const struct fact table[] = {
	FACT(amd_fax_ms, 3000, 0, 60000,
		"from the answer until a fax is heard to be one"),
	FACT(amd_sure_ms, 800, 0, 60000,
		"of more speech than the threshold until a machine is sure to be one"),
	FACT(application_error_ms, 0, 0, 60000,
		"how long \"an application error has occurred\" is said before the hang-up"),
	FACT(consistency_lag_ms, 0, 0, 60000,
		"a new call is not found by REST for so long"),
	FACT(dial_buffer_ms, 5000, 0, 60000, "what Dial adds to its timeout"),
	FACT(hold_music_hz, 262, 0, 3999, "tone of Twilio's own music; 0: silence"),
	FACT(media_auth, 1, 0, 1,
		"1: media of recordings needs the account's credentials"),
	FACT(no_instructions_code, 21205, 10000, 99999,
		"error of a call without Url, Twiml and ApplicationSid"),
	FACT(play_ms, 5000, 0, 600000, "length of played media that are no WAV of 8 kHz"),
	FACT(post_dial_ms, 100, 0, 60000, "from dialling to the first ring"),
	FACT(recording_ready_ms, 500, 0, 600000,
		"from the end of a recording to its file and callback"),
	FACT(rest_concurrency, 0, 0, 10000,
		"requests at once beyond which REST answers 429; 0: no limit"),
	FACT(retry_after_s, 0, 0, 3600, "Retry-After of a 429; 0: none is sent"),
	FACT(say_hz, 350, 0, 3999, "tone that stands for speech; 0: silence"),
	FACT(say_ms_per_char, 66, 0, 1000, "how long speech takes"),
	FACT(transcription_status, 200, 200, 201, "HTTP status of a new transcription"),
};

const struct fact *facts_at(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

const struct fact *facts_find(const char *name)
{
	const struct fact *fact;
	size_t i;

	for (i = 0; (fact = facts_at(i)) != NULL; i++)
		if (strcmp(fact->name, name) == 0)
			return fact;
	return NULL;
}

int64_t *facts_value(struct facts *facts, const struct fact *fact)
{
	return (int64_t *)(void *)((char *)facts + fact->offset);
}

void facts_init(struct facts *facts)
{
	const struct fact *fact;
	size_t i;

	for (i = 0; (fact = facts_at(i)) != NULL; i++)
		*facts_value(facts, fact) = fact->otherwise;
}
