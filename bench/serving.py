"""http and callback: servers under load, and clients that call one, by their CPU time."""

import http.client
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import documents
import peers
import report

CONNECTIONS = 64
IDLE_CONNECTIONS = 10000
# They have a thread for each connection, so that nobody holds thousands with them.
THREAD_PER_CONNECTION = ("herald civetweb", "herald ulfius")
DEPTH = 16
# It takes whatever it reads for one request; the others have a thread for each connection, or wait
# for the next request until the answer is sent.
NOT_PIPELINED = ("bare epoll", "herald libevent", *THREAD_PER_CONNECTION)
IN_FLIGHT = (16, 64, 256, 1000)


@dataclass
class Result:
    """What was measured of one peer in one case; a round is one of each list."""

    bench: str
    case: str
    peer: str
    cpu_us: list = field(default_factory=list)
    rates: list = field(default_factory=list)
    p50_us: list = field(default_factory=list)
    p99_us: list = field(default_factory=list)
    user_ticks: int = 0
    ticks: int = 0
    rss_mb: float = 0

    def add(self, before, after, events, seconds, p50_us, p99_us):
        self.cpu_us.append((after.cpu_us - before.cpu_us) / events)
        self.rates.append(events / seconds)
        self.p50_us.append(p50_us)
        self.p99_us.append(p99_us)
        self.user_ticks += after.user_ticks - before.user_ticks
        self.ticks += after.ticks - before.ticks

    @property
    def cost(self):
        return median(self.cpu_us) if self.cpu_us else None

    @property
    def spread(self):
        return report.spread(self.cpu_us)

    def shape(self):
        def middle(values, digits):
            return round(median(values), digits) if values else None

        # The share of user time is sampled by the kernel: over all rounds it is exact enough.
        user_us = self.cost * self.user_ticks / self.ticks if self.ticks else None
        return {
            "bench": self.bench,
            "case": self.case,
            "peer": self.peer,
            "cpu_us_per_event": middle(self.cpu_us, 3),
            "user_us_per_event": None if user_us is None else round(user_us, 3),
            "events_per_s": middle(self.rates, 0),
            "p50_us": middle(self.p50_us, 1),
            "p99_us": middle(self.p99_us, 1),
            "rss_mb": round(self.rss_mb, 1),
        }


class Usage:
    """A process's CPU time so far: exact in sum, and in ticks of user and of all."""

    def __init__(self, pid):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        self.cpu_us = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1000
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        self.user_ticks = int(fields[11])
        self.ticks = int(fields[11]) + int(fields[12])


def rss_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise peers.BenchError(f"process {pid} has ended")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def start_server(command, *arguments, cores=None):
    """Start it on its core. Returns the process and its port once it listens."""
    port = free_port()
    process = peers.start([*command, port, *arguments], *(cores or peers.cores()[:1]),
                          env={**os.environ, "GOMAXPROCS": "1",
                               "PATH": os.environ["PATH"] + ":/usr/sbin"})
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, port
        except OSError:
            time.sleep(0.01)
        if process.poll() is not None:
            break
    peers.stop(process)
    raise peers.BenchError(f"{command[0]} does not listen")


def post(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/event", body.encode(), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def prove_server(name, port):
    """It answers as all do; and those that decode refuse what is wrong."""
    event = documents.documents()["user_created"]
    status, text = post(port, event)
    if status != 200 or text.replace(" ", "").strip() != '{"status":"success"}':
        raise peers.BenchError(f"{name} answers {status} {text!r}")
    if name.startswith("bare"):
        return
    for wrong in (event.replace("T05:21:19", "T05:61:19"), event.replace('"12345"', "12345")):
        status, _ = post(port, wrong)
        if status < 400:
            raise peers.BenchError(f"{name} takes {wrong}")


def http_bench(options):
    found, skipped = peers.find(options.build, peers.SERVERS, options.peers)
    load = peers.c_program(options.build, "load", "the build")
    body = options.build / "event.json"
    body.write_text(documents.documents()["user_created"], encoding="utf-8")
    results = []
    if wanted(options, f"connections_{CONNECTIONS}"):
        results += load_servers(f"connections_{CONNECTIONS}", found, [load, body], options)
    if wanted(options, f"pipelined_{DEPTH}"):
        pipelined = {name: command for name, command in found.items()
                     if name not in NOT_PIPELINED}
        results += load_servers(f"pipelined_{DEPTH}", pipelined, [load, body, DEPTH], options)
    if wanted(options, "loops_2") and "herald door" in found:
        results += load_loops(found["herald door"], [load, body], options)
    if wanted(options, f"idle_{IDLE_CONNECTIONS}"):
        results += [hold_idle(name, command, load, body) for name, command in found.items()
                    if name not in THREAD_PER_CONNECTION]
    return results, skipped


def wanted(options, case):
    return not options.cases or case in options.cases


def load_servers(case, found, load, options):
    servers = {}
    try:
        for name, command in found.items():
            servers[name] = start_server(command)
            prove_server(name, servers[name][1])
        return load_in_turns(case, servers, load, peers.cores()[1:], options)
    finally:
        for process, _ in servers.values():
            peers.stop(process)


def load_loops(command, load, options):
    """The same server with two loops and with one, both free to run on two cores."""
    cores, load_cores = peers.cores_for_two()
    servers = {}
    try:
        for name, loops in ("herald door", 2), ("herald door, 1 loop", 1):
            servers[name] = start_server(command, loops, cores=cores)
            prove_server(name, servers[name][1])
        return load_in_turns("loops_2", servers, load, load_cores, options)
    finally:
        for process, _ in servers.values():
            peers.stop(process)


def load_in_turns(case, servers, load, load_cores, options):
    """`servers` are {name: (process, port)}, `load` the generator and its last arguments."""
    results = {name: Result("http", case, name) for name in servers}
    seconds = 0.3 if options.quick else 1
    for turn in range(options.rounds + 1):
        for name, (process, port) in servers.items():
            measured = load_once(process.pid, [load[0], "run", port, CONNECTIONS, seconds,
                                               *load[1:]], load_cores)
            if turn > 0:
                results[name].add(*measured)
    for name, (process, _) in servers.items():
        results[name].rss_mb = rss_mb(process.pid)
    return list(results.values())


def load_once(server_pid, command, cores):
    load = peers.start(command, *cores)
    try:
        if load.stdout.readline() != "begin\n":
            raise peers.BenchError("the load generator has failed")
        before = Usage(server_pid)
        events, seconds, p50_us, p99_us = map(float, peers.ask(load, "").split())
        after = Usage(server_pid)
    finally:
        peers.stop(load)
    return before, after, events, seconds, p50_us, p99_us


def hold_idle(name, command, load, body):
    """The memory of a server whose connections have all asked once and wait."""
    result = Result("http", f"idle_{IDLE_CONNECTIONS}", name)
    process, port = start_server(command)
    try:
        holder = peers.start([load, "idle", port, IDLE_CONNECTIONS, body], peers.cores()[1])
        if holder.stdout.readline() != "idle\n":
            raise peers.BenchError(f"{name} does not hold {IDLE_CONNECTIONS} connections")
        result.rss_mb = rss_mb(process.pid)
        peers.stop(holder)
    finally:
        peers.stop(process)
    return result


def callback(options):
    found, skipped = peers.find(options.build, peers.CALLBACKS, options.peers)
    receiver = peers.c_program(options.build, "server_epoll", "the build")
    core, other_core = peers.cores()
    port = free_port()
    server = peers.start([receiver, port], other_core)
    results = []
    try:
        for in_flight in IN_FLIGHT:
            if wanted(options, f"in_flight_{in_flight}"):
                results += call(found, port, in_flight, core, options)
    finally:
        peers.stop(server)
    return results, skipped


def call(found, port, in_flight, core, options):
    results = [Result("callback", f"in_flight_{in_flight}", name) for name in found]
    clients = [peers.start([*command, port, in_flight], core, env={**os.environ, "GOMAXPROCS": "1"})
               for command in found.values()]
    try:
        for turn in range(options.rounds + 1):
            for client, result in zip(clients, results):
                before = Usage(client.pid)
                measured = map(float, peers.ask(client, "0.3" if options.quick else "2").split())
                if turn > 0:
                    result.add(before, Usage(client.pid), *measured)
        for client, result in zip(clients, results):
            result.rss_mb = rss_mb(client.pid)
    finally:
        for client in clients:
            peers.stop(client)
    return results
