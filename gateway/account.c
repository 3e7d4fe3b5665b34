/* account.c: user names and passwords. See account.h. */
#include "gateway/account.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define PASSWORD_MIN 8 /* characters */
#define MADE_BYTES 8

int account_check_username(
	struct api_reply *reply, const char *field, const char *username)
{
	if (strspn(username, "abcdefghijklmnopqrstuvwxyz0123456789._-") ==
		strlen(username))
		return 0;
	api_fail_field(reply, field,
		"%s may have small letters, digits, dots, dashes and underscores only.",
		field);
	return -EINVAL;
}

int account_check_password(
	struct api_reply *reply, const char *field, const char *password)
{
	if (text_chars(password) >= PASSWORD_MIN)
		return 0;
	api_fail_field(reply, field, "%s must have at least %d characters.", field,
		PASSWORD_MIN);
	return -EINVAL;
}

int account_read_password(struct api_call *call, struct api_reply *reply,
	char password[ACCOUNT_PASSWORD_SIZE], bool *ret_made)
{
	password[0] = '\0';
	if (api_body_text(
		    call, reply, "password", false, password, ACCOUNT_PASSWORD_SIZE) < 0)
		return -EINVAL;
	*ret_made = !api_body_has(call, "password");
	if (!*ret_made)
		return account_check_password(reply, "password", password);
	(void)text_random(password, MADE_BYTES);
	return 0;
}
