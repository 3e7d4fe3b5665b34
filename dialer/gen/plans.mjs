// plans.mjs: reads the metadata of libphonenumber-js (version 4) by name instead of by place.

import { Nfa } from './regex.mjs';

/* The order in the metadata; then the order in which a number's kind is looked for. */
const TYPES = ['fixed', 'mobile', 'tollFree', 'premium', 'personal', 'voicemail', 'uan', 'pager', 'voip', 'shared'];
const TRIED = ['mobile', 'premium', 'tollFree', 'shared', 'voip', 'personal', 'pager', 'uan', 'voicemail'];

/* Labels of the automaton of plans; enum numbering_kind in dialer/numbering.h. */
export const KINDS = ['none', 'shaped', 'fixed', 'mobile', 'fixedOrMobile', 'tollFree', 'premium', 'shared', 'voip', 'personal', 'pager', 'uan', 'voicemail'];

const LONGEST = 15; // digits of a national number

function plan(iso, data) {
	const types = data[11] ?? [];

	return {
		iso,
		code: data[0],
		abroad: data[1] || '00',
		shape: data[2],
		lengths: data[3],
		trunk: data[5] || '',
		parse: data[7] || data[5] || '',
		transform: data[8] || '',
		leading: data[10] || '',
		types: types.map((type) => type && type[0] && { pattern: type[0], lengths: type[1] || data[3] }),
		/* No pattern of its own means the one of fixed lines. */
		mobileIsFixed: !types[1] || types[1][0] === '',
	};
}

/** Calling code -> its plans, the main country first. Codes of no country have one named "". */
export function readPlans(metadata) {
	const codes = new Map();

	for (const [code, list] of Object.entries(metadata.country_calling_codes))
		codes.set(code, list.map((iso) => plan(iso, metadata.countries[iso])));
	for (const [code, data] of Object.entries(metadata.nonGeographic))
		codes.set(code, [plan('', data)]);
	return codes;
}

/** One automaton for all plans of a calling code: `kind` and `country` say what states mean. */
export class CodeNfa {
	constructor(plans) {
		this.nfa = new Nfa();
		this.start = this.nfa.state();
		this.alone = plans.length === 1;
		this.ends = plans.map((p) => ({
			plan: p,
			shape: this.nfa.add(p.shape, this.start),
			leading: p.leading ? this.prefix(p.leading) : -1,
			types: p.types.map((type) => type && { end: this.nfa.add(type.pattern, this.start), lengths: type.lengths }),
		}));
	}

	prefix(pattern) {
		const end = this.nfa.add(pattern, this.start);

		this.nfa.steps[end].push([0x3ff, end]);
		return end;
	}

	/* The order of libphonenumber's getNumberType(). */
	kindIn(end, states, depth) {
		const is = (name) => {
			const type = end.types[TYPES.indexOf(name)];

			return type && states.has(type.end) && type.lengths.includes(depth);
		};

		if (!states.has(end.shape))
			return 'none';
		if (is('fixed'))
			return end.plan.mobileIsFixed || is('mobile') ? 'fixedOrMobile' : 'fixed';
		return TRIED.find(is) ?? 'shaped';
	}

	/* getCountryByNationalNumber(): leading digits decide where a plan has them. */
	endFor(states, depth) {
		return this.alone ? this.ends[0] : this.ends.find((end) =>
			end.leading >= 0 ? states.has(end.leading) : this.isKind(this.kindIn(end, states, depth)));
	}

	isKind(name) {
		return name !== 'none' && name !== 'shaped';
	}

	kind(states, depth) {
		const end = this.endFor(states, depth);
		const name = end ? this.kindIn(end, states, depth) : 'none';

		if (name === 'none' && this.ends.some((other) => states.has(other.shape)))
			return KINDS.indexOf('shaped');
		return KINDS.indexOf(name);
	}

	country(states, depth) {
		const end = this.endFor(states, depth);

		return end && this.isKind(this.kindIn(end, states, depth)) ? end.plan.iso : '';
	}

	fill(automaton, at, label) {
		automaton.determine(this.nfa, this.start, at, LONGEST, label);
	}
}

/**
 * What is dialled before a national number: [pattern of the trunk prefix, digits to put before
 * a local number that was given without them]. Metadata tells both in one expression for
 * parsing: alternatives that end in $ are local numbers; a group that the transformation takes
 * over belongs to the number. (Argentina's 15 of mobiles is dialer/number.c's.)
 */
export function readTrunk(p) {
	const area = p.parse.includes('$') ? /^\d*/.exec(p.transform)[0] : '';

	if (p.iso === 'AR')
		return [p.trunk, area];
	const kept = alternatives(p.parse).filter((one) => !one.endsWith('$'));
	const taken = /^\D*\$(\d)$/.exec(p.transform);

	return [kept.map((one) => (taken ? dropGroup(one, p.parse, Number(taken[1])) : one)).join('|'), area];
}

function alternatives(pattern) {
	const parts = [''];
	let depth = 0;

	for (const c of pattern) {
		depth += (c === '(') - (c === ')');
		if (c === '|' && depth === 0)
			parts.push('');
		else
			parts[parts.length - 1] += c;
	}
	return parts;
}

/** `one` without the capturing group that has this number in `whole`. */
function dropGroup(one, whole, number) {
	let count = whole.slice(0, whole.indexOf(one)).replace(/\(\?:/g, '').split('(').length - 1;

	for (let at = 0; at < one.length; at++) {
		if (one[at] !== '(' || one[at + 1] === '?')
			continue;
		if (++count !== number)
			continue;
		let depth = 0, end = at;

		do
			depth += (one[end] === '(') - (one[end] === ')');
		while (depth > 0 && ++end);
		return one.slice(0, at) + one.slice(end + 1);
	}
	return one;
}
