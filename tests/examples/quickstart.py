#!/usr/bin/env python3
"""Runs the quickstart and the hello example as a reader would: what they answer and print.

    tests/examples/quickstart.py QUICKSTART HELLO

The URL, the curl lines and their answers are read from what the quickstart prints, and each line is
run by bash exactly as printed. Every case is one line of TAP.
"""

import http.client
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading

import tap
from ports import listens
from programs import WAIT_S, equal, run_line, status_and_body


cases = []


def case(function):
    cases.append(function)
    return function


class Program:
    """A program that serves, its output by lines, up to a deadline each.

    It writes to a terminal, as it would for a reader, so that its lines are not held back.
    """

    def __init__(self, *command):
        self.output, output = pty.openpty()
        self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE)
        os.close(output)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()
        os.close(self.output)

    def line(self):
        while b"\n" not in self.rest:
            if not select.select([self.output], [], [], WAIT_S)[0]:
                raise AssertionError("the program prints nothing more")
            try:
                self.rest += os.read(self.output, 65536)
            except OSError:
                errors = self.process.stderr.read().decode()
                raise AssertionError("the program has ended: " + errors) from None
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode().rstrip("\r")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, errors.decode()


class Quickstart(Program):
    """The quickstart, once its welcome has been read."""

    def __init__(self, *arguments):
        super().__init__(quickstart, "--port", "0", *arguments)
        welcome = []
        while not welcome or "Ctrl-C" not in welcome[-1]:
            welcome.append(self.line())
        self.welcome = welcome
        self.url = re.search(r"http://127\.0\.0\.1:(\d+)/event", welcome[0])
        self.port = int(self.url.group(1))
        self.tries = [(line, after) for line, after in zip(welcome, welcome[1:])
                      if line.startswith("curl ")]

    def send(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def post(self, event_type, payload, version=None):
        event = {"event_type": event_type, "timestamp": "2024-08-20T05:21:19.143357839Z",
                 "payload": payload}
        if version is not None:
            event["metadata"] = {"version": version}
        return self.send("POST", "/event", json.dumps(event))


SUCCESS = (200, '{"status":"success"}')


def curl_lines_of(path):
    """The commands in the comment at the head of a source file."""
    with open(path, encoding="utf-8") as source:
        head = source.read().split("*/")[0]
    text = "\n".join(line[2:] for line in head.split("\n"))
    return re.findall(r"^\tcurl .*?(?=\n\s*\n|\Z)", text, re.DOTALL | re.MULTILINE)


@case
def the_printed_curl_lines_work_as_printed():
    with Quickstart() as program:
        equal(len(program.tries), 5)
        for line, promise in program.tries:
            assert promise.startswith("# => "), promise
            for answer in promise.removeprefix("# => ").split(", again: "):
                equal(status_and_body(run_line(line)), answer)
        equal([program.line() for _ in range(3)],
              ["user_created: johndoe is user 12345", "order_placed: o-1, 2 items for 1998 cents",
               "order_placed: o-2, 1 items for 999 cents"])


@case
def the_printed_lines_try_each_event_and_version():
    with Quickstart() as program:
        tried = {(event["event_type"], event["metadata"].get("version"))
                 for line, _ in program.tries
                 for event in map(json.loads, re.findall(r"-d '(.*)'$", line))}
    assert {("user_created", None), ("order_placed", "1"), ("order_placed", "2")} <= tried, tried


@case
def the_seed_event_succeeds():
    with open("tests/data/seed_event.json", encoding="utf-8") as event, Quickstart() as program:
        equal(program.send("POST", "/event", event.read()), SUCCESS)
        equal(program.line(), "user_created: johndoe is user 12345")


@case
def orders_of_both_versions_reach_the_same_function():
    with Quickstart() as program:
        new = {"order_id": "o-1", "total_cents": 3000,
               "lines": [{"sku": "tea", "quantity": 2}, {"sku": "cup", "quantity": 1}]}
        equal(program.post("order_placed", new, "2"), SUCCESS)
        equal(program.line(), "order_placed: o-1, 3 items for 3000 cents")
        old = {"order_id": "o-2", "total_cents": 0, "sku": "tea", "quantity": 999}
        equal(program.post("order_placed", old, "1"), SUCCESS)
        equal(program.line(), "order_placed: o-2, 999 items for 0 cents")


@case
def bad_events_are_refused():
    line = {"sku": "tea", "quantity": 1}
    order = {"order_id": "o", "total_cents": 1, "lines": [line]}
    old = {"order_id": "o", "total_cents": 1, "sku": "tea", "quantity": 1}
    bad = [
        ("user_created", {"user_id": "1"}, None, "/payload/username"),
        ("user_created", {"user_id": "", "username": "a"}, None, "/payload/user_id"),
        ("user_created", {"user_id": "1", "username": ""}, None, "/payload/username"),
        ("user_created", {"user_id": 1, "username": "a"}, None, "/payload/user_id"),
        ("order_placed", {**order, "total_cents": -1}, "2", "/payload/total_cents"),
        ("order_placed", {**order, "lines": []}, "2", "/payload/lines"),
        ("order_placed", {**order, "lines": [line] * 101}, "2", "/payload/lines"),
        ("order_placed", {**order, "lines": [line, {**line, "quantity": 0}]}, "2",
         "/payload/lines/1/quantity"),
        ("order_placed", {**order, "lines": [{**line, "quantity": 1000}]}, "2",
         "/payload/lines/0/quantity"),
        ("order_placed", {**order, "lines": [{"quantity": 1}]}, "2", "/payload/lines/0/sku"),
        ("order_placed", {**old, "quantity": 0}, "1", "/payload/quantity"),
        ("order_placed", order, "1", "/payload/sku"),
    ]
    with Quickstart() as program:
        for event_type, payload, version, path in bad:
            status, body = program.post(event_type, payload, version)
            equal(status, 400)
            equal(json.loads(body)["path"], path)
        equal(program.post("order_placed", {**order, "lines": [line] * 100}, "2"), SUCCESS)
        equal(program.post("order_placed", order, "3")[0], 404)
        equal(program.post("order_placed", order)[0], 404)
        equal(program.post("user_deleted", {})[0], 404)
        equal(program.send("POST", "/event", "nonsense")[0], 400)
        equal(program.send("GET", "/event")[0], 405)
        equal(program.send("POST", "/", "{}")[0], 404)
        # Nothing of all this was printed but the order of 100 lines.
        equal(program.line(), "order_placed: o, 100 items for 1 cents")
        equal(program.send("GET", "/healthz"), (200, '{"status":"ok"}'))


@case
def one_of_many_gets_a_username():
    with Quickstart() as program:
        answers = []

        def take(number):
            answers.append(program.post("user_created",
                                        {"user_id": str(number), "username": "ada"})[0])

        threads = [threading.Thread(target=take, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(sorted(answers), [200] + [409] * 19)


@case
def metrics_count_the_events():
    with Quickstart() as program:
        user = {"user_id": "1", "username": "ada"}
        equal(program.post("user_created", user), SUCCESS)
        equal(program.post("user_created", user)[0], 409)
        status, text = program.send("GET", "/metrics")
        equal(status, 200)
        counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        name = 'herald_events_total{event_type="user_created",version="*",verdict="%s"}'
        equal((counted[name % "done"], counted[name % "fail"]), ("1", "1"))
        equal(counted['herald_server_responses_total{code="4xx"}'], "1")


@case
def the_dashboard_needs_its_token():
    token = "0123456789abcdef0123"
    with Quickstart("--admin", token) as program:
        assert f"The dashboard is at http://127.0.0.1:{program.port}/admin/." in program.welcome
        equal(program.post("user_created", {"user_id": "1", "username": "ada"}), SUCCESS)
        status, page = program.send("GET", "/admin/")
        equal((status, page[:15]), (200, "<!doctype html>"))
        equal(program.send("GET", "/admin/api/state")[0], 401)
        equal(program.send("GET", "/admin/api/state", Authorization="Bearer x")[0], 401)
        right = {"Authorization": "Bearer " + token}
        status, state = program.send("GET", "/admin/api/state", **right)
        equal(status, 200)
        equal([route["done"] for route in json.loads(state)["routes"]], [1, 0, 0])
        status, service = program.send("GET", "/admin/api/service", **right)
        equal(len(json.loads(service)["pipeline"]["routes"]), 3)
        equal(program.send("GET", "/metrics")[0], 200)
    with Quickstart() as program:
        equal(program.send("GET", "/admin/")[0], 404)
        equal(program.send("GET", "/admin/api/state", **right)[0], 404)


@case
def a_bad_token_is_told():
    result = subprocess.run([quickstart, "--port", "0", "--admin", "a b"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
    equal((result.returncode, result.stderr.decode()),
          (1, "quickstart: token: must be visible ASCII; byte 1 is not\n"))


@case
def signals_stop_it():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Quickstart() as program:
            program.post("user_created", {"user_id": "1", "username": "ada"})
            equal(program.stop(number), (0, ""))


@case
def wrong_arguments_are_told():
    def check(arguments, message):
        result = subprocess.run([quickstart, *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
        equal((result.returncode, result.stderr.decode()), (2, message))

    for arguments in (["--port"], ["nonsense"], ["--port", "1", "2"], ["--admin"],
                      ["--port", "0", "--admin"]):
        check(arguments, "usage: quickstart [--port N] [--admin TOKEN]\n")
    check(["--port", "0", "--admin", ""],
          "quickstart: --admin: expected a token, not an empty text\n")
    for port in ("abc", "70000", "65536", "80x", "", "-1", "+1", " 1", "-18446744073709551615",
                 "99999999999999999999"):
        check(["--port", port],
              f'quickstart: expected a port from 0 to 65535, not "{port}"\n')


@case
def a_port_in_use_is_told():
    with Quickstart() as program:
        result = subprocess.run([quickstart, "--port", str(program.port)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
        equal(result.returncode, 1)
        equal(result.stderr.decode(), f"quickstart: cannot listen on 127.0.0.1:{program.port}: "
                                      "Address already in use\n")


def blocks_of(path, language):
    with open(path, encoding="utf-8") as page:
        blocks = re.findall(r"^```(\w*)\n(.*?)\n```$", page.read(), re.DOTALL | re.MULTILINE)
    return [block for of, block in blocks if of == language]


@case
def the_guide_shows_what_is_refused():
    """Its answer is that to the second printed line, with a quantity of 1000."""
    promised = [block for block in blocks_of("docs/guide.md", "") if block.startswith("{\"error\"")]
    equal(len(promised), 1)
    with Quickstart() as program:
        line = program.tries[1][0].replace('"quantity": 2}', '"quantity": 1000}')
        equal(status_and_body(run_line(line)), "400 " + promised[0])


@case
def the_readme_shows_what_hello_answers():
    if listens(8080):
        raise tap.Skip("port 8080 is in use")
    command, answer = next(block for block in blocks_of("README.md", "sh")
                           if block.startswith("curl ")).rsplit("\n", 1)
    refused = next(block for block in blocks_of("README.md", "") if "error" in block)
    with subprocess.Popen([hello], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as program:
        try:
            line_of(program.stderr)
            equal("# => " + run_line(command), answer)
            equal(run_line(command.replace('"user_id": "12345", ', "")), refused)
        finally:
            program.kill()


@case
def hello_works_as_its_head_says():
    if listens(8080):
        raise tap.Skip("port 8080 is in use")
    # A pipe, as for a supervisor that reads the output: both streams come line by line.
    with subprocess.Popen([hello], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            equal(line_of(program.stderr), "listening on http://127.0.0.1:8080/event")
            lines = curl_lines_of("examples/hello.c")
            equal(len(lines), 1)
            equal(run_line(lines[0]), '{"status":"success"}')
            equal(line_of(program.stdout), "Welcome, johndoe!")
            program.send_signal(signal.SIGINT)
            equal(program.communicate(timeout=WAIT_S), (b"", b""))
            equal(program.returncode, 0)
        finally:
            program.kill()


def line_of(stream):
    """The next line of a pipe, which must come while the program runs."""
    assert select.select([stream], [], [], WAIT_S)[0], "the program prints nothing"
    return stream.readline().decode().rstrip("\n")


quickstart, hello = sys.argv[1:]
tap.run([(function.__name__.replace("_", " "), function) for function in cases])
