/* password.c: yescrypt. See password.h. */
#include "gateway/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Checked against when there is no such user: the answer takes as long. */
#define NOBODY "$y$j9T$SgZcuKq7XyQYl0fTj2nMk1$LJ5WbS9kG0oWnQCF0kZC3r9x1zSg1q4mGv1mM6a2TQ2"

static int crypt_with(const char *password, const char *setting, char *out, size_t size)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *hash;
	int err = -EIO;

	if (data == NULL)
		return -ENOMEM;
	hash = crypt_r(password, setting, data);
	if (hash != NULL && hash[0] != '*')
		err = text_copy(out, size, hash);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return err;
}

int password_hash(const char *password, char *ret_hash, size_t size)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	/* yescrypt at its default cost, salt from the kernel. */
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
		return -EIO;
	return crypt_with(password, setting, ret_hash, size);
}

int password_check(const char *password, const char *hash)
{
	const char *against = hash[0] == '\0' ? NOBODY : hash;
	char got[CRYPT_OUTPUT_SIZE];

	if (crypt_with(password, against, got, sizeof(got)) < 0)
		return -EACCES;
	if (hash[0] == '\0' || strlen(got) != strlen(hash) ||
		text_differs(got, hash, strlen(hash)) != 0)
		return -EACCES;
	return 0;
}
