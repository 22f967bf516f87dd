"""durable: queues that keep events in SQLite or PostgreSQL, by the CPU time of client and server.

Each queue is a process that stays alive. If it uses PostgreSQL, it has a server of its own, so that
its vacuum and its checkpoints are charged to it. The commands are in durable/go/peer/peer.go.
"""

import copy
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import documents
import peers
import postgres
import serving
import storing_herald

CONNECTIONS = 64
BATCH = 256
# Events of a round: as many as a queue takes in this time, by its first round.
SECONDS, QUICK_SECONDS = 1.0, 0.2
FEWEST, MOST = 64, 100_000
ROUNDS = 5


@dataclass
class Result:
    """What was measured of one queue in one case; a round is one of each list."""

    bench: str
    case: str
    peer: str
    store: str
    client_us: list = field(default_factory=list)
    server_us: list = field(default_factory=list)
    rates: list = field(default_factory=list)
    p50_us: list = field(default_factory=list)
    p99_us: list = field(default_factory=list)

    def add(self, used, events, seconds, p50_us=None, p99_us=None):
        client_us, server_us = used
        self.client_us.append(client_us / events)
        self.server_us.append(server_us / events)
        self.rates.append(events / seconds)
        if p50_us is not None:
            self.p50_us.append(p50_us)
            self.p99_us.append(p99_us)

    @property
    def cpu_us(self):
        return [client + server for client, server in zip(self.client_us, self.server_us)]

    def shape(self):
        def middle(values, digits):
            return round(median(values), digits) if values else None

        def ends(values, digits):
            return [round(min(values), digits), round(max(values), digits)] if values else None

        return {
            "bench": self.bench,
            "case": self.case,
            "peer": self.peer,
            "store": self.store,
            "cpu_us_per_event": middle(self.cpu_us, 2),
            "cpu_us_range": ends(self.cpu_us, 2),
            "client_us_per_event": middle(self.client_us, 2),
            "client_us_range": ends(self.client_us, 2),
            "server_us_per_event": middle(self.server_us, 2),
            "events_per_s": middle(self.rates, 0),
            "events_per_s_range": ends(self.rates, 0),
            "p50_us": middle(self.p50_us, 0),
            "p99_us": middle(self.p99_us, 0),
        }


# --- The queues -----------------------------------------------------------------------------------


def go_queue(name, variant):
    def make(_):
        environment = {}
        program = peers.go_program(name, "durable/go")
        if name == "goqite":
            environment["GOQITE_SCHEMA"] = str(
                peers.go_module("maragu.dev/goqite", "durable/go") / "schema_sqlite.sql")
        return [program, variant], environment
    return make


def graphile(variant):
    return lambda _: (["node", graphile_folder() / "worker.js", variant], {})


def graphile_folder():
    """npm's packages go to the build folder, with the program that imports them."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            raise peers.Missing(f"{tool} is not here (Debian: nodejs, npm)")
    source, target = peers.HERE / "durable" / "graphile", peers.build_folder("graphile")
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.name != "node_modules":
            shutil.copy(path, target)
    peers.build_once(["npm", "ci", "--no-progress"], target)
    return target


def herald(database, needs):
    return lambda build: ([peers.c_program(build, f"queue_herald_{database}", needs)], {})


# {name: (the database, what makes the command)}
QUEUES = {
    "herald sqlite": ("sqlite", herald("sqlite", "libsqlite3-dev")),
    "herald postgres": ("postgres", herald("postgres", "libpq-dev")),
    "goqite": ("sqlite", go_queue("goqite", "defaults")),
    "goqite tuned": ("sqlite", go_queue("goqite", "tuned")),
    "backlite": ("sqlite", go_queue("backlite", "defaults")),
    "backlite tuned": ("sqlite", go_queue("backlite", "tuned")),
    "river sqlite": ("sqlite", go_queue("river", "sqlite")),
    "river sqlite tuned": ("sqlite", go_queue("river", "sqlite-tuned")),
    "river postgres": ("postgres", go_queue("river", "postgres")),
    "river postgres tuned": ("postgres", go_queue("river", "postgres-tuned")),
    "watermill offset": ("postgres", go_queue("watermill", "offset")),
    "watermill queue": ("postgres", go_queue("watermill", "queue")),
    "watermill queue tuned": ("postgres", go_queue("watermill", "tuned")),
    "graphile": ("postgres", graphile("defaults")),
    "graphile tuned": ("postgres", graphile("tuned")),
}


class Queue:
    """A queue's process, its database, and the commands that it takes."""

    def __init__(self, name, made, folder, server):
        self.name, self.store, self.server = name, QUEUES[name][0], server
        command, environment = made
        path = server.url if server else folder / f"{name.replace(' ', '-')}.db"
        self.command = [*command, path, folder / "event.json"]
        self.environment = {**os.environ, **environment}
        self.process = None
        self.ports = {}
        self.counts = {}
        self.start()

    def start(self):
        self.process = peers.start(self.command, *os.sched_getaffinity(0), env=self.environment)

    def another(self):
        """Another process on the same database."""
        other = copy.copy(self)
        other.start()
        return other

    @property
    def is_ours(self):
        return self.name.startswith("herald")

    def serve(self, command):
        """The port of the queue's server. Herald's ends when it is cleared."""
        if self.is_ours or command not in self.ports:
            self.ports[command], _ = self.ask(command)
        return self.ports[command]

    def used(self):
        """CPU time so far, of the process and of its server."""
        return (postgres.process_cpu_us(self.process.pid),
                self.server.cpu_us() if self.server else 0.0)

    def ask(self, command):
        """Returns what it answers: a count, and seconds."""
        count, seconds = peers.ask(self.process, command).split()
        return int(count), float(seconds)

    def measure(self, command):
        """Returns (CPU time of client and server, events, seconds)."""
        before = self.used()
        events, seconds = self.ask(command)
        return since(before, self.used()), events, seconds

    def count(self, case, measure, options):
        """How many events a round of the case has."""
        if case not in self.counts:
            wanted, count, seconds = QUICK_SECONDS if options.quick else SECONDS, FEWEST, 0
            # A part of the time is the same for any number.
            while seconds < wanted / 2 and count < MOST:
                _, events, seconds = measure(count)
                count = int(min(MOST, max(FEWEST, events * min(8, wanted / seconds))))
            self.counts[case] = count
        return self.counts[case]


def now_s():
    """CLOCK_MONOTONIC, as all processes see it."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def since(before, after):
    return tuple(late - early for early, late in zip(before, after))


def insert(queue, batch):
    def measure(count):
        queue.ask("clear")
        return queue.measure(f"insert {count} {batch}")
    return measure


def work(queue):
    def measure(count):
        queue.ask("clear")
        queue.ask(f"insert {count} {BATCH}")
        return queue.measure(f"work {count}")
    return measure


def flow(queue):
    def measure(count):
        queue.ask("clear")
        return queue.measure(f"flow {count} {BATCH}")
    return measure


# Those that every queue has: {case: what measures `count` events}.
CASES = {
    "insert_1": lambda queue: insert(queue, 1),
    f"insert_{BATCH}": lambda queue: insert(queue, BATCH),
    "work": work,
    "in_done": flow,
}


# --- The cases ------------------------------------------------------------------------------------


def durable(options):
    found, skipped = peers.find(options.build, {name: maker for name, (_, maker) in QUEUES.items()},
                                options.peers)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="herald-bench-")))
        folder.chmod(0o755)
        warn_of_memory(folder)
        (folder / "event.json").write_text(documents.documents()["user_created"])
        queues = start_queues(stack, folder, found, skipped)
        results = []
        for case, run in cases(queues, folder, options).items():
            if serving.wanted(options, case):
                try:
                    results += run()
                except peers.BenchError as error:
                    # What was measured before is not lost.
                    skipped[case] = str(error)
    return results, skipped


def cases(queues, folder, options):
    """{case: what measures it}"""
    compared = {case: functools.partial(in_turns, case, queues, measurer, options)
                for case, measurer in CASES.items()}
    return {**compared,
            f"accept_{CONNECTIONS}": functools.partial(accept, queues, folder, options),
            **storing_herald.cases(queues, options)}


def warn_of_memory(folder):
    done = subprocess.run(["stat", "-f", "-c", "%T", folder], text=True, capture_output=True)
    if done.stdout.strip() == "tmpfs":
        print(f"{folder} is in memory, where a commit costs nothing: set TMPDIR to a disk",
              file=sys.stderr)


def start_queues(stack, folder, found, skipped):
    """Start each on a database of its own. Without PostgreSQL those on it are skipped."""
    queues, template = [], None
    for name, made in found.items():
        server = None
        if QUEUES[name][0] == "postgres":
            try:
                template = template or postgres.Server(folder, "template")
                server = stack.enter_context(
                    postgres.Server(folder, name.replace(" ", "-"), template))
            except peers.Missing as missing:
                skipped[name] = str(missing)
                continue
        queue = Queue(name, made, folder, server)
        stack.callback(peers.stop, queue.process)
        queues.append(queue)
    return queues


def in_turns(case, queues, measurer, options):
    """A round of each queue, then the next round. The first one warms up."""
    results = {queue: Result("durable", case, queue.name, queue.store) for queue in queues}
    for turn in range(options.rounds + 1):
        for queue in queues:
            measure = measurer(queue)
            measured = measure(queue.count(case, measure, options))
            if turn > 0:
                results[queue].add(*measured)
        progress(case, turn, options)
    return list(results.values())


def progress(case, turn, options):
    print(f"durable: {case}, round {turn} of {options.rounds}", file=sys.stderr)


def accept(queues, folder, options):
    """Events over HTTP: each of 64 connections sends one and waits for its 202."""
    case = f"accept_{CONNECTIONS}"
    load = peers.c_program(options.build, "load", "the build")
    results = {}
    for turn in range(options.rounds + 1):
        for queue in queues:
            for name, command, ids in servers(queue):
                queue.ask("clear")
                port = queue.serve(command)
                measured = load_once(queue, [load, ids, port], folder / "event.json", options)
                if turn > 0:
                    results.setdefault(name, Result("durable", case, name, queue.store)).add(
                        *measured)
            # Nothing that it has accepted runs while others are measured.
            queue.ask("clear")
        progress(case, turn, options)
    return list(results.values())


def servers(queue):
    """(name, command, the senders' ids). Herald looks for duplicates, which costs more if ids are
    random. It also runs events at once: so that it only stores, like the others, functions wait."""
    if not queue.is_ours:
        return [(queue.name, "serve", "ordered")]
    return [(queue.name, "serve 1", "ordered"),
            (f"{queue.name}, random ids", "serve 1", "random"),
            (f"{queue.name}, and run", "serve 0", "ordered")]


def load_once(queue, command, event, options):
    seconds = QUICK_SECONDS if options.quick else SECONDS
    process = peers.start([*command, CONNECTIONS, seconds, event], *peers.cores()[1:])
    try:
        if process.stdout.readline() != "begin\n":
            raise peers.BenchError(f"the load generator has failed at {queue.name}")
        before = queue.used()
        events, seconds, p50_us, p99_us = map(float, peers.ask(process, "").split())
        return since(before, queue.used()), events, seconds, p50_us, p99_us
    finally:
        peers.stop(process)
