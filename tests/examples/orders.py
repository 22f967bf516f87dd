#!/usr/bin/env python3
"""Runs the example of a service behind a message broker, on each broker that is here.

    tests/examples/orders.py ORDERS_BROKER...

Every case is one line of TAP.
"""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import kafka_broker
import kills
import nats_broker
import redis_broker
import tap
from kills import Orders
from programs import WAIT_S, equal, head_of, wait_until

# The example's name, and how its broker is started.
BROKERS = {"orders_kafka": kafka_broker, "orders_nats": nats_broker, "orders_redis": redis_broker}

# Of consumers and of the broker; tests/examples/kills.py has many more. The next consumer of Kafka
# waits for session_timeout_ms of the one that was killed, 6 s.
KILLS, KILLS_OF_KAFKA = (50, 5), (5, 2)


def effects_of(path):
    """Pairs of an event's id and its attempt."""
    try:
        with open(path, encoding="ascii") as file:
            return [tuple(line.split()) for line in file]
    except FileNotFoundError:
        return []


def event_of(event_type, event_id, payload, **metadata):
    return json.dumps({"event_type": event_type, "timestamp": "2024-08-20T05:21:19Z",
                       "payload": payload, "metadata": {"id": event_id, **metadata}})


def event(event_id, username):
    return event_of("user_created", event_id, {"user_id": "1", "username": username})


@contextlib.contextmanager
def orders(program, broker, source, *options):
    with tempfile.TemporaryDirectory() as folder:
        started = Orders(program, broker, source, os.path.join(folder, "effects"), *options)
        try:
            yield started
        finally:
            started.kill()


def the_commands_of_its_head_do_what_it_says(program, broker):
    """The first one starts it; then events are sent; `cat` prints what has been done."""
    head = head_of(os.path.basename(program)).replace("\\\n", "")
    blocks = re.findall(r"^\t\S.*?(?=\n\s*\n|\Z)", head, re.DOTALL | re.MULTILINE)
    start, send, results, dead = blocks
    promised = re.findall(r"=> (.*)", results)
    with tempfile.TemporaryDirectory() as folder:
        # Debian does not have the NATS CLI; its kcat is not needed.
        os.symlink(nats_broker.__file__, f"{folder}/nats")
        os.symlink(kafka_broker.__file__, f"{folder}/kcat")
        environment = {**os.environ, "URL": broker.url, "PYTHONPATH": sys.path[0],
                       "PATH": f"{folder}:{os.environ['PATH']}"}

        def shell(line):
            line = re.sub(r"^\t", "", line, flags=re.MULTILINE)
            return subprocess.run(["bash", "-ec", line], cwd=folder, stdout=subprocess.PIPE,
                                  env=environment, timeout=WAIT_S, check=True).stdout.decode()
        process = subprocess.Popen(
            ["bash", "-c", "exec " + re.sub(r"\s*build/\S+", program, start, count=1)],
            cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        try:
            shell(send)
            wait_until(lambda: os.path.exists(f"{folder}/effects.txt") and
                       sorted(shell("cat effects.txt").split("\n")) == sorted([*promised, ""]),
                       process)
            wait_until(lambda: "username fail is not allowed" in shell(dead), process)
        finally:
            process.kill()
            process.wait(WAIT_S)

def verdicts_reach_the_broker(program, broker):
    with orders(program, broker, "verdicts", "--lanes", "2", "--retry-ms", "20") as started:
        broker.publish("verdicts", [event("a", "joe"), event("b", "retry"), event("c", "fail"),
                                    "{"])
        wait_until(lambda: broker.left("verdicts", "shop") == 0, started.process)
        equal(sorted(effects_of(started.effects)), [("a", "1"), ("b", "3")])
        first, second = sorted(broker.dead("verdicts"), key=lambda letter: letter[b"data"])
        equal((second[b"herald-reason"], second[b"herald-id"], second[b"herald-attempts"],
               second[b"herald-origin"]), (b"username fail is not allowed", b"c", b"1", b"verdicts"))
        equal((first[b"data"], first[b"herald-status"]), (b"{", b"HERALD_BAD_JSON"))
        started.stop()


def the_quickstarts_events_are_taken(program, broker):
    """Of its two versions of order_placed; a third one has no route."""
    old = {"order_id": "o-2", "total_cents": 999, "sku": "tea", "quantity": 1}
    new = {"order_id": "o-1", "total_cents": 1998, "lines": [{"sku": "tea", "quantity": 2}]}
    with orders(program, broker, "versions") as started:
        broker.publish("versions", [
            event("a", "johndoe"), event_of("order_placed", "b", new, version="2"),
            event_of("order_placed", "c", old, version="1"),
            event_of("order_placed", "d", {}, version="3"),
            event_of("order_placed", "e", {**old, "quantity": 0}, version="1")])
        wait_until(lambda: broker.left("versions", "shop") == 0, started.process)
        equal(sorted(effects_of(started.effects)), [("a", "1"), ("b", "1"), ("c", "1")])
        equal(sorted(letter[b"herald-id"] for letter in broker.dead("versions")), [b"d", b"e"])
        started.stop()


def a_crash_is_an_attempt(program, broker):
    """Dead after the second one, in the third process."""
    broker.publish("crashes", [event("a", "crash"), event("b", "joe")])
    statuses = []
    with tempfile.TemporaryDirectory() as folder:
        def start():
            return Orders(program, broker, "crashes", f"{folder}/effects", "--max-attempts", "2")
        started = start()
        try:
            while broker.left("crashes", "shop") != 0:
                if started.process.poll() is not None:
                    statuses.append(started.process.returncode)
                    started = start()
                time.sleep(0.01)
        finally:
            started.kill()
        equal(statuses, [-signal.SIGABRT] * 2)
        equal([letter[b"herald-id"] for letter in broker.dead("crashes")], [b"a"])
        assert ("b", "1") in effects_of(f"{folder}/effects") or \
            ("b", "2") in effects_of(f"{folder}/effects")


def draws(case):
    """Seeded by HERALD_TEST_SEED, or by another number each time, which is printed."""
    seed = os.environ.get("HERALD_TEST_SEED") or str(random.SystemRandom().getrandbits(32))
    print(f"# HERALD_TEST_SEED={seed}", flush=True)
    return random.Random(f"{seed} {case}")


def kills_of(broker):
    return KILLS_OF_KAFKA if isinstance(broker, kafka_broker.Broker) else KILLS


def killed_consumers_lose_nothing(program, broker):
    count = kills_of(broker)[0]
    print(f"# {kills.kill_consumers(program, broker, 'kills', count, draws('kills'))}")


def a_killed_broker_loses_nothing(program, broker):
    count = kills_of(broker)[1]
    print(f"# {kills.kill_brokers(program, broker, 'deaths', count, draws('deaths'))}")


def wrong_usage_is_refused(program, broker):
    enough = ["--url", broker.url, "--source", "s", "--group", "g", "--effects", "/dev/null"]
    for options in ([], enough[:6], [*enough, "--lanes", "-1"], [*enough, "--lanes", "1025"],
                    [*enough, "--max-attempts", "0"], [*enough, "--retry-ms", "x"],
                    [*enough, "more"]):
        equal((options, subprocess.run([program, *options], stderr=subprocess.DEVNULL,
                                       timeout=WAIT_S, check=False).returncode), (options, 2))
    equal(subprocess.run([program, "--url", "x", *enough[2:]], stderr=subprocess.DEVNULL,
                         timeout=WAIT_S, check=False).returncode, 1)


def main():
    cases, brokers = [], []
    checks = [the_commands_of_its_head_do_what_it_says, verdicts_reach_the_broker,
              the_quickstarts_events_are_taken, a_crash_is_an_attempt,
              killed_consumers_lose_nothing, a_killed_broker_loses_nothing,
              wrong_usage_is_refused]
    for program in map(os.path.abspath, sys.argv[1:]):
        name = os.path.basename(program)
        if not BROKERS[name].PROGRAM:
            continue
        brokers.append(BROKERS[name].Broker())
        cases += [(f"{name}: {check.__name__.replace('_', ' ')}", check, program, brokers[-1])
                  for check in checks]
    if not cases:
        print("1..0 # SKIP no server of a broker is installed")
        return
    try:
        tap.run(cases)
    finally:
        for broker in brokers:
            broker.stop()


if __name__ == "__main__":
    main()
