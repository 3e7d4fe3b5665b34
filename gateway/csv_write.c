/* csv_write.c: see csv_write.h. */
#include "gateway/csv_write.h"

#include <stdbool.h>
#include <string.h>

static bool is_formula(const char *text)
{
	if (text[0] == '\0' || strchr("=+-@\t\r", text[0]) == NULL)
		return false;
	return text[0] != '+' || text[1] == '\0' ||
	       text[1 + strspn(text + 1, "0123456789")] != '\0';
}

void csv_cell(struct buf *out, const char *text)
{
	bool first = out->len == 0 || out->data[out->len - 1] == '\n';
	bool formula = is_formula(text);
	bool quoted = formula || strpbrk(text, ",\"\r\n") != NULL || text[0] == ' ';

	if (!first)
		buf_add_char(out, ',');
	if (!quoted) {
		/* An empty first cell would look like the end of the row before. */
		buf_add_str(out, first && text[0] == '\0' ? "\"\"" : text);
		return;
	}
	buf_add_char(out, '"');
	if (formula)
		buf_add_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

void csv_end_row(struct buf *out)
{
	buf_add_str(out, "\r\n");
}
