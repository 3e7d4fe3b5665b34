/*
 * settings.h: the gateway's settings: the one alphabetical table, and what follows from it.
 */
#ifndef OMNIVOX_GATEWAY_SETTINGS_H
#define OMNIVOX_GATEWAY_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "twilio/host.h"

extern const struct config_item settings[];
extern const size_t settings_count;

/* One sentence: what is wrong with a setting, and what to do. */
typedef void settings_problem_cb(void *arg, const char *sentence);

/*
 * What config_load() cannot tell from one value alone: what is missing, and what must fit
 * something else. Tells every problem; returns how many. Reads no file and asks nobody.
 */
unsigned settings_problems(
	const struct config *config, settings_problem_cb *problem, void *arg);

/* What is allowed but may surprise: a sentence each. Reads no file and asks nobody. */
void settings_notes(const struct config *config, settings_problem_cb *note, void *arg);

/*
 * As settings_problems(), for the machine it stands on: folders and files that settings name. Returns how many
 * would stop a start; without WEB_DIR there is only no console.
 */
unsigned settings_file_problems(
	const struct config *config, settings_problem_cb *problem, void *arg);

/* Where Twilio's REST API is: TWILIO_API_BASE, or the host of region and edge. As twilio_base(). */
int settings_twilio_base(
	const struct config *config, char ret_base[TWILIO_BASE_SIZE], struct err *err);

/* "low-high" or "auto" (0, 0). -EINVAL. */
int settings_rtp_ports(const char *text, uint16_t *ret_lo, uint16_t *ret_hi);

#define SETTINGS_PROXIES 16

struct settings_proxies {
	char text[1024]; /* cut into words; 16 of the longest networks fit */
	const char *list[SETTINGS_PROXIES + 1];
};

/*
 * Addresses and networks between commas or spaces to a NULL-ended list. -E2BIG: more than
 * SETTINGS_PROXIES; -EINVAL: *ret_wrong is neither. What is returned lies in *ret_proxies, or is
 * `text`.
 */
int settings_proxies(
	const char *text, struct settings_proxies *ret_proxies, const char **ret_wrong);

#endif
