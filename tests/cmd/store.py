#!/usr/bin/env python3
"""Runs `herald store` on the database of the durable example, while that runs and after it.

    tests/cmd/store.py DURABLE HERALD

Every case is one line of TAP.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
import durable  # noqa: E402
from durable import ACCEPTED, shop  # noqa: E402
from programs import WAIT_S, equal, wait_until  # noqa: E402

cases = []


def case(function):
    cases.append(function)
    return function


def run(*arguments, store=None):
    """Status, stdout and stderr."""
    words = [durable.herald, "store", *arguments]
    if store:
        words += ["--store", f"sqlite:{store}"]
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_S,
                            check=False, env={"PATH": os.environ["PATH"]})
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def lines(*arguments, store):
    """The JSON objects that a command prints."""
    status, output, errors = run(*arguments, "--json", store=store)
    equal((status, errors), (0, ""))
    return [json.loads(line) for line in output.splitlines()]


def ids(*arguments, store):
    return sorted(line["event_id"] for line in lines("dead", "list", *arguments, store=store))


@contextlib.contextmanager
def dead_letters():
    """A shop that runs, with five dead letters of two kinds, and one event that waits."""
    with shop("--retry-ms", "600000", "--max-attempts", "2") as program:
        program.run()
        for i in range(3):
            equal(program.send(f"f-{i}", "fail", source="a" if i else "b"), ACCEPTED)
        equal(program.send("later", "retry"), ACCEPTED)
        wait_until(lambda: len(program.dead()) == 3, program.process)
        yield program


@case
def status_counts_what_there_is():
    with dead_letters() as program:
        found = {(line["kind"], line["state"]): line["count"]
                 for line in lines("status", store=program.path)}
        equal(found[("event", "dead")], 3)
        wait_until(lambda: ("event", "delayed") in
                   {(line["kind"], line["state"]) for line in lines("status", store=program.path)},
                   program.process)
        status, output, _ = run("status", store=program.path)
        equal(status, 0)
        assert "user_created" in output and "dead" in output, output


@case
def list_filters():
    with dead_letters() as program:
        everything = ["f-0", "f-1", "f-2"]
        for arguments, expected in (
                ([], everything),
                (["--type", "user_created"], everything),
                (["--type", "other"], []),
                (["--source", "b"], ["f-0"]),
                (["--event-id", "f-1"], ["f-1"]),
                (["--reason", "failed"], everything),
                (["--reason", "attempts"], []),
                (["--queue", "default"], everything),
                (["--queue", "other"], []),
                (["--from", "1h"], everything),
                (["--to", "1h"], []),
                (["--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"], []),
                (["--kind", "deliveries"], []),
                (["--kind", "both"], everything)):
            equal((arguments, ids(*arguments, store=program.path)), (arguments, expected))
        first, *rest = lines("dead", "list", store=program.path)
        equal(lines("dead", "list", "--limit", "1", store=program.path), [first])
        equal(lines("dead", "list", "--after-id", first["id"], store=program.path), rest)


@case
def show_prints_the_event_as_it_came():
    with dead_letters() as program:
        letter = lines("dead", "list", "--event-id", "f-1", store=program.path)[0]
        whole = lines("dead", "show", letter["id"], store=program.path)[0]
        equal(json.loads(whole["data"])["metadata"], {"id": "f-1", "source": "a"})
        equal(whole["reason"], "nobody may be called fail")
        status, output, _ = run("dead", "show", letter["id"], store=program.path)
        equal(status, 0)
        assert "nobody may be called fail" in output and '"f-1"' in output, output
        status, _, errors = run("dead", "show", "1", store=program.path)
        equal((status, errors), (1, "herald: there is no dead letter 1\n"))


@case
def data_does_not_command_a_terminal():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        data = b"{\x1b[31m\x07\xc2\x9b\x7f\n\t\xe2\x82\xac\xff}"
        with contextlib.closing(sqlite3.connect(program.path)) as db:
            db.execute("UPDATE herald_dead SET data = ? WHERE event_id = 'f-1'", (data,))
            db.commit()
        letter = lines("dead", "list", "--event-id", "f-1", store=program.path)[0]
        assert run("dead", "show", letter["id"], store=program.path)[1].endswith(
            "\n\n{?[31m???\n\t\u20ac?}\n")
        equal(base64.b64decode(lines("dead", "show", letter["id"], store=program.path)[0]
                               ["data_base64"]), data)


@case
def an_id_is_an_argument_or_an_option():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        by_event = {line["event_id"]: line["id"]
                    for line in lines("dead", "list", store=program.path)}
        wanted = by_event["f-1"]
        with contextlib.closing(sqlite3.connect(program.path)) as db:
            db.execute("UPDATE herald_dead SET kind = 1, url = 'http://a.example/' "
                       "WHERE event_id = 'f-2'")
            db.commit()
        for words in ([wanted], ["--id", wanted], [wanted, "--id", wanted]):
            equal(ids(*words, store=program.path), ["f-1"])
            equal([line["event_id"] for line in lines("dead", "show", *words, store=program.path)],
                  ["f-1"])
            for command, verb in (("replay", "replayed"), ("drop", "dropped")):
                equal(run("dead", command, *words, "--dry-run", store=program.path),
                      (0, f"1 would be {verb}\n", ""))
        # Of either kind, unless --kind says which.
        # A filter does not match the one with this id.
        for words in ([by_event["f-2"], "--kind", "events"], [wanted, "--reason", "attempts"],
                      [wanted, "--type", "other"], ["--id", wanted, "--to", "1h"]):
            number = words[0] if words[0] != "--id" else words[1]
            for command in ("replay", "drop"):
                equal(run("dead", command, *words, store=program.path),
                      (1, "", f"herald: no dead letter {number} matches the filter\n"))
        equal(run("dead", "replay", "1", "--limit", "3", "--rate", "9", store=program.path),
              (1, "", "herald: there is no dead letter 1\n"))
        equal(run("dead", "drop", by_event["f-2"], store=program.path), (0, "dropped 1\n", ""))
        for command in ("show", "replay", "drop"):
            for words in ([by_event["f-2"]], ["--id", by_event["f-2"]]):
                equal(run("dead", command, *words, store=program.path),
                      (1, "", f"herald: there is no dead letter {by_event['f-2']}\n"))
        equal(run("dead", "replay", wanted, store=program.path), (0, "replayed 1\n", ""))
        equal(ids("--kind", "both", store=program.path), ["f-0"])


@case
def show_prints_attributes():
    with dead_letters() as program:
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=WAIT_S)
        connection.request("POST", "/event", json.dumps(
            {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
             "payload": {"user_id": "1", "username": "fail"}}),
            {"Content-Type": "application/json", "Idempotency-Key": "in-a-header"})
        equal(connection.getresponse().status, 202)
        connection.close()
        wait_until(lambda: len(program.dead()) == 4, program.process)
        letter = lines("dead", "list", "--event-id", "in-a-header", store=program.path)[0]
        status, output, _ = run("dead", "show", letter["id"], store=program.path)
        equal(status, 0)
        assert "\n\nIdempotency-Key: in-a-header\n\n{" in output, output
        whole = lines("dead", "show", letter["id"], store=program.path)[0]
        equal(whole["attributes"], [{"name": "Idempotency-Key", "value": "in-a-header"}])


@case
def attributes_are_whole_whatever_they_hold():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        with contextlib.closing(sqlite3.connect(program.path)) as db:
            for stored, expected in (
                    (b"", None),
                    (b"a\0\0b\0\xff\0", [{"name": "a", "value": ""},
                                        {"name": "b", "value_base64": "/w=="}]),
                    (b"a\x001\0a\x002\0cut", [{"name": "a", "value": "1"},
                                              {"name": "a", "value": "2"}])):
                db.execute("UPDATE herald_dead SET attributes = ? WHERE event_id = 'f-1'",
                           (stored,))
                db.commit()
                letter = lines("dead", "list", "--event-id", "f-1", store=program.path)[0]
                whole = lines("dead", "show", letter["id"], store=program.path)[0]
                equal(whole.get("attributes"), expected)


# What `dead show` calls the members of its JSON.
SHOWN = {"queue": "queue", "type": "event_type", "source": "source", "event id": "event_id",
         "destination": "destination", "why": "why", "reason": "reason", "path": "path",
         "byte": "offset", "accepted": "created", "dead": "dead", "content type": "content_type"}


@case
def json_has_every_member_that_the_text_has():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        with contextlib.closing(sqlite3.connect(program.path)) as db:
            db.execute("UPDATE herald_dead SET path = '/payload', offset = 7, is_held = 1, "
                       "url = 'http://a.example/', interrupted = 2, replays = 3, "
                       "attributes = x'6100310062003200' WHERE event_id = 'f-1'")
            db.commit()
        letter = lines("dead", "list", "--event-id", "f-1", store=program.path)[0]
        whole = lines("dead", "show", letter["id"], store=program.path)[0]
        head, attributes, data = run("dead", "show", letter["id"],
                                     store=program.path)[1].split("\n\n")
        shown = {line[:14].strip(): line[14:] for line in head.splitlines()}
        equal(shown.pop("id"), f"{whole['id']} ({whole['kind']})")
        equal(shown.pop("attempts"), f"{whole['attempts']}, interrupted 2, replayed 3")
        equal((whole["interrupted"], whole["replays"], whole["held"]), (2, 3, True))
        assert "wait for it" in shown.pop("held")
        equal(set(shown), set(SHOWN))
        for name, text in shown.items():
            equal((name, str(whole[SHOWN[name]])), (name, text))
        equal([f"{line['name']}: {line['value']}" for line in whole["attributes"]],
              attributes.splitlines())
        equal(whole["data"], data[:-1])
        equal({**whole, **letter}, whole)


# Filters of dead letters, and how many of the three they select.
FILTERS = (
    (["--all"], 3), (["--type", "user_created"], 3), (["--type", "x"], 0), (["--source", "a"], 2),
    (["--event-id", "f-1"], 1), (["--reason", "failed"], 3), (["--reason", "expired"], 0),
    (["--queue", "default"], 3), (["--queue", "x"], 0), (["--from", "1h"], 3), (["--to", "1h"], 0),
    (["--kind", "both", "--source", "b"], 1), (["--kind", "deliveries", "--all"], 0),
    (["--destination", "http://a.example/"], 0), (["--all", "--after-id", "1"], 3),
    (["--source", "a", "--limit", "1"], 1), (["--all", "--limit", "2"], 2))

# Filters of purge, and how many of the one event that waits they select.
PURGES = (
    (["--all"], 1), (["--type", "user_created"], 1), (["--type", "x"], 0),
    (["--queue", "default"], 1), (["--queue", "x"], 0), (["--created-before", "1h"], 0),
    (["--created-before", "0s", "--type", "user_created"], 1), (["--deliveries", "--all"], 0),
    (["--deliveries", "--created-before", "0s", "--all"], 0))


@case
def every_filter_counts_in_a_dry_run_what_is_then_done():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        kept = program.path + ".kept"
        with contextlib.closing(sqlite3.connect(program.path)) as db, \
                contextlib.closing(sqlite3.connect(kept)) as copy:
            db.backup(copy)
        tables = [((*command, *arguments), expected, verb)
                  for command, verb, filters in ((("dead", "replay"), "replayed", FILTERS),
                                                 (("dead", "drop"), "dropped", FILTERS),
                                                 (("purge",), "purged", PURGES))
                  for arguments, expected in filters]
        for words, expected, verb in tables:
            equal((words, lines(*words, "--dry-run", store=program.path)),
                  (words, [{"operation": verb, "count": expected, "dry_run": True}]))
            equal((words, run(*words, "--dry-run", store=program.path)),
                  (words, (0, f"{expected} would be {verb}\n", "")))
            equal((words, lines(*words, store=program.path)),
                  (words, [{"operation": verb, "count": expected, "dry_run": False}]))
            for suffix in ("-wal", "-shm"):
                pathlib.Path(program.path + suffix).unlink(missing_ok=True)
            shutil.copyfile(kept, program.path)


LETTERS = 1000


def add_letters(program, count):
    """Copies of one, until there are so many."""
    with contextlib.closing(sqlite3.connect(program.path)) as db:
        names = [row[1] for row in db.execute("PRAGMA table_info(herald_dead)")][1:]
        columns = ", ".join(names)
        for i in range(count - 3):
            db.execute(f"INSERT INTO herald_dead (id, {columns}) SELECT {10000 + i}, {columns} "
                       "FROM herald_dead WHERE event_id = 'f-1' LIMIT 1")
        db.commit()


@case
def an_interrupted_command_tells_what_it_has_done():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        add_letters(program, LETTERS)
        left = LETTERS
        for number in (signal.SIGINT, signal.SIGTERM):
            command = subprocess.Popen(
                [durable.herald, "store", "dead", "drop", "--all", "--rate", "10", "--store",
                 f"sqlite:{program.path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            began_with = left
            wait_until(lambda count=left: len(program.read("SELECT id FROM herald_dead")) < count, command)
            command.send_signal(number)
            output, errors = command.communicate(timeout=WAIT_S)
            left = len(program.read("SELECT id FROM herald_dead"))
            equal((command.returncode, output.decode(), errors.decode()),
                  (-number, f"dropped {began_with - left}\n",
                   "herald: interrupted: the rest, if any, was not dropped\n"))
            assert 0 < left < began_with, left


@case
def a_signal_that_the_caller_ignores_stays_ignored():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        add_letters(program, LETTERS)
        command = subprocess.Popen(
            [durable.herald, "store", "dead", "drop", "--all", "--rate", "100", "--store",
             f"sqlite:{program.path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        for number in (signal.SIGINT, signal.SIGTERM):
            left = len(program.read("SELECT id FROM herald_dead"))
            wait_until(lambda count=left: len(program.read("SELECT id FROM herald_dead")) < count,
                       command)
            command.send_signal(number)
        command.communicate(timeout=WAIT_S)
        equal(command.returncode, -signal.SIGTERM)


def drop_at_terminal(*words, store):
    """Stdout, and what it writes to a terminal as stderr."""
    terminal, end = os.openpty()
    command = subprocess.Popen([durable.herald, "store", "dead", "drop", "--all", *words, "--store",
                                f"sqlite:{store}"], stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    output = command.communicate(timeout=WAIT_S)[0].decode()
    errors = b""
    with contextlib.suppress(OSError):  # The other end is closed.
        while chunk := os.read(terminal, 4096):
            errors += chunk
    os.close(terminal)
    equal(command.returncode, 0)
    return output, errors.decode()


@case
def progress_is_shown_once_a_second_to_people_only():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        add_letters(program, LETTERS)
        # 2 s of work, so that a second passes.
        slow = ("--limit", "300", "--rate", "150")
        for words, expected in (((), "dropped 300\n"),
                                (("--json",), '{"operation":"dropped","count":300,"dry_run":false}\n')):
            output, errors = drop_at_terminal(*slow, *words, store=program.path)
            equal(output, expected)
            counts = [int(count) for count in re.findall(r"herald: dropped (\d+) so far\r\n", errors)]
            equal(errors, "".join(f"herald: dropped {count} so far\r\n" for count in counts))
            assert 1 <= len(counts) <= 4 and counts == sorted(set(counts)), counts
            assert 0 < counts[0] < 300, counts
        equal(run("dead", "drop", "--all", *slow, store=program.path), (0, "dropped 300\n", ""))


@case
def replay_runs_them_again():
    with dead_letters() as program:
        equal(lines("dead", "replay", "--source", "a", "--dry-run", store=program.path),
              [{"operation": "replayed", "count": 2, "dry_run": True}])
        equal(len(program.dead()), 3)
        equal(lines("dead", "replay", "--event-id", "f-1", store=program.path),
              [{"operation": "replayed", "count": 1, "dry_run": False}])
        wait_until(lambda: program.dead().get("f-1", {}).get("replays") == 1, program.process)
        equal(run("dead", "replay", "--all", store=program.path)[:2], (0, "replayed 3\n"))
        wait_until(lambda: {key: letter["replays"] for key, letter in program.dead().items()}
                   == {"f-0": 1, "f-1": 2, "f-2": 1}, program.process)


@case
def drop_deletes_them():
    with dead_letters() as program:
        equal(run("dead", "drop", "--source", "a", "--limit", "1", store=program.path)[:2],
              (0, "dropped 1\n"))
        equal(run("dead", "drop", "--all", "--dry-run", store=program.path)[:2],
              (0, "2 would be dropped\n"))
        equal(run("dead", "drop", "--all", store=program.path)[:2], (0, "dropped 2\n"))
        equal(program.dead(), {})


@case
def purge_deletes_events_that_wait():
    with dead_letters() as program:
        wait_until(lambda: program.read("SELECT count(*) FROM herald_event WHERE attempts = 1 "
                                        "AND owner = 0") == [(1,)], program.process)
        equal(run("purge", "--type", "other", store=program.path)[:2], (0, "purged 0\n"))
        equal(run("purge", "--all", store=program.path)[:2], (0, "purged 1\n"))
        assert program.is_idle()


@case
def check_finds_nothing_wrong_in_a_database_in_use():
    with dead_letters() as program:
        equal([line for line in lines("check", store=program.path) if line["problem"]], [])


@case
def it_works_without_the_program_and_creates_nothing():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        equal(len(program.dead()), 3)
        equal([line for line in lines("check", store=program.path) if line["problem"]], [])
        program.run()
        program.kill()
        status, output, errors = run("check", store=program.path)
        equal((status, errors), (1, "herald: the check found problems\n"))
        assert f"process {program.process.pid} on" in output, output
    with tempfile.TemporaryDirectory() as folder:
        missing = os.path.join(folder, "missing.db")
        status, output, errors = run("status", store=missing)
        equal((status, output), (1, ""))
        assert missing in errors, errors
        empty = os.path.join(folder, "empty.db")
        with contextlib.closing(sqlite3.connect(empty)) as db:
            db.execute("CREATE TABLE mine(x)")
        status, output, errors = run("status", store=empty)
        equal((status, output), (1, ""))
        assert "migrate" in errors or "tables" in errors, errors
        equal(os.listdir(folder), ["empty.db"])


def copy_alone(path):
    """A copy of the file without its WAL."""
    folder = path + ".copies"
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    return shutil.copy(path, folder)


@case
def a_copy_of_the_file_is_a_backup_when_nothing_runs():
    with dead_letters() as program:
        program.kill(signal.SIGTERM)
        equal(ids(store=copy_alone(program.path)), ["f-0", "f-1", "f-2"])
        equal(run("dead", "drop", "--event-id", "f-1", store=program.path)[0], 0)
        equal(ids(store=copy_alone(program.path)), ["f-0", "f-2"])
        wal = pathlib.Path(program.path + "-wal")
        assert not wal.exists() or wal.stat().st_size == 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "new.db")
        equal(run("migrate", store=path)[0], 0)
        equal(run("status", store=copy_alone(path))[:2], (0, "The store is empty.\n"))


@case
def migrate_creates_the_tables_and_sql_prints_them():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "new.db")
        status, output, errors = run("migrate", store=path)
        equal((status, output, errors), (0, "The tables are up to date.\n", ""))
        equal(run("status", store=path)[:2], (0, "The store is empty.\n"))
        status, sql, _ = run("sql", "--store", "sqlite:")
        equal(status, 0)
        with contextlib.closing(sqlite3.connect(":memory:")) as db:
            db.executescript(sql)
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        assert {"herald_event", "herald_dead", "herald_delivery"} <= tables, tables


@case
def wrong_usage_is_refused_with_the_reason():
    for arguments, reason in (
            ([], "usage:"),
            (["status"], "--store is missing"),
            (["nonsense"], "unknown command"),
            (["dead"], "store dead: a command is missing; expected one of list, show"),
            (["dead", "--json"], "store dead: a command is missing; expected one of list, show"),
            (["dead", "frob"], 'store dead: unknown command "frob"; expected one of list, show'),
            (["status", "--store", "mysql:x"], "expected sqlite:FILE or postgres://"),
            (["status", "--store"], "its value is missing"),
            (["status", "--limit", "1", "--store", "sqlite:x"], "unknown option"),
            (["status", "more", "--store", "sqlite:x"], 'unexpected argument "more"'),
            (["dead", "list", "--limit", "0", "--store", "sqlite:x"], "--limit: expected"),
            (["dead", "list", "--limit", "99999999999999999999", "--store", "sqlite:x"],
             "--limit: expected"),
            (["dead", "list", "--reason", "x", "--store", "sqlite:x"], "--reason: expected"),
            (["dead", "list", "--kind", "x", "--store", "sqlite:x"], "--kind: expected"),
            (["dead", "list", "--from", "yesterday", "--store", "sqlite:x"], "--from: expected"),
            (["dead", "list", "--from", "1969-12-31T23:59:59Z", "--store", "sqlite:x"],
             "--from: expected a time since 1970"),
            (["dead", "list", "--from", "1000000000d", "--store", "sqlite:x"],
             "--from: expected a time since 1970"),
            (["dead", "drop", "--to", "1970-01-01T00:00:00Z", "--store", "sqlite:x"],
             "--to: expected a time since 1970"),
            (["purge", "--created-before", "1970-01-01T00:00:00Z", "--store", "sqlite:x"],
             "--created-before: expected a time since 1970"),
            (["dead", "list", "--from", "1h", "--to", "2h", "--store", "sqlite:x"],
             "--to must be later than --from"),
            (["purge", "--deliveries", "--queue", "x", "--store", "sqlite:x"],
             "--queue: deliveries are in no queue"),
            (["status", "--schema", "x", "--store", "sqlite:x"], "--schema is for PostgreSQL"),
            (["status", "--pooled", "--store", "sqlite:x"], "--pooled is for PostgreSQL"),
            (["dead", "show", "--store", "sqlite:x"], "expected an id"),
            (["dead", "show", "x", "--store", "sqlite:x"], 'prints it, found "x"'),
            (["dead", "show", "--id", "0", "--store", "sqlite:x"], "--id: expected an id"),
            (["dead", "show", "--id", "9223372036854775808", "--store", "sqlite:x"],
             "--id: expected an id, which are up to 9223372036854775807"),
            (["dead", "show", "9223372036854775808", "--store", "sqlite:x"], "expected an id"),
            (["dead", "list", "--after-id", "18446744073709551615", "--store", "sqlite:x"],
             "--after-id: expected an id, which are up to 9223372036854775807"),
            (["dead", "drop", "x", "--store", "sqlite:x"], 'prints it, found "x"'),
            (["dead", "list", "5", "6", "--store", "sqlite:x"], 'unexpected argument "6"'),
            (["dead", "replay", "5", "--id", "6", "--store", "sqlite:x"],
             "expected one id, found 5 and --id 6"),
            (["purge", "5", "--store", "sqlite:x"], 'unexpected argument "5"'),
            (["purge", "--id", "5", "--store", "sqlite:x"], "unknown option"),
            (["dead", "drop", "--store", "sqlite:x"], "give a filter"),
            (["dead", "replay", "--limit", "5", "--store", "sqlite:x"], "give a filter"),
            (["purge", "--store", "sqlite:x"], "give a filter")):
        status, output, errors = run(*arguments)
        equal((arguments, output), (arguments, ""))
        assert status == 2 and reason in errors, (arguments, status, errors)
        assert not os.path.exists("x"), arguments


@case
def every_command_has_help():
    for words in ((), ("status",), ("dead",), ("dead", "drop"), ("sql",)):
        for flag in ("--help", "-h"):
            status, output, errors = run(*words, flag)
            equal((words, status, errors), (words, 0, ""))
            assert output.startswith("usage: herald store COMMAND"), output
    # The value of an option, as of a variable of the shell, is not a question.
    for words in (("dead", "drop", "--type", "-h"), ("purge", "--queue", "--help")):
        status, output, errors = run(*words)
        equal((words, status, output), (words, 2, ""))
        assert "--store is missing" in errors, errors


# The flags with a text of each kind of command.
TEXTS = ((("dead", "drop"), ("queue", "type", "source", "event-id", "destination", "reason", "kind",
                             "from", "to", "id", "after-id", "limit", "rate", "store", "schema")),
         (("purge",), ("queue", "type", "created-before", "rate", "store", "schema")))


@case
def an_unset_variable_of_the_shell_is_refused():
    for words, flags in TEXTS:
        for flag in flags:
            for given in ((f"--{flag}", ""), (f"--{flag}=",)):
                equal((given, run(*words, *given, "--all", "--store", "sqlite:x")),
                      (given, (2, "", f"herald: --{flag}: the value is empty; is a variable of "
                                      "the shell not set?\n")))


@case
def filters_that_leave_nothing_out_are_no_filters():
    for words in (["dead", "drop", "--reason", "any"], ["dead", "drop", "--after-id", "1"],
                  ["dead", "drop", "--from", "1970-01-01T00:00:01Z"],
                  ["dead", "drop", "--from", "20000d"], ["dead", "replay", "--to", "0s"],
                  ["purge", "--created-before", "0s"],
                  ["dead", "drop", "--from", "1970-01-01T00:00:00Z"],
                  ["dead", "drop", "--to", "2999-01-01T00:00:00Z"],
                  ["dead", "replay", "--kind", "both", "--limit", "9"],
                  ["purge", "--created-before", "2999-01-01T00:00:00Z"],
                  ["purge", "--deliveries"]):
        status, output, errors = run(*words, "--store", "sqlite:x")
        equal((words, status, output), (words, 2, ""))
        assert "give a filter such as --type, or --all" in errors, errors


if __name__ == "__main__":
    tap.run([(function.__name__.replace("_", " "), function) for function in cases])
