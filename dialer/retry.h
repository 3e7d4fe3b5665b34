/*
 * retry.h: after which outcomes a contact is called again, how much later and how often, when the
 * campaign does not say it. Pure.
 *
 * The decision itself falls in the transaction that ends the call (release_ended_calls() in
 * db/migrations/), from these numbers and the campaign's.
 */
#ifndef OMNIVOX_DIALER_RETRY_H
#define OMNIVOX_DIALER_RETRY_H

#define RETRY_KINDS 7 /* outcomes that a campaign may have a rule for */
#define RETRY_AFTER_MAX_S 2592000
#define RETRY_MAX 100

struct retry_rule {
	const char *outcome; /* a call outcome word */
	int after_s;         /* until the next call */
	int max; /* how many calls may follow such an outcome; 0: it is final */
};

/* The defaults. The place of an outcome in it never changes: campaigns are stored by it. */
extern const struct retry_rule retry_rules[RETRY_KINDS];

/* The place of an outcome, or -1: it is final in every campaign (completed, fax). */
int retry_place(const char *outcome);

#endif
