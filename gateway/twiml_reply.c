/* twiml_reply.c: answers that are TwiML. See twiml_reply.h. */
#include "gateway/twiml_reply.h"

#include "gateway/urls.h"
#include "http/server.h"
#include "twilio/twiml.h"

void twiml_send(struct gateway *gw, uint64_t request_id, struct buf *doc)
{
	struct http_reply reply = {.status = 200, .content_type = "text/xml"};

	twiml_end(doc);
	reply.body = doc->data;
	reply.body_len = doc->len;
	/* Without memory for it the prepared document goes out when its time has come. */
	if (!doc->failed)
		http_reply(gw->http, request_id, &reply);
	buf_free(doc);
}

void twiml_send_goodbye(struct gateway *gw, uint64_t request_id, const char *text)
{
	struct buf doc = {0};

	twiml_begin(&doc);
	twiml_say(&doc, text);
	twiml_hangup(&doc);
	twiml_send(gw, request_id, &doc);
}

void twiml_send_conference(struct gateway *gw, uint64_t request_id, int64_t session_id,
	const char *conference, const char *label)
{
	char callback[URL_SIZE];
	struct buf doc = {0};

	url_conference(gw, session_id, callback);
	twiml_begin(&doc);
	twiml_conference(&doc, &(struct twiml_conference){.name = conference,
				       .participant_label = label,
				       .status_callback = callback});
	twiml_send(gw, request_id, &doc);
}
