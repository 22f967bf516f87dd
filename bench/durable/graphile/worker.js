// graphile-worker on PostgreSQL. The commands are those of bench/durable/go/peer/peer.go. Variants:
//
//	defaults  concurrency 5 and a poll each second, as in its documentation
//	tuned     24 jobs at a time, a local queue of 500, completions in batches
import { createInterface } from "node:readline";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";

const variants = {
	defaults: { concurrency: 5, pollInterval: 1000 },
	tuned: {
		preset: {
			worker: {
				concurrentJobs: 24,
				maxPoolSize: 25,
				localQueue: { size: 500 },
				completeJobBatchDelay: 0,
				failJobBatchDelay: 0,
			},
		},
	},
};

const [variant, connectionString, eventFile] = process.argv.slice(2);
const event = JSON.parse(readFileSync(eventFile, "utf8"));
const logger = new Logger(() => (level, message) => {
	if (level === "error") process.stderr.write(`graphile-worker: ${message}\n`);
});
const pool = new pg.Pool({ connectionString });
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();

function check(payload) {
	if (payload.payload.user_id !== "12345") throw new Error("the event has changed");
}

async function insert(count, batch) {
	for (; count > 0; count -= batch) {
		const size = Math.min(batch, count);
		if (size === 1) await utils.addJob("event", event);
		else
			await utils.addJobs(
				Array.from({ length: size }, () => ({ identifier: "event", payload: event })),
			);
	}
}

async function unfinished() {
	const { rows } = await pool.query("SELECT count(*)::int FROM graphile_worker._private_jobs");
	return rows[0].count;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function work(count, add) {
	let runs = 0;
	let reach;
	const reached = new Promise((resolve) => (reach = resolve));
	const runner = await run({
		...variants[variant],
		connectionString,
		logger,
		noHandleSignals: true,
		taskList: {
			event: async (payload) => {
				check(payload);
				if (++runs === count) reach();
			},
		},
	});
	await add();
	await reached;
	while ((await unfinished()) > 0) await pause(5);
	await runner.stop();
}

// 202 when an event is stored.
function serve() {
	const server = createServer((request, response) => {
		const chunks = [];
		request.on("data", (chunk) => chunks.push(chunk));
		request.on("end", async () => {
			let status = 202;
			try {
				const payload = JSON.parse(Buffer.concat(chunks).toString());
				check(payload);
				await utils.addJob("event", payload);
			} catch (error) {
				status = error instanceof SyntaxError ? 400 : 503;
			}
			const body = JSON.stringify(
				status === 202 ? { status: "accepted" } : { error: "not stored" },
			);
			response.writeHead(status, {
				"Content-Type": "application/json",
				"Content-Length": body.length,
			});
			response.end(body);
		});
	});
	return new Promise((resolve) =>
		server.listen(0, "127.0.0.1", () => resolve(server.address().port)),
	);
}

async function answer(line) {
	const [command, count, batch] = line.split(" ");
	const start = process.hrtime.bigint();
	const seconds = () => Number(process.hrtime.bigint() - start) / 1e9;
	if (command === "insert") await insert(+count, +batch);
	else if (command === "work") await work(+count, async () => {});
	else if (command === "flow") await work(+count, () => insert(+count, +batch));
	else if (command === "clear")
		await pool.query("TRUNCATE graphile_worker._private_jobs");
	else if (command === "serve") return `${await serve()} 0`;
	else throw new Error(`no command ${command}`);
	return `${command === "clear" ? 0 : count} ${seconds()}`;
}

for await (const line of createInterface({ input: process.stdin })) console.log(await answer(line));
process.exit(0);
