/*
 * population.h: the customers: who answers, who is busy, how long they ring and talk, and what
 * they say. Read from a JSON file. Main loop only; no I/O after loading.
 *
 * `[{"match":"+1415*","weight":3,"behaviour":"human","ring_ms":2000,"talk_ms":15000,
 *    "say":"tone:440", "digits":"1#", "digits_ms":1500, "speech":"yes", "greeting_ms":800,
 *    "beep":true}]`, and of one who is "failed" "sip_code", "error_code" and "error_message".
 * The first entry that matches the number names the set: all entries with the same `match`
 * are drawn from by weight.
 */
#ifndef OMNIVOX_SANDBOX_POPULATION_H
#define OMNIVOX_SANDBOX_POPULATION_H

#include <stdint.h>

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"

struct population;

enum behaviour {
	BEHAVIOUR_HUMAN,
	BEHAVIOUR_NO_ANSWER,
	BEHAVIOUR_BUSY,
	BEHAVIOUR_FAILED,
	BEHAVIOUR_MACHINE,
	BEHAVIOUR_FAX,
};

struct customer {
	char *match; /* prefix or glob of the number; "*" is everybody */
	unsigned weight;
	enum behaviour behaviour;
	int64_t ring_ms; /* from ringing to answer, or from dialling to busy or failed */
	int64_t talk_ms; /* from answer to hanging up; 0: never by itself */
	char *say;       /* for sound_source_new() */
	char *digits;    /* typed into each <Gather> and <Record>; NULL: none */
	int64_t digits_ms; /* from the question to the first digit */
	char *speech;      /* said to a <Gather> that listens; NULL: nothing */
	/* For the detection of machines: how long the first words are, and whether a beep ends them. */
	int64_t greeting_ms;
	bool beep;
	/* Why a call failed: SIP's answer, and Twilio's code (0: none is told) and words for it. */
	int sip_code, error_code;
	char *error_message; /* NULL: none */
};

/* `path` NULL: everybody is a human who rings 1.5 s and talks 15 s. -EINVAL with its reason. */
int population_new(const char *path, uint64_t seed, struct population **ret_population,
	struct err *err);
/* One customer of that shape, not of the population. -EINVAL. Its texts end with customer_free. */
int customer_read(json_t *object, struct customer *ret_customer, struct err *err);
void customer_free(struct customer *customer);
void population_free(struct population **population);

/*
 * The customer behind a number, for its next call. The same seed gives the same customer to
 * the n-th call of a number whatever else is dialled. NULL: no such number. Owned by the
 * population.
 */
const struct customer *population_choose(struct population *population, const char *to);

const char *behaviour_text(enum behaviour behaviour);

#endif
