#!/usr/bin/env python3
"""Runs `herald broker dead` on each broker that is here, with services that consume meanwhile.

    tests/cmd/broker.py HERALD ORDERS_BROKER...

Every case is one line of TAP.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

# pylint: disable=wrong-import-position
import kafka_broker  # noqa: E402
import nats_broker  # noqa: E402
import rabbitmq_broker  # noqa: E402
import redis_broker  # noqa: E402
import tap  # noqa: E402
from orders import Orders, effects_of, event  # noqa: E402
from ports import free_port  # noqa: E402
from programs import WAIT_S, equal, wait_until  # noqa: E402

# The example's name, and how its broker is started.
BROKERS = {"orders_kafka": kafka_broker, "orders_nats": nats_broker,
           "orders_rabbitmq": rabbitmq_broker, "orders_redis": redis_broker}
# Dead letters are read by partition, and messages without keys go to any.
kafka_broker.PARTITIONS = 1

HERALD = os.path.abspath(sys.argv[1])
cases = []


def case(function):
    cases.append(function)
    return function


class Tool:
    """The tool on a broker, and the name of a stream of one case."""

    def __init__(self, program, broker, source):
        self.program, self.broker, self.source = program, broker, source
        self.dead = f"{source}.dead"

    def words(self, command, *arguments):
        return [HERALD, "broker", "dead", command, *arguments, "--url", self.broker.url,
                "--source", self.source]

    def run(self, command, *arguments):
        """Status, stdout and stderr."""
        return run(*self.words(command, *arguments)[1:])

    def lines(self, command, *arguments):
        """The JSON objects that a command prints."""
        status, output, errors = self.run(command, *arguments, "--json")
        equal((status, errors), (0, ""))
        return [json.loads(line) for line in output.splitlines()]

    def event_ids(self, *arguments):
        return [line["event_id"] for line in self.lines("list", *arguments)]

    def start(self, command, *arguments):
        return subprocess.Popen(self.words(command, *arguments), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def put(self, *letters):
        """The origin, with an event, and dead letters of it."""
        self.broker.publish(self.source, [event("first", "joe")])
        self.broker.put(self.dead, letters)

    def bodies(self, name=None):
        """What is in the origin besides its first event, or in another place."""
        found = [message[b"data"] for message in self.broker.all(name or self.source)]
        return [data for data in found if data != event("first", "joe").encode()]


def run(*words, **environment):
    result = subprocess.run([HERALD, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=WAIT_S, check=False,
                            env={"PATH": os.environ["PATH"], **environment})
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def letter(number, origin, **more):
    """The fields of a dead letter. Each has its own reason, time and type."""
    event_type = "user_created" if number % 2 == 0 else "order_placed"
    return {b"data": json.dumps({"event_type": event_type, "timestamp": "2024-08-20T05:21:19Z",
                                 "payload": {"number": number}}).encode(),
            b"content-type": b"application/json", b"shop": b"berlin",
            b"herald-attempt": b"2", b"herald-reason": b"reason %d" % number,
            b"herald-path": b"/payload/number", b"herald-status": b"%d" % (422 + number % 2),
            b"herald-attempts": b"3", b"herald-origin": origin.encode(),
            b"herald-id": b"e-%d" % number,
            b"herald-failed-at": b"2026-01-0%dT00:00:00.123Z" % (1 + number % 9),
            **{name.replace("_", "-").encode(): value for name, value in more.items()}}


def four(tool):
    letters = [letter(number, tool.source) for number in range(4)]
    tool.put(*letters)
    return letters


def own(name):
    return name.lower().startswith(b"herald-")


@contextlib.contextmanager
def orders(tool, *options):
    with tempfile.TemporaryDirectory() as folder:
        started = Orders(tool.program, tool.broker, tool.source, f"{folder}/effects", *options)
        try:
            yield started
        finally:
            started.kill()


@case
def replayed_events_have_all_their_attempts_again(tool):
    with orders(tool, "--max-attempts", "2", "--retry-ms", "1") as started:
        tool.broker.publish(tool.source, [event("a", "fail"), event("b", "retry")])

        def attempts():
            return sorted((message[b"herald-id"], message[b"herald-attempts"])
                          for message in tool.broker.dead(tool.source))
        for _ in range(2):
            wait_until(lambda: attempts() == [(b"a", b"1"), (b"b", b"2")], started.process)
            failed = [line["dead"] for line in tool.lines("list")]
            equal(tool.run("replay", "--all"), (0, "replayed 2\n", ""))
            wait_until(lambda: len(tool.broker.dead(tool.source)) == 2, started.process)
            assert not set(failed) & {line["dead"] for line in tool.lines("list")}, failed
        started.stop()
    with orders(tool, "--max-attempts", "3", "--retry-ms", "1") as started:
        equal(tool.run("replay", "--event-id", "b"), (0, "replayed 1\n", ""))
        wait_until(lambda: effects_of(started.effects) == [("b", "3")], started.process)
        equal(tool.event_ids(), ["a"])
        started.stop()


@case
def a_replay_ends_though_what_it_replays_fails_again(tool):
    expected = {f"f-{i}".encode() for i in range(500)}
    with orders(tool, "--lanes", "2") as started:
        tool.broker.publish(tool.source, [event(name.decode(), "fail") for name in expected])

        def are_dead():
            return {message[b"herald-id"] for message in tool.broker.dead(tool.source)} == expected
        wait_until(are_dead, started.process)
        status, output, errors = tool.run("replay", "--all")
        equal((status, errors), (0, ""))
        # An event may run twice.
        assert len(expected) <= int(output.split()[1]) <= 2 * len(expected), output
        wait_until(are_dead, started.process)
        started.stop()


@case
def list_filters(tool):
    four(tool)
    everything = ["e-0", "e-1", "e-2", "e-3"]
    for arguments, expected in (
            ([], everything), (["--type", "user_created"], ["e-0", "e-2"]),
            (["--type", "user"], []), (["--event-id", "e-1"], ["e-1"]),
            (["--event-id", "e"], []), (["--reason", "reason"], everything),
            (["--reason", "son 3"], ["e-3"]), (["--reason", "Reason"], []),
            (["--status", "422"], ["e-0", "e-2"]), (["--status", "42"], []),
            (["--from", "2026-01-02T00:00:00.123Z"], ["e-1", "e-2", "e-3"]),
            (["--to", "2026-01-02T00:00:00.123Z"], ["e-0"]),
            (["--from", "2026-01-02T00:00:00Z", "--to", "2026-01-03T00:00:00Z"], ["e-1"]),
            (["--limit", "3"], everything[:3]), (["--limit", "1", "--status", "423"], ["e-1"])):
        equal((arguments, tool.event_ids(*arguments)), (arguments, expected))
    for line in tool.lines("list"):
        equal(tool.lines("list", line["id"]), [line])
        equal(tool.lines("list", "--id", line["id"]), [line])
        equal(tool.run("list", line["id"], "--reason", "x"),
              (1, "", f"herald: no dead letter {line['id']} matches the filter\n"))


@case
def every_filter_counts_in_a_dry_run_what_is_then_done(tool):
    four(tool)
    for command, verb in (("replay", "replayed"), ("drop", "dropped")):
        for arguments, expected in (
                (["--all"], 4), (["--all", "--limit", "3"], 3), (["--type", "order_placed"], 2),
                (["--event-id", "x"], 0), (["--reason", "son 2"], 1), (["--status", "423"], 2),
                (["--from", "1h"], 0), (["--to", "1h"], 4), (["--all", "--rate", "200"], 4)):
            equal((arguments, tool.lines(command, *arguments, "--dry-run")),
                  (arguments, [{"operation": verb, "count": expected, "dry_run": True}]))
            equal((arguments, tool.run(command, *arguments, "--dry-run")),
                  (arguments, (0, f"{expected} would be {verb}\n", "")))
            equal(len(tool.broker.all(tool.dead)), 4)
            equal((arguments, tool.lines(command, *arguments)),
                  (arguments, [{"operation": verb, "count": expected, "dry_run": False}]))
            equal((arguments, len(tool.bodies())),
                  (arguments, expected if verb == "replayed" else 0))
            equal((arguments, len(tool.broker.all(tool.dead))), (arguments, 4 - expected))
            tool.run("drop", "--all")
            tool.source += "x"
            tool.dead = f"{tool.source}.dead"
            four(tool)


@case
def a_copy_has_the_body_and_the_headers_without_heralds(tool):
    letters = four(tool)
    equal(tool.run("replay", "--event-id", "e-1"), (0, "replayed 1\n", ""))
    expected = {name: value for name, value in letters[1].items() if not own(name)}
    copy = [message for message in tool.broker.all(tool.source) if message[b"data"] ==
            letters[1][b"data"]][0]
    equal({name: value for name, value in copy.items() if name in expected}, expected)
    equal([name for name in copy if own(name)], [])
    equal(tool.event_ids(), ["e-0", "e-2", "e-3"])


@case
def another_target_may_be_named(tool):
    four(tool)
    tool.broker.publish(f"{tool.source}-repair", [])
    tool.broker.publish(f"{tool.source}-repair", ["{}"])
    equal(tool.run("replay", "--all", "--limit", "2", "--target", f"{tool.source}-repair"),
          (0, "replayed 2\n", ""))
    equal((len(tool.bodies()), len(tool.bodies(f"{tool.source}-repair"))), (0, 3))
    equal(tool.event_ids(), ["e-2", "e-3"])


@case
def letters_without_a_time_have_no_age(tool):
    """Only RabbitMQ does not keep when a message was stored."""
    letters = [letter(number, tool.source) for number in range(4)]
    del letters[0][b"herald-failed-at"]
    letters[1][b"herald-failed-at"] = b"yesterday"
    letters[3][b"herald-failed-at"] = b"1970-01-01T00:00:00Z"
    tool.put(*letters)
    is_kept = not tool.broker.HIDES_WHAT_IS_READ
    equal([line["event_id"] for line in tool.lines("list") if line["dead"] is None],
          ["e-3"] if is_kept else ["e-0", "e-1", "e-3"])
    equal(tool.run("drop", "--to", "2026-02-01T00:00:00Z"), (0, "dropped 1\n", ""))
    equal(tool.event_ids(), ["e-0", "e-1", "e-3"])
    equal(tool.event_ids("--from", "2026-01-01T00:00:00Z"), ["e-0", "e-1"] if is_kept else [])
    equal(tool.run("drop", "--event-id", "e-0"), (0, "dropped 1\n", ""))
    equal(tool.event_ids(), ["e-1", "e-3"])


@case
def a_replay_goes_only_to_where_the_dead_letters_belong(tool):
    """Who may write dead letters could have the operator write anywhere."""
    other = f"{tool.source}-other"
    long = "x" * 300
    hostile = b"\x1b[31m\xc2\x9b\xff\x7f"
    tool.broker.publish(other, [])
    tool.broker.publish(other, [event("first", "joe")])
    tool.put(letter(0, tool.source), letter(1, other), letter(2, long),
             letter(3, "") | {b"herald-origin": hostile}, letter(4, tool.source),
             letter(5, f"{tool.source}-gone"))
    ids = [line["id"] for line in tool.lines("list")]
    told = f"its origin is not {tool.source}; say where to with --target: "
    for words, output in ((["--dry-run"], "2 would be replayed\n"), ([], "replayed 2\n")):
        status, found, errors = tool.run("replay", "--all", *words)
        equal((status, found), (1, output))
        lines = errors.splitlines()
        equal(lines[:2], [f"herald: dead letter {ids[1]}: {told}{other}",
                          f"herald: dead letter {ids[2]}: {told}{long[:250]}"])
        assert lines[2].startswith(f"herald: dead letter {ids[3]}: {told}"), lines
        equal(lines[3:], [f"herald: dead letter {ids[5]}: {told}{tool.source}-gone",
                          "herald: 4 of 6 were not replayed"])
        equal(re.findall("[\0-\x09\x0b-\x1f\x7f-\x9f]", errors), [])
    equal((len(tool.bodies()), len(tool.bodies(other))), (2, 0))
    equal(tool.run("replay", "--event-id", "e-1", "--target", other), (0, "replayed 1\n", ""))
    equal(len(tool.bodies(other)), 1)
    status, output, errors = tool.run("replay", "--event-id", "e-5", "--target",
                                      f"{tool.source}-gone")
    equal((status, output), (1, "replayed 0\n"))
    assert f"{tool.source}-gone" in errors, errors
    equal(tool.event_ids(), ["e-2", "e-3", "e-5"])


@case
def what_cannot_be_sent_stays_and_is_told(tool):
    letters = [letter(0, tool.source), letter(1, f"{tool.source}-gone"), letter(2, tool.source),
               letter(3, tool.source), letter(4, tool.dead)]
    del letters[3][b"herald-origin"]
    tool.put(*letters)
    ids = [line["id"] for line in tool.lines("list")]
    status, output, errors = tool.run("replay", "--all")
    equal((status, output), (1, "replayed 2\n"))
    found = errors.splitlines()
    equal(found[-1], "herald: 3 of 5 were not replayed")
    for line, dead_id, reason in ((found[0], ids[1], f"{tool.source}-gone"),
                                  (found[1], ids[3], "no header herald-origin"),
                                  (found[2], ids[4], tool.dead)):
        assert line.startswith(f"herald: dead letter {dead_id}: "), found
        assert reason in line, found
    equal(tool.event_ids(), ["e-1", "e-3", "e-4"])
    equal(tool.bodies(), [letters[0][b"data"], letters[2][b"data"]])


@case
def of_many_failures_the_first_ones_are_told(tool):
    tool.put(*(letter(i, f"{tool.source}-gone") for i in range(200)))
    status, output, errors = tool.run("replay", "--all")
    equal((status, output), (1, "replayed 0\n"))
    equal((len(errors.splitlines()), errors.splitlines()[-1]),
          (11, "herald: 200 of 200 were not replayed"))
    equal(len(tool.event_ids()), 200)


# What `dead show` calls the members of its JSON.
SHOWN = {"id": "id", "origin": "origin", "type": "event_type", "event id": "event_id",
         "status": "status", "reason": "reason", "path": "path", "attempts": "attempts",
         "dead": "dead", "stored": "stored", "bytes": "bytes"}


@case
def json_has_every_member_that_the_text_has(tool):
    letters = four(tool)
    listed = tool.lines("list", "--event-id", "e-1")[0]
    whole = tool.lines("show", listed["id"])[0]
    head, attributes, data = tool.run("show", listed["id"])[1].split("\n\n")
    shown = {line[:14].strip(): line[14:] for line in head.splitlines()}
    assert set(SHOWN) - {"stored"} <= set(shown) <= set(SHOWN), shown
    for name, text in shown.items():
        equal((name, str(whole[SHOWN[name]])), (name, text))
    for line in attributes.splitlines():
        assert not own(line.encode()), line
    assert {"content-type: application/json", "shop: berlin"} <= set(attributes.splitlines())
    equal(data, letters[1][b"data"].decode() + "\n")
    equal(whole["data"], letters[1][b"data"].decode())
    equal({**whole, **listed}, whole)
    equal(whole["event_type"], "order_placed")
    for name, value in letters[1].items():
        if name != b"data":
            assert {"name": name.decode(), "value": value.decode()} in whole["attributes"], whole


@case
def hostile_bytes_do_not_reach_a_terminal(tool):
    hostile = bytes(range(256)) + b"\x1b[31m\xc2\x9b31m\n\ttext\xe2\x82\xac" + b"\xff"
    evil = {"herald_reason": b"\x1b[1mboo", "herald_id": b"\x7f\xc2\x9b", "x_evil": b"\x1b[2J"}
    tool.put(letter(0, tool.source, **evil) | {b"data": hostile})
    listed = tool.lines("list")[0]
    for words in (("list",), ("show", listed["id"]), ("list", "--json"),
                  ("show", listed["id"], "--json")):
        output = tool.run(*words)[1]
        equal((words, re.findall("[\0-\x08\x0b-\x1f\x7f-\x9f]", output)), (words, []))
    equal(base64.b64decode(tool.lines("show", listed["id"])[0]["data_base64"]), hostile)
    assert "\n\ttext€?" in tool.run("show", listed["id"])[1]
    equal(tool.run("replay", "--all"), (0, "replayed 1\n", ""))
    equal(tool.bodies(), [hostile])


@case
def large_bodies(tool):
    # Less than the limit of a NATS server, 1 MiB with the headers.
    bodies = [bytes([65 + i]) * (1000000 if i % 4 == 0 else 10) for i in range(40)]
    tool.put(*(letter(i, tool.source) | {b"data": body} for i, body in enumerate(bodies)))
    equal([line["bytes"] for line in tool.lines("list")], [len(body) for body in bodies])
    equal(tool.run("replay", "--all"), (0, "replayed 40\n", ""))
    equal(sorted(tool.bodies()), sorted(bodies))


def numbers(bodies):
    return sorted(json.loads(body)["payload"]["number"] for body in bodies)


def check_nothing_is_lost(tool, count, in_doubt=0):
    """Each dead letter is in one of the two places; `in_doubt` of them may be in both, or twice."""
    replayed, dead = [], []

    def are_there():
        # RabbitMQ gives back what a tool had that was killed, but some time later.
        replayed[:], dead[:] = numbers(tool.bodies()), numbers(tool.bodies(tool.dead))
        return set(replayed + dead) == set(range(count))
    wait_until(are_there)
    assert len(replayed) + len(dead) <= count + in_doubt, (len(replayed), len(dead))
    return len(replayed)


def replay_the_rest(tool):
    """RabbitMQ gives back what a tool had some time after its end; before, no one sees it."""
    def is_done():
        equal(tool.run("replay", "--all")[0], 0)
        return not tool.event_ids()
    if tool.broker.HIDES_WHAT_IS_READ:
        wait_until(is_done)
    else:
        assert is_done()


MANY = 2000
# What the tool has sent at once.
BATCH = 64


def put_many(tool):
    tool.put(*(letter(i, tool.source) for i in range(MANY)))


@case
def a_broker_killed_in_the_middle_loses_nothing(tool):
    put_many(tool)
    command = tool.start("replay", "--all", "--rate", str(tool.broker.RATE))
    wait_until(lambda: tool.broker.ready(tool.source) > 200, command)
    tool.broker.kill()
    output, errors = (part.decode() for part in command.communicate(timeout=WAIT_S))
    tool.broker.start()
    equal(command.returncode, 1)
    told = int(re.search(r"replayed (\d+)\n", output)[1])
    found = check_nothing_is_lost(tool, MANY, tool.broker.IN_DOUBT * BATCH)
    assert told <= found <= told + BATCH, (told, found)
    assert "herald: " in errors and "lost" in errors, errors
    status, output, errors = tool.run("replay", "--all")
    equal((status, errors), (0, ""))
    check_nothing_is_lost(tool, MANY, tool.broker.IN_DOUBT * BATCH)
    equal(tool.event_ids(), [])


@case
def a_tool_killed_in_the_middle_loses_nothing(tool):
    put_many(tool)
    for more in (200, 800):
        # What the server has not put back yet is not among those that a replay begins with.
        wait_until(lambda: tool.broker.ready(tool.dead) + len(tool.bodies()) >= MANY)
        before = tool.broker.ready(tool.source)
        command = tool.start("replay", "--all", "--rate", str(tool.broker.RATE))
        wait_until(lambda at=before + more: tool.broker.ready(tool.source) > at, command)
        command.kill()
        command.communicate(timeout=WAIT_S)
        check_nothing_is_lost(tool, MANY, tool.broker.IN_DOUBT * BATCH * 2)
    replay_the_rest(tool)
    check_nothing_is_lost(tool, MANY, tool.broker.IN_DOUBT * BATCH * 2)


@case
def an_interrupted_command_tells_what_it_has_done(tool):
    put_many(tool)
    for number, name, verb in ((signal.SIGINT, "drop", "dropped"),
                               (signal.SIGTERM, "replay", "replayed")):
        began_with = len(tool.broker.all(tool.dead))
        command = tool.start(name, "--all", "--rate", "100")
        # More than a batch: on RabbitMQ, one that was read is not ready, but still there.
        wait_until(lambda count=began_with: tool.broker.ready(tool.dead) < count - 60, command)
        command.send_signal(number)
        output, errors = command.communicate(timeout=WAIT_S)
        left = len(tool.broker.all(tool.dead))
        equal((command.returncode, output.decode(), errors.decode()),
              (-number, f"{verb} {began_with - left}\n",
               f"herald: interrupted: the rest, if any, was not {verb}\n"))
        assert 0 < left < began_with, left


@case
def two_at_the_same_time_lose_nothing(tool):
    put_many(tool)
    commands = [tool.start("replay", "--all") for _ in range(2)]
    outputs = [[part.decode() for part in command.communicate(timeout=WAIT_S)]
               for command in commands]
    counts = [int(re.search(r"replayed (\d+)\n", output)[1]) for output, _ in outputs]
    in_doubt = MANY if tool.broker.MAY_DOUBLE else tool.broker.IN_DOUBT * BATCH * 2
    found = check_nothing_is_lost(tool, MANY, in_doubt)
    # If both have sent a letter, both have counted it.
    equal(found, sum(counts))
    # On RabbitMQ, one does not see what the other one has, and ends when it sees none.
    assert tool.broker.HIDES_WHAT_IS_READ or not tool.event_ids(), tool.event_ids()
    replay_the_rest(tool)
    check_nothing_is_lost(tool, MANY, in_doubt)
    for command, (_, errors) in zip(commands, outputs):
        equal(command.returncode, 1 if "no longer there" in errors else 0)


@case
def listing_changes_nothing(tool):
    letters = four(tool)
    before = tool.broker.all(tool.dead)
    for _ in range(3):
        tool.run("list")
        tool.run("show", tool.lines("list")[2]["id"])
        tool.run("replay", "--all", "--dry-run")
    equal(tool.broker.all(tool.dead), before)
    equal([message[b"data"] for message in before], [message[b"data"] for message in letters])


@case
def what_is_not_there_is_told(tool):
    status, output, errors = tool.run("list")
    equal((status, output), (1, ""))
    assert tool.source in errors and "neither" in errors, errors
    tool.broker.publish(tool.source, [event("first", "joe")])
    equal(tool.run("list"), (0, "There are no such dead letters.\n", ""))
    equal(tool.run("list", "--json"), (0, "", ""))
    equal(tool.run("replay", "--all"), (0, "replayed 0\n", ""))
    tool.broker.put(tool.dead, [letter(1, tool.source)])
    for command in ("list", "show", "replay", "drop"):
        for dead_id in ("9", "1-9", "x", "99999999999999999999999-1"):
            equal(tool.run(command, dead_id),
                  (1, "", f"herald: there is no dead letter {dead_id}\n"))


@case
def a_broker_that_is_not_there_is_told(tool):
    for command in ("list", "replay"):
        scheme = tool.broker.url.split("://")[0]
        status, output, errors = run("broker", "dead", command, "--all"[:5 * (command != "list")]
                                     or "--json", "--url", f"{scheme}://127.0.0.1:{free_port()}",
                                     "--source", tool.source)
        equal((status, output), (1, ""))
        assert errors.startswith("herald: ") and errors.count("\n") == 1, errors


@case
def the_variable_is_the_default_of_the_url(tool):
    four(tool)
    words = ["broker", "dead", "list", "--source", tool.source, "--json"]
    status, output, errors = run(*words, HERALD_BROKER=tool.broker.url)
    equal((status, len(output.splitlines()), errors), (0, 4, ""))
    equal(run(*words)[0], 2)
    # The option is stronger.
    equal(run(*words, "--url", tool.broker.url, HERALD_BROKER="redis://127.0.0.1:1")[0], 0)


def wrong_usage_is_refused():
    place = ["--url", "redis://127.0.0.1:1", "--source", "s"]
    for words, reason in (
            ([], "usage: herald broker dead COMMAND"),
            (["frob"], 'unknown command "frob"; expected dead'),
            (["dead"], "a command is missing; expected list, show, replay, drop"),
            (["dead", "frob"], 'unknown command "frob"; expected list, show, replay, drop'),
            (["dead", "list"], "--url is missing"),
            (["dead", "list", "--url", "redis://h"], "--source is missing"),
            (["dead", "list", "--source", "s"], "--url is missing"),
            (["dead", "list", *place, "--rate", "1"], "unknown option"),
            (["dead", "list", *place, "--limit", "0"], "--limit: expected a number from 1"),
            (["dead", "list", *place, "--from", "yesterday"], "--from: expected a time"),
            (["dead", "list", *place, "--to", "1970-01-01T00:00:00Z"], "--to: expected a time"),
            (["dead", "list", *place, "--from", "1h", "--to", "2h"], "must be later than --from"),
            (["dead", "list", *place, "1", "2"], 'unexpected argument "2"'),
            (["dead", "list", *place, "1", "--id", "2"], "expected one id, found 1 and --id 2"),
            (["dead", "show", *place], "expected an id"),
            (["dead", "show", *place, "--reason", "x"], "unknown option"),
            (["dead", "drop", *place, "--target", "x"], "unknown option"),
            (["dead", "drop", *place], "give a filter such as --type, or --all"),
            (["dead", "replay", *place, "--limit", "9"], "give a filter such as --type"),
            (["dead", "replay", *place, "--from", "1970-01-01T00:00:00Z"], "give a filter"),
            (["dead", "replay", *place, "--to", "0s"], "give a filter"),
            (["dead", "replay", *place, "--target", "x"], "give a filter"),
            (["dead", "replay", *place, "--all", "--rate", "0"], "--rate: expected"),
            (["dead", "list", "--source", "s", "--url", "http://u:secret@h"], "--url: expected"),
            (["dead", "list", "--source", "s", "--url", "nonsense"], "--url: expected"),
            (["dead", "list", *place, "--tls-ca", "x"], "--tls-ca: "),
            (["dead", "list", "--source", "s", "--url", "kafka://h", "--tls-key", "x"],
             "--tls-ca, --tls-certificate and --tls-key are not for Kafka")):
        status, output, errors = run("broker", *words)
        equal((words, status, output), (words, 2, ""))
        assert reason in errors and "secret" not in errors, (words, errors)


def every_command_has_help():
    for words in ((), ("dead",), ("dead", "list"), ("dead", "show"), ("dead", "replay"),
                  ("dead", "drop")):
        for flag in ("--help", "-h"):
            status, output, errors = run("broker", *words, flag)
            equal((words, status, errors), (words, 0, ""))
            assert output.startswith("usage: herald broker dead "), output


def empty_values_are_refused():
    for flag in ("url", "source", "id", "event-id", "type", "reason", "status", "from", "to",
                 "limit", "rate", "target"):
        for given in ((f"--{flag}", ""), (f"--{flag}=",)):
            status, output, errors = run("broker", "dead", "replay", "--url", "redis://h",
                                         "--source", "s", "--all", *given)
            equal((given, status, output), (given, 2, ""))
            assert errors.startswith(f"herald: --{flag}: "), errors


def redis_wrong_place(tool):
    """What only Redis has: types of keys, users, databases."""
    tool.broker.run(["SET", f"{tool.source}.dead", "1"])
    equal(tool.run("list"),
          (1, "", f"herald: --source: the key {tool.source}.dead is not a stream\n"))
    tool.broker.run(["DEL", f"{tool.source}.dead"], ["SET", f"{tool.source}-text", "1"],
                    ["ACL", "SETUSER", "shop", "on", ">secret", "~*", "+@all"])
    tool.put(letter(0, f"{tool.source}-text"), letter(1, tool.source))
    equal(tool.run("replay", "--event-id", "e-1"), (0, "replayed 1\n", ""))
    status, output, errors = tool.run("replay", "--all", "--target", f"{tool.source}-text")
    equal((status, output), (1, "replayed 0\n"))
    assert "WRONGTYPE" in errors and "1 of 1 were not replayed" in errors, errors
    url = f"127.0.0.1:{tool.broker.port}"
    words = ["broker", "dead", "list", "--source", tool.source, "--json"]
    equal(len(run(*words, "--url", f"redis://shop:secret@{url}")[1].splitlines()), 1)
    status, output, errors = run(*words, "--url", f"redis://shop:mistaken@{url}")
    equal((status, output), (1, ""))
    assert "WRONGPASS" in errors and "mistaken" not in errors, errors
    equal(run(*words, "--url", f"redis://{url}/1")[0], 1)


def redis_over_tls(tool):
    """With a server that asks for certificates. One certificate is all of them, and the CA."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = f"{folder}/cert.pem", f"{folder}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-out", certificate, "-keyout", key],
                       stderr=subprocess.DEVNULL, timeout=WAIT_S, check=True)
        tool.broker.run(["CONFIG", "SET", "tls-port", str(port), "tls-cert-file", certificate,
                         "tls-key-file", key, "tls-ca-cert-file", certificate,
                         "tls-auth-clients", "yes"])
        four(tool)
        words = ["broker", "dead", "list", "--source", tool.source, "--json", "--url",
                 f"rediss://localhost:{port}"]
        client = ["--tls-certificate", certificate, "--tls-key", key]
        status, output, errors = run(*words, "--tls-ca", certificate, *client)
        equal((status, len(output.splitlines()), errors), (0, 4, ""))
        for options, wanted in (
                (client, (1, "--url: the certificate of localhost is not accepted: ")),
                (["--tls-ca", certificate], (1, "certificate required")),
                (["--tls-ca", certificate, *client[:2]], (2, "--tls-key: is missing")),
                (["--tls-ca", key], (2, f"--tls-ca: {key}: expected CA certificates")),
                (["--tls-ca", f"{folder}/none"], (2, "--tls-ca: "))):
            status, output, errors = run(*words, *options)
            equal((options, status, output), (options, wanted[0], ""))
            assert wanted[1] in errors and errors.count("\n") == 1, (options, errors)
        tool.broker.run(["CONFIG", "SET", "tls-port", "0"])


def nats_subjects_of_a_stream(tool):
    """On NATS the origin is a subject, of which a stream may have many."""
    with nats_broker.Client(tool.broker.port) as client:
        client.call(f"STREAM.CREATE.{tool.source}", name=tool.source, storage="file",
                    subjects=[f"{tool.source}.shop.*", f"{tool.source}.main"])
    origins = [f"{tool.source}.shop.eu", f"{tool.source}.main", f"{tool.source}.shop.us",
               f"{tool.source}.shop.*", f"{tool.source}.shop", f"{tool.source}.>",
               "$JS.API.STREAM.NAMES", 'x"y', f"{tool.source}.shop.a b"]
    tool.broker.put(tool.dead, [letter(i, origin) for i, origin in enumerate(origins)])
    status, output, errors = tool.run("replay", "--all")
    equal((status, output), (1, "replayed 3\n"))
    equal(errors.count("its origin is not"), 6)
    equal(tool.event_ids(), [f"e-{i}" for i in range(3, 9)])
    equal(numbers(tool.bodies()), [0, 1, 2])


def redis_silent_server(tool):
    """A listener that says nothing: the connection is not waited for without end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        command = subprocess.Popen(
            [HERALD, "broker", "dead", "list", "--url",
             f"redis://127.0.0.1:{listener.getsockname()[1]}", "--source", tool.source],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        connection, _ = listener.accept()
        with connection:
            connection.recv(10)
            connection.sendall(b"+HTTP\r\n")
        output, errors = command.communicate(timeout=WAIT_S)
        equal((command.returncode, output), (1, b""))
        assert errors.startswith(b"herald: ") and errors.count(b"\n") == 1, errors


def main():
    all_cases = [(check.__name__.replace("_", " "), check)
                 for check in (wrong_usage_is_refused, every_command_has_help,
                               empty_values_are_refused)]
    brokers = []
    for program in map(os.path.abspath, sys.argv[2:]):
        name = os.path.basename(program)
        if name not in BROKERS or not BROKERS[name].PROGRAM:
            continue
        brokers.append(BROKERS[name].Broker())
        own_cases = {"orders_nats": [nats_subjects_of_a_stream],
                     "orders_redis": [redis_wrong_place, redis_silent_server,
                                      redis_over_tls]}.get(name, [])
        all_cases += [(f"{name}: {check.__name__.replace('_', ' ')}", check,
                       Tool(program, brokers[-1], f"case-{i}"))
                      for i, check in enumerate(cases + own_cases)]
    try:
        tap.run(all_cases)
    finally:
        for broker in brokers:
            broker.stop()


if __name__ == "__main__":
    main()
