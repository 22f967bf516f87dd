// Reads requests with the CloudEvents SDK for JavaScript; sdks.py describes the lines.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { HTTP } = createRequire(process.cwd() + "/")("cloudevents");

function dataOf(event) {
	if (event.data_base64 !== undefined)
		return { base64: event.data_base64 };
	if (event.data === undefined)
		return null;
	if (event.data instanceof Uint8Array)
		return { base64: Buffer.from(event.data).toString("base64") };
	return { value: event.data };
}

function describe(event) {
	const { data, data_base64, ...attributes } = event.toJSON();
	return { attributes, data: dataOf(event) };
}

// Frameworks give text as a string, and other bodies as bytes.
function bodyOf(request) {
	const bytes = Buffer.from(request.body_base64, "base64");
	const type = request.headers["content-type"] ?? "";
	return /json|text|xml/i.test(type) ? bytes.toString("utf8") : bytes;
}

for await (const line of createInterface({ input: process.stdin })) {
	const request = JSON.parse(line);
	const answer = { case: request.case, mode: request.mode };
	try {
		const found = HTTP.toEvent({ headers: request.headers, body: bodyOf(request) });
		answer.events = (Array.isArray(found) ? found : [found]).map(describe);
	} catch (error) {
		answer.error = String(error);
	}
	console.log(JSON.stringify(answer));
}
