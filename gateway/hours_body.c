/* hours_body.c: the calling hours of a campaign in JSON. See hours_body.h. */
#include "gateway/hours_body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dialer/hours.h"
#include "gateway/zones.h"

_Static_assert(HOURS_TEXT_SIZE == DB_HOURS_SIZE, "hours fit into their column");

/* Telemarketing Sales Rule, 16 CFR 310.4(c). */
#define USUAL_FROM (8 * 60)
#define USUAL_TO (21 * 60)

void hours_defaults(struct db_campaign *c)
{
	struct hours hours = {.count = 0};

	for (int day = 0; day < 7; day++)
		(void)hours_add(&hours, day, USUAL_FROM, USUAL_TO);
	hours_text(&hours, c->hours);
}

/* ---- reading ---- */

/* "HH:MM" in minutes, -1: it is not. Whether a day is so long is for hours_add(). */
static int minute_of(const json_t *value)
{
	static const char digits[] = "0123456789";
	const char *text = json_string_value(value);
	int hour, minute;

	if (text == NULL || strlen(text) != 5 || strspn(text, digits) != 2 ||
		text[2] != ':' || strspn(text + 3, digits) != 2)
		return -1;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	return minute > 59 ? -1 : hour * 60 + minute;
}

static int add_window(
	struct api_reply *reply, const json_t *window, int day, struct hours *hours)
{
	int from = minute_of(json_object_get(window, "from"));
	int to = minute_of(json_object_get(window, "to"));
	int err = json_object_size(window) != 2 || from < 0 || to < 0
			  ? -EINVAL
			  : hours_add(hours, day, from, to);

	if (err == -E2BIG)
		api_fail_field(reply, "callingHours",
			"callingHours has more than %d windows.", HOURS_WINDOWS_MAX);
	else if (err < 0)
		api_fail_field(reply, "callingHours",
			"callingHours.%s must hold windows such as {\"from\": \"09:00\", "
			"\"to\": \"17:30\"}, from 00:00 to 24:00.",
			hours_days[day]);
	return err;
}

static int day_of(const char *name)
{
	for (int day = 0; day < 7; day++)
		if (strcmp(hours_days[day], name) == 0)
			return day;
	return -1;
}

static int read_week(struct api_reply *reply, const json_t *week, struct hours *hours)
{
	const char *name;
	json_t *windows;

	json_object_foreach((json_t *)week, name, windows)
	{
		int day = day_of(name);

		if (day < 0 || !json_is_array(windows)) {
			api_fail_field(reply, "callingHours",
				"callingHours.%.32s: expected mon to sun, each with an array of "
				"windows.",
				name);
			return -EINVAL;
		}
		for (size_t i = 0; i < json_array_size(windows); i++)
			if (add_window(reply, json_array_get(windows, i), day, hours) < 0)
				return -EINVAL;
	}
	return 0;
}

/* null: any time. A week without a window would never call anybody. */
static int read_hours(struct api_reply *reply, const json_t *week, char *ret_text)
{
	struct hours hours = {.count = 0};

	if (json_is_null(week)) {
		ret_text[0] = '\0';
		return 0;
	}
	if (!json_is_object(week)) {
		api_fail_field(reply, "callingHours",
			"callingHours must be an object of days, or null for any time.");
		return -EINVAL;
	}
	if (read_week(reply, week, &hours) < 0)
		return -EINVAL;
	if (hours.count == 0) {
		api_fail_field(reply, "callingHours",
			"callingHours has no window: nobody would ever be called. Send null "
			"for any time.");
		return -EINVAL;
	}
	hours_text(&hours, ret_text);
	return 0;
}

/* null and "" are none. */
static int read_zone(struct api_call *call, struct api_reply *reply, const char *field,
	bool required, char ret_zone[DB_ZONE_SIZE])
{
	const json_t *value = json_object_get(call->body, field);
	char zone[DB_ZONE_SIZE] = "";

	if (value == NULL)
		return 0;
	if ((required || !json_is_null(value)) &&
		api_body_text(call, reply, field, required, zone, sizeof(zone)) < 0)
		return -EINVAL;
	if (zone[0] != '\0' && zones_find(call->gw->zones, zone) == NULL) {
		api_fail_field(reply, field,
			"%s must be an IANA time zone such as America/New_York.", field);
		return -EINVAL;
	}
	memcpy(ret_zone, zone, sizeof(zone));
	return 0;
}

int hours_read(struct api_call *call, struct api_reply *reply, struct db_campaign *c)
{
	const json_t *week = json_object_get(call->body, "callingHours");
	const json_t *zone = json_object_get(call->body, "callingHoursZone");
	const char *word = json_string_value(zone);

	if (week != NULL && read_hours(reply, week, c->hours) < 0)
		return -EINVAL;
	if (zone != NULL && (word == NULL || (strcmp(word, "contact") != 0 &&
						     strcmp(word, "campaign") != 0))) {
		api_fail_field(reply, "callingHoursZone",
			"callingHoursZone must be contact or campaign.");
		return -EINVAL;
	}
	if (word != NULL)
		(void)snprintf(c->hours_zone, sizeof(c->hours_zone), "%s", word);
	if (read_zone(call, reply, "timeZone", true, c->time_zone) < 0 ||
		read_zone(call, reply, "fallbackTimeZone", false, c->fallback_zone) < 0)
		return -EINVAL;
	return 0;
}

/* ---- writing ---- */

static json_t *minute_json(int minute)
{
	return json_sprintf("%02d:%02d", minute / 60, minute % 60);
}

static json_t *week_json(const char *text)
{
	struct hours hours;
	json_t *week;

	if (text[0] == '\0' || hours_parse(text, &hours) < 0)
		return json_null();
	week = json_object();
	for (int day = 0; day < 7; day++)
		(void)json_object_set_new(week, hours_days[day], json_array());
	for (size_t i = 0; i < hours.count; i++) {
		int from = hours.windows[i].from % 1440;
		int to = from + hours.windows[i].length;

		(void)json_array_append_new(
			json_object_get(week, hours_days[hours.windows[i].from / 1440]),
			json_pack("{s:o, s:o}", "from", minute_json(from), "to",
				minute_json(to > 1440 ? to - 1440 : to)));
	}
	return week;
}

json_t *hours_json(const struct db_campaign *c)
{
	return json_pack("{s:o, s:s, s:s, s:o}", "callingHours", week_json(c->hours),
		"callingHoursZone", c->hours_zone, "timeZone", c->time_zone,
		"fallbackTimeZone", api_text(c->fallback_zone));
}
