/*
 * sandbox.h: the whole stand-in in one struct, so that every part finds the others. Main loop
 * only.
 */
#ifndef OMNIVOX_SANDBOX_SANDBOX_H
#define OMNIVOX_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/list.h"
#include "base/timers.h"
#include "sandbox/chance.h"
#include "sandbox/facts.h"
#include "sandbox/faults.h"
#include "sandbox/sip_statuses.h"

#define SANDBOX_API_VERSION "2010-04-01"

/* What the command line and the environment said; texts borrowed for life. */
struct sandbox_settings {
	const char *account_sid, *auth_token;
	const char *api_key_sid, *api_key_secret; /* both "": no key */
	const char *data_dir;
	double speed; /* rings, talks and calls per second go this much faster; audio does not */
	double cps;   /* calls per second of the account */
	bool record;  /* keep what each customer hears */
	int64_t keep; /* finished calls, conferences and recordings that are remembered */
};

/* The SIP domain's own settings, as on a SIP Domain resource. Texts owned; NULL: none. */
struct sip_domain {
	char *voice_url, *voice_method, *fallback_url, *status_callback;
};

struct sandbox {
	struct sandbox_settings settings;
	struct loop *loop;
	struct chance chance;
	struct faults faults;
	struct facts facts;
	struct sip_statuses sip_statuses;
	unsigned requests;  /* under way */
	struct list slow;   /* those that are answered later */
	int64_t started_ms; /* wall clock */
	char *base_url;     /* "http://127.0.0.1:8090", its own; owned */
	struct sip_domain domain;
	struct calllog *log;
	struct outbox *outbox;
	struct population *population;
	struct resources *resources;
	struct dialing *dialing;
	struct calls *calls;
	struct conferences *conferences;
	struct recordings *recordings;
	struct list players, announcers; /* all that play */
	struct list queue_members;
	struct mixer *mixer;
	struct uas *uas;
	struct http_server *http;
	struct addr listen; /* the HTTP server's real address */
	int listen_fd;
	bool listening;
	struct timer away; /* of FAULT_UNREACHABLE */
	int away_fd;       /* keeps the port meanwhile; -1: it is not away */
};

/* A new SID. */
void sandbox_sid(struct sandbox *sandbox, const char *prefix, char sid[SID_SIZE]);

/* How long `ms` of a simulated life takes at this speed. */
int64_t sandbox_scaled(const struct sandbox *sandbox, int64_t ms);

#endif
