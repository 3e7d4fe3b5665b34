/* err.c: the text of a failure. See err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int err_set(struct err *err, int code, const char *fmt, ...)
{
	struct err whole; /* the sentence may quote the one that it replaces */
	va_list args;

	if (err == NULL)
		return code;
	va_start(args, fmt);
	(void)vsnprintf(whole.text, sizeof(whole.text), fmt, args);
	va_end(args);
	text_mend(whole.text); /* it may be stored, where only text is taken */
	(void)strcpy(err->text, whole.text);
	return code;
}
