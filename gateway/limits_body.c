/* limits_body.c: objects of numbers in a body. See limits_body.h. */
#include "gateway/limits_body.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define CALLS_MAX 10000000
#define COST_MAX 1e9
#define MINUTE_COST_MAX 1000

static int one_number(struct api_reply *reply, const char *field,
	const struct body_number *part, const json_t *value)
{
	double number = json_number_value(value);

	if (part->nullable && json_is_null(value)) {
		number = 0;
	} else if (!json_is_number(value) ||
		   (part->whole != NULL && !json_is_integer(value)) ||
		   number < part->lo || number > part->hi) {
		api_fail_field(reply, field,
			"%s.%s must be a %snumber from %.12g to %.12g%s.", field,
			part->name, part->whole != NULL ? "whole " : "", part->lo,
			part->hi, part->nullable ? ", or null" : "");
		return -EINVAL;
	}
	if (part->whole != NULL)
		*part->whole = (int)number;
	else
		*part->real = number;
	return 0;
}

int body_numbers(struct api_reply *reply, const char *field, const json_t *object,
	const struct body_number *parts, size_t count)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object)) {
		api_fail_field(reply, field, "%s must hold an object of numbers.", field);
		return -EINVAL;
	}
	json_object_foreach((json_t *)object, name, value)
	{
		size_t i = 0;

		while (i < count && strcmp(parts[i].name, name) != 0)
			i++;
		if (i == count) {
			api_fail_field(reply, field, "%s.%.64s is not a field here.",
				field, name);
			return -EINVAL;
		}
		if (one_number(reply, field, &parts[i], value) < 0)
			return -EINVAL;
	}
	return 0;
}

int limits_read(struct api_call *call, struct api_reply *reply, struct db_limits *limits)
{
	const json_t *object = json_object_get(call->body, "limits");
	const struct body_number parts[] = {
		{"callsPerDay", 1, CALLS_MAX, &limits->calls_day, NULL, true},
		{"minutesPerDay", 1, CALLS_MAX, &limits->minutes_day, NULL, true},
		{"costPerDay", 0.01, COST_MAX, NULL, &limits->cost_day, true},
		{"costTotal", 0.01, COST_MAX, NULL, &limits->cost, true},
		{"costPerMinute", 0, MINUTE_COST_MAX, NULL, &limits->cost_per_minute,
			false},
	};

	if (object == NULL)
		return 0;
	if (body_numbers(
		    reply, "limits", object, parts, sizeof(parts) / sizeof(parts[0])) < 0)
		return -EINVAL;
	if ((limits->cost_day > 0 || limits->cost > 0) && limits->cost_per_minute <= 0) {
		api_fail_field(reply, "limits",
			"limits.costPerMinute says what a minute costs; without it a limit of "
			"cost is never reached.");
		return -EINVAL;
	}
	return 0;
}

static json_t *limit(double value, bool whole)
{
	if (value <= 0)
		return json_null();
	return whole ? json_integer((json_int_t)value) : json_real(value);
}

json_t *limits_json(const struct db_limits *limits)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:f}", "callsPerDay",
		limit(limits->calls_day, true), "minutesPerDay",
		limit(limits->minutes_day, true), "costPerDay",
		limit(limits->cost_day, false), "costTotal", limit(limits->cost, false),
		"costPerMinute", limits->cost_per_minute);
}
