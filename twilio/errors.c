/* errors.c: the table of Twilio's errors. See errors.h. */
#include "twilio/errors.h"

#include <assert.h>
#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What several codes say in the same words. */
#define SUSPENDED "Twilio has suspended or closed the account, or its balance is used up."
#define SEE_CONSOLE "Look at the account's state and balance in Twilio's console."
#define WRONG_LOGIN "Twilio does not accept the account SID with this token or key."
/* With Twilio's own words behind it, it fits into 256 bytes. */
#define MEND_LOGIN                                                       \
	"Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN or"             \
	" TWILIO_API_KEY_*, good in TWILIO_REGION only, and whether the" \
	" account is suspended or closed."
#define NOT_ALLOWED "The API key may not do this."
#define MEND_KEY "Give the key the permission in Twilio's console, or use another."
#define BAD_NUMBER "Twilio knows that the number cannot be called."
#define FIX_CONTACT "Correct the contact's number."
#define BAD_CALLER "The caller id is not the account's, or not verified."
#define FIX_CALLER "Buy or verify the number at Twilio, or choose another caller id."
#define GEO "The account may not call this number: its range or country is not allowed."
#define FIX_GEO \
	"Allow it in Twilio's console (Voice, Geo permissions), then queue it again."
#define OURS "Twilio does not accept what the gateway asks."
#define FIX_URL "Check BACKEND_URL: https and a name that the internet can resolve."
#define FIX_SETUP "Check the settings that are named, and the log, then resume."
#define LIMIT "The account is at a limit of Twilio."
#define WAIT "It goes on by itself. Ask Twilio for a higher limit if this happens often."
#define TROUBLE "Twilio has trouble of its own."
#define WAIT_TWILIO "It goes on by itself. status.twilio.com may say more."
#define WEBHOOK "Twilio did not get our answer to its question about the call."
#define FIX_WEBHOOK "See whether BACKEND_URL was reachable, and its certificate valid."
#define TWIML "Twilio did not understand our instructions for the call."
#define REPORT "Report it with this text, and with the call's id if it is a call's."
#define FIX_NAMED \
	"Correct the setting that Twilio means here, or report it with this text."
#define BY_ITSELF ""

static const struct twilio_error table[] = {
	{TWILIO_ERROR_UNREACHABLE, TWILIO_ERROR_UNREACHABLE, TWILIO_STOP_PAUSE,
		"Twilio cannot be reached.",
		"It goes on by itself. Check this machine's way to the internet."},
	{10001, 10001, TWILIO_STOP_ACCOUNT, SUSPENDED, SEE_CONSOLE},
	{10002, 10002, TWILIO_STOP_SETUP, "A trial account cannot do this.",
		"Upgrade the account at Twilio."},
	{10003, 10003, TWILIO_STOP_ACCOUNT, SUSPENDED, SEE_CONSOLE},
	{10004, 10004, TWILIO_STOP_PAUSE, LIMIT, WAIT},
	{11100, 11100, TWILIO_STOP_SETUP, OURS, FIX_URL},
	{11200, 11251, TWILIO_STOP_NOTHING, WEBHOOK, FIX_WEBHOOK},
	{11300, 11320, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{11750, 11770, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{12100, 12301, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{12400, 12400, TWILIO_STOP_NOTHING, TROUBLE, BY_ITSELF},
	{13000, 13213, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{13214, 13214, TWILIO_STOP_CALLER, BAD_CALLER, FIX_CALLER},
	{13215, 13222, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{13223, 13224, TWILIO_STOP_NUMBER, BAD_NUMBER, FIX_CONTACT},
	{13225, 13225, TWILIO_STOP_NUMBER, "Twilio blocks calls to this number.", ""},
	{13226, 13226, TWILIO_STOP_NUMBER, "There is no such country code.", FIX_CONTACT},
	{13227, 13227, TWILIO_STOP_COUNTRY, GEO, FIX_GEO},
	{13230, 13246, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{13247, 13248, TWILIO_STOP_CALLER, BAD_CALLER, FIX_CALLER},
	{13249, 13804, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{13805, 13805, TWILIO_STOP_NOTHING,
		"A trial account ends calls after 10 minutes.",
		"Upgrade the account at Twilio."},
	{13810, 13910, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{14101, 14300, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{15000, 15003, TWILIO_STOP_NOTHING, "Twilio could not tell us of an event.",
		FIX_WEBHOOK},
	{15004, 15004, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{15009, 15009, TWILIO_STOP_NOTHING, TROUBLE, BY_ITSELF},
	{16000, 16003, TWILIO_STOP_NOTHING, "Twilio refused the conference.", REPORT},
	{16010, 16011, TWILIO_STOP_NOTHING,
		"Twilio could not tell us of a conference event.", FIX_WEBHOOK},
	{16020, 16020, TWILIO_STOP_NOTHING, "The agent's conference is full.", REPORT},
	{16021, 16021, TWILIO_STOP_PAUSE, LIMIT, WAIT},
	{16022, 16022, TWILIO_STOP_NOTHING, "The agent's conference had ended.",
		BY_ITSELF},
	{16023, 16028, TWILIO_STOP_NOTHING,
		"Twilio refused the conference's participant.", REPORT},
	{16099, 16099, TWILIO_STOP_NOTHING, "Twilio refused the conference.", REPORT},
	{16101, 16113, TWILIO_STOP_NOTHING, "There is no recording of the call.",
		BY_ITSELF},
	{17000, 17400, TWILIO_STOP_NOTHING, "Twilio's insights are not there.",
		BY_ITSELF},
	{20001, 20002, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{20003, 20003, TWILIO_STOP_ACCOUNT, WRONG_LOGIN, MEND_LOGIN},
	{20004, 20004, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{20005, 20005, TWILIO_STOP_ACCOUNT, SUSPENDED, SEE_CONSOLE},
	{20006, 20006, TWILIO_STOP_SETUP, NOT_ALLOWED, MEND_KEY},
	{20007, 20007, TWILIO_STOP_NOTHING, OURS, REPORT},
	{20008, 20008, TWILIO_STOP_SETUP, "Test credentials make no calls.",
		"Set TWILIO_AUTH_TOKEN to the account's live token."},
	{20009, 20009, TWILIO_STOP_NOTHING, "The call has not ended yet.", BY_ITSELF},
	{20010, 20010, TWILIO_STOP_SETUP, "Twilio has disabled this for the account.",
		"Ask Twilio's support, then resume."},
	{20011, 20012, TWILIO_STOP_SETUP, "Twilio does not accept our TLS.",
		"Update this machine's OpenSSL and libcurl."},
	{20020, 20107, TWILIO_STOP_NOTHING, OURS, REPORT},
	{20151, 20160, TWILIO_STOP_NOTHING, "Twilio refused an access token.", BY_ITSELF},
	{20161, 20162, TWILIO_STOP_NOTHING, "Two changes met at Twilio.", BY_ITSELF},
	{20403, 20403, TWILIO_STOP_SETUP, NOT_ALLOWED, MEND_KEY},
	{20404, 20404, TWILIO_STOP_NOTHING, "Twilio does not know it.", BY_ITSELF},
	{20409, 20410, TWILIO_STOP_NOTHING, "Two changes met at Twilio.", BY_ITSELF},
	{20413, 20426, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{20429, 20429, TWILIO_STOP_PAUSE,
		"Too many requests of the account were under way.", WAIT},
	{20500, 20503, TWILIO_STOP_PAUSE, TROUBLE, WAIT_TWILIO},
	{21100, 21102, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{21200, 21201, TWILIO_STOP_NOTHING, OURS, REPORT},
	{21202, 21202, TWILIO_STOP_NUMBER, "It is a premium number.", ""},
	{21203, 21203, TWILIO_STOP_COUNTRY, GEO, FIX_GEO},
	{21204, 21204, TWILIO_STOP_NOTHING, "The call had begun already.", BY_ITSELF},
	{21205, 21205, TWILIO_STOP_SETUP, OURS, FIX_URL},
	{21206, 21209, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{21210, 21210, TWILIO_STOP_CALLER, BAD_CALLER, FIX_CALLER},
	{21211, 21211, TWILIO_STOP_NUMBER, BAD_NUMBER, FIX_CONTACT},
	{21212, 21213, TWILIO_STOP_CALLER, BAD_CALLER, FIX_CALLER},
	{21214, 21214, TWILIO_STOP_NOTHING, "The number could not be reached.",
		BY_ITSELF},
	{21215, 21215, TWILIO_STOP_COUNTRY, GEO, FIX_GEO},
	{21216, 21216, TWILIO_STOP_NUMBER, "Twilio blocks calls to this number.", ""},
	{21217, 21217, TWILIO_STOP_NUMBER, BAD_NUMBER, FIX_CONTACT},
	{21218, 21218, TWILIO_STOP_SETUP, "The application is not the account's.",
		"Check TWILIO_TWIML_APP_SID, then resume."},
	{21219, 21219, TWILIO_STOP_NUMBER,
		"A trial account may call verified numbers only.",
		"Verify the number at Twilio, or upgrade the account."},
	{21220, 21220, TWILIO_STOP_NOTHING, "The call was not in progress.", BY_ITSELF},
	{21221, 21229, TWILIO_STOP_SETUP, "Twilio refuses the SIP address or login.",
		FIX_SETUP},
	{21230, 21260, TWILIO_STOP_NOTHING, "Twilio refuses what was to be set up.",
		FIX_NAMED},
	{21261, 21263, TWILIO_STOP_NOTHING, "Twilio ignored a wish for the call.",
		REPORT},
	{21300, 21302, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{21401, 21401, TWILIO_STOP_NUMBER, BAD_NUMBER, FIX_CONTACT},
	{21402, 21420, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{21421, 21421, TWILIO_STOP_NUMBER, BAD_NUMBER, FIX_CONTACT},
	{21422, 21469, TWILIO_STOP_NOTHING, "Twilio refuses what was to be set up.",
		FIX_NAMED},
	{21470, 21471, TWILIO_STOP_SETUP, "There is no such account.", MEND_LOGIN},
	{21472, 21472, TWILIO_STOP_ACCOUNT, SUSPENDED, SEE_CONSOLE},
	{21473, 21477, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{21478, 21479, TWILIO_STOP_ACCOUNT, SUSPENDED, SEE_CONSOLE},
	{21480, 21504, TWILIO_STOP_SETUP, OURS, FIX_SETUP},
	{21601, 21608, TWILIO_STOP_NOTHING, OURS, REPORT},
	{21609, 21609, TWILIO_STOP_SETUP, OURS, FIX_URL},
	{21610, 21910, TWILIO_STOP_NOTHING, OURS, REPORT},
	{22001, 22001, TWILIO_STOP_NOTHING, "The call took too long at Twilio.",
		BY_ITSELF},
	{22005, 22005, TWILIO_STOP_PAUSE, "Twilio's queue of calls is full.", WAIT},
	{22100, 22500, TWILIO_STOP_NOTHING, "Twilio refuses what was to be set up.",
		FIX_NAMED},
	{31000, 31960, TWILIO_STOP_NOTHING, "The browser's phone or a stream failed.",
		BY_ITSELF},
	{32001, 32001, TWILIO_STOP_PAUSE, LIMIT, WAIT},
	{32002, 32011, TWILIO_STOP_NOTHING, "The SIP side did not take the call.",
		"See whether the phone or trunk is registered and reachable."},
	{32012, 32013, TWILIO_STOP_PAUSE, LIMIT, WAIT},
	{32014, 32016, TWILIO_STOP_NOTHING, "The call was cut off.", BY_ITSELF},
	{32017, 32017, TWILIO_STOP_NOTHING,
		"The carrier blocked the call because of its caller id.",
		"Register the caller id as a trusted business number, or use another."},
	{32018, 32022, TWILIO_STOP_NOTHING, TWIML, REPORT},
	{32100, 32100, TWILIO_STOP_NUMBER,
		"A trial account may call verified numbers only.",
		"Verify the number at Twilio, or upgrade the account."},
	{32101, 32101, TWILIO_STOP_NUMBER, BAD_NUMBER, FIX_CONTACT},
	{32102, 32115, TWILIO_STOP_NOTHING, "The SIP side did not take the call.",
		REPORT},
	{32200, 32202, TWILIO_STOP_NOTHING, "Twilio's SIP domain refused us.",
		"Check TWILIO_SIP_USER and TWILIO_SIP_PASSWORD."},
	{32203, 32203, TWILIO_STOP_NUMBER, "Twilio blocks calls to this number.", ""},
	{32204, 32204, TWILIO_STOP_CALLER, BAD_CALLER, FIX_CALLER},
	{32205, 32205, TWILIO_STOP_COUNTRY, GEO, FIX_GEO},
	{32206, 32206, TWILIO_STOP_CALLER, BAD_CALLER, FIX_CALLER},
	{32207, 32215, TWILIO_STOP_NOTHING, "The SIP side did not take the call.",
		REPORT},
	{32216, 32216, TWILIO_STOP_NUMBER, "Twilio blocks calls to this number.", ""},
	{32218, 32711, TWILIO_STOP_NOTHING, "The SIP side did not take the call.",
		REPORT},
};

static const struct twilio_error unknown = {
	0, 0, TWILIO_STOP_NOTHING, "Twilio did not make the call.", ""};

/* RFC 3261, 21: the number is not there, and will not be there in an hour either. */
static const struct twilio_error sip_table[] = {
	{404, 404, TWILIO_STOP_NUMBER, "The number is not in service.", FIX_CONTACT},
	{410, 410, TWILIO_STOP_NUMBER, "The number is not in service any more.",
		FIX_CONTACT},
	{484, 484, TWILIO_STOP_NUMBER, "The number is incomplete.", FIX_CONTACT},
	{604, 604, TWILIO_STOP_NUMBER, "The number does not exist anywhere.",
		FIX_CONTACT},
};

static int code_of_status(int http_status)
{
	switch (http_status) {
	case 401:
		return 20003;
	case 403:
		return 20403;
	case 404:
		return 20404;
	case 405:
		return 20004;
	case 429:
		return 20429;
	default:
		return http_status >= 500 ? 20500 : 0;
	}
}

const struct twilio_error *twilio_error(int code, int http_status)
{
	size_t low = 0, high = COUNT(table);

	if (code == 0)
		code = code_of_status(http_status);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (code < table[middle].first)
			high = middle;
		else if (code > table[middle].last)
			low = middle + 1;
		else
			return &table[middle];
	}
	return &unknown;
}

const struct twilio_error *twilio_error_sip(int sip_code)
{
	for (size_t i = 0; i < COUNT(sip_table); i++)
		if (sip_table[i].first == sip_code)
			return &sip_table[i];
	return NULL;
}

const char *twilio_stop_word(enum twilio_stop stop)
{
	static const char *const words[TWILIO_STOPS] = {
		"nothing", "number", "country", "caller", "pause", "account", "setup"};

	assert(stop < TWILIO_STOPS);
	return words[stop];
}

const struct twilio_error *twilio_errors(unsigned *ret_count)
{
	*ret_count = COUNT(table);
	return table;
}
