/* zone_known.c: looks for the zone's file. See zone_known.h. */
#include "gateway/zone_known.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ZONEINFO "/usr/share/zoneinfo"
#define NAME_MAX_LEN 47 /* the longest has 32 */

static bool is_name(const char *name)
{
	if (!isupper((unsigned char)name[0]) || strlen(name) > NAME_MAX_LEN ||
		strstr(name, "..") != NULL)
		return false;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && strchr("/_+-", *name) == NULL)
			return false;
	return true;
}

bool zone_known(const char *name)
{
	static _Thread_local char last[NAME_MAX_LEN + 1];
	char path[sizeof(ZONEINFO) + NAME_MAX_LEN + 1];
	struct stat file;

	if (!is_name(name))
		return false;
	if (strcmp(name, last) == 0)
		return true;
	(void)snprintf(path, sizeof(path), ZONEINFO "/%s", name);
	if (stat(path, &file) < 0 || !S_ISREG(file.st_mode))
		return false;
	(void)snprintf(last, sizeof(last), "%s", name);
	return true;
}
