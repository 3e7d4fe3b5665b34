/*
 * libre.h: the headers of libre, with the two names set aside that base/list.h has too.
 *
 * Include this, never <re.h>, in any file that also sees base/list.h.
 */
#ifndef OMNIVOX_SANDBOX_LIBRE_H
#define OMNIVOX_SANDBOX_LIBRE_H

/* As Debian builds the library; they decide the layout of its structs. */
#define HAVE_STDBOOL_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_INET6 1

#define list re_list
#define list_init re_list_init

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <re.h>
#pragma GCC diagnostic pop

#undef list
#undef list_init

#endif
