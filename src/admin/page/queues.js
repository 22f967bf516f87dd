// What is in the store, and what is outside of the process: deliveries and brokers.

import {$, age, duration, el, empty, figures, fill, number, refresh, table} from "./dom.js";

// The program keeps a count for a while; ages go on meanwhile.
export function showQueues(answer, state) {
	const now = Date.parse(state.time);
	const rows = answer.rows.map((row) => [row.event_type || "–", row.kind, row.queue, row.state,
		row.count, row.oldest ? age(now - Date.parse(row.oldest)) : ""]);
	$("counted").textContent = "Counted " + age(now - Date.parse(answer.time)) + " ago.";
	refresh("rows", rows.length === 0 ? empty("The store is empty.")
		: table("Events and deliveries in the store", [["Event type", ""], ["Kind", ""],
			["Queue", ""], ["State", ""], ["Count", "number"], ["Oldest", "number"]], rows));
}

export function showStore(store) {
	fill("store-figures", ...figures([["Running here", store.running],
		["Claimed here", store.claimed], ["Accepted", store.accepted], ["Done", store.done],
		["Retries", store.retries], ["Became dead letters", store.dead],
		["Taken over", store.interrupted], ["Failed commits", store.failures]]));
}

const ATTEMPTS = ["ok", "3xx", "4xx", "5xx", "none"];
const OUTCOMES = ["delivered", "refused", "exhausted", "expired", "left"];

const hostState = (host) => el("span", {class: host.failing > 0 ? "problem" : "good"},
	host.failing > 0 ? "failed " + (host.failing === 1 ? "once" : number(host.failing) + " times") + ": " + host.error : "works");

export function showDeliveries(state) {
	const {deliverer} = state, now = Date.parse(state.time);
	fill("delivery-figures", ...figures([["Pending", deliverer.pending],
		["In flight", deliverer.in_flight], ["Delivered", deliverer.delivered],
		["Failed", deliverer.failed], ["Attempts", deliverer.attempts],
		["Retries", deliverer.retries], ["Not accepted", deliverer.refused]]));
	refresh("hosts", deliverer.hosts.length === 0 ? empty("No host was tried yet.")
		: table("By host, the last one that was tried first", [["Host", ""],
			["State", "text"], ["Last attempt", "number"], ["Took", "number"],
			["Attempts", "number"], ["Delivered", "number"]],
		deliverer.hosts.map((host) => [host.origin, hostState(host),
			age(now - Date.parse(host.ended)) + " ago", duration(host.elapsed_ms * 1000),
			host.attempts, host.delivered])));
	refresh("classes", table("By class of destination",
		[["Class", ""], ...OUTCOMES.map((name) => [name, "number"]),
			...ATTEMPTS.map((name) => ["attempts " + name, "number wide"])],
		Object.entries(deliverer.classes).map(([name, one]) => [name,
			...OUTCOMES.map((key) => one[key]), ...ATTEMPTS.map((key) => one.attempts[key])])));
}

const stateOf = (broker, state) => el("span", {class: broker.problem ? "problem" : "good"},
	broker.problem ? state + ": " + broker.problem : state);

export function showBrokers(state) {
	const {consumers, producers} = state;
	refresh("consumers", consumers.length === 0 ? empty("There are no consumers.")
		: table("Consumers", [["Name", ""], ["State", "text"], ["Received", "number"],
			["Done", "number"], ["Retries", "number"], ["Dead", "number"], ["In flight", "number"],
			["Reconnections", "number wide"]],
		consumers.map((one) => [one.name, stateOf(one, one.state), one.received, one.done,
			one.retries, one.dead, one.in_flight, one.failures])));
	refresh("producers", producers.length === 0 ? empty("There are no producers.")
		: table("Producers", [["Name", ""], ["State", "text"], ["Submitted", "number"],
			["Confirmed", "number"], ["Failed", "number"], ["Pending", "number"]],
		producers.map((one) => [one.name, stateOf(one, one.problem ? "disconnected" : "connected"),
			one.submitted, one.confirmed, one.failed, number(one.pending)])));
}
