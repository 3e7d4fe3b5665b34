/* uas_invite.c: copies pieces of a SIP message into one block of NUL-terminated strings. */
#include "config.h"

#include "sandbox/uas_invite.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Six fields and each header's name and value end in NUL; the source is not in the message. */
#define BESIDES_MESSAGE (6 + 2 * UAS_INVITE_HEADERS + 64)

struct cursor {
	char *at;
	char *end;
};

static const char *keep(struct cursor *cursor, const struct pl *piece)
{
	char *text = cursor->at;

	/* Every piece is kept once, so together they are no longer than the message. */
	assert(piece->l < (size_t)(cursor->end - cursor->at));
	if (piece->l > 0)
		memcpy(text, piece->p, piece->l);
	text[piece->l] = '\0';
	cursor->at += piece->l + 1;
	return text;
}

/* twilio.com/docs/voice/api/receiving-sip: X- headers and User-to-User are passed on. */
static bool is_passed_on(const struct pl *name)
{
	return (name->l > 2 && strncasecmp(name->p, "X-", 2) == 0) ||
	       pl_strcasecmp(name, "User-to-User") == 0;
}

static void keep_headers(
	struct uas_invite_text *invite, const struct sip_msg *msg, struct cursor *cursor)
{
	size_t n = 0;

	for (struct le *le = msg->hdrl.head; le != NULL; le = le->next) {
		const struct sip_hdr *header = le->data;

		if (n == UAS_INVITE_HEADERS || !is_passed_on(&header->name))
			continue;
		invite->headers[n].name = keep(cursor, &header->name);
		invite->headers[n].value = keep(cursor, &header->val);
		n++;
	}
	invite->invite.headers = invite->headers;
	invite->invite.header_count = n;
}

int uas_invite_read(const struct sip_msg *msg, const struct pl *user,
	struct uas_invite_text **ret_invite)
{
	size_t size = msg->mb->end + BESIDES_MESSAGE;
	struct uas_invite_text *text = calloc(1, sizeof(*text) + size);
	struct cursor cursor;
	char source[64];
	struct pl from;

	if (text == NULL)
		return -ENOMEM;
	cursor = (struct cursor){.at = text->text, .end = text->text + size};
	(void)re_snprintf(source, sizeof(source), "%J", &msg->src);
	pl_set_str(&from, source);
	text->invite = (struct uas_invite){
		.from = keep(&cursor, &msg->from.auri),
		.to = keep(&cursor, &msg->to.auri),
		.call_id = keep(&cursor, &msg->callid),
		.source = keep(&cursor, &from),
		.username = keep(&cursor, user),
		.domain = keep(&cursor, &msg->uri.host),
	};
	keep_headers(text, msg, &cursor);
	*ret_invite = text;
	return 0;
}
