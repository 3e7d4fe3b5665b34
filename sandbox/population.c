/* population.c: loads the customers and draws one for each call. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "sandbox/chance.h"
#include "sandbox/memory.h"
#include "sandbox/population.h"

/* Calls per number, counted in a table of fixed size: two numbers may share a counter. */
#define COUNTERS 65536

struct population {
	uint64_t seed;
	struct customer *customers;
	size_t count;
	uint32_t calls[COUNTERS];
};

static const char everybody[] =
	"[{\"match\":\"*\",\"ring_ms\":1500,\"talk_ms\":15000,\"say\":\"tone:440\"}]";

static const char *const behaviours[] = {
	[BEHAVIOUR_HUMAN] = "human",
	[BEHAVIOUR_NO_ANSWER] = "no_answer",
	[BEHAVIOUR_BUSY] = "busy",
	[BEHAVIOUR_FAILED] = "failed",
	[BEHAVIOUR_MACHINE] = "machine",
	[BEHAVIOUR_FAX] = "fax",
};

const char *behaviour_text(enum behaviour behaviour)
{
	return behaviours[behaviour];
}

static int behaviour_parse(const char *word, enum behaviour *ret_behaviour)
{
	size_t i;

	for (i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
		if (strcmp(word, behaviours[i]) == 0) {
			*ret_behaviour = (enum behaviour)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int check_customer(const struct customer *customer, struct err *err)
{
	const int64_t times[] = {customer->ring_ms, customer->talk_ms,
		customer->digits_ms, customer->greeting_ms};
	size_t i;

	if (customer->weight < 1 || customer->weight > 1000000)
		return err_set(err, -EINVAL, "weight is 1 to 1000000");
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] < 0 || times[i] > 86400000)
			return err_set(err, -EINVAL, "times are 0 ms to a day");
	if (customer->digits != NULL &&
		strspn(customer->digits, "0123456789ABCD*#w") != strlen(customer->digits))
		return err_set(err, -EINVAL, "digits are 0-9 A-D * # and w");
	if (customer->behaviour != BEHAVIOUR_FAILED &&
		(customer->error_code != 0 || customer->error_message != NULL))
		return err_set(err, -EINVAL, "only a call that failed has an error");
	if (customer->error_code != 0 &&
		(customer->error_code < 10000 || customer->error_code > 99999))
		return err_set(err, -EINVAL, "error_code is 10000 to 99999");
	if (customer->sip_code < 300 || customer->sip_code > 699)
		return err_set(err, -EINVAL, "sip_code is 300 to 699");
	return 0;
}

int customer_read(json_t *object, struct customer *ret_customer, struct err *err)
{
	const char *match = "*", *word = "human", *say = "tone:440";
	const char *digits = NULL, *speech = NULL, *error_message = NULL;
	json_int_t weight = 1, ring_ms = 2000, talk_ms = 10000, digits_ms = 1500;
	json_int_t greeting_ms = -1;
	int beep = 1, sip_code = 404, error_code = 0;
	struct customer customer;
	enum behaviour behaviour;
	json_error_t problem;
	int r;

	if (json_unpack_ex(object, &problem, JSON_STRICT,
		    "{s?s, s?I, s?s, s?I, s?I, s?s, s?s, s?I, s?s, s?I, s?b, s?i, s?i, s?s}",
		    "match", &match, "weight", &weight, "behaviour", &word, "ring_ms",
		    &ring_ms, "talk_ms", &talk_ms, "say", &say, "digits", &digits,
		    "digits_ms", &digits_ms, "speech", &speech, "greeting_ms",
		    &greeting_ms, "beep", &beep, "sip_code", &sip_code, "error_code",
		    &error_code, "error_message", &error_message) != 0)
		return err_set(err, -EINVAL, "%s", problem.text);
	if (behaviour_parse(word, &behaviour) < 0)
		return err_set(err, -EINVAL,
			"no behaviour \"%s\"; there are human, no_answer, busy, failed, "
			"machine, fax",
			word);
	if (greeting_ms < 0)
		greeting_ms = behaviour == BEHAVIOUR_MACHINE ? 7000 : 800;
	customer = (struct customer){.match = memory_text(match),
		.weight = weight > 1000000 || weight < 0 ? 0 : (unsigned)weight,
		.behaviour = behaviour,
		.ring_ms = ring_ms,
		.talk_ms = talk_ms,
		.say = memory_text(say),
		.digits = memory_text(digits),
		.digits_ms = digits_ms,
		.speech = memory_text(speech),
		.greeting_ms = greeting_ms,
		.beep = beep != 0,
		.sip_code = sip_code,
		.error_code = error_code,
		.error_message = memory_text(error_message)};
	r = check_customer(&customer, err);
	if (r < 0)
		customer_free(&customer);
	else
		*ret_customer = customer;
	return r;
}

void customer_free(struct customer *customer)
{
	free(customer->match);
	free(customer->say);
	free(customer->digits);
	free(customer->speech);
	free(customer->error_message);
	memset(customer, 0, sizeof(*customer));
}

static int read_all(struct population *population, json_t *array, struct err *err)
{
	struct err reason = {0};
	size_t i;
	int r;

	if (!json_is_array(array) || json_array_size(array) == 0)
		return err_set(err, -EINVAL, "the population is not a list of customers");
	population->customers =
		memory_zero(json_array_size(array) * sizeof(*population->customers));
	for (i = 0; i < json_array_size(array); i++) {
		r = customer_read(
			json_array_get(array, i), &population->customers[i], &reason);
		if (r < 0)
			return err_set(
				err, r, "population entry %zu: %s", i, reason.text);
		population->count++;
	}
	return 0;
}

int population_new(const char *path, uint64_t seed, struct population **ret_population,
	struct err *err)
{
	struct population *population = memory_zero(sizeof(*population));
	json_error_t problem;
	json_t *array;
	int r;

	population->seed = seed;
	array = path != NULL ? json_load_file(path, 0, &problem)
			     : json_loads(everybody, 0, &problem);
	if (array == NULL)
		r = err_set(err, -EINVAL, "%s, line %d: %s", path, problem.line,
			problem.text);
	else
		r = read_all(population, array, err);
	json_decref(array);
	if (r < 0) {
		population_free(&population);
		return r;
	}
	*ret_population = population;
	return 0;
}

void population_free(struct population **population)
{
	struct population *p = *population;
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->count; i++)
		customer_free(&p->customers[i]);
	free(p->customers);
	free(p);
	*population = NULL;
}

static int matches(const char *match, const char *to)
{
	if (strpbrk(match, "*?[") != NULL)
		return fnmatch(match, to, 0) == 0;
	return strncmp(match, to, strlen(match)) == 0;
}

const struct customer *population_choose(struct population *population, const char *to)
{
	const struct customer *customers = population->customers;
	uint64_t total = 0, draw;
	size_t first, i;
	uint32_t nth;

	for (first = 0; first < population->count; first++)
		if (matches(customers[first].match, to))
			break;
	if (first == population->count)
		return NULL;
	nth = population->calls[chance_hash(0, to, 0) % COUNTERS]++;
	for (i = first; i < population->count; i++)
		if (strcmp(customers[i].match, customers[first].match) == 0)
			total += customers[i].weight;
	draw = chance_hash(population->seed, to, nth) % total;
	for (i = first;; i++) {
		if (strcmp(customers[i].match, customers[first].match) != 0)
			continue;
		if (draw < customers[i].weight)
			return &customers[i];
		draw -= customers[i].weight;
	}
}
