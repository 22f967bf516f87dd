// Dead letters: pages of them, one with its payload, replay and drop.

import {act, read} from "./api.js";
import {$, age, el, empty, fill, members, number, plural, say, table} from "./dom.js";

const PAGE = 50;

let filter = {};
let listed = {filter: {}, after: null, next: null, count: 0}; // the page that is shown
let shown = null; // the id of the one that is open
let loads = 0; // an answer that comes after a later question is dropped
let shows = 0; // likewise
let sessions = 0; // likewise: a sign-out ends what was asked before
let isAsking = false; // an action has begun, and has not ended
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

// What the buttons do is about the list that is shown, so they wait while another one is read.
function enable(isReading) {
	$("replay-all").disabled = $("drop-all").disabled = isReading || listed.count === 0;
	$("next-page").disabled = isReading || !listed.next;
	$("first-page").disabled = isReading || !listed.after;
}

function showPage() {
	fill("letters", listed.count === 0 ? empty("There are no such dead letters.")
		: table("Dead letters, the oldest first", [["Type or destination", ""],
			["Event id", "text wide"], ["Why", ""], ["Reason", "text"], ["Attempts", "number wide"],
			["Dead for", "number"]], listed.letters.map(row)));
}

export async function load(after) {
	const mine = ++loads;
	const asked = filter;
	const query = new URLSearchParams({...asked, limit: PAGE, ...after ? {after} : {}});
	enable(true);
	try {
		const {letters, next} = await read("dead-letters?" + query);
		if (mine !== loads)
			return;
		listed = {filter: asked, after, next, letters, count: letters.length};
		showPage();
	} catch (error) {
		if (mine === loads)
			report(error);
	}
	if (mine === loads)
		enable(false);
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
	if (letter.is_cut && letter.offset >= bytes.length)
		return [el("p", {class: "quiet"}, "The place, byte " + number(letter.offset) +
			", is behind what is shown."), pre(letter.data)];
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
	const mine = ++shows;
	let letter;
	try {
		letter = await read("dead-letters/" + encodeURIComponent(id));
	} catch (error) {
		if (mine === shows)
			report(error);
		return;
	}
	if (mine !== shows)
		return;
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

// What stops an action, and wakes one that waits.
function stopper() {
	const one = {isStopped: false, stop: () => {}};
	one.stopped = new Promise((resolve) => {
		one.stop = () => {
			one.isStopped = true;
			resolve();
		};
	});
	return one;
}

const progress = (count, more) => {
	$("confirm-progress").textContent = number(count) + " so far" + more;
};

// A program that is busy says when to ask again.
async function actPatiently(action, selection, count, stopping) {
	while (!stopping.isStopped)
		try {
			return await act(action, selection);
		} catch (error) {
			if (!error.wait)
				throw error;
			progress(count, ", waiting for " + error.wait + " s: " + error.message);
			await Promise.race([stopping.stopped,
				new Promise((resolve) => setTimeout(resolve, error.wait * 1000))]);
		}
	return {count: 0, more: false};
}

// As many requests as it takes. What dies again meanwhile is left alone. How many were done is
// known after an error, too.
async function repeat(action, selection, stopping) {
	let count = 0;
	try {
		for (;;) {
			const done = await actPatiently(action, selection, count, stopping);
			count += done.count;
			if (!done.more || stopping.isStopped)
				return {count};
			progress(count, "");
		}
	} catch (error) {
		return {count, error};
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
	$("confirm-no").textContent = "Cancel";
	dialog.showModal();
	$("confirm-title").focus();
	return new Promise((resolve) => {
		const end = (value) => {
			$("confirm-yes").onclick = $("confirm-no").onclick = null;
			dialog.oncancel = dialog.onclose = null;
			resolve(value);
		};
		$("confirm-yes").onclick = () => end(true);
		$("confirm-no").onclick = () => end(false);
		dialog.oncancel = () => end(false); // by Escape, before it closes
		dialog.onclose = () => dialog.open || end(false); // such as by a sign-out
	});
}

// Escape stops it as well; the dialog stays open until the last answer has come.
function beginStopping() {
	const stopping = stopper();
	const stop = () => {
		stopping.stop();
		$("confirm-no").disabled = true;
	};
	$("confirm-yes").disabled = true;
	$("confirm-no").textContent = "Stop";
	$("confirm-no").onclick = stop;
	$("confirm").oncancel = (event) => {
		event.preventDefault();
		stop();
	};
	$("confirm").onclose = () => $("confirm").open || stop();
	return stopping;
}

function tell(action, {count, error}) {
	if (!error || count > 0)
		say(VERBS[action][2] + " " + plural(count, false) + (error ? ", then: " + error.message : "."));
	if (error && (count === 0 || error.status === 401))
		report(error);
	if (!error)
		$("letter").close();
}

async function run(action, selection, isOver) {
	const dry = await act(action, {...selection, dry_run: true});
	if (isOver() || !await confirmed(action, dry))
		return false;
	// What the program has counted, by its own clock.
	const bounded = dry.to_ms === undefined ? selection : {...selection, to_ms: dry.to_ms};
	tell(action, await repeat(action, bounded, beginStopping()));
	return true;
}

// One at a time: the dialog belongs to it.
async function ask(action, selection) {
	if (isAsking)
		return;
	isAsking = true;
	const mine = sessions;
	const isOver = () => mine !== sessions;
	let isDone = false;
	try {
		isDone = await run(action, selection, isOver);
	} catch (error) {
		if (!isOver())
			report(error);
	} finally {
		isAsking = $("confirm-no").disabled = false;
		$("confirm").oncancel = $("confirm").onclose = null;
		$("confirm").close();
	}
	if (isDone && !isOver())
		await load(null);
}

const one = (action) => ask(action, {id: shown});

const all = (action) => ask(action, {...listed.filter, all: true});

function readFilter() {
	filter = Object.fromEntries([...new FormData($("filter"))].filter(([, value]) => value !== ""));
}

export function start(onError) {
	report = onError;
	$("filter").addEventListener("submit", (event) => {
		event.preventDefault();
		readFilter();
		load(null);
	});
	$("filter").addEventListener("reset", () => {
		filter = {};
		load(null);
	});
	$("first-page").onclick = () => load(null);
	$("next-page").onclick = () => load(listed.next);
	$("replay-all").onclick = () => all("replay");
	$("drop-all").onclick = () => all("drop");
	$("letter-replay").onclick = () => one("replay");
	$("letter-drop").onclick = () => one("drop");
	$("letter-close").onclick = () => $("letter").close();
}

// After a sign-out nothing of them is in the page, whatever comes late.
export function forget() {
	loads++;
	shows++;
	sessions++;
	fill("letters");
	fill("letter-content");
}

export function setReadOnly(isReadOnly) {
	for (const id of ["bulk", "letter-replay", "letter-drop"])
		$(id).hidden = isReadOnly;
}
