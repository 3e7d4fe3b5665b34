/*
 * errors.h: what each of Twilio's errors means for dialling: what happened, what it stops, and
 * what a person can do. Pure, any thread; static storage.
 *
 * Source: Twilio's error dictionary (twilio.com/docs/api/errors). Twilio advises against logic
 * on the text of errors, and splits codes over time: what is not in the table counts as a failed
 * attempt at one number, nothing more.
 */
#ifndef OMNIVOX_TWILIO_ERRORS_H
#define OMNIVOX_TWILIO_ERRORS_H

/* From the smallest consequence to the largest. */
enum twilio_stop {
	TWILIO_STOP_NOTHING, /* this attempt failed; the campaign's rules say what is next */
	TWILIO_STOP_NUMBER, /* the called number is never dialled again for this entry */
	TWILIO_STOP_COUNTRY, /* as NUMBER; after several, its country until an operator resumes */
	TWILIO_STOP_CALLER, /* nothing with this caller id, until an operator resumes */
	TWILIO_STOP_PAUSE,  /* the account is at a limit or Twilio in trouble: short */
	TWILIO_STOP_ACCOUNT, /* nothing, until Twilio says that the account is well again */
	TWILIO_STOP_SETUP,   /* nothing, until an operator has mended it and resumes */
	TWILIO_STOPS,
};

struct twilio_error {
	int first, last; /* codes it is about */
	enum twilio_stop stop;
	const char *what; /* happened; a sentence */
	const char *todo; /* what a person can do; a sentence, "" when there is nothing */
};

/* Codes of our own beside Twilio's, which begin at 10000. */
#define TWILIO_ERROR_UNREACHABLE 1 /* no answer came, several times in a row */

/*
 * `code`: Twilio's, 0 when it gave none; then `http_status` speaks. Never NULL.
 */
const struct twilio_error *twilio_error(int code, int http_status);

/* A call that ended `failed` with this SIP response and no code. NULL: it says nothing. */
const struct twilio_error *twilio_error_sip(int sip_code);

/* "number", "country", ...; a stable word for the database and the API. */
const char *twilio_stop_word(enum twilio_stop stop);

/* The table itself, in order of codes, for those who load it. */
const struct twilio_error *twilio_errors(unsigned *ret_count);

#endif
