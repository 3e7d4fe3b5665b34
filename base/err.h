/* err.h: the text of a failure, for the places where a person will read it. */
#ifndef OMNIVOX_BASE_ERR_H
#define OMNIVOX_BASE_ERR_H

/* Room for one sentence that says what happened, why, and what to do. */
struct err {
	char text[512];
};

/*
 * Writes the sentence and returns `code` (a negative errno), so that a caller can say
 * `return err_set(err, -EINVAL, "...")`. `err` may be NULL, and its own
 * text may be quoted in the new one. Text that is too long is cut, and
 * what is no UTF-8 in it, such as half a character of a quotation that was cut, becomes '?'.
 */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
