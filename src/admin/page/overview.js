// Rates and durations of routes, from the differences of two answers; the pipeline of each.

import {age, duration, el, empty, figures, fill, rate, refresh, table} from "./dom.js";

const KEPT = 60; // samples, of which the line of a route is drawn
const WINDOW_MS = 30000; // of rates and durations

let samples = [];

const VERDICTS = ["done", "retry", "fail", "invalid", "unauthorized", "unknown", "ignored"];
const total = (route) => VERDICTS.reduce((sum, name) => sum + route[name], 0);
const stored = (route) => route.accepted + route.duplicates;
const failed = (route) => route.fail + route.invalid + route.unauthorized + route.unknown;

export function forget() {
	samples = [];
}

export function add(state) {
	const last = samples.at(-1);
	// A program that was started again counts from zero.
	if (last && (state.began !== last.began || state.clock_ms < last.clock_ms || (state.routes ?? []).length !==
			(last.routes ?? []).length || (state.routes ?? []).some((route, index) =>
			total(route) < total(last.routes[index]))))
		forget();
	samples.push(state);
	if (samples.length > KEPT)
		samples.shift();
}

// The first sample of the window.
function before() {
	const last = samples.at(-1);
	return samples.find((sample) => last.clock_ms - sample.clock_ms <= WINDOW_MS);
}

function perSecond(from, to, count) {
	const ms = to.clock_ms - from.clock_ms;
	return ms > 0 ? (count(to) - count(from)) * 1000 / ms : null;
}

// The duration that a part of the events did not exceed, by the bounds of the histogram, and whether
// it is longer than that, the last bound.
function quantile(bounds, from, to, part) {
	const counts = to.map((count, index) => count - from[index]);
	const all = counts.reduce((sum, count) => sum + count, 0);
	let left = all * part;
	if (all === 0)
		return [null, false];
	for (let i = 0; i < bounds.length; i++) {
		const low = i > 0 ? bounds[i - 1] : 0;
		if (left <= counts[i])
			return [low + (bounds[i] - low) * (counts[i] > 0 ? left / counts[i] : 0), false];
		left -= counts[i];
	}
	return [bounds.at(-1), true];
}

const SVG = "http://www.w3.org/2000/svg";

function spark(index) {
	const rates = samples.slice(1).map((sample, i) =>
		perSecond(samples[i], sample, (of) => total(of.routes[index])) ?? 0);
	const most = Math.max(...rates, 1);
	const svg = document.createElementNS(SVG, "svg");
	const path = document.createElementNS(SVG, "path");
	svg.setAttribute("viewBox", "0 0 " + (KEPT - 2) + " 20");
	svg.setAttribute("preserveAspectRatio", "none");
	svg.setAttribute("class", "spark");
	svg.setAttribute("aria-hidden", "true");
	path.setAttribute("vector-effect", "non-scaling-stroke");
	path.setAttribute("d", rates.map((value, i) => (i === 0 ? "M" : "L") +
		(KEPT - 1 - rates.length + i) + " " + (19 - 18 * value / most)).join(""));
	svg.append(path);
	return svg;
}

const nameOf = (route) => (route.event_type === null ? "(no route)"
	: (route.event_type === "*" ? "any other" : route.event_type) +
		(route.version ? " " + route.version : ""));

function routeRow(state, from, index) {
	const route = state.routes[index];
	const old = from.routes[index];
	const at = (part) => {
		const [us, isLonger] = quantile(state.bounds_us, old.durations.counts,
			route.durations.counts, part);
		return (isLonger ? "> " : "") + duration(us);
	};
	return [nameOf(route), rate(perSecond(from, state, (of) => total(of.routes[index]))),
		spark(index), at(0.5), at(0.95), at(0.99), route.done, route.retry, route.fail,
		route.invalid + route.unauthorized + route.unknown, route.accepted];
}

const COLUMNS = [["Event type", ""], ["Events/s", "number"], ["Last two minutes", "wide"],
	["p50", "number"], ["p95", "number"], ["p99", "number wide"], ["Done", "number"],
	["Retried", "number"], ["Failed", "number"], ["Refused", "number"], ["Stored", "number wide"]];

function problems(state) {
	const found = [];
	if (state.store?.problem)
		found.push("The store: " + state.store.problem);
	for (const broker of [...state.consumers ?? [], ...state.producers ?? []])
		if (broker.problem)
			found.push(broker.name + ": " + broker.problem);
	return found.map((problem) => el("p", {class: "problem"}, problem));
}

function sum(state, count) {
	return (state.routes ?? []).reduce((all, route) => all + count(route), 0);
}

// What is in the store, of the program's own count or of the rows of all queues.
function backlog(state, queues) {
	const {store} = state;
	if (store?.is_counted)
		return {ready: store.events.ready.count, age_ms: store.events.ready.oldest_age_ms,
			dead: store.events.dead.count + store.deliveries.dead.count};
	if (!queues)
		return null;
	const count = (rows) => rows.reduce((all, row) => all + row.count, 0);
	const ready = queues.rows.filter((row) => row.kind === "event" && row.state === "ready");
	return {ready: count(ready), dead: count(queues.rows.filter((row) => row.state === "dead")),
		age_ms: Math.max(0, ...ready.map((row) => Date.parse(state.time) - Date.parse(row.oldest)))};
}

export function show(queues) {
	const state = samples.at(-1);
	const from = before();
	const store = state.store;
	const waiting = backlog(state, queues);
	refresh("problems", ...problems(state));
	fill("figures", ...figures([
		...state.routes ? [["Events/s", rate(perSecond(from, state, (of) => sum(of, total)))],
			["Failures/s", rate(perSecond(from, state, (of) => sum(of, failed)))]] : [],
		...state.routes && store ? [["Stored/s",
			rate(perSecond(from, state, (of) => sum(of, stored)))]] : [],
		...store ? [["Running", store.running]] : [],
		...waiting ? [["Ready", waiting.ready], ["Oldest ready", age(waiting.age_ms)],
			["Dead letters", waiting.dead]] : [],
		...state.server ? [["Connections", state.server.connections],
			["Responses 5xx", state.server.responses_5xx]] : [],
		...state.pool ? [["Pool: queued", state.pool.queued], ["Pool: running", state.pool.running]]
			: [],
	]));
	if (state.routes)
		refresh("routes", table("Routes; rates and durations of the last 30 s", COLUMNS,
			state.routes.map((route, index) => routeRow(state, from, index))));
}

// The pipeline.

function step(one) {
	const {step: name, ...rest} = one;
	const what = Object.entries(rest).map(([key, value]) => (key === "schema" ? "struct " + value
		: key === "handler" ? value : key + " " + [value].flat().join(", "))).join("; ");
	return el("li", {}, el("span", {class: "step"}, el("b", {}, name), what));
}

const way = (route) => el("div", {class: "way"},
	el("h3", {}, (route.event_type === "*" ? "any other event" : route.event_type) +
		(route.version === null ? "" : route.version === "" ? ", without version"
			: ", version " + route.version)),
	...route.doc ? [el("p", {class: "quiet"}, route.doc)] : [],
	el("ol", {class: "steps"}, ...route.steps.map(step)));

export function showPipeline(service) {
	const pipeline = service.pipeline;
	if (!pipeline)
		return;
	const ways = pipeline.routes.map(way);
	fill("ways", ...ways.length > 0 ? ways : [empty("The service has no routes.")],
		el("p", {}, "Events without a route are " + (pipeline.unknown === "ignore" ? "ignored."
			: "refused.")));
}
