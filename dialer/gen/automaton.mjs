// automaton.mjs: deterministic automata over digits, and how they are written into C.
//
// In C an automaton is a list of 16-bit numbers. A state is its label (bit 15: it leads nowhere),
// then for each target the digits that lead there (bits 0 to 9; bit 15: the last one) and the
// place of the target in the list.

import { minimise } from './regex.mjs';

const LAST = 0x8000;

export class Automaton {
	constructor(label = 0) {
		this.rows = [];
		this.add(label);
	}

	add(label) {
		return this.rows.push([label, ...Array(10).fill(-1)]) - 1;
	}

	/** The state that `digits` lead to from state 0, made where it is missing. */
	walk(digits) {
		let at = 0;

		for (const digit of digits) {
			const next = 1 + Number(digit);

			if (this.rows[at][next] < 0)
				this.rows[at][next] = this.add(0);
			at = this.rows[at][next];
		}
		return at;
	}

	/**
	 * Puts all that `nfa` recognises behind state `at`. `label(states, depth)` names what a set
	 * of its states means after so many digits; at most `deepest` digits are followed.
	 */
	determine(nfa, start, at, deepest, label) {
		const known = new Map();
		const fill = (row, states, depth) => {
			this.rows[row][0] = label(new Set(states), depth);
			for (let digit = 0; digit < 10 && depth < deepest; digit++) {
				const next = nfa.step(states, digit);
				const key = `${depth + 1}:${next}`;

				if (next.length === 0)
					continue;
				if (!known.has(key)) {
					known.set(key, this.add(0));
					fill(known.get(key), next, depth + 1);
				}
				this.rows[row][1 + digit] = known.get(key);
			}
		};

		fill(at, nfa.closure([start]), 0);
	}

	/** Cuts where all that is to come has one label, and puts that label there. */
	settle() {
		const seen = new Map();
		const labels = (at) => {
			if (seen.has(at))
				return seen.get(at);
			const all = new Set(this.rows[at][0] ? [this.rows[at][0]] : []);

			for (const to of this.rows[at].slice(1))
				if (to >= 0)
					labels(to).forEach((label) => all.add(label));
			seen.set(at, all);
			if (all.size === 1)
				this.rows[at] = [[...all][0], ...Array(10).fill(-1)];
			else if (all.size === 0)
				this.rows[at].fill(-1, 1);
			return all;
		};

		labels(0);
	}

	/** [numbers, place of each row] */
	numbers() {
		const merged = reachable(minimise(trimmed(this.rows)));
		const groups = merged.map((row) => {
			const targets = new Map();

			row.slice(1).forEach((to, digit) => {
				if (to >= 0)
					targets.set(to, (targets.get(to) ?? 0) | (1 << digit));
			});
			return [...targets];
		});
		const places = [];
		let place = 0;

		for (const group of groups) {
			places.push(place);
			place += 1 + 2 * group.length;
		}
		if (place > 0xffff)
			throw new Error(`the automaton needs ${place} numbers, more than 16 bits tell`);
		return groups.flatMap((group, i) => [
			merged[i][0] | (group.length === 0 ? LAST : 0),
			...group.flatMap(([to, bits], n) => [
				bits | (n === group.length - 1 ? LAST : 0),
				places[to],
			]),
		]);
	}
}

/** Without the states from which no label can be reached. */
function trimmed(rows) {
	const useful = rows.map((row) => row[0] !== 0);

	for (let changed = true; changed; ) {
		changed = false;
		rows.forEach((row, i) => {
			if (!useful[i] && row.slice(1).some((to) => to >= 0 && useful[to]))
				changed = useful[i] = true;
		});
	}
	return rows.map((row) => [row[0], ...row.slice(1).map((to) => (to >= 0 && useful[to] ? to : -1))]);
}

/** Only what can be reached from state 0, which stays the first. */
function reachable(rows) {
	const order = new Map([[0, 0]]);

	for (const at of order.keys())
		for (const to of rows[at].slice(1))
			if (to >= 0 && !order.has(to))
				order.set(to, order.size);
	return [...order.keys()].map((at) => [rows[at][0], ...rows[at].slice(1).map((to) => (to < 0 ? -1 : order.get(to)))]);
}
