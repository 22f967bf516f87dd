// Dead letters: pages of them, one with its payload, replay and drop.

import {act, read} from "./api.js";
import {$, age, el, empty, fill, members, number, plural, say, table} from "./dom.js";

const PAGE = 50;

let filter = {};
let next = null;
let shown = null; // the id of the one that is open
let report = () => {}; // of what goes wrong

const why = (letter) => (letter.path ? letter.path + ": " : "") + letter.reason;

// Lists.

function row(letter) {
	const name = letter.kind === "delivery" ? letter.destination : letter.event_type || "(no type)";
	const open = el("button", {type: "button", class: "link", "data-id": letter.id,
		onclick: () => show(letter.id)}, name || "(no destination)");
	return [open, letter.event_id, letter.why, why(letter), letter.attempts,
		letter.dead ? age(Date.now() - Date.parse(letter.dead)) : ""];
}

export async function load(after) {
	const query = new URLSearchParams({...filter, limit: PAGE, ...after ? {after} : {}});
	const answer = await read("dead-letters?" + query);
	next = answer.next;
	const rows = answer.letters.map(row);
	fill("letters", rows.length === 0 ? empty("There are no such dead letters.")
		: table("Dead letters, the oldest first", [["Type or destination", ""],
			["Event id", "text wide"], ["Why", ""], ["Reason", "text"], ["Attempts", "number wide"],
			["Dead for", "number"]], rows));
	$("next-page").disabled = !next;
	$("first-page").disabled = !after;
	$("replay-all").disabled = $("drop-all").disabled = rows.length === 0;
	return answer;
}

// Payloads.

const isEnd = (byte) => " \t\r\n,]}:".includes(String.fromCharCode(byte));

// The place of the JSON value that begins at a byte: up to its last byte if it is a scalar.
function valueEnd(bytes, at) {
	let end = at + 1;
	if (bytes[at] === 0x22) {
		while (end < bytes.length && bytes[end] !== 0x22)
			end += bytes[end] === 0x5c ? 2 : 1;
		return Math.min(end + 1, bytes.length);
	}
	if (bytes[at] === 0x7b || bytes[at] === 0x5b)
		return end;
	while (end < bytes.length && !isEnd(bytes[end]))
		end++;
	return end;
}

function payload(letter) {
	if (letter.data_base64 !== undefined)
		return [el("p", {class: "quiet"}, "Not UTF-8; in base64:"), pre(letter.data_base64)];
	if (letter.offset === undefined)
		return [pre(letter.data)];
	const bytes = new TextEncoder().encode(letter.data);
	const decoder = new TextDecoder();
	const at = Math.min(letter.offset, bytes.length);
	const end = at < bytes.length ? valueEnd(bytes, at) : at;
	const place = decoder.decode(bytes.subarray(at, end)) || "(the end)";
	return [el("p", {class: "quiet"}, "The place is marked: byte " + number(letter.offset) + "."),
		pre(decoder.decode(bytes.subarray(0, at)), el("mark", {}, place),
			decoder.decode(bytes.subarray(end)))];
}

const pre = (...parts) => el("pre", {tabindex: "0", role: "region", "aria-label": "Payload"}, ...parts);

function attributes(letter) {
	if (letter.attributes.length === 0)
		return [];
	return [el("h3", {}, "Attributes"), members(letter.attributes.map((one) =>
		[one.name || "(no name)", one.value ?? one.value_base64 + " (base64)"]))];
}

// One.

export async function show(id) {
	let letter;
	try {
		letter = await read("dead-letters/" + encodeURIComponent(id));
	} catch (error) {
		report(error);
		return;
	}
	shown = id;
	$("letter-title").textContent = "Dead letter " + id;
	fill("letter-content", members([["Kind", letter.kind], ["Queue", letter.queue],
		["Event type", letter.event_type], ["Source", letter.source],
		["Event id", letter.event_id], ["Destination", letter.destination], ["Why", letter.why],
		["Reason", letter.reason], ["Path", letter.path],
		["Attempts", letter.attempts + ", interrupted " + letter.interrupted + ", replayed " +
			letter.replays],
		["Held", letter.held ? "later events with its key wait for it" : ""],
		["Accepted", letter.created], ["Dead since", letter.dead],
		["Content type", letter.content_type]]), ...attributes(letter),
	el("h3", {}, "Payload, " + number(letter.data_bytes) + " bytes" +
		(letter.is_cut ? ", of which the beginning is shown" : "")), ...payload(letter));
	if (!$("letter").open)
		$("letter").showModal();
	$("letter-title").focus();
}

// Actions.

const VERBS = {replay: ["Replay", "replayed", "Replayed"], drop: ["Drop", "dropped", "Dropped"]};

// As many requests as it takes. What dies again meanwhile is left alone.
async function repeat(action, selection, isStopped) {
	let count = 0;
	for (;;) {
		const done = await act(action, selection);
		count += done.count;
		if (!done.more || isStopped())
			return count;
		$("confirm-progress").textContent = number(count) + " so far";
	}
}

function confirmed(action, dry) {
	const [title, done] = VERBS[action];
	const dialog = $("confirm");
	$("confirm-title").textContent = title + "?";
	$("confirm-text").textContent = plural(dry.count, dry.more) + " would be " + done + "." +
		(action === "drop" ? " They cannot be brought back." : "");
	$("confirm-progress").textContent = "";
	$("confirm-yes").textContent = title;
	$("confirm-yes").disabled = dry.count === 0;
	dialog.showModal();
	$("confirm-title").focus();
	return new Promise((resolve) => {
		const end = (value) => {
			$("confirm-yes").onclick = $("confirm-no").onclick = dialog.oncancel = null;
			resolve(value);
		};
		$("confirm-yes").onclick = () => end(true);
		$("confirm-no").onclick = () => end(false);
		dialog.oncancel = () => end(false);
	});
}

async function ask(action, selection) {
	const dialog = $("confirm");
	let isStopped = false;
	try {
		const dry = await act(action, {...selection, dry_run: true});
		if (!await confirmed(action, dry))
			return;
		$("confirm-yes").disabled = true;
		$("confirm-no").onclick = dialog.oncancel = () => {
			isStopped = true;
		};
		const count = await repeat(action, selection, () => isStopped);
		say(VERBS[action][2] + " " + plural(count, false) + ".");
		$("letter").close();
	} catch (error) {
		report(error);
	} finally {
		dialog.close();
	}
	await load(null).catch(report);
}

const one = (action) => ask(action, {id: shown});

const all = (action) => ask(action, {...filter, all: true, to_ms: Date.now() + 1});

function readFilter() {
	filter = Object.fromEntries([...new FormData($("filter"))].filter(([, value]) => value !== ""));
}

export function start(onError) {
	report = onError;
	$("filter").addEventListener("submit", (event) => {
		event.preventDefault();
		readFilter();
		load(null).catch(report);
	});
	$("filter").addEventListener("reset", () => {
		filter = {};
		load(null).catch(report);
	});
	$("first-page").onclick = () => load(null).catch(report);
	$("next-page").onclick = () => load(next).catch(report);
	$("replay-all").onclick = () => all("replay");
	$("drop-all").onclick = () => all("drop");
	$("letter-replay").onclick = () => one("replay");
	$("letter-drop").onclick = () => one("drop");
	$("letter-close").onclick = () => $("letter").close();
}

export function setReadOnly(isReadOnly) {
	for (const id of ["bulk", "letter-replay", "letter-drop"])
		$(id).hidden = isReadOnly;
}
