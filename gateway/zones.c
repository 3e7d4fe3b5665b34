/* zones.c: the system's time zones. See zones.h. */
#include "gateway/zones.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define HEADER 44
#define FILE_MAX (256 * 1024)
#define DEPTH_MAX 3       /* America/Argentina/Salta */
#define KEEP_S 1577836800 /* 2020-01-01: nobody asks about earlier */

struct zones {
	struct zone *list; /* by name */
	size_t count, room;
};

/* ---- one file ---- */

struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t big32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big64(const unsigned char *p)
{
	return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

static int read_header(const unsigned char *data, size_t size, struct counts *ret_counts)
{
	if (size < HEADER || memcmp(data, "TZif", 4) != 0 || data[4] < '2')
		return -EINVAL;
	*ret_counts = (struct counts){big32(data + 20), big32(data + 24),
		big32(data + 28), big32(data + 32), big32(data + 36), big32(data + 40)};
	/* No file has so many; and no sum below can overflow. */
	if (ret_counts->time > FILE_MAX || ret_counts->type > 256 ||
		ret_counts->type == 0 || ret_counts->chars > FILE_MAX ||
		ret_counts->leap > FILE_MAX || ret_counts->isut > 256 ||
		ret_counts->isstd > 256)
		return -EINVAL;
	return 0;
}

static size_t block_size(const struct counts *c, size_t time_size)
{
	return c->time * (time_size + 1) + c->type * 6 + c->chars +
	       c->leap * (time_size + 4) + c->isstd + c->isut;
}

/* The text between the last two line ends. */
static int read_footer(const unsigned char *data, size_t size, struct zone *zone)
{
	char text[128];

	if (size < 2 || size > sizeof(text) || data[0] != '\n' || data[size - 1] != '\n')
		return -EINVAL;
	memcpy(text, data + 1, size - 2);
	text[size - 2] = '\0';
	if (text[0] == '\0')
		return 0;
	zone->has_rule = true;
	return zone_rule_parse(text, &zone->rule);
}

static int read_block(
	const unsigned char *data, const struct counts *c, struct zone *zone)
{
	const unsigned char *index = data + (size_t)c->time * 8;
	const unsigned char *types = index + c->time;
	int64_t *at = calloc(c->time + 1, sizeof(*at));
	int32_t *offsets = calloc(c->time + 1, sizeof(*offsets));
	size_t count = 0;

	zone->at = at;
	zone->offset_s = offsets;
	if (at == NULL || offsets == NULL)
		return -ENOMEM;
	zone->first_s = (int32_t)big32(types);
	for (uint32_t i = 0; i < c->time; i++) {
		int64_t when = big64(data + (size_t)i * 8);

		if (index[i] >= c->type || (count > 0 && when <= at[count - 1]))
			return -EINVAL;
		if (when < KEEP_S) {
			zone->first_s = (int32_t)big32(types + index[i] * 6);
			continue;
		}
		at[count] = when;
		offsets[count++] = (int32_t)big32(types + index[i] * 6);
	}
	zone->count = count;
	return 0;
}

int zones_parse(const char *name, const void *data, size_t size, struct zone *ret_zone)
{
	const unsigned char *bytes = data;
	struct zone zone = {.count = 0};
	struct counts counts;
	size_t skip;
	int err;

	if (text_copy(zone.name, sizeof(zone.name), name) < 0 ||
		read_header(bytes, size, &counts) < 0)
		return -EINVAL;
	skip = HEADER + block_size(&counts, 4);
	if (skip > size || read_header(bytes + skip, size - skip, &counts) < 0)
		return -EINVAL;
	bytes += skip + HEADER;
	size -= skip + HEADER;
	skip = block_size(&counts, 8);
	if (skip > size)
		return -EINVAL;
	err = read_block(bytes, &counts, &zone);
	if (err == 0)
		err = read_footer(bytes + skip, size - skip, &zone);
	if (err < 0)
		zones_free_one(&zone);
	else
		*ret_zone = zone;
	return err;
}

void zones_free_one(struct zone *zone)
{
	free((void *)zone->at);
	free((void *)zone->offset_s);
	zone->at = NULL;
	zone->offset_s = NULL;
}

/* ---- all files ---- */

static int add(struct zones *zones, const struct zone *zone)
{
	if (zones->count == zones->room) {
		size_t room = zones->room > 0 ? zones->room * 2 : 256;
		struct zone *list = realloc(zones->list, room * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		zones->list = list;
		zones->room = room;
	}
	zones->list[zones->count++] = *zone;
	return 0;
}

/* What is no time zone, such as zone.tab, is passed over. */
static int load_file(struct zones *zones, int dir_fd, const char *file, const char *name)
{
	static const size_t most = FILE_MAX;
	char *data = malloc(most);
	struct zone zone;
	ssize_t size = -1;
	int fd, err = 0;

	if (data == NULL)
		return -ENOMEM;
	fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		size = read(fd, data, most);
		(void)close(fd);
	}
	if (size > 0 && zones_parse(name, data, (size_t)size, &zone) == 0) {
		err = add(zones, &zone);
		if (err < 0)
			zones_free_one(&zone);
	}
	free(data);
	return err;
}

static int load_dir(struct zones *zones, int dir_fd, const char *prefix, int depth)
{
	DIR *dir = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	struct dirent *entry;
	int err = 0;

	if (dir == NULL) {
		if (dir_fd >= 0)
			(void)close(dir_fd);
		return 0;
	}
	while (err == 0 && (entry = readdir(dir)) != NULL) {
		char name[256];
		struct stat st;

		/* Others are no IANA names: localtime, posixrules, and the folders
		   right, which counts leap seconds, and posix, the same once more. */
		if (!isupper((unsigned char)entry->d_name[0]) ||
			fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.100s%.100s", prefix, entry->d_name);
		if (S_ISREG(st.st_mode)) {
			err = load_file(zones, dirfd(dir), entry->d_name, name);
		} else if (S_ISDIR(st.st_mode) && depth > 1) {
			(void)strncat(name, "/", sizeof(name) - strlen(name) - 1);
			err = load_dir(zones,
				openat(dirfd(dir), entry->d_name,
					O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				name, depth - 1);
		}
	}
	(void)closedir(dir);
	return err;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct zone *)a)->name, ((const struct zone *)b)->name);
}

int zones_load(const char *dir, struct zones **ret_zones, struct err *err)
{
	struct zones *zones = calloc(1, sizeof(*zones));
	int rc;

	if (zones == NULL)
		return -ENOMEM;
	rc = load_dir(
		zones, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "", DEPTH_MAX);
	if (rc == 0 && zones->count == 0)
		rc = err_set(err, -ENOENT,
			"There are no time zones in %s. Install the package tzdata.",
			dir);
	if (rc < 0) {
		zones_free(&zones);
		return rc;
	}
	qsort(zones->list, zones->count, sizeof(*zones->list), by_name);
	*ret_zones = zones;
	return 0;
}

void zones_free(struct zones **zones)
{
	if (*zones == NULL)
		return;
	for (size_t i = 0; i < (*zones)->count; i++)
		zones_free_one(&(*zones)->list[i]);
	free((*zones)->list);
	free(*zones);
	*zones = NULL;
}

const struct zone *zones_find(const struct zones *zones, const char *name)
{
	struct zone key = {.count = 0};

	if (text_copy(key.name, sizeof(key.name), name) < 0)
		return NULL;
	return bsearch(&key, zones->list, zones->count, sizeof(*zones->list), by_name);
}
