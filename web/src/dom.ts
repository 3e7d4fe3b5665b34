/* dom.ts: builds elements. Texts only ever become text nodes: nothing here reads HTML. */

type Attributes = { [name: string]: string | boolean | ((event: Event) => void) };
export type Child = Node | string | null;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {},
	...children: Child[]): HTMLElementTagNameMap[K] {
	const element = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes))
		if (typeof value === "function")
			element.addEventListener(name, value);
		else if (value !== false)
			element.setAttribute(name, value === true ? "" : value);
	element.append(...children.filter((child): child is Node | string => child !== null));
	return element;
}

/* Replaces what is in `place`, and gives the keyboard's focus back to whoever had it, by id. */
export function fill(place: Element, ...children: Child[]): void {
	const focus = place.contains(document.activeElement) ? document.activeElement?.id : "";

	place.replaceChildren(...children.filter((child): child is Node | string => child !== null));
	if (focus)
		document.getElementById(focus)?.focus();
}

export function table(caption: string, heads: string[], rows: Child[][], empty: string): HTMLElement {
	if (rows.length === 0)
		return h("p", { class: "empty" }, empty);
	return h("div", { class: "scroll" }, h("table", {},
		h("caption", { class: "hidden" }, caption),
		h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
		h("tbody", {}, ...rows.map((cells) =>
			h("tr", {}, ...cells.map((cell) => h("td", {}, cell)))))));
}

/* A state word as a small label; the colour repeats what the word says. */
export function badge(word: string): HTMLElement {
	return h("span", { class: `badge ${word}` }, word.replace("_", " "));
}

/* A form in a dialog. Fields: name, label, input type. Resolves with what was typed, or null. */
export function fillIn(title: string, fields: [string, string, string][],
	verb: string): Promise<FormData | null> {
	return new Promise((resolve) => {
		const form = h("form", { method: "dialog" }, h("h2", {}, title),
			...fields.map(([name, label, type]) =>
				h("label", {}, label, h("input", { name, type, required: true }))),
			h("div", { class: "row end" },
				h("button", { type: "button", click: () => dialog.close() }, "Cancel"),
				h("button", { class: "primary" }, verb)));
		const dialog = h("dialog", {}, form);
		let typed: FormData | null = null;

		form.addEventListener("submit", () => { typed = new FormData(form); });
		dialog.addEventListener("close", () => { dialog.remove(); resolve(typed); });
		document.body.append(dialog);
		dialog.showModal();
	});
}

/* Something to read and put away. */
export function show(title: string, lines: [string, string][]): void {
	const dialog: HTMLDialogElement = h("dialog", {}, h("form", { method: "dialog" },
		h("h2", {}, title),
		h("dl", {}, ...lines.flatMap(([term, text]) =>
			[h("dt", {}, term), h("dd", {}, text)])),
		h("div", { class: "row end" }, h("button", { class: "primary" }, "Done"))));

	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
}
