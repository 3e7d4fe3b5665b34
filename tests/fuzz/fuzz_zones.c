/* fuzz_zones.c: any bytes as a TZif file; what was read has an offset at any time, and time goes on. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>

#include "gateway/zones.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t times[] = {0, 1577836800, 1785542400, 4102444800};
	struct zone zone;
	int err = zones_parse("Area/Place", data, size, &zone);

	assert(err == 0 || err == -EINVAL);
	if (err != 0)
		return 0;
	for (size_t i = 1; i < zone.count; i++)
		assert(zone.at[i] > zone.at[i - 1]);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t until = 0;

		(void)zone_offset(&zone, times[i], &until);
		assert(until > times[i]);
	}
	zones_free_one(&zone);
	return 0;
}
