// The page: signing in, the views, and reading the state again and again.

import {read, token} from "./api.js";
import {$, el, fill, say} from "./dom.js";
import * as letters from "./letters.js";
import * as overview from "./overview.js";
import {showBrokers, showDeliveries, showQueues, showStore} from "./queues.js";

const POLL_MS = 2000;

let service = null;
let views = [];
let view = null;
let timer = null;
let isPaused = false;
let session = 0; // answers to requests of an earlier one are dropped
let polls = 0; // likewise
let needsQueues = false; // the overview does

// What goes wrong.

function report(error) {
	if (error.status === 401)
		signOut("The token is wrong.");
	else if (!service)
		$("token-error").textContent = error.message;
	else
		say(error.message);
}

// Views.

const VIEWS = [
	["overview", "Overview", () => true],
	["pipeline", "Pipeline", (parts) => parts.includes("service")],
	["queues", "Queues", (parts) => parts.includes("store")],
	["dead-letters", "Dead letters", (parts) => parts.includes("store")],
	["deliveries", "Deliveries", (parts) => parts.includes("deliverer")],
	["brokers", "Brokers", (parts) => parts.includes("consumers") || parts.includes("producers")],
];

function chooseView() {
	const wanted = location.hash.slice(1);
	if (wanted === "main")
		return;
	const isNew = view !== null;
	view = views.some(([id]) => id === wanted) ? wanted : "overview";
	for (const [id] of VIEWS)
		$(id).hidden = id !== view;
	for (const link of $("nav").querySelectorAll("a")) {
		if (link.hash === "#" + view)
			link.setAttribute("aria-current", "page");
		else
			link.removeAttribute("aria-current");
	}
	document.title = views.find(([id]) => id === view)[1] + " – " + service.name;
	if (isNew)
		$("main").focus();
	if (view === "dead-letters")
		letters.load(null);
	poll();
}

// Reading.

async function readAll(isLate) {
	const [state, queues] = await Promise.all([read("state"),
		view === "queues" || view === "overview" && needsQueues ? read("queues") : null]);
	if (isLate())
		return;
	// A program that runs no events does not count in the background.
	needsQueues = Boolean(state.store) && !state.store.is_counted;
	overview.add(state);
	overview.show(queues);
	if (state.store)
		showStore(state.store);
	if (queues)
		showQueues(queues, state);
	if (state.deliverer)
		showDeliveries(state);
	if (state.consumers)
		showBrokers(state);
	$("connection").textContent = "Version " + service.version + ", read at " +
		new Date(state.time).toLocaleTimeString();
}

async function poll() {
	const mine = session;
	const number = ++polls;
	const isLate = () => mine !== session || number !== polls;
	clearTimeout(timer);
	if (!service || document.hidden || isPaused)
		return;
	try {
		await readAll(isLate);
	} catch (error) {
		if (isLate())
			return;
		$("connection").textContent = error.message;
		if (error.status === 401)
			report(error);
	}
	if (!isLate())
		timer = setTimeout(poll, POLL_MS);
}

// Sessions.

function showSession(isOn) {
	$("sign-in").hidden = isOn;
	$("nav").hidden = $("session").hidden = !isOn;
	if (isOn)
		return;
	for (const [id] of VIEWS)
		$(id).hidden = true;
	$("title").textContent = document.title = "Dashboard";
	$("connection").textContent = "";
	$("token").focus();
}

function signOut(message) {
	session++;
	clearTimeout(timer);
	token.remove();
	overview.forget();
	service = view = null;
	for (const dialog of document.querySelectorAll("dialog"))
		dialog.close();
	letters.forget();
	showSession(false);
	$("token-error").textContent = message;
}

async function signIn() {
	const mine = ++session;
	try {
		const answer = await read("service");
		if (mine !== session)
			return;
		service = answer;
	} catch (error) {
		token.remove();
		showSession(false);
		$("token-error").textContent = error.message;
		return;
	}
	$("token-error").textContent = "";
	$("title").textContent = service.name;
	views = VIEWS.filter(([, , isThere]) => isThere(service.parts));
	fill("nav", el("ul", {}, ...views.map(([id, title]) =>
		el("li", {}, el("a", {href: "#" + id}, title)))));
	overview.showPipeline(service);
	letters.setReadOnly(service.read_only);
	showSession(true);
	chooseView();
}

$("token-form").addEventListener("submit", (event) => {
	event.preventDefault();
	token.set($("token").value.trim());
	$("token").value = "";
	signIn();
});
$("leave").onclick = () => signOut("");
$("pause").onclick = () => {
	isPaused = !isPaused;
	$("pause").setAttribute("aria-pressed", isPaused);
	poll();
};
addEventListener("hashchange", () => service && chooseView());
document.addEventListener("visibilitychange", poll);
letters.start(report);
if (token.get())
	signIn();
else
	showSession(false);
