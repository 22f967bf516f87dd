// Requests to the API, with the token, which is kept in this tab only.

const KEY = "herald-token";

export const token = {
	get: () => sessionStorage.getItem(KEY),
	set: (value) => sessionStorage.setItem(KEY, value),
	remove: () => sessionStorage.removeItem(KEY),
};

export class Refusal extends Error {
	// wait: seconds after which the same request may succeed; 0: it will not.
	constructor(status, message, wait = 0) {
		super(message);
		this.status = status;
		this.wait = wait;
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
		throw new Refusal(response.status, answer.error ?? "The answer is " + response.status + ".",
			Number(response.headers.get("Retry-After")) || 0);
	return answer;
}

const READS = 5; // tries, if the program is busy

export async function read(path) {
	for (let tries = 1;; tries++)
		try {
			return await ask(path, {method: "GET"});
		} catch (error) {
			if (error.status !== 503 || !error.wait || tries === READS)
				throw error;
			await new Promise((resolve) => setTimeout(resolve, error.wait * 1000));
		}
}

export const act = (action, body) => ask("dead-letters/" + action, {
	method: "POST",
	headers: {"Content-Type": "application/json"},
	body: JSON.stringify(body),
});
