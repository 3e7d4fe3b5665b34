/* rate.c: who may ask how often. See rate.h. */
#include "gateway/rate.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/gcra.h"

#define KEYS 16384 /* 256 KiB */
#define BURST 4
#define ADDRESS_TIMES 20
#define KEY_SIZE 160 /* an address and a user name */

static const struct gcra_rule login_rule = {.every_us = 6000000, .burst = 10};
static const struct gcra_rule login_address_rule = {.every_us = 1000000, .burst = 60};

struct rate {
	struct gcra *table;
	struct gcra_rule principal, address; /* burst 0: no limit */
};

int rate_new(unsigned per_second, struct rate **ret_rate)
{
	struct rate *rate = calloc(1, sizeof(*rate));
	int err;

	if (rate == NULL)
		return -ENOMEM;
	if (per_second > 0) {
		rate->principal.every_us = 1000000 / per_second;
		rate->principal.burst = (int64_t)per_second * BURST;
		rate->address.every_us = 1000000 / (per_second * ADDRESS_TIMES);
		rate->address.burst = rate->principal.burst * ADDRESS_TIMES;
	}
	err = gcra_new(KEYS, &rate->table);
	if (err < 0)
		rate_free(&rate);
	else
		*ret_rate = rate;
	return err;
}

void rate_free(struct rate **rate)
{
	if (*rate != NULL)
		gcra_free(&(*rate)->table);
	free(*rate);
	*rate = NULL;
}

/* Who has a /64 has 2^64 addresses to ask from. */
static void host_key(const struct addr *peer, char key[ADDR_TEXT_SIZE])
{
	struct addr network = *peer;

	if (peer->sa.ss_family == AF_INET6)
		memset(((struct sockaddr_in6 *)&network.sa)->sin6_addr.s6_addr + 8, 0, 8);
	(void)addr_host(&network, key);
}

static int take(
	struct rate *rate, const struct gcra_rule *rule, const char *key, int64_t now_ms)
{
	int64_t wait_us;

	if (rule->burst == 0)
		return 0;
	wait_us = gcra_take(rate->table, gcra_key(rate->table, key, strlen(key)), rule,
		now_ms * 1000);
	return (int)((wait_us + 999999) / 1000000);
}

int rate_address(struct rate *rate, const struct addr *peer, int64_t now_ms)
{
	char key[KEY_SIZE] = "a ";

	host_key(peer, key + 2);
	return take(rate, &rate->address, key, now_ms);
}

int rate_principal(struct rate *rate, int64_t principal, int64_t now_ms)
{
	char key[KEY_SIZE];

	(void)snprintf(key, sizeof(key), "p %lld", (long long)principal);
	return take(rate, &rate->principal, key, now_ms);
}

int rate_login(
	struct rate *rate, const struct addr *peer, const char *username, int64_t now_ms)
{
	char host[ADDR_TEXT_SIZE], key[KEY_SIZE];
	int wait_s;

	host_key(peer, host);
	(void)snprintf(key, sizeof(key), "l %s", host);
	wait_s = take(rate, &login_address_rule, key, now_ms);
	if (wait_s > 0)
		return wait_s;
	(void)snprintf(key, sizeof(key), "n %s %s", host, username);
	for (char *c = key; *c != '\0'; c++) /* user names are the same in any case */
		*c = (char)tolower((unsigned char)*c);
	return take(rate, &login_rule, key, now_ms);
}
