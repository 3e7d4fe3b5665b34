/* ask.c: the pieces that paths and forms are made of. See ask.h. */
#include "twilio/ask.h"

#include "base/form.h"

void twilio_add(struct buf *form, const char *name, const char *value)
{
	if (value != NULL)
		form_add(form, name, value);
}

void twilio_add_each(struct buf *form, const char *name, const char *const values[])
{
	for (size_t i = 0; values[i] != NULL; i++)
		form_add(form, name, values[i]);
}

void twilio_add_callback(
	struct buf *form, const char *callback, const char *const events[])
{
	if (callback == NULL)
		return;
	form_add(form, "StatusCallback", callback);
	form_add(form, "StatusCallbackMethod", "POST");
	twilio_add_each(form, "StatusCallbackEvent", events);
}

void twilio_add_path(struct buf *path, const char *noun, const char *name)
{
	buf_add_char(path, '/');
	buf_add_str(path, noun);
	buf_add_char(path, '/');
	form_escape(path, name);
}
