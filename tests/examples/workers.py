#!/usr/bin/env python3
"""Runs the example of several processes on one PostgreSQL database.

    tests/examples/workers.py WORKERS HERALD

HERALD_TEST_KILLS is how often processes are killed under load (20), HERALD_TEST_SEED repeats a
run. Every case is one line of TAP.
"""

import contextlib
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading

import tap
from ports import free_port, listens
from postgres import cluster, folder_of_programs, query
from programs import WAIT_S, commands_of, equal, run_line, status_and_body, wait_until


SEED = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(1 << 32))
KILLS = int(os.environ.get("HERALD_TEST_KILLS") or 20)


class Worker:
    """One process of the example; its output is read at the end."""

    def __init__(self, url):
        self.port = free_port()
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([workers, "--port", str(self.port), "--store", url],
                                        stdout=self.output, stderr=subprocess.PIPE)

    def ran(self):
        """The ids of the users whose events it has run."""
        self.output.seek(0)
        return re.findall(r" is user (\S+)$", self.output.read(), re.MULTILINE)

    def send(self, event_id, user_id, username):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        event = {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
                 "payload": {"user_id": user_id, "username": username},
                 "metadata": {"id": event_id}}
        connection.request("POST", "/event", json.dumps(event),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@contextlib.contextmanager
def processes(url, count):
    started = [Worker(url) for _ in range(count)]
    try:
        for worker in started:
            wait_until(lambda port=worker.port: listens(port), worker.process)
        yield started
    finally:
        for worker in started:
            worker.process.kill()
            worker.process.wait()
            worker.output.close()


ACCEPTED = (202, '{"status":"accepted"}')


def is_idle(url):
    return query(url, "SELECT count(*) FROM herald.herald_event") == ["0"]


def the_commands_of_its_head_answer_as_written(url):
    with processes(url, 2) as (first, second):
        for command, answer in commands_of("workers"):
            equal(status_and_body(run_line(command.replace(":8081", f":{first.port}"))), answer)
        wait_until(lambda: is_idle(url), first.process, second.process)
        equal(query(url, "SELECT * FROM users"), ["1|johndoe"])


def two_processes_share_the_work_and_keep_the_order_of_a_key(url):
    with processes(url, 2) as started:
        for i in range(200):
            equal(started[i % 2].send(f"b-{i}", f"u-{i % 40}", f"name-{i}"), ACCEPTED)
        wait_until(lambda: is_idle(url), *(worker.process for worker in started))
        equal(sorted(query(url, "SELECT * FROM users WHERE user_id LIKE 'u-%'")),
              sorted(f"u-{i % 40}|name-{i}" for i in range(160, 200)))
        equal(sum(len(worker.ran()) for worker in started), 200)


class Senders:
    """Threads that send events to the processes; `accepted` are the users whose events were."""

    def __init__(self, started, count):
        self.started, self.accepted, self.sent, self.is_over = started, [], 0, False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, index):
        while not self.is_over:
            with self.lock:
                self.sent += 1
                user = f"d-{self.sent}"
            try:
                is_accepted = self.started[index % len(self.started)].send(user, user, "x") == ACCEPTED
            except (OSError, http.client.HTTPException):  # its process was killed
                is_accepted = False
            if is_accepted:
                self.accepted.append(user)

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(WAIT_S)


# Counts what the function has done: a row for each time that it has written a user.
COUNT_EFFECTS = (
    "CREATE TABLE effects (user_id text)",
    "CREATE FUNCTION add_effect() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO effects VALUES (NEW.user_id); RETURN NEW; END $$",
    "CREATE TRIGGER add_effect AFTER INSERT OR UPDATE ON users "
    "FOR EACH ROW EXECUTE FUNCTION add_effect()")


def processes_killed_under_load_lose_and_double_nothing(url):
    draw = random.Random(SEED)
    for statement in COUNT_EFFECTS:
        query(url, statement)
    with processes(url, 3) as started:
        senders = Senders(started, 6)
        try:
            for _ in range(KILLS):
                enough = len(senders.accepted) + draw.randrange(1, 200)
                wait_until(lambda n=enough: len(senders.accepted) >= n)
                index = draw.randrange(len(started))
                started[index].process.kill()
                started[index].process.wait()
                started[index].output.close()
                started[index] = Worker(url)
                wait_until(lambda port=started[index].port: listens(port), started[index].process)
        finally:
            senders.stop()
        wait_until(lambda: is_idle(url), *(worker.process for worker in started))
    effects = query(url, "SELECT user_id FROM effects")
    # What ran in three processes as they were killed is a dead letter, and has no effect.
    dead = query(url, "SELECT event_id FROM herald.herald_dead WHERE event_id LIKE 'd-%'")
    found = effects + dead
    equal(len(found), len(set(found)))
    equal(set(senders.accepted) - set(found), set())
    print(f"# {KILLS} kills, {len(senders.accepted)} events accepted, {len(effects)} effects, "
          f"{len(dead)} dead letters", flush=True)


def a_killed_process_loses_nothing(url):
    with processes(url, 2) as (first, second):
        for i in range(100):
            equal(first.send(f"c-{i}", f"k-{i}", "x"), ACCEPTED)
        first.process.kill()
        wait_until(lambda: is_idle(url), second.process)
        equal(query(url, "SELECT count(*) FROM users WHERE user_id LIKE 'k-%'"), ["100"])


def the_tool_reads_the_store(url):
    result = subprocess.run([herald, "store", "check", "--store", url], stdout=subprocess.PIPE,
                            timeout=WAIT_S, check=False)
    assert b"ok" in result.stdout, result.stdout
    result = subprocess.run([herald, "store", "status", "--store", url], stdout=subprocess.PIPE,
                            timeout=WAIT_S, check=True)
    equal(result.stdout.decode(), "The store is empty.\n")


def the_tool(*words):
    """Status, stdout and stderr of `herald store`."""
    result = subprocess.run([herald, "store", *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


# Every command of the tool that opens a store, except for migrate.
READING = (["status"], ["check"], ["dead", "list"], ["dead", "show", "1"], ["purge", "--all"],
           ["dead", "drop", "--all", "--dry-run"], ["dead", "replay", "--all"])


def schemas(url):
    return query(url, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information)'")


def the_tool_creates_nothing(url):
    query(url, "CREATE DATABASE nothing")
    empty = url.replace("/postgres", "/nothing")
    for words in READING:
        status, output, errors = the_tool(*words, "--store", empty)
        equal((words, status, output), (words, 1, ""))
        assert "the database nothing has no tables of Herald in schema herald" in errors, errors
        equal((words, schemas(empty)), (words, ["public"]))
    equal(the_tool("migrate", "--store", empty), (0, "The tables are up to date.\n", ""))
    equal(the_tool("status", "--store", empty), (0, "The store is empty.\n", ""))
    equal(schemas(empty), ["public", "herald"])


def the_tool_finds_other_schemas_and_pools(url):
    query(url, "CREATE DATABASE two")
    place = ("--store", url.replace("/postgres", "/two"), "--schema", "shop")
    for words in READING:
        status, output, errors = the_tool(*words, *place)
        equal((words, status, output), (words, 1, ""))
        assert "the database two has no tables of Herald in schema shop" in errors, errors
    equal(the_tool("migrate", *place), (0, "The tables are up to date.\n", ""))
    equal(schemas(place[1]), ["public", "shop"])
    query(place[1], "INSERT INTO shop.herald_dead (id, kind, died, created, attempts, replays, "
                    "event_type, event_id, why, reason, data) VALUES "
                    "(7, 0, now(), now(), 1, 0, 'a', 'b', 'failed', 'because', '{}')")
    for options in ((), ("--pooled",)):
        status, output, errors = the_tool("dead", "list", "--json", *place, *options)
        equal((status, json.loads(output)["reason"], errors), (0, "because", ""))
        equal(the_tool("dead", "drop", "--all", "--dry-run", *place, *options),
              (0, "1 would be dropped\n", ""))
    assert 'CREATE SCHEMA IF NOT EXISTS "shop"' in the_tool("sql", *place)[1]
    status, output, errors = the_tool("status", *place[:2], "--schema", "Shop")
    equal((status, output), (2, ""))
    assert errors.startswith("herald: --schema: must have lower-case letters"), errors


def a_bad_port_is_refused(url):
    for port in ("", "-1", "65536", "http"):
        result = subprocess.run([workers, "--port", port, "--store", url], stderr=subprocess.PIPE,
                                timeout=WAIT_S, check=False)
        equal((port, result.returncode, result.stderr),
              (port, 2, b"usage: workers --port N --store postgres://...\n"))


def a_wrong_dsn_is_refused_with_the_reason(url):
    """The password is not printed."""
    role = url.replace("shop@", "stranger:secret@")
    for store, reason in ((f"postgres://shop:secret@127.0.0.1:{free_port()}/postgres",
                           "Connection refused"),
                          (url[:url.rindex("/")] + "/missing", 'database "missing" does not exist'),
                          (role, 'role "stranger" does not exist'),
                          (url + "?nonsense=1", 'invalid URI query parameter: "nonsense"')):
        result = subprocess.run([workers, "--port", "0", "--store", store], stderr=subprocess.PIPE,
                                timeout=WAIT_S, check=False)
        errors = result.stderr.decode()
        equal((store, result.returncode), (store, 1))
        assert reason in errors and "secret" not in errors, (store, errors)


def a_stop_leaves_at_once(url):
    with processes(url, 1) as (worker,):
        worker.process.send_signal(signal.SIGTERM)
        equal(worker.process.wait(WAIT_S), 0)
        equal(query(url, "SELECT count(*) FROM herald.herald_node "
                         f"WHERE pid = {worker.process.pid}"), ["0"])


workers, herald = sys.argv[1:]
if __name__ == "__main__":
    checks = [the_commands_of_its_head_answer_as_written,
              two_processes_share_the_work_and_keep_the_order_of_a_key,
              a_killed_process_loses_nothing,
              processes_killed_under_load_lose_and_double_nothing, a_stop_leaves_at_once, the_tool_reads_the_store,
              a_bad_port_is_refused, a_wrong_dsn_is_refused_with_the_reason, the_tool_creates_nothing, the_tool_finds_other_schemas_and_pools]
    if folder_of_programs():
        print(f"# HERALD_TEST_SEED={SEED}", flush=True)
        with cluster() as database:
            tap.run([(check.__name__.replace("_", " "), check, database) for check in checks])
    print("1..0 # SKIP PostgreSQL's server is not installed")
