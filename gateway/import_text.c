/* import_text.c: bytes to characters. See import_text.h. */
#include "gateway/import_text.h"

#include <string.h>
#include <strings.h>

#define NOT_TEXT '\xff'
#define LOOK_AT 1000 /* bytes that tell whether a text without a mark is UTF-16 */

static const struct {
	const char *name;
	enum import_encoding encoding;
} names[] = {
	{"utf-8", IMPORT_UTF8},
	{"windows-1252", IMPORT_CP1252},
	{"utf-16le", IMPORT_UTF16LE},
	{"utf-16be", IMPORT_UTF16BE},
	{"utf8", IMPORT_UTF8},
	{"cp1252", IMPORT_CP1252},
	{"iso-8859-1", IMPORT_CP1252},
	{"latin1", IMPORT_CP1252},
	{"auto", IMPORT_AUTO},
};

int import_encoding_named(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i].name) == 0)
			return (int)names[i].encoding;
	return -1;
}

const char *import_encoding_name(enum import_encoding encoding)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].encoding == encoding)
			return names[i].name;
	return "";
}

enum import_encoding import_encoding_detect(
	enum import_encoding wanted, const char *data, size_t len, size_t *ret_skip)
{
	size_t look = len < LOOK_AT ? len : LOOK_AT, zeros[2] = {0, 0};

	*ret_skip = 0;
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		*ret_skip = 3;
		return wanted == IMPORT_AUTO ? IMPORT_UTF8 : wanted;
	}
	if (len >= 2 &&
		(memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0)) {
		*ret_skip = 2;
		return data[0] == '\xff' ? IMPORT_UTF16LE : IMPORT_UTF16BE;
	}
	if (wanted != IMPORT_AUTO)
		return wanted;
	for (size_t i = 0; i < look; i++)
		zeros[i % 2] += data[i] == '\0';
	/* In most languages half of the bytes are zero, all on one side. */
	if (zeros[1] > look / 6 && zeros[0] * 4 < zeros[1])
		return IMPORT_UTF16LE;
	if (zeros[0] > look / 6 && zeros[1] * 4 < zeros[0])
		return IMPORT_UTF16BE;
	return IMPORT_AUTO;
}

static void add_code(struct buf *b, unsigned code)
{
	char text[4];
	size_t len = 0;

	if (code < 0x80) {
		text[len++] = (char)code;
	} else if (code < 0x800) {
		text[len++] = (char)(0xc0 | code >> 6);
		text[len++] = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		text[len++] = (char)(0xe0 | code >> 12);
		text[len++] = (char)(0x80 | (code >> 6 & 0x3f));
		text[len++] = (char)(0x80 | (code & 0x3f));
	} else {
		text[len++] = (char)(0xf0 | code >> 18);
		text[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		text[len++] = (char)(0x80 | (code >> 6 & 0x3f));
		text[len++] = (char)(0x80 | (code & 0x3f));
	}
	buf_add(b, text, len);
}

static void add_unit(struct import_utf16 *state, unsigned unit, struct buf *utf8)
{
	bool low = (unit & 0xfc00) == 0xdc00;

	if (state->high != 0 && low) {
		add_code(
			utf8, 0x10000 + ((state->high - 0xd800) << 10) + (unit - 0xdc00));
		state->high = 0;
		return;
	}
	if (state->high != 0 || low)
		buf_add_char(utf8, NOT_TEXT);
	state->high = (unit & 0xfc00) == 0xd800 ? unit : 0;
	if (state->high == 0 && !low)
		add_code(utf8, unit);
}

void import_utf16_add(struct import_utf16 *state, enum import_encoding encoding,
	const char *data, size_t len, struct buf *utf8)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)data[i];

		if (!state->has_odd) {
			state->odd = byte;
			state->has_odd = true;
			continue;
		}
		state->has_odd = false;
		add_unit(state,
			encoding == IMPORT_UTF16LE ? state->odd | (unsigned)byte << 8
						   : (unsigned)state->odd << 8 | byte,
			utf8);
	}
}

void import_utf16_end(struct import_utf16 *state, struct buf *utf8)
{
	if (state->has_odd || state->high != 0)
		buf_add_char(utf8, NOT_TEXT);
}

/* How many bytes the character at `p` has, of at most `left`; 0: it is none. */
static size_t character(const unsigned char *p, size_t left)
{
	unsigned char lead = p[0];
	size_t more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

	if (lead < 0xc2 || lead > 0xf4 || more >= left)
		return 0;
	if ((lead == 0xe0 && p[1] < 0xa0) || (lead == 0xed && p[1] > 0x9f) ||
		(lead == 0xf0 && p[1] < 0x90) || (lead == 0xf4 && p[1] > 0x8f))
		return 0;
	for (size_t i = 1; i <= more; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return more + 1;
}

bool import_is_text(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	size_t step;

	while (p < end) {
		if (*p >= 0x80) {
			step = character(p, (size_t)(end - p));
			if (step == 0)
				return false;
			p += step;
			continue;
		}
		if ((*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') || *p == 0x7f)
			return false;
		p++;
	}
	return true;
}

/* 0x80 to 0x9f (Unicode, VENDORS/MICSFT/WINDOWS/CP1252.TXT); 0: stands for nothing. */
static const unsigned short specials[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026,
	0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018,
	0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
	0x0153, 0, 0x017e, 0x0178};

bool import_cp1252_add(const char *text, size_t len, struct buf *utf8)
{
	for (size_t i = 0; i < len; i++) {
		unsigned code = (unsigned char)text[i];

		if (code >= 0x80 && code < 0xa0)
			code = specials[code - 0x80];
		if ((code < 0x20 && code != '\t' && code != '\n' && code != '\r') ||
			code == 0x7f)
			return false;
		add_code(utf8, code);
	}
	return true;
}

bool import_is_formula(const char *text, size_t len)
{
	for (; len > 0 && text[0] == '\''; text++)
		len--;
	if (len == 0)
		return false;
	if (text[0] == '+' || text[0] == '-')
		return len > 1 && strspn(text + 1, "0123456789 ()-.") < len - 1;
	return text[0] == '=' || text[0] == '@' || text[0] == '\t' || text[0] == '\r';
}
