/* sip_secret.c: passwords of phones. See sip_secret.h. */
#include "gateway/sip_secret.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/text.h"

void sip_password(char ret_password[SIP_PASSWORD_SIZE])
{
	/* 32 signs, five bits each: no bias, and none that looks like another. */
	static const char signs[] = "abcdefghjkmnpqrstuvwxyz23456789A";
	unsigned char random[SIP_PASSWORD_SIZE - 1];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	for (size_t i = 0; i < sizeof(random); i++)
		ret_password[i] = signs[random[i] & 31];
	ret_password[SIP_PASSWORD_SIZE - 1] = '\0';
}

static int digest(const EVP_MD *kind, const struct buf *text, char *ret_hex)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(text->data, text->len, out, &len, kind, NULL) != 1)
		return -EIO;
	(void)text_hex(ret_hex, out, len);
	return 0;
}

int sip_ha1(const char *user, const char *realm, const char *password, char ret_md5[33],
	char ret_sha256[65])
{
	struct buf text = {0};
	int err = -ENOMEM;

	buf_printf(&text, "%s:%s:%s", user, realm, password);
	if (!text.failed)
		err = digest(EVP_md5(), &text, ret_md5);
	if (err == 0)
		err = digest(EVP_sha256(), &text, ret_sha256);
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_free(&text);
	return err;
}
