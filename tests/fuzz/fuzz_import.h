/* fuzz_import.h: the bytes as an uploaded file, read and checked as an upload is. */
#ifndef OMNIVOX_TESTS_FUZZ_IMPORT_H
#define OMNIVOX_TESTS_FUZZ_IMPORT_H

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "db/contacts.h"
#include "gateway/import_check.h"
#include "gateway/zones.h"

struct fuzz_import {
	struct import_columns columns;
	struct import_checker *checker;
};

const struct zone *zones_find(const struct zones *zones, const char *name)
{
	static const struct zone zone;

	(void)zones;
	return strcmp(name, "UTC") == 0 || strcmp(name, "Europe/London") == 0 ? &zone
									      : NULL;
}

static int fuzz_column(void *arg, size_t index, const char *name, struct err *err)
{
	struct fuzz_import *fuzz = arg;

	assert(index == fuzz->columns.count || index >= IMPORT_COLUMNS_MAX);
	assert(strlen(name) <= IMPORT_HEADING_MAX);
	return import_columns_add(&fuzz->columns, name, NULL, err);
}

static int fuzz_row(void *arg, const struct import_row *row)
{
	struct fuzz_import *fuzz = arg;
	struct db_import_row staged;
	json_t *custom;
	char *shown;
	int rc = import_check(fuzz->checker, row, &staged);

	if (rc < 0)
		return rc;
	assert(staged.refused == (rc == 0));
	if (rc == 0) {
		assert(staged.phone[0] == '\0' || number_valid(staged.phone));
		return 0;
	}
	assert(number_valid(staged.phone));
	assert(import_is_text(staged.first_name, strlen(staged.first_name)));
	assert(import_is_text(staged.last_name, strlen(staged.last_name)));
	assert(import_is_text(staged.email, strlen(staged.email)));
	custom = json_loads(staged.custom, 0, NULL);
	assert(json_is_object(custom));
	/* With a space after each colon and comma, as the database does it. */
	shown = json_dumps(custom, 0);
	assert(shown != NULL && strlen(shown) < DB_CUSTOM_SIZE);
	free(shown);
	json_decref(custom);
	return 0;
}

static int fuzz_member(void *arg, const char *name, const json_t *value, struct err *err)
{
	(void)arg;
	(void)err;
	assert(name != NULL && value != NULL);
	return 0;
}

static int fuzz_progress(void *arg, int64_t done)
{
	(void)arg;
	assert(done > 0);
	return 0;
}

static void fuzz_import(struct import_reader *reader, const uint8_t *data, size_t size,
	int (*read)(struct import_reader *reader, struct err *err))
{
	static int fd = -1;
	struct fuzz_import *fuzz = calloc(1, sizeof(*fuzz));
	struct err err = {{0}};
	int rc;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	assert(fuzz != NULL && fd >= 0 && ftruncate(fd, 0) == 0);
	assert(pwrite(fd, data, size, 0) == (ssize_t)size);
	assert(import_checker_new(&(struct import_rules){.country = "US"}, &fuzz->columns,
		       NULL, &fuzz->checker) == 0);
	reader->fd = fd;
	reader->size = (int64_t)size;
	reader->column = fuzz_column;
	reader->row = fuzz_row;
	reader->member = fuzz_member;
	reader->progress = fuzz_progress;
	reader->arg = fuzz;
	rc = read(reader, &err);
	/* A file is read, or a sentence says why not. */
	assert(rc == 0 || (rc == -EINVAL && err.text[0] != '\0'));
	import_checker_free(&fuzz->checker);
	free(fuzz);
}

#endif
