"""brokers: clients that receive, run and acknowledge messages, by the CPU time of the client.

For each broker there is one server, which all clients use in turns. Each client is a process that
stays alive; the commands are in brokers/main.c. Before a round, a process that is not measured
stores as many events as the client takes in about half a second.
"""

import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import broker_servers
import documents
import peers
import postgres
import serving
import storing

# Events of a round: as many as a client takes in this time, by its first rounds.
SECONDS, QUICK_SECONDS = 0.5, 0.2
FEWEST, ROUNDS = 1000, 5
SOURCE = "bench"


@dataclass
class Broker:
    """What differs between brokers. `most`: events of a round; storing them takes time, too."""

    server: type
    needs: str
    most: int


BROKERS = {
    "redis": Broker(broker_servers.Redis, "libhiredis-dev", 50_000),
    "nats": Broker(broker_servers.Nats, "libnats-dev", 50_000),
    "rabbitmq": Broker(broker_servers.RabbitMQ, "librabbitmq-dev", 20_000),
}


def ours(variant):
    def make(broker, build):
        return [peers.c_program(build, f"broker_{broker}", BROKERS[broker].needs), variant]
    return make


# {peer: what makes its command}
CLIENTS = {
    "bare": ours("bare"),
    "bare, function": ours("function"),
    "herald": ours("inline"),
    "herald, 1 lane": ours("1"),
    "herald, 4 lanes": ours("4"),
    "watermill": lambda broker, _: [peers.go_program("watermill", "brokers/go"), broker],
}


class Client:
    """A client's process, and the server that it uses."""

    def __init__(self, broker, name, command, server, event):
        self.broker, self.name, self.server = broker, name, server
        self.process = peers.start([*command, server.url, event], *os.sched_getaffinity(0))

    def ask(self, command, count):
        """Returns the seconds that it took."""
        return float(peers.ask(self.process, f"{command} {SOURCE} {count}").split()[1])

    def used(self):
        """CPU time so far, of the process and of the server."""
        return postgres.process_cpu_us(self.process.pid), self.server.cpu_us()


def brokers(options):
    """All cases: the bench that ./dev calls."""
    wanted = [broker for broker in BROKERS if serving.wanted(options, f"consume_{broker}")]
    results, skipped = [], {}
    with tempfile.TemporaryDirectory(prefix="herald-bench-") as folder:
        event = Path(folder) / "event.json"
        event.write_text(documents.documents()["user_created"])
        for broker in wanted:
            makers = {name: lambda build, maker=maker: maker(broker, build)
                      for name, maker in CLIENTS.items()}
            found, missing = peers.find(options.build, makers, options.peers)
            skipped |= {f"{broker}, {name}": reason for name, reason in missing.items()}
            try:
                results += measure(broker, found, Path(folder) / broker, event, options)
            except (peers.BenchError, peers.Missing) as error:
                # What was measured before is not lost.
                skipped[broker] = str(error)
    return results, skipped


def measure(broker, commands, folder, event, options):
    with ExitStack() as stack:
        server = stack.enter_context(BROKERS[broker].server(folder))
        filler = Client(broker, "filler", ours("bare")(broker, options.build), server, event)
        stack.callback(peers.stop, filler.process)
        clients = []
        for name, command in commands.items():
            clients.append(Client(broker, name, command, server, event))
            stack.callback(peers.stop, clients[-1].process)
        return in_turns(filler, clients, options)


def in_turns(filler, clients, options):
    """A round of each client, then the next round. The first one finds how many events it takes."""
    results = {client: storing.Result("brokers", f"consume_{client.broker}", client.name,
                                      client.broker) for client in clients}
    counts = {client: count_events(filler, client, options) for client in clients}
    for turn in range(options.rounds):
        for client in clients:
            results[client].add(*consume(filler, client, counts[client]))
        print(f"brokers: consume_{filler.broker}, round {turn + 1} of {options.rounds}",
              file=sys.stderr)
    return list(results.values())


def count_events(filler, client, options):
    wanted = QUICK_SECONDS if options.quick else SECONDS
    most = BROKERS[client.broker].most
    count, seconds = FEWEST, 0
    # A part of the time is the same for any number.
    while seconds < wanted / 2 and count < most:
        _, _, seconds = consume(filler, client, count)
        count = int(min(most, max(FEWEST, count * min(8, wanted / seconds))))
    return count


def consume(filler, client, count):
    """Returns (CPU time of client and server, events, seconds)."""
    filler.ask("fill", count)
    before = client.used()
    seconds = client.ask("consume", count)
    return storing.since(before, client.used()), count, seconds
