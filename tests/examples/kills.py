#!/usr/bin/env python3
"""Kills consumers and brokers with kill -9 while events are published, and counts what was lost and
how many events ran again. The examples behind a broker are the consumers.

    tests/examples/kills.py [--consumers N] [--brokers N] [--seed N] ORDERS_BROKER...

prints a line for each, and fails if an event was lost, if there were more further runs than events
in flight, or if there are dead letters. The moments of the kills come from the seed: after some
events, or some milliseconds after the start. What the processes do until then depends on the
machine, too.

Each broker is a module with PROGRAM, STORES_ENDS_LATER and a class Broker.
"""

import argparse
import collections
import contextlib
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

from programs import WAIT_S, equal, wait_until

# What a consumer of the example has at once.
IN_FLIGHT = 256
GROUP = "shop"
# Events are published in batches, as long as fewer than MAX_WAITING wait. A consumer does not begin
# before MIN_WAITING do.
BATCH, MIN_WAITING, MAX_WAITING = 200, 1500, 3000
# A kill comes after so many events at most; one in EARLY comes so soon after the start that the
# process may not be connected yet.
MAX_EVENTS, EARLY, EARLY_S = 1000, 5, 0.1


class Orders:
    """One process of the example."""

    def __init__(self, program, broker, source, effects, *options):
        self.effects = effects
        with open(f"{effects}.log", "wb") as log:
            self.process = subprocess.Popen(
                [program, "--url", broker.url, "--source", source, "--group", GROUP,
                 "--effects", effects, *options], stderr=log)
        # Read if it ends by itself.
        self.process.stderr = open(f"{effects}.log", "rb")

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_S)
        self.process.stderr.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(WAIT_S), 0)


class Effects:
    """The file with a line for each event that has run: its id, and the attempt."""

    def __init__(self, path):
        self.path, self.counts, self.offset = path, collections.Counter(), 0

    def read(self):
        """The number of runs so far."""
        with contextlib.suppress(FileNotFoundError), open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read()
            data = data[:data.rfind(b"\n") + 1]
            self.offset += len(data)
            self.counts.update(line.split()[0].decode() for line in data.splitlines())
        return self.counts.total()


class Publisher(threading.Thread):
    """Publishes all the time. `stored` are the ids of events that the broker has confirmed."""

    def __init__(self, broker, source, effects):
        super().__init__()
        self.has_load = threading.Event()
        self.broker, self.source, self.effects = broker, source, Effects(effects)
        self.stored, self.sent, self.is_over = [], 0, threading.Event()

    def waiting(self):
        """How many events have not run."""
        self.effects.read()
        return len(self.stored) - len(self.effects.counts)

    def run(self):
        while not self.is_over.is_set():
            waiting = self.waiting()
            if waiting >= MIN_WAITING:
                self.has_load.set()
            if waiting >= MAX_WAITING:
                self.is_over.wait(0.002)
                continue
            batch = [f"e-{self.sent + i}" for i in range(BATCH)]
            self.sent += BATCH
            try:
                self.broker.publish(self.source, [event_of(event_id) for event_id in batch])
                self.stored += batch
            except Exception:  # pylint: disable=broad-except
                # The broker is dead, which each client says in its own way. Some of the batch may
                # have arrived. If it can never publish, wait_for_load() says so.
                self.is_over.wait(0.01)

    def wait_for_load(self):
        """Until so many events wait that consumers are busy."""
        self.has_load.clear()
        assert self.has_load.wait(WAIT_S), "nothing can be published"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.is_over.set()
        self.join(WAIT_S)
        assert not self.is_alive(), "the publisher hangs"


def event_of(event_id):
    return json.dumps({"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
                       "payload": {"user_id": "1", "username": "joe"},
                       "metadata": {"id": event_id}})


@dataclass
class Report:
    """What a campaign has found."""

    kills: int
    stored: int
    runs: int
    repeated: int
    seconds: float

    def __str__(self):
        return (f"{self.kills} kills, {self.stored} events, 0 lost, {self.repeated} more runs "
                f"({self.repeated / max(1, self.kills):.1f} a kill), {self.seconds:.0f} s")


def wait_for_moment(rng, effects, *processes):
    """Until the next kill."""
    if rng.randrange(EARLY) == 0:
        time.sleep(rng.uniform(0, EARLY_S))
        return
    wanted = effects.read() + rng.randint(1, MAX_EVENTS)
    wait_until(lambda: effects.read() >= wanted, *processes)


def check(broker, source, publisher, consumer, kills, started_s, most_repeated):
    """All events that were stored have run. Once the consumer has stopped, nothing is left."""
    effects, missing = Effects(consumer.effects), set(publisher.stored)

    def all_have_run():
        effects.read()
        missing.difference_update([event_id for event_id in missing if event_id in effects.counts])
        return not missing
    try:
        wait_until(all_have_run, consumer.process)
    except AssertionError as error:
        raise AssertionError(f"{error}: {len(missing)} of {len(publisher.stored)} events are lost "
                             f"in {kills} kills, such as {sorted(missing)[:5]}") from error
    wait_until(lambda: broker.left(source, GROUP) == 0, consumer.process)
    consumer.stop()
    equal(broker.left(source, GROUP), 0)
    equal(broker.dead(source), [])
    runs = effects.read()
    repeated = runs - len(effects.counts)
    assert repeated <= most_repeated, f"{repeated} more runs in {kills} kills"
    return Report(kills, len(publisher.stored), runs, repeated, time.monotonic() - started_s)


def kill_consumers(program, broker, source, kills, rng):
    """One consumer after the other; the last one finishes what is left."""
    options = ("--lanes", "4", "--max-attempts", "10000")
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/effects"
        with Publisher(broker, source, path) as publisher:
            effects = Effects(path)
            for _ in range(kills):
                publisher.wait_for_load()
                consumer = Orders(program, broker, source, path, *options)
                try:
                    wait_for_moment(rng, effects, consumer.process)
                finally:
                    consumer.kill()
        consumer = Orders(program, broker, source, path, *options)
        try:
            return check(broker, source, publisher, consumer, kills, started_s, kills * IN_FLIGHT)
        finally:
            consumer.kill()


def kill_brokers(program, broker, source, kills, rng):
    """The broker, again and again; the consumer lives."""
    module = sys.modules[type(broker).__module__]
    most = float("inf") if module.STORES_ENDS_LATER else kills * IN_FLIGHT
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/effects"
        consumer = Orders(program, broker, source, path, "--lanes", "4", "--max-attempts", "10000")
        try:
            with Publisher(broker, source, path) as publisher:
                effects = Effects(path)
                wait_until(lambda: effects.read() > 0, consumer.process)
                for _ in range(kills):
                    consumer.process.send_signal(signal.SIGSTOP)
                    publisher.wait_for_load()
                    consumer.process.send_signal(signal.SIGCONT)
                    wait_for_moment(rng, effects, consumer.process)
                    broker.kill()
                    broker.start()
            return check(broker, source, publisher, consumer, kills, started_s, most)
        finally:
            consumer.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--consumers", type=int, default=1000, help="kills of consumers (1000)")
    parser.add_argument("--brokers", type=int, default=100, help="kills of each broker (100)")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("programs", nargs="+", metavar="ORDERS_BROKER")
    options = parser.parse_args()
    print(f"--seed {options.seed}", flush=True)
    for program in map(os.path.abspath, options.programs):
        name = os.path.basename(program).rpartition("_")[2]
        broker = importlib.import_module(f"{name}_broker").Broker()
        try:
            for what, campaign, kills in (("consumer", kill_consumers, options.consumers),
                                          ("broker", kill_brokers, options.brokers)):
                rng = random.Random(f"{options.seed} {name} {what}")
                if kills:
                    report = campaign(program, broker, f"{what}-kills", kills, rng)
                    print(f"{name}, {what}: {report}", flush=True)
        finally:
            broker.stop()


if __name__ == "__main__":
    main()
