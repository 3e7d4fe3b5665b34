/* addresses.c: DATA_DIR/run/addresses.json. See addresses.h. */
#include "gateway/addresses.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static int path_of(const char *data_dir, const char *suffix, char *buf, size_t size)
{
	int len = snprintf(buf, size, "%s/run/addresses.json%s", data_dir, suffix);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int addresses_write(const char *data_dir, const struct addresses *addresses)
{
	char path[512], draft[512];
	json_t *doc = NULL;
	int err;

	err = path_of(data_dir, "", path, sizeof(path));
	if (err == 0)
		err = path_of(data_dir, ".new", draft, sizeof(draft));
	if (err < 0)
		return err;
	doc = json_pack("{s:I, s:I, s:s, s:s, s:s}", "pid",
		(json_int_t)addresses->supervisor, "worker",
		(json_int_t)addresses->worker, "http", addresses->http, "sip",
		addresses->sip, "metrics", addresses->metrics);
	if (doc == NULL)
		return -ENOMEM;
	if (json_dump_file(doc, draft, JSON_INDENT(2)) < 0 || rename(draft, path) < 0)
		err = -errno;
	json_decref(doc);
	return err;
}

int addresses_read(const char *data_dir, struct addresses *ret_addresses)
{
	char path[512];
	const char *http, *sip, *metrics = "";
	json_int_t supervisor, worker;
	json_t *doc;
	int err;

	err = path_of(data_dir, "", path, sizeof(path));
	if (err < 0)
		return err;
	doc = json_load_file(path, 0, NULL);
	if (doc == NULL)
		return -ENOENT;
	err = json_unpack(doc, "{s:I, s:I, s:s, s:s, s?s}", "pid", &supervisor, "worker",
		&worker, "http", &http, "sip", &sip, "metrics", &metrics);
	if (err == 0) {
		ret_addresses->supervisor = (pid_t)supervisor;
		ret_addresses->worker = (pid_t)worker;
		(void)text_copy(ret_addresses->http, sizeof(ret_addresses->http), http);
		(void)text_copy(ret_addresses->sip, sizeof(ret_addresses->sip), sip);
		(void)text_copy(
			ret_addresses->metrics, sizeof(ret_addresses->metrics), metrics);
	}
	json_decref(doc);
	return err == 0 ? 0 : -ENOENT;
}

void addresses_keep_port(const char *before, struct addr *wanted)
{
	struct addr old;

	if (addr_port(wanted) != 0 || addr_parse(before, &old) < 0)
		return;
	if (addr_same_host(&old, wanted))
		addr_set_port(wanted, addr_port(&old));
}
