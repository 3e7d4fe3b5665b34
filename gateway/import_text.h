/*
 * import_text.h: which characters the bytes of an upload are: UTF-8, Windows-1252 or UTF-16.
 * Pure, any thread.
 */
#ifndef OMNIVOX_GATEWAY_IMPORT_TEXT_H
#define OMNIVOX_GATEWAY_IMPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum import_encoding {
	IMPORT_AUTO, /* UTF-16 by its mark or its zeros; else each field for itself: UTF-8, and
			Windows-1252 where it is not that (files that several people wrote) */
	IMPORT_UTF8,
	IMPORT_CP1252,
	IMPORT_UTF16LE,
	IMPORT_UTF16BE,
};

/* "utf-8", "windows-1252" (also iso-8859-1), "utf-16le", "utf-16be"; any case. -1: none. */
int import_encoding_named(const char *name);
const char *import_encoding_name(enum import_encoding encoding);

/* UTF-16 when the first bytes look like it, else `wanted`. *ret_skip: bytes of the mark. */
enum import_encoding import_encoding_detect(
	enum import_encoding wanted, const char *data, size_t len, size_t *ret_skip);

/* What is left over between two parts of a UTF-16 text. Starts with all zero. */
struct import_utf16 {
	unsigned char odd;
	bool has_odd;
	unsigned high; /* half of a pair; 0 none */
};

/* Appends a part as UTF-8; what is no text becomes a byte that is none in UTF-8 either. */
void import_utf16_add(struct import_utf16 *state, enum import_encoding encoding,
	const char *data, size_t len, struct buf *utf8);
void import_utf16_end(struct import_utf16 *state, struct buf *utf8);

/* Well-formed UTF-8 (Unicode, table 3-7), without control characters but tab and line breaks. */
bool import_is_text(const char *text, size_t len);

/*
 * Whether a spreadsheet takes it for a formula, so that a ' must stand in front; also when it has a '
 * in front of that already. A number with its + is none.
 * Source: owasp.org/www-community/attacks/CSV_Injection.
 */
bool import_is_formula(const char *text, size_t len);

/* Appends Windows-1252 as UTF-8; false: it has bytes that stand for nothing. */
bool import_cp1252_add(const char *text, size_t len, struct buf *utf8);

#endif
