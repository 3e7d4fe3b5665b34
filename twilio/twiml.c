/*
 * twiml.c: writes TwiML and keeps it well-formed whatever the texts hold: Twilio ends a call
 * whose document does not parse (error 12100).
 */
#include "config.h"
#include "twilio/twiml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * The length of the UTF-8 character at `s`, 0 when it is broken (RFC 3629: overlong forms,
 * surrogates and anything above U+10FFFF are). `s` ends in NUL, which no tail byte matches.
 */
static size_t utf8_char(const unsigned char *s, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc0 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
				   : 4;
	uint32_t code = s[0];

	if (len == 0 || s[0] > 0xf4)
		return 0;
	if (len > 1)
		code &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fU);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return len;
}

/* XML 1.0, production 2 (Char). */
static bool allowed(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	return code != 0xfffe && code != 0xffff;
}

static const char *entity(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	case '\t': /* as themselves these three become blanks in an attribute */
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

/* What XML cannot carry is left out: forbidden control characters and broken UTF-8. */
static void add_escaped(struct buf *b, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s != '\0') {
		uint32_t code = 0;
		size_t len = utf8_char(s, &code);
		const char *name = entity(code);

		if (len > 0 && name != NULL)
			buf_add_str(b, name);
		else if (len > 0 && allowed(code))
			buf_add(b, s, len);
		s += len > 0 ? len : 1;
	}
}

static void add_attribute(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_add_char(b, ' ');
	buf_add_str(b, name);
	buf_add_str(b, "=\"");
	add_escaped(b, value);
	buf_add_char(b, '"');
}

void twiml_begin(struct buf *b)
{
	buf_add_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>");
}

void twiml_end(struct buf *b)
{
	buf_add_str(b, "</Response>");
}

void twiml_hangup(struct buf *b)
{
	buf_add_str(b, "<Hangup/>");
}

void twiml_say(struct buf *b, const char *text)
{
	buf_add_str(b, "<Say>");
	add_escaped(b, text);
	buf_add_str(b, "</Say>");
}

void twiml_gather_key(
	struct buf *b, const char *action, unsigned seconds, const char *text)
{
	buf_add_str(b, "<Gather input=\"dtmf\" numDigits=\"1\" method=\"POST\"");
	add_attribute(b, "action", action);
	buf_printf(b, " timeout=\"%u\">", seconds);
	twiml_say(b, text);
	buf_add_str(b, "</Gather>");
}

void twiml_conference(struct buf *b, const struct twiml_conference *conference)
{
	buf_add_str(b, "<Dial><Conference");
	add_attribute(b, "startConferenceOnEnter", "true");
	add_attribute(b, "endConferenceOnExit", "false");
	add_attribute(b, "beep", "false");
	add_attribute(b, "waitUrl", "");
	add_attribute(b, "participantLabel", conference->participant_label);
	if (conference->status_callback != NULL) {
		add_attribute(b, "statusCallback", conference->status_callback);
		add_attribute(b, "statusCallbackEvent",
			"start end join leave mute hold modify announcement");
	}
	buf_add_char(b, '>');
	add_escaped(b, conference->name);
	buf_add_str(b, "</Conference></Dial>");
}
