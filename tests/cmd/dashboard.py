#!/usr/bin/env python3
"""Runs `herald dashboard` on a store: who may use it, and what it shows and does.

    tests/cmd/dashboard.py HERALD

Every case is one line of TAP.
"""

import contextlib
import http.client
import json
import os
import pathlib
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
from programs import WAIT_S, equal  # noqa: E402

HERALD = sys.argv[1]
TOKEN = "0123456789abcdef"
cases = []


def case(function):
    cases.append(function)
    return function


class Dashboard:
    """The tool on a store with two dead letters. It prints its port, and a token if it made one."""

    def __init__(self, path, *arguments, **environment):
        environment = {**os.environ, **environment}
        environment.pop("HERALD_STORE", None)
        self.process = subprocess.Popen(
            [HERALD, "dashboard", "--store", "sqlite:" + path, "--port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=environment)
        self.token = TOKEN
        url = self.line()
        self.port = int(url.removeprefix("dashboard on http://127.0.0.1:").removesuffix("/admin/"))

    def line(self):
        assert select.select([self.process.stderr], [], [], WAIT_S)[0], "prints nothing"
        return self.process.stderr.readline().decode().rstrip("\n")

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        with contextlib.closing(connection):
            connection.request(method, "/admin/" + path, body and json.dumps(body), {
                "Authorization": "Bearer " + self.token, "Content-Type": "application/json",
                **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def read(self, path):
        status, text = self.ask("GET", "api/" + path)
        equal(status, 200)
        return json.loads(text)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=WAIT_S)
        equal(self.process.returncode, 0)
        return errors.decode()


INSERT = """INSERT INTO herald_dead VALUES (?1, 0, 'default', 'user_created', '', 'e-' || ?1,
    'failed', 'out of stock', '', -1, 1, 0, 0, 0, 0, 0, 1, 2, '', '', '', 0, 0,
    'application/json', x'', x'7b7d')"""


@contextlib.contextmanager
def store():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shop.db")
        subprocess.run([HERALD, "store", "migrate", "--store", "sqlite:" + path], check=True,
                       stdout=subprocess.DEVNULL, timeout=WAIT_S)
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute(INSERT, (1,))
            db.execute(INSERT, (2,))
        yield path


@contextlib.contextmanager
def dashboard(*arguments, **environment):
    with store() as path:
        program = Dashboard(path, *arguments, **environment)
        try:
            yield program
        finally:
            program.process.kill()
            program.process.communicate()


@case
def it_shows_and_drops_dead_letters():
    with dashboard("--token", TOKEN) as program:
        equal(program.ask("GET", "")[1][:15], "<!doctype html>")
        equal(program.read("service")["parts"], ["server", "store"])
        equal([letter["event_id"] for letter in program.read("dead-letters")["letters"]],
              ["e-1", "e-2"])
        equal(program.read("queues")["rows"][0]["count"], 2)
        equal(program.ask("POST", "api/dead-letters/drop", {"event_id": "e-1"}),
              (200, '{"operation":"drop","count":1,"dry_run":false,"more":false}'))
        equal([letter["event_id"] for letter in program.read("dead-letters")["letters"]], ["e-2"])
        equal("action=drop dry_run=false count=1 event_id=e-1" in program.stop(), True)


@case
def a_token_is_made_if_there_is_none():
    with dashboard(HERALD_TOKEN="") as program:
        word, program.token = program.line().split(" ")
        equal((word, len(program.token)), ("token", 32))
        program.read("state")
        program.token = TOKEN
        equal(program.ask("GET", "api/state")[0], 401)
    with dashboard(HERALD_TOKEN=TOKEN) as program:
        program.read("state")
        equal(program.stop(), "")


@case
def a_read_only_one_refuses_actions():
    with dashboard("--token", TOKEN, "--read-only") as program:
        equal(program.ask("POST", "api/dead-letters/drop", {"all": True}),
              (403, '{"error":"the dashboard is read-only"}'))
        equal(len(program.read("dead-letters")["letters"]), 2)
        equal(program.read("service")["read_only"], True)


@case
def it_listens_on_this_machine_only():
    with dashboard("--token", TOKEN) as program:
        with open(f"/proc/{program.process.pid}/net/tcp", encoding="ascii") as sockets:
            rows = [line.split() for line in sockets][1:]
        mine = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{program.port:04X}")]
        equal(mine, [f"0100007F:{program.port:04X}"])


@case
def hosts_behind_a_proxy_are_named():
    with dashboard("--token", TOKEN) as program:
        equal(program.ask("GET", "", Host="ops.example:80"),
              (403, '{"error":"the path is not for the host ops.example:80"}'))
    with dashboard("--token", TOKEN, "--host", "a.example,ops.example") as program:
        equal([program.ask("GET", "", Host=host)[0]
               for host in ("ops.example:80", "a.example", "localhost", "evil.example")],
              [200, 200, 200, 403])


@case
def the_token_is_read_from_a_file():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(TOKEN + "\n")
        file.flush()
        with dashboard("--token", "@" + file.name) as program:
            equal(program.read("service")["parts"], ["server", "store"])
            program.token = "@" + file.name
            equal(program.ask("GET", "api/service")[0], 401)


@case
def wrong_usage_is_told():
    for arguments, status, text in (
            ([], 2, "herald: dashboard needs --store, or HERALD_STORE\n"),
            (["--store", "mysql:x"], 2, None), (["--port", "65536"], 2, None),
            (["--token", ""], 2, None), (["--address", "0.0.0.0"], 2, None),
            (["--store", "sqlite:/nowhere/shop.db"], 1, None),
            (["--store", "sqlite:PATH", "--token", "a b"], 2,
             "herald: --token: must be visible ASCII; byte 1 is not\n"),
            (["--store", "sqlite:PATH", "--token", "@PATH-none"], 2,
             "herald: --token: expected a secret, or @FILE with a file that can be read\n"),
            (["--store", "sqlite:PATH", "--token", TOKEN, "--host", "ops.example:80"], 2,
             'herald: --host: must be a list of names such as "ops.example, ops.lan", '
             "without ports\n")):
        with store() as path:
            environment = dict(os.environ)
            environment.pop("HERALD_STORE", None)
            result = subprocess.run(
                [HERALD, "dashboard", *[word.replace("PATH", path) for word in arguments]],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_S, check=False,
                env=environment)
        equal((arguments, result.returncode), (arguments, status))
        assert text is None or result.stderr.decode() == text, result.stderr
        assert result.stderr, arguments


if __name__ == "__main__":
    tap.run([(function.__name__.replace("_", " "), function) for function in cases])
