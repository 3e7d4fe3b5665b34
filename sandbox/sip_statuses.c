/* sip_statuses.c: the table. */
#include "sandbox/sip_statuses.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

static const char *const words[] = {
	[SIP_MEANS_FAILED] = "failed",
	[SIP_MEANS_BUSY] = "busy",
	[SIP_MEANS_NO_ANSWER] = "no-answer",
	[SIP_MEANS_CANCELED] = "canceled",
};

#define WORDS (sizeof(words) / sizeof(words[0]))

void sip_statuses_init(struct sip_statuses *statuses)
{
	static const struct {
		const char *status;
		enum sip_meaning meaning;
	} otherwise[] = {
		{"408", SIP_MEANS_NO_ANSWER},
		{"480", SIP_MEANS_NO_ANSWER},
		{"486", SIP_MEANS_BUSY},
		{"487", SIP_MEANS_NO_ANSWER},
		{"600", SIP_MEANS_BUSY},
	};
	size_t i;

	memset(statuses, 0, sizeof(*statuses));
	for (i = 0; i < sizeof(otherwise) / sizeof(otherwise[0]); i++)
		(void)sip_statuses_set(
			statuses, otherwise[i].status, words[otherwise[i].meaning]);
}

enum sip_meaning sip_statuses_get(const struct sip_statuses *statuses, int sip_status)
{
	return sip_status < SIP_STATUS_LOW || sip_status > SIP_STATUS_HIGH
		       ? SIP_MEANS_FAILED
		       : statuses->means[sip_status - SIP_STATUS_LOW];
}

int sip_statuses_set(
	struct sip_statuses *statuses, const char *sip_status, const char *word)
{
	int64_t status;
	size_t i;

	if (text_int(sip_status, SIP_STATUS_LOW, SIP_STATUS_HIGH, &status) < 0)
		return -EINVAL;
	for (i = 0; i < WORDS; i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		statuses->means[status - SIP_STATUS_LOW] = (enum sip_meaning)i;
		return 0;
	}
	return -EINVAL;
}

const char *sip_meaning_text(enum sip_meaning meaning)
{
	return words[meaning];
}
