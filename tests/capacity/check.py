#!/usr/bin/env python3
"""Compares the model of tools/capacity with theory, and with a consumer on real brokers.

    tests/capacity/check.py CAPACITY_CONSUMER           the test: a few seconds
    tests/capacity/check.py --long CAPACITY_CONSUMER    10 runs of 20 seconds; prints both figures

A run sends events at the times that the model draws, with the keys and function times that it
draws. Then the model is given the times at which they were really sent, and those that functions
really took, so that it does not matter if the machine is busy with something else. Both must agree
within 20 %: the delay at p50 and p99.
"""

import argparse
import importlib.machinery
import importlib.util
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "examples"))

import nats_broker  # noqa: E402
import redis_broker  # noqa: E402
import tap  # noqa: E402
from programs import WAIT_S, wait_until  # noqa: E402

TOOL = HERE.parents[1] / "tools" / "capacity"
WITHIN = 0.2
# What a busy machine adds to a delay, before a lane that was idle begins. Other tests run at the
# same time as the test.
NOISE_MS, NOISE_OF_TEST_MS = 1.0, 10.0
IN_FLIGHT = 256


def load_tool():
    loader = importlib.machinery.SourceFileLoader("capacity", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("capacity", loader))
    sys.modules["capacity"] = module
    loader.exec_module(module)
    return module


capacity = load_tool()


def close(found, expected, within=WITHIN, noise=0.0):
    assert abs(found - expected) <= within * expected + noise, f"{found} instead of {expected}"


def load_of(rate, lanes, function, in_order=False, **more):
    return capacity.Load(rate, lanes, IN_FLIGHT, in_order, capacity.Time(function), overhead_ms=0,
                         **more)


def keys_of(count, skew=0.0):
    return capacity.Keys(list(range(count)), capacity.zipf(count, skew))


# --- Theory ---------------------------------------------------------------------------------------


def mean(values):
    return sum(values) / len(values)


def one_lane_waits_as_queueing_theory_says():
    """M/M/1 and M/D/1, 70 % busy: the mean delay (Pollaczek and Khinchine)."""
    for function, variance in (("exponential:1ms", 1), ("fixed:1ms", 0)):
        consumer, _ = capacity.simulate(load_of(700, 1, function), keys_of(1), 300, 7)
        close(mean(consumer.delays), 1 + 0.7 * (1 + variance) / 2 / 0.3, 0.05)


def many_lanes_wait_as_queueing_theory_says():
    """M/M/8, 80 % busy: Erlang's formula for the chance to wait, and the mean wait."""
    lanes, load = 8, 6.4
    term, total = 1.0, 0.0
    for i in range(lanes):
        total += term
        term *= load / (i + 1)
    waits = term * lanes / (lanes - load)
    wait_ms = waits / (total + waits) / (lanes - load)
    consumer, _ = capacity.simulate(load_of(6400, lanes, "exponential:1ms"), keys_of(1), 60, 3)
    close(mean(consumer.delays), 1 + wait_ms, 0.05)


def retries_come_when_they_are_due():
    """An event fails twice: after 10 and 20 ms it runs again. In order, others of its key wait."""
    for in_order, expected in ((False, [33, 33]), (True, [33, 34])):
        events = [capacity.Event(0, 0, [1, 1, 1]), capacity.Event(0, 0, [1])]
        if not in_order:
            events[1].runs = [1, 1, 1]
        consumer = capacity.Consumer(load_of(1, 2, "fixed:1ms", in_order, retry_ms=10)) \
            .simulate(events)
        assert sorted(round(delay) for delay in consumer.delays) == expected, consumer.delays


def what_is_away_catches_up():
    """1,000 events wait for 2 s; 500 a second more can run than arrive: after 2 s all have."""
    load = load_of(500, 10, "fixed:10ms", away=(10_000, 12_000))
    consumer, events = capacity.simulate(load, keys_of(1), 30, 5)
    assert len(consumer.delays) == len(events)
    close(max(depth for _, depth in consumer.depths), 1000, 0.1)
    close(float(capacity.recovery_s(consumer, load).split()[0]), 2, 0.25)


def what_a_dead_process_had_is_delivered_again():
    """Two lanes, a run takes 20 ms. Three events are in flight when the process dies at 10 ms; the
    next one starts at 50 ms, an event arrives at 60 ms. One of the three fails once before."""
    for redelivery_ms, expected in ((100, [20, 130, 130, 150]), (0, [30, 70, 70, 90])):
        for in_order in (False, True):
            events = [capacity.Event(0, 0, [5, 20]), capacity.Event(0, 0, [20]),
                      capacity.Event(0, 0, [20]), capacity.Event(60, 0, [20])]
            if in_order:  # Two keys, each with a lane.
                other = next(key for key in range(1, 99) if capacity.hashed(key, "lane") % 2 !=
                             capacity.hashed(0, "lane") % 2)
                events[1].key = events[3].key = other
            else:
                events[0].runs = [20]
            load = load_of(1, 2, "fixed:20ms", in_order, retry_ms=1, away=(10, 50),
                           redelivery_ms=redelivery_ms)
            consumer = capacity.Consumer(load).simulate(events)
            assert sorted(map(round, consumer.delays)) == expected, (in_order, consumer.delays)
            interrupted_ms = 5 + 4 + 10 if in_order else 10 + 10
            close(consumer.busy_ms, 4 * 20 + interrupted_ms, 1e-9)
            assert consumer.depths[-1] == (60, 3), consumer.depths
    # Many events and failures.
    load = load_of(500, 8, "exponential:10ms", True, failures=0.1, retry_ms=50,
                   away=(2000, 4000), redelivery_ms=5000)
    consumer, events = capacity.simulate(load, keys_of(200), 10, 5)
    assert len(consumer.delays) == len(events)
    assert 5000 <= max(consumer.delays) < 7000, max(consumer.delays)


def system_of(*words):
    return capacity.System(capacity.arguments([str(word) for word in words]))


def a_hot_key_is_one_more():
    for skew in (0, 1, 2):
        without = system_of("--keys", 100, "--skew", skew)
        system = system_of("--keys", 100, "--skew", skew, "--hot-key", 0.02)
        assert len(system.shares) == 101
        close(sum(system.shares), 1, 1e-9)
        close(sum(keys.share for keys in system.keys), 1, 1e-9)
        close(system.shares[0], 0.02, 1e-9)
        for share, before in zip(system.shares[1:], without.shares):
            close(share, before * 0.98, 1e-9)


def lanes_are_those_of_a_consumer():
    """In order each partition has one; without an order, each process."""
    for order, consumers in (("key", 8), ("none", 2)):
        system = system_of("--events", 1000, "--function", "fixed:8ms", "--processes", 2,
                           "--partitions", 8, "--lanes", 4, "--order", order, "--failures", 0)
        assert system.consumers == consumers
        busy = {what: share for what, share, _ in system.parts()}
        close(busy["lanes of all consumers"], 8 / 4 / consumers, 1e-9)
        (_, _, load), *_ = system.samples()
        close(load.rate, 1000 / consumers, 0.1)
        assert dict(system.needs())["connections to the broker"] == 2 * consumers
    # Some partitions have no key.
    system = system_of("--keys", 1, "--partitions", 8)
    for _, keys, load in system.samples():
        capacity.describe(capacity.simulate(load, keys, 1, 1)[0], load, 1)


def a_key_uses_one_lane():
    """Ten events of a key take ten times as long as one, and ten keys do not."""
    for keys, expected in ((1, 10), (10, 1)):
        events = [capacity.Event(0, i % keys, [5]) for i in range(10)]
        consumer = capacity.Consumer(load_of(1, 1000, "fixed:5ms", True)).simulate(events)
        assert round(max(consumer.delays)) == 5 * expected, (keys, consumer.delays)


def the_same_options_print_the_same():
    words = [sys.executable, TOOL, "--events", "2000", "--function", "lognormal:5ms,1", "--keys",
             "1000", "--skew", "0.5", "--processes", "3", "--seconds", "5", "--machine-dies", "1",
             "--broker-fails", "1", "--hot-key", "0.1", "--lanes", "16"]
    outputs = {subprocess.run(words, stdout=subprocess.PIPE, check=True,
                              env={**os.environ, "PYTHONHASHSEED": hash_seed}).stdout
               for hash_seed in ("1", "2")}
    assert len(outputs) == 1, outputs
    text = outputs.pop().decode()
    assert "The bottleneck: the lane of the key with the most events." in text, text
    assert "100% cannot keep up" in text, text
    assert "had, up to 768 events, is delivered again after up to 30 s." in text, text
    for wrong in (["--events", "0"], ["--function", "none:1"], ["--failures", "1"]):
        done = subprocess.run([sys.executable, TOOL, *wrong], stderr=subprocess.DEVNULL, check=False)
        assert done.returncode == 2, wrong


# --- Real brokers ---------------------------------------------------------------------------------


class Redis:
    """Sends events to a stream."""

    def __init__(self, broker, source):
        self.source = source
        self.socket = socket.create_connection(("127.0.0.1", broker.port), timeout=WAIT_S)
        self.replies = self.socket.makefile("rb")

    def send(self, data, key):
        self.socket.sendall(redis_broker.encode(["XADD", self.source, "*", "data", data,
                                                 "key", key]))
        redis_broker.read_answer(self.replies)


class Nats:
    """The same; keys are not sent."""

    def __init__(self, broker, source):
        self.source = source
        self.client = nats_broker.Client(broker.port)

    def send(self, data, key):
        assert key == "0", "the order of keys is compared on Redis"
        self.client.request((self.source, data.encode()))


SENDERS = {"redis": (redis_broker, Redis), "nats": (nats_broker, Nats)}


def run(program, broker, sender, source, load, events):
    """Send the events, and return the delays in milliseconds. The times of the events become the
    real ones."""
    broker.publish(source, [])
    process = subprocess.Popen([program, broker.url, source, str(load.lanes),
                                "key" if load.in_order else "none", str(load.in_flight)],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        out = sender(broker, source)
        begin = time.monotonic()
        for number, event in enumerate(events):
            time.sleep(max(0.0, begin + event.at / 1000 - time.monotonic()))
            now = time.monotonic()
            event.at = (now - begin) * 1000
            out.send(json.dumps({
                "event_type": "task", "timestamp": "2024-08-20T05:21:19Z",
                "payload": {"number": number, "sent_us": int(now * 1e6),
                            "takes_us": int(event.runs[0] * 1000)},
                "metadata": {"id": str(number)}}), str(event.key))
        wait_until(lambda: broker.left(source, "capacity") == 0, process)
        process.send_signal(signal.SIGTERM)
        lines = process.communicate(timeout=WAIT_S)[0].splitlines()
    finally:
        process.kill()
        process.wait(WAIT_S)
    assert len(lines) == len(events), f"{len(lines)} of {len(events)} events have run"
    delays = []
    for event, line in zip(events, lines):
        _, delay_us, ran_us = map(int, line.split())
        event.runs = [ran_us / 1000]
        delays.append(delay_us / 1000)
    return delays


def compare(program, name, broker, case, seconds, seed):
    """Returns ((measured, simulated) of p50, the same of p99, the measured and simulated end)."""
    rate, lanes, function, in_order, keys = case
    load = load_of(rate, lanes, function, in_order)
    events = capacity.draw_events(load, keys_of(*keys), seconds, random.Random(seed))
    source = f"capacity-{lanes}-{rate}-{seed}-{int(in_order)}"
    measured = run(program, broker, SENDERS[name][1], source, load, events)
    simulated = capacity.Consumer(load).simulate(events).delays
    return [(capacity.percentile(measured, part), capacity.percentile(simulated, part))
            for part in (0.5, 0.99)]


def check_run(program, name, case, seconds, seed):
    broker = SENDERS[name][0].Broker()
    try:
        for found, expected in compare(program, name, broker, case, seconds, seed):
            close(found, expected, WITHIN, NOISE_OF_TEST_MS)
    finally:
        broker.stop()


# (events a second, lanes, function, in order, (keys,)); busy for 70 to 90 %. A lane has one key, or
# so many that all lanes have about as much to do: which lane a key belongs to is random.
LONG = [
    (70, 1, "fixed:10ms", False, (1,)),
    (280, 4, "exponential:10ms", False, (1,)),
    (560, 8, "lognormal:12ms,1", False, (1,)),
    (280, 8, "exponential:20ms", True, (10_000,)),
    (640, 16, "exponential:20ms", False, (1,)),
    (35, 8, "fixed:20ms", True, (1,)),
]


def report_long(program, seed):
    print(f"--seed {seed}")
    worst, is_close = 0.0, True
    for name, (module, _) in SENDERS.items():
        broker = module.Broker()
        try:
            for case in LONG:
                if case[3] and name != "redis":
                    continue
                pairs = compare(program, name, broker, case, 20, seed)
                errors = [found / expected - 1 for found, expected in pairs]
                worst = max(worst, *map(abs, errors))
                is_close &= all(abs(found - expected) <= WITHIN * expected + NOISE_MS
                                for found, expected in pairs)
                print(f"{name}, {case[0]}/s, {case[1]} lanes, {case[2]}, "
                      f"{'keys' if case[3] else 'no order'}: " + "; ".join(
                          f"{part} {found:.1f} ms, model {expected:.1f} ({error:+.0%})"
                          for part, (found, expected), error in zip(("p50", "p99"), pairs, errors)),
                      flush=True)
        finally:
            broker.stop()
    print(f"the worst: {worst:.0%}")
    return is_close


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("program", nargs="?")
    options = parser.parse_args()
    if options.long:
        sys.exit(0 if report_long(options.program, options.seed) else 1)
    cases = [(check.__name__.replace("_", " "), check) for check in (
        one_lane_waits_as_queueing_theory_says, many_lanes_wait_as_queueing_theory_says,
        retries_come_when_they_are_due, what_is_away_catches_up,
        what_a_dead_process_had_is_delivered_again, a_hot_key_is_one_more,
        lanes_are_those_of_a_consumer, a_key_uses_one_lane, the_same_options_print_the_same)]
    if options.program and redis_broker.PROGRAM:
        for case in ((140, 4, "fixed:20ms", False, (1,)), (30, 4, "fixed:20ms", True, (1,))):
            cases.append((f"a consumer on Redis is as slow as the model, {case}", check_run,
                          options.program, "redis", case, 3, 1))
    tap.run(cases)


if __name__ == "__main__":
    main()
