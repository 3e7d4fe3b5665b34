/* cmocka_all.h: cmocka with the headers that it expects before it. */
#ifndef OMNIVOX_TESTS_CMOCKA_ALL_H
#define OMNIVOX_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
