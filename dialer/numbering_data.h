/* numbering_data.h: the tables that dialer/gen/ makes, for numbering.c alone. */
#ifndef OMNIVOX_DIALER_NUMBERING_DATA_H
#define OMNIVOX_DIALER_NUMBERING_DATA_H

#include <stddef.h>
#include <stdint.h>

struct numbering_code {
	const char *code;
	int16_t country; /* the main one, index into numbering_countries; -1: of no country */
	uint16_t lengths; /* bit n: a national number of some country may have n digits */
};

struct numbering_country {
	const char *iso, *code;
	const char *area; /* goes before local numbers given without it; "" */
	/* Roots in numbering_prefixes; 0: no such prefix. */
	uint8_t trunk, abroad;
	uint16_t lengths; /* as above, of this country alone */
};

struct numbering_zone_set {
	uint16_t first, count; /* in numbering_zones */
};

extern const struct numbering_code numbering_codes[];
/* By the first three digits of a number: 1 + index of its code; 0: there is no such code. */
extern const uint8_t numbering_code_index[1000];
extern const struct numbering_country numbering_countries[]; /* by ISO code */
extern const size_t numbering_country_count;
extern const char *const numbering_zones[];
extern const struct numbering_zone_set numbering_zone_sets[];

/*
 * Automata over digits, starting at place 0. A state is its label (bit 15: it leads nowhere),
 * then for each target the digits that lead there (bits 0 to 9; bit 15: the last target) and the
 * target's place.
 */
extern const uint16_t
	numbering_kinds[]; /* whole numbers; labels are enum numbering_kind */
extern const uint16_t
	numbering_homes[]; /* prefixes; labels are 1 + index of the country */
extern const uint16_t
	numbering_places[]; /* prefixes; labels are 1 + index of the zone set */
/* What is dialled in front; a root is reached by its two digits. */
extern const uint16_t numbering_prefixes[];

#endif
