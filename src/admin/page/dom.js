// Elements and texts. What events contain is only ever put into text nodes and attributes that hold
// text, so that it cannot become markup.

export const $ = (id) => document.getElementById(id);

// An element with attributes and children; children that are not elements become text.
export function el(tag, attributes = {}, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name === "onclick")
			made.addEventListener("click", value);
		else if (value !== null && value !== undefined)
			made.setAttribute(name, value);
	}
	made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
	return made;
}

export const fill = (id, ...children) => $(id).replaceChildren(...children);

// A table in a frame that scrolls. Columns: [heading, class]; rows: arrays of texts or elements, the
// first of which is the heading of the row. A focused element keeps the focus, by its key.
export function table(caption, columns, rows) {
	const head = columns.map(([text, kind]) => el("th", {scope: "col", class: kind}, text));
	const body = rows.map((row) => el("tr", {}, ...row.map((cell, index) =>
		el(index === 0 ? "th" : "td", {scope: index === 0 ? "row" : null, class: columns[index][1]},
			cell instanceof Node ? cell : text(cell)))));
	return el("div", {class: "table", role: "region", tabindex: "0", "aria-label": caption},
		el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, ...head)),
			el("tbody", {}, ...body)));
}

export const empty = (what) => el("p", {class: "empty"}, what);

export const figures = (pairs) => pairs.map(([name, value]) =>
	el("div", {}, el("dt", {}, name), el("dd", {}, text(value))));

export const members = (pairs) => el("dl", {class: "members"}, ...pairs
	.filter(([, value]) => value !== "" && value !== null && value !== undefined)
	.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));

// Replace what changes while it is looked at: the focus and the place in a table that scrolls stay.
export function refresh(id, ...children) {
	const old = $(id).querySelector(".table");
	const left = old ? old.scrollLeft : 0;
	const hadFocus = old && document.activeElement === old;
	fill(id, ...children);
	const now = $(id).querySelector(".table");
	if (now)
		now.scrollLeft = left;
	if (now && hadFocus)
		now.focus({preventScroll: true});
}

export function say(message) {
	$("message").textContent = message;
}

// Texts.

export function text(value) {
	if (value === null || value === undefined || value === "")
		return "–";
	return typeof value === "number" ? number(value) : String(value);
}

export const number = (value) => value.toLocaleString("en", {maximumFractionDigits: 0});

export const rate = (value) => (value === null ? "–"
	: value.toLocaleString("en", {maximumFractionDigits: value < 10 ? 1 : 0}));

export function duration(us) {
	if (us === null)
		return "–";
	const [value, unit] = us < 1000 ? [us, "µs"] : us < 1e6 ? [us / 1000, "ms"] : [us / 1e6, "s"];
	return value.toLocaleString("en", {maximumSignificantDigits: 3}) + " " + unit;
}

export function age(ms) {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const units = [[86400, "d"], [3600, "h"], [60, "min"]];
	for (const [size, unit] of units)
		if (seconds >= size)
			return Math.floor(seconds / size) + " " + unit;
	return seconds + " s";
}

export const plural = (count, more) =>
	number(count) + (more ? " or more" : "") + (count === 1 && !more ? " dead letter" : " dead letters");
