// regex.mjs: the regular expressions of numbering plans as automata over digits.
//
// A plan uses digits, \d, [2-57], (?:...), |, ?, {n} and {n,m}; anything else is an error, so
// that new metadata with something new in it is noticed here and not on the telephone.

/** A nondeterministic automaton under construction; states are numbers. */
export class Nfa {
	constructor() {
		this.empty = []; // state -> states reached without a digit
		this.steps = []; // state -> [[bits of the digits, state]]
	}

	state() {
		this.empty.push([]);
		this.steps.push([]);
		return this.empty.length - 1;
	}

	/** Adds the pattern behind state `from`; returns the state after it. */
	add(pattern, from) {
		const reader = { text: pattern, at: 0 };
		const end = this.choice(reader, from);

		if (reader.at !== pattern.length)
			throw new Error(`"${pattern}": not understood from ${reader.at} on`);
		return end;
	}

	choice(reader, from) {
		const end = this.state();

		for (;;) {
			this.empty[this.sequence(reader, from)].push(end);
			if (reader.text[reader.at] !== '|')
				return end;
			reader.at++;
		}
	}

	sequence(reader, from) {
		let at = from;

		while (reader.at < reader.text.length && !'|)'.includes(reader.text[reader.at]))
			at = this.repeated(reader, at);
		return at;
	}

	/** One atom with its ?, {n} or {n,m}: the atom is read again for each repetition. */
	repeated(reader, from) {
		const start = reader.at;
		let at = this.atom(reader, from);
		const count = /^(?:\?|\{(\d+)(?:,(\d+))?\})/.exec(reader.text.slice(reader.at));

		if (!count)
			return at;
		const after = reader.at + count[0].length;
		const least = count[0] === '?' ? 0 : Number(count[1]);
		const most = count[0] === '?' ? 1 : Number(count[2] ?? count[1]);
		const end = this.state();

		if (least === 0)
			this.empty[from].push(end);
		for (let i = 1; ; i++) {
			if (i >= least)
				this.empty[at].push(end);
			if (i === most)
				break;
			reader.at = start;
			at = this.atom(reader, at);
		}
		reader.at = after;
		return end;
	}

	atom(reader, from) {
		const { text } = reader;

		if (text[reader.at] === '(') {
			reader.at += text.startsWith('(?:', reader.at) ? 3 : 1;
			const end = this.choice(reader, from);

			if (text[reader.at] !== ')')
				throw new Error(`"${text}": a bracket is open`);
			reader.at++;
			return end;
		}
		const end = this.state();

		this.steps[from].push([digits(reader), end]);
		return end;
	}

	/** The states reached from `states` without a digit, sorted. */
	closure(states) {
		const seen = new Set(states);

		for (const state of seen)
			for (const next of this.empty[state])
				seen.add(next);
		return [...seen].sort((a, b) => a - b);
	}

	step(states, digit) {
		const next = [];

		for (const state of states)
			for (const [bits, to] of this.steps[state])
				if (bits & (1 << digit))
					next.push(to);
		return this.closure(next);
	}
}

/** One digit, \d or a class: the bits of the digits it stands for. */
function digits(reader) {
	const rest = reader.text.slice(reader.at);
	const found = /^(?:\\d|\d|\[((?:\d(?:-\d)?)+)\])/.exec(rest);
	let bits = 0;

	if (!found)
		throw new Error(`"${reader.text}": not understood from ${reader.at} on`);
	reader.at += found[0].length;
	if (found[0] === '\\d')
		return 0x3ff;
	if (!found[1])
		return 1 << Number(found[0]);
	for (const [, low, high] of found[1].matchAll(/(\d)(?:-(\d))?/g))
		for (let digit = Number(low); digit <= Number(high ?? low); digit++)
			bits |= 1 << digit;
	return bits;
}

/**
 * Merges states that cannot be told apart (Moore). `rows`: [label, next for each digit], -1 is
 * none. Returns rows of the same form, the start being 0.
 */
export function minimise(rows) {
	let block = rows.map((row) => row[0]);
	let count = new Set(block).size;

	for (;;) {
		const names = new Map();
		const next = rows.map((row, i) => {
			const name = [block[i], ...row.slice(1).map((to) => (to < 0 ? -1 : block[to]))];
			const key = name.join();

			if (!names.has(key))
				names.set(key, names.size);
			return names.get(key);
		});

		block = next;
		if (names.size === count)
			break;
		count = names.size;
	}
	const merged = [];

	rows.forEach((row, i) => {
		merged[block[i]] ??= [row[0], ...row.slice(1).map((to) => (to < 0 ? -1 : block[to]))];
	});
	return merged;
}
