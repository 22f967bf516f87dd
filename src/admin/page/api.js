// Requests to the API, with the token, which is kept in this tab only.

const KEY = "herald-token";

export const token = {
	get: () => sessionStorage.getItem(KEY),
	set: (value) => sessionStorage.setItem(KEY, value),
	remove: () => sessionStorage.removeItem(KEY),
};

export class Refusal extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

async function ask(path, options) {
	const response = await fetch("api/" + path, {
		...options,
		headers: {...options.headers, Authorization: "Bearer " + (token.get() ?? "")},
		cache: "no-store",
		credentials: "omit",
		redirect: "error",
	}).catch(() => {
		throw new Refusal(0, "The program does not answer.");
	});
	const answer = await response.json().catch(() => ({}));
	if (!response.ok)
		throw new Refusal(response.status, answer.error ?? "The answer is " + response.status + ".");
	return answer;
}

export const read = (path) => ask(path, {method: "GET"});

export const act = (action, body) => ask("dead-letters/" + action, {
	method: "POST",
	headers: {"Content-Type": "application/json"},
	body: JSON.stringify(body),
});
