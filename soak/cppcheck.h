/* cppcheck.h: macros that are not ours, with a block behind them, as cppcheck can read them. */
#define json_object_foreach(object, key, value)                    \
	for (key = json_object_iter_key(json_object_iter(object)); \
		(value = json_object_get(object, key)) != NULL;)
#define json_array_foreach(array, index, value) \
	for (index = 0; (value = json_array_get(array, index)) != NULL; index++)
