/* fuzz_import_csv.c: a byte of settings, then a CSV file, to rows and contacts. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import_reader reader = {.fd = -1};

	if (size == 0)
		return 0;
	reader.no_header = (data[0] & 1) != 0;
	reader.delimiter = (data[0] & 2) != 0 ? ';' : '\0';
	reader.encoding = (enum import_encoding)((data[0] >> 2) % (IMPORT_UTF16BE + 1));
	fuzz_import(&reader, data + 1, size - 1, import_read_csv);
	return 0;
}
