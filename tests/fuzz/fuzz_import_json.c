/* fuzz_import_json.c: a JSON document to rows and contacts. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import_reader reader = {.fd = -1};

	fuzz_import(&reader, data, size, import_read_json);
	return 0;
}
