/* urls.c: the URLs that we hand to Twilio. See urls.h. */
#include "gateway/urls.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static void check(int len)
{
	assert(len > 0 && len < URL_SIZE); /* backend_url is bounded by its struct */
	(void)len;
}

void url_status(const struct gateway *gw, int64_t call_id, int64_t entry_id, int attempt,
	char buf[URL_SIZE])
{
	check(snprintf(buf, URL_SIZE,
		"%s" URL_STATUS "?call=%" PRId64 "&entry=%" PRId64
		"&attempt=%d" URL_OVERRIDES,
		gw->backend_url, call_id, entry_id, attempt));
}

void url_conference(const struct gateway *gw, int64_t session_id, char buf[URL_SIZE])
{
	check(snprintf(buf, URL_SIZE,
		"%s" URL_CONFERENCE "?session=%" PRId64 URL_OVERRIDES, gw->backend_url,
		session_id));
}

void url_leg_status(const struct gateway *gw, int64_t leg_id, char buf[URL_SIZE])
{
	check(snprintf(buf, URL_SIZE, "%s" URL_STATUS "?leg=%" PRId64 URL_OVERRIDES,
		gw->backend_url, leg_id));
}

void url_inbound_key(const struct gateway *gw, char buf[URL_SIZE])
{
	check(snprintf(
		buf, URL_SIZE, "%s" URL_INBOUND "?key=1" URL_OVERRIDES, gw->backend_url));
}

void url_recording(const struct gateway *gw, int64_t recording_id, char buf[URL_SIZE])
{
	check(snprintf(buf, URL_SIZE,
		"%s" URL_RECORDING "?recording=%" PRId64 URL_OVERRIDES, gw->backend_url,
		recording_id));
}

void url_announce(const struct gateway *gw, int64_t recording_id, char buf[URL_SIZE])
{
	check(snprintf(buf, URL_SIZE,
		"%s" URL_TWIML_ANNOUNCE "?recording=%" PRId64 URL_OVERRIDES,
		gw->backend_url, recording_id));
}

void url_amd(const struct gateway *gw, int64_t call_id, char buf[URL_SIZE])
{
	check(snprintf(buf, URL_SIZE, "%s" URL_AMD "?call=%" PRId64 URL_OVERRIDES,
		gw->backend_url, call_id));
}
