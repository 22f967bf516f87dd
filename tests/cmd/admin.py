#!/usr/bin/env python3
"""Runs the commands of `herald` that ask a running service, on services that are examples.

    tests/cmd/admin.py HERALD QUICKSTART [DURABLE]

What the examples do not answer, such as hostile texts, a server of the test does. Every case is one
line of TAP.
"""

import contextlib
import fcntl
import http.client
import http.server
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unicodedata
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import https  # noqa: E402
import tap  # noqa: E402
from ports import free_port, listens  # noqa: E402
from programs import WAIT_S, equal, wait_until  # noqa: E402

HERALD, QUICKSTART, DURABLE = (sys.argv[1:] + [None])[:3]
TOKEN = "0123456789abcdef0123"
cases = []


def case(function):
    cases.append(function)
    return function


def herald(*words, **environment):
    """Exit status, output and errors of the tool, which has the token in its environment."""
    environment = {**os.environ, "HERALD_TOKEN": TOKEN, **environment}
    for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
        if name not in environment or environment[name] == os.environ.get(name):
            environment.pop(name, None)
    result = subprocess.run([HERALD, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, timeout=WAIT_S, check=False, env=environment)
    assert TOKEN.encode() not in result.stdout + result.stderr, "the token was printed"
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def prints(*words, **environment):
    status, output, errors = herald(*words, **environment)
    equal((status, errors), (0, ""))
    return output


@contextlib.contextmanager
def service(*command):
    """An example with its dashboard; gives its address without a path."""
    port = free_port()
    with subprocess.Popen([*command, "--port", str(port), "--admin", TOKEN],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: listens(port), process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


@contextlib.contextmanager
def server(status, body, content_type="application/json", **headers):
    """Gives the address of a server that always answers this, and the requests that it got. The
    body may be a function of the path, and the status one without arguments."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            requests.append((self.path, dict(self.headers)))
            text = body(self.path) if callable(body) else body
            self.send_response(status() if callable(status) else status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(text)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments):  # pylint: disable=arguments-differ
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as program:
        thread = threading.Thread(target=program.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{program.server_port}", requests
        finally:
            program.shutdown()
            thread.join()


def send(url, event, status=202):
    """Post an event, which is stored."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=WAIT_S)
    with contextlib.closing(connection):
        connection.request("POST", "/event", json.dumps(event),
                           {"Content-Type": "application/json"})
        equal(connection.getresponse().status, status)


ORDER = {"order_id": "4711", "total_cents": 250, "lines": [{"sku": "a", "quantity": 1}]}
OLD_ORDER = {"order_id": "4711", "total_cents": 250, "sku": "a", "quantity": 1}
BAD_ORDER = {**ORDER, "total_cents": -1}


@contextlib.contextmanager
def files(**texts):
    """A folder with files NAME.json."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            path = os.path.join(folder, name + ".json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text if isinstance(text, str) else json.dumps(text))
        yield folder


def accepts(schema, value, *options):
    """Whether `herald validate` accepts a value by a schema that the tool has printed."""
    with files(schema=schema, value=value) as folder:
        status, _, errors = herald("validate", "--schema", folder + "/schema.json", *options,
                                   folder + "/value.json")
    assert status in (0, 1), errors
    equal("keyword" in errors, False)
    return status == 0


def generates(schema, name):
    """The header that `herald generate` writes for a schema that the tool has printed."""
    with files(schema=schema) as folder:
        equal(herald("generate", "--from", folder + "/schema.json", "--out", folder, "--name",
                     name)[0], 0)
        with open(f"{folder}/{name}.h", encoding="utf-8") as header:
            return header.read()


# herald schema.


@case
def schema_prints_asyncapi():
    with service(QUICKSTART) as url:
        text = prints("schema", url)
        for form in (url + "/", url + "/admin", url + "/admin/"):
            equal(prints("schema", form), text)
    equal(text[-3:], "\n}\n")
    document = json.loads(text)
    equal((document["asyncapi"], document["info"]["title"]), ("3.0.0", "quickstart"))
    equal(list(document["components"]["messages"]),
          ["user_created", "order_placed_2", "order_placed_1"])
    envelope = {"event_type": "order_placed", "timestamp": "2024-08-20T05:21:19Z",
                "metadata": {"version": "2"}, "payload": ORDER}
    equal(accepts(text, envelope, "--message", "order_placed"), True)
    equal(accepts(text, envelope, "--message", "user_created"), False)
    equal(accepts(text, {**envelope, "payload": BAD_ORDER}, "--message", "order_placed"), False)
    envelope = {**envelope, "metadata": {"version": "1"}, "payload": OLD_ORDER}
    equal([accepts(text, envelope, "--message", "order_placed_" + version) for version in "12"],
          [True, False])
    assert "struct shop_order_placed {" in generates(text, "shop")


@case
def schema_prints_json_schema():
    with service(QUICKSTART) as url:
        newest = prints("schema", url, "--type", "order_placed")
        equal(prints("schema", "--type=order_placed", "--version=2", url), newest)
        old = prints("schema", url, "--type", "order_placed", "--version", "1")
        seven = prints("schema", url, "--type", "order_placed", "--draft", "7")
        equal(prints("schema", url, "--type", "order_placed", "--draft", "2020-12"), newest)
    equal(json.loads(newest)["$schema"], "https://json-schema.org/draft/2020-12/schema")
    equal(json.loads(seven)["$schema"], "http://json-schema.org/draft-07/schema#")
    for text in (newest, seven):
        equal([accepts(text, value) for value in (ORDER, OLD_ORDER, BAD_ORDER)],
              [True, False, False])
        assert "struct shop_order_line *lines;" in generates(text, "shop"), generates(text, "shop")
    equal([accepts(old, value) for value in (ORDER, OLD_ORDER)], [False, True])
    assert "const char *sku;" in generates(old, "shop")


@case
def schema_names_what_there_is():
    with service(QUICKSTART) as url:
        equal(herald("schema", url, "--type", "a&b=c d\x1b"),
              (1, "", f'herald: {url}/admin/: there is no event type "a&b=c d?"; there are: '
                      '"order_placed", "user_created"\n'))
        equal(herald("schema", url, "--type", "order_placed", "--version", "3"),
              (1, "", f'herald: {url}/admin/: there is no version "3" of "order_placed"; there '
                      'are: "1", "2"\n'))


@case
def schema_escapes_control_characters():
    """Those that JSON allows in strings, and a terminal would obey."""
    text = '{"doc":"\x7f \u009b31m \u0080\u009f é \u00a0 €"}'
    with server(200, text.encode()) as (url, _):
        equal(prints("schema", url), '{"doc":"\\u007f \\u009b31m \\u0080\\u009f é \u00a0 €"}\n')


# herald explain.

USER_CREATED = """routes[0] user_created
	decode    envelope herald_message
	payload   struct user_created
	function  struct user_created
unknown events: reject
limits
	max_event_bytes 1048576
	max_arena_bytes 16777216
	max_depth 64
	max_list_count 65536
	max_key_bytes 1024
	max_string_bytes unlimited
struct herald_message: The envelope of every event.
	event_type, required: What happened; selects the route.
	timestamp, required: When it happened, RFC 3339.
	payload: The event's own data.
	metadata: About the event: version, source, id and others.
struct user_created
	user_id, required
	username, required
"""


@case
def explain_prints_the_pipeline():
    with service(QUICKSTART) as url:
        equal(prints("explain", url, "--type", "user_created"), USER_CREATED)
        text = prints("explain", url)
        equal([line for line in text.split("\n") if line.startswith("routes")],
              ["routes[0] user_created", "routes[1] order_placed 2",
               "routes[1] order_placed 1 -> 2"])
        equal(herald("explain", url, "--type", "order"),
              (1, "", f'herald: {url}/admin/: there is no event type "order"; there are: '
                      '"order_placed", "user_created"\n'))
        lines = prints("explain", url, "--json", "--type", "order_placed").split("\n")
    equal((len(lines), lines[1]), (2, ""))
    equal([(route["event_type"], route["version"])
           for route in json.loads(lines[0])["pipeline"]["routes"]],
          [("order_placed", "2"), ("order_placed", "1")])


@case
def explain_prints_no_control_characters():
    with server(200, b'{"text":"a\\u001b[31m\\tb\\u009b\\r\\nc\x7fd"}') as (url, _):
        equal(prints("explain", url), "a?[31m\tb??\nc?d")
        equal(prints("explain", url, "--json"),
              '{"text":"a\\u001b[31m\\tb\\u009b\\r\\nc\\u007fd"}\n')
    for body in (b"{}", b"[]", b'{"text":1}'):
        with server(200, body) as (url, _):
            equal(herald("explain", url),
                  (1, "", f"herald: {url}/admin/: the answer has no text\n"))


# herald top.

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"


def route(event_type, version, done, durations, **counts):
    return {"event_type": event_type, "version": version, "done": done, "retry": 0, "fail": 0,
            "invalid": 0, "unauthorized": 0, "unknown": 0, "ignored": 0, "accepted": 0,
            "duplicates": 0, "durations": {"sum_us": 0, "counts": durations}, **counts}


def state(clock_ms, *routes, **parts):
    return {"time": "2026-01-02T03:04:05Z", "clock_ms": clock_ms,
            "bounds_us": [100, 1000, 2000000], "routes": routes, **parts}


# Two seconds with 20 events of one type, half of them up to 100 us, and one of another that failed.
BEFORE = state(1000, route("order", "2", 10, [10, 0, 0, 0], retry=1), route("*", None, 0, [0] * 4),
               route(None, None, 0, [0] * 4, unknown=1))
AFTER = state(3000, route("order", "2", 30, [20, 10, 0, 0], retry=1),
              route("*", None, 0, [0, 0, 1, 0], fail=1), route(None, None, 0, [0] * 4, unknown=1),
              server={"connections": 3, "responses_5xx": 0}, pool={"queued": 4, "running": 5},
              store={"problem": "the disk is full", "running": 1},
              consumers=[{"name": "orders", "problem": "no broker"},
                         {"name": "a", "problem": None}])
QUEUES = {"time": "2026-01-02T03:04:05Z", "rows": [
    {"kind": kind, "queue": queue, "event_type": "order", "state": name, "count": count,
     "oldest": "2026-01-02T03:03:00Z"}
    for kind, queue, name, count in (
        ("event", "default", "ready", 7), ("event", "default", "dead", 2),
        ("event", "default", "ready", 1), ("event", "default", "delayed", 3),
        ("event", "default", "blocked", 4), ("event", "default", "running", 5),
        ("delivery", "", "running", 6))]}

TABLES = """\
{page}  2026-01-02T03:04:05Z
store: the disk is full
orders: no broker
events/s 10.5  stored/s 0.0  connections 3  responses 5xx 0  pool queued 4  \
pool running 5  running 1

QUEUE            READY  OLDEST   RUNNING      DEAD   DELAYED   BLOCKED
default              8     65s         5         2         3         4
(deliveries)         0       -         6         0         0         0

EVENT TYPE   EVENTS/S     P50     P95     P99      DONE   RETRY    FAIL REFUSED    STORED
order 2          10.0   100us   910us   982us        30       1       0       0         0
(any other)       0.5    1.0s    1.9s    1.9s         0       0       1       0         0
(no route)        0.0       -       -       -         0       0       0       1         0

"""


@contextlib.contextmanager
def counting(*states, queues=QUEUES):
    """A service with these counts, one after the other; later the last ones, with a later clock."""
    left = list(states)
    clock_ms = states[-1]["clock_ms"]

    def answer(path):
        nonlocal clock_ms
        if path.endswith("/api/queues"):
            return json.dumps(queues).encode()
        if len(left) > 1:
            return json.dumps(left.pop(0)).encode()
        clock_ms += 1000
        return json.dumps({**left[0], "clock_ms": clock_ms - 1000}).encode()

    with server(200, answer) as (url, _):
        yield url


@case
def top_prints_what_changed():
    with counting(BEFORE, AFTER) as url:
        text = prints("top", url, "--count", "2", "--interval-ms", "10")
    first, second = text[:text.index("\n\n" + url) + 2], text[text.index("\n\n" + url) + 2:]
    equal(first, TABLES.format(page=url + "/admin/"))
    equal(second.split("\n")[3][:13], "events/s 0.0 ")


@case
def top_prints_json():
    with counting(BEFORE, AFTER) as url:
        lines = prints("top", url, "--count", "2", "--interval-ms", "10", "--json").splitlines()
    equal(len(lines), 2)
    found = json.loads(lines[0])
    numbers = {"done": 30, "retry": 1, "fail": 0, "refused": 0, "ignored": 0, "stored": 0}
    equal(found["routes"][0], {
        "event_type": "order", "version": "2", "events_per_second": 10.0, "stored_per_second": 0.0,
        "p50_us": 100, "p95_us": 910, "p99_us": 982, **numbers})
    equal([(one["event_type"], one["p50_us"]) for one in found["routes"]],
          [("order", 100), ("*", 1000500), (None, None)])
    equal({name: found[name] for name in ("time", "interval_ms", "events_per_second", "problems")},
          {"time": "2026-01-02T03:04:05Z", "interval_ms": 2000, "events_per_second": 10.5,
           "problems": [{"of": "store", "problem": "the disk is full"},
                        {"of": "orders", "problem": "no broker"}]})
    equal(found["queues"], [
        {"kind": "event", "queue": "default", "ready": 8, "oldest_ready_ms": 65000, "running": 5,
         "dead": 2, "delayed": 3, "blocked": 4},
        {"kind": "delivery", "queue": "", "ready": 0, "oldest_ready_ms": None, "running": 6,
         "dead": 0, "delayed": 0, "blocked": 0}])


@case
def top_does_not_subtract_another_program():
    """If the service was started again, or has other routes, there is nothing to subtract."""
    again = {**AFTER, "clock_ms": 500}
    other = state(9000, *BEFORE["routes"][1:])
    fewer = state(9000, route("order", "2", 29, [20, 10, 0, 0], retry=1), *AFTER["routes"][1:])
    faster = state(9000, route("order", "2", 30, [19, 11, 0, 0], retry=1), *AFTER["routes"][1:])
    restarted = {**AFTER, "clock_ms": 9000, "began": "2026-01-02T03:04:04Z"}
    version = state(9000, route("order", "3", 30, [20, 10, 0, 0], retry=1), *AFTER["routes"][1:])
    for later in (again, other, fewer, faster, restarted, version):
        with counting(AFTER, later, {**later, "clock_ms": 10000}) as url:
            line = json.loads(prints("top", url, "--count", "1", "--interval-ms", "10", "--json"))
        equal((line["events_per_second"], line["interval_ms"]),
              (0.0, 10000 - later["clock_ms"]))


@case
def top_says_what_it_does_not_know():
    """Durations above the last bound, and rates that are small."""
    name = "com.example." + "shop." * 8 + "order.paid"
    quiet = state(2000, route(name, "1", 1, [0, 0, 0, 0]), route(name, "", 1, [0, 0, 0, 0]))
    slow = state(22000, route(name, "1", 2, [0, 0, 0, 1]), route(name, "", 1, [0, 0, 0, 0]))
    with counting(quiet, slow) as url:
        text = prints("top", url, "--count", "1", "--interval-ms", "10")
    assert f"\n{name} 1 " in text and f"\n{name} (no version) " in text, text
    line = next(line for line in text.splitlines() if line.startswith(name + " 1"))
    longest = f"{BEFORE['bounds_us'][-1] / 1000000:.1f}s"
    equal(line.split()[2:6], ["<0.1"] + [">" + longest] * 3)
    with counting(quiet, slow) as url:
        found = json.loads(prints("top", url, "--count", "1", "--interval-ms", "10", "--json"))
    equal((found["events_per_second"], found["routes"][0]["p99_us"]),
          (0.05, BEFORE["bounds_us"][-1]))


def tool(*words, **environment):
    # pylint: disable=consider-using-with
    return subprocess.Popen([HERALD, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "HERALD_TOKEN": TOKEN, **environment})


@case
def top_ends_by_a_signal():
    with counting(BEFORE, AFTER) as url:
        for number in (signal.SIGINT, signal.SIGTERM):
            with tool("top", url, "--interval-ms", "10", "--json") as process:
                process.stdout.readline()
                process.send_signal(number)
                _, errors = process.communicate(timeout=WAIT_S)
                equal((process.returncode, errors), (0, b""))


@case
def top_ends_if_the_service_does():
    with counting(BEFORE, AFTER) as url:
        # pylint: disable=consider-using-with
        process = tool("top", url, "--interval-ms", "10", "--json")
        process.stdout.readline()
    _, errors = process.communicate(timeout=WAIT_S)
    # The connection was closed, or the next one is refused.
    equal((process.returncode, errors.decode().count("\n")), (1, 1))
    assert errors.decode().startswith(f"herald: {url}/admin/: "), errors


class Terminal:
    """The tool on a terminal of this size; `text` is what it has printed."""

    def __init__(self, columns, rows, *words, **environment):
        self.main, end = pty.openpty()
        self.resize(columns, rows)
        environment = {**os.environ, "HERALD_TOKEN": TOKEN, "TERM": "xterm", **environment}
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([HERALD, *words], stdout=end, stdin=end,
                                        stderr=subprocess.PIPE, env=environment,
                                        start_new_session=True)
        os.close(end)
        self.text = ""

    def resize(self, columns, rows):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, condition):
        while not condition(self.text):
            assert self.read(), f"it ended: {self.text!r}"

    def read(self):
        """Some more; returns whether there was."""
        try:
            data = os.read(self.main, 65536)
        except OSError:
            data = b""
        self.text += data.decode()
        return data != b""

    def stop(self, number):
        """Its exit status, and what it printed to stderr."""
        self.process.send_signal(number)
        return self.end()

    def end(self):
        while self.read():
            pass
        _, errors = self.process.communicate(timeout=WAIT_S)
        os.close(self.main)
        return self.process.returncode, errors.decode()


def frames(text):
    """The screens that were drawn, as lists of lines; with the colours."""
    return [[line.replace("\x1b[K", "").replace("\x1b[J", "") for line in frame.split("\r\n")]
            for frame in text.split("\x1b[H")[1:]]


def width(line):
    """The columns that a terminal needs for it."""
    return sum(2 if unicodedata.east_asian_width(one) in "FW" else 1 for one in line)


@case
def top_redraws_a_terminal():
    hostile = state(4000, route("\x1b[31m\u009bä漢" + "x" * 40, "\n", 0, [0] * 4),
                    route("*", None, 0, [0] * 4), route(None, None, 0, [0] * 4, fail=1))
    with counting(BEFORE, AFTER, hostile) as url:
        for number, environment in ((signal.SIGINT, {}), (signal.SIGTERM, {"NO_COLOR": "1"})):
            terminal = Terminal(40, 12, "top", url, "--interval-ms", "10", **environment)
            terminal.read_until(lambda text: text.count("\x1b[H") > 4)
            equal(terminal.stop(number), (0, ""))
            text = terminal.text
            equal((text[:len(ENTER)], text[-len(LEAVE):]), (ENTER, LEAVE))
            equal("\x1b[31m" in text or "\x1b[1m" in text, not environment)
            for frame in frames(text[:-len(LEAVE)]):
                lines = [re.sub("\x1b\\[[0-9]*m", "", line) for line in frame]
                equal((max(map(width, lines)) <= 40, len(lines) <= 12), (True, True))
                equal(re.findall("[\x00-\x1f\x7f-\x9f]", "".join(lines)), [])


@case
def top_on_a_terminal_goes_on_without_the_service():
    with counting(BEFORE, AFTER) as url:
        terminal = Terminal(100, 30, "top", url, "--interval-ms", "10")
        terminal.read_until(lambda text: "events/s 10.5" in text)
    terminal.read_until(lambda text: "connection refused" in text)
    terminal.resize(50, 30)
    terminal.process.send_signal(signal.SIGWINCH)
    equal(terminal.stop(signal.SIGINT), (0, ""))
    equal(terminal.text.endswith(LEAVE), True)


@case
def top_on_a_terminal_ends_if_the_token_is_wrong_by_now():
    """It would use up the wrong tokens that the dashboard takes from all clients together."""
    answers = iter([200, 200, 200, 200])
    with server(lambda: next(answers, 401), lambda path: json.dumps(
            QUEUES if path.endswith("/api/queues") else BEFORE).encode()) as (url, _):
        terminal = Terminal(100, 30, "top", url, "--interval-ms", "10")
        status, errors = terminal.end()
    equal((status, errors.count("\n"), "401" in errors), (1, 1, True))
    equal(terminal.text.endswith(LEAVE), True)


@case
def output_that_cannot_be_written_is_told():
    with service(QUICKSTART) as url, open("/dev/full", "wb") as full:
        for words in (("schema",), ("explain",), ("top", "--count", "1", "--interval-ms", "10"),
                      ("top", "--count", "1", "--interval-ms", "10", "--json")):
            result = subprocess.run([HERALD, *words, url], stdout=full, stderr=subprocess.PIPE,
                                    env={**os.environ, "HERALD_TOKEN": TOKEN}, check=False,
                                    timeout=WAIT_S)
            equal((words, result.returncode, result.stderr),
                  (words, 1, b"herald: could not write to stdout\n"))


@case
def no_proxy_gets_the_token_of_this_machine():
    with service(QUICKSTART) as url:
        for name in ("http_proxy", "all_proxy"):
            status, text, errors = herald("explain", url, **{name: "http://127.0.0.1:9"})
            equal((status, errors), (0, ""))
            assert "user_created" in text, text


@case
def top_ends_though_the_service_hangs():
    """Also if it has not answered yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with tool("top", f"http://127.0.0.1:{listener.getsockname()[1]}", "--timeout-ms",
                  "60000") as process:
            connection, _ = listener.accept()
            with connection:
                connection.recv(10)
                process.send_signal(signal.SIGINT)
                equal((process.communicate(timeout=WAIT_S), process.returncode), ((b"", b""), 0))


@case
def top_shows_a_store():
    if not DURABLE:
        raise tap.Skip("there is no SQLite")
    with tempfile.TemporaryDirectory() as folder:
        with service(DURABLE, "--db", folder + "/shop.db") as url:
            for number, name in enumerate(("a", "b", "fail")):
                send(url, {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
                           "payload": {"user_id": "1", "username": name},
                           "metadata": {"id": f"e-{number}"}})
            with tool("top", url, "--interval-ms", "50", "--json") as process:
                found = {"queues": []}
                while [(queue["queue"], queue["dead"]) for queue in found["queues"]] != [
                        ("default", 1)]:
                    found = json.loads(process.stdout.readline())
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=WAIT_S)
            equal([(one["event_type"], one["done"], one["fail"], one["stored"])
                   for one in found["routes"]],
                  [("user_created", 2, 1, 3), ("order_placed", 0, 0, 0), (None, 0, 0, 0)])
            equal("default  " in prints("top", url, "--count", "1", "--interval-ms", "10"), True)


# herald tail.


def event(number, **members):
    return {"number": number, "time": "2026-01-02T03:04:05.678Z", "verdict": "done",
            "event_type": "order", "version": "2", "id": f"e-{number}", "duration_ns": 850,
            "attempts": 1, "status": None, "path": None, "reason": None, **members}


@contextlib.contextmanager
def ending(*answers):
    """A service that gives these answers, one after the other, each as (last, lost, events) and
    maybe when it began and which watch it is; later the last one. Gives its address and the numbers
    that it was asked for."""
    left, asked = list(answers), []

    def answer(path):
        asked.append(path.partition("?after=")[2])
        last, lost, events, *process = left.pop(0) if len(left) > 1 else left[0]
        began, watch = process or ("2026-01-02T03:04:05Z", 1)
        return json.dumps({"last": last, "lost": lost, "began": began, "watch": watch,
                           "events": events}, ensure_ascii=False, indent=2).encode()

    with server(200, answer) as (url, _):
        yield url, asked


QUICK = ("--interval-ms", "10")


@case
def tail_prints_events():
    with ending((4, 0, []), (7, 0, [
            event(5), event(6, verdict="rejected", event_type="a" * 40, version=None, id=None,
                            duration_ns=1250000, path="/payload/a", reason="/payload/a: wrong"),
            event(7, verdict="rejected", path="/event_type", reason="no route")]),
                (8, 0, [event(8, event_type=None, version=None)])) as (url, asked):
        lines = prints("tail", url, "--count", "4", *QUICK).splitlines()
    time = "2026-01-02T03:04:05.678Z"
    equal(lines, [
        f"{time} done      order 2          e-5                850ns",
        f"{time} rejected  {'a' * 32} -                  1.2ms  /payload/a: wrong",
        f"{time} rejected  order 2{' ' * 25} e-7                850ns  /event_type  no route",
        f"{time} done      -{' ' * 31} e-8                850ns"])
    equal(asked, ["", "4", "7"])


@case
def tail_prints_json():
    with ending((0, 0, []), (2, 0, [event(1, reason="\x7f\u009b"), event(2)])) as (url, _):
        lines = prints("tail", url, "--count", "1", "--json", *QUICK).splitlines()
    equal([json.loads(line) for line in lines], [event(1, reason="\x7f\u009b")])
    equal(re.findall("[\x7f-\x9f]", lines[0]), [])


@case
def tail_prints_no_control_characters():
    hostile = "\x1b[31m\u009b\r\n漢"
    with ending((0, 0, []), (1, 0, [event(1, time=hostile, verdict=hostile, event_type=hostile,
                                          version=hostile, id=hostile, path=hostile,
                                          reason=hostile * 2)])) as (url, _):
        text = prints("tail", url, "--count", "1", *QUICK)
    equal((re.findall("[\x00-\x1f\x7f-\x9f]", text), text.count("?[31m???漢")), (["\n"], 6))


@case
def tail_leaves_out_others():
    events = [event(1), event(2, event_type="paid"), event(3, verdict="fail"),
              event(4, event_type=None)]
    for words, numbers in ((["--type", "order"], [1, 3, 5]), (["--verdict", "fail"], [3]),
                           (["--type", "paid", "--verdict", "done"], [2])):
        with ending((0, 0, []), (4, 0, events), (5, 0, [event(5)])) as (url, _):
            text = prints("tail", url, "--json", "--count", str(len(numbers)), *words, *QUICK)
        equal([json.loads(line)["number"] for line in text.splitlines()], numbers)


@case
def tail_says_what_was_lost():
    with ending((4, 0, []), (300, 40, [event(300)])) as (url, _):
        status, output, errors = herald("tail", url, "--count", "1", *QUICK)
        equal((status, output.count("\n"), errors),
              (0, 1, f"herald: {url}/admin/: 40 events were lost\n"))


@case
def tail_goes_on_with_a_new_process():
    # Its numbers may be lower, or as high as before if others have asked it.
    for before, last in ((7, 2), (2, 2), (0, 2), (1, 9)):
        events = [event(last - 1), event(last)]
        new = ("2026-01-02T03:04:06Z", 3)
        with ending((before, 0, []), (last, 0, [], *new), (last, 0, events, *new)) as (url, asked):
            status, output, errors = herald("tail", url, "--count", "2", "--json", *QUICK)
            equal((status, [json.loads(line)["number"] for line in output.splitlines()], errors),
                  (0, [last - 1, last], f"herald: {url}/admin/: the service was started again\n"))
        equal(asked, ["", str(before), "0"])


@case
def tail_says_when_it_was_not_asked_for_long():
    process = ("2026-01-02T03:04:05Z", 2)
    with ending((4, 0, []), (5, 0, [event(5)], *process), (6, 0, [event(6)], *process)) as (url, _):
        equal(herald("tail", url, "--count", "2", *QUICK)[2],
              f"herald: {url}/admin/: events may be missing: there was no request for 10 s\n")


@case
def tail_refuses_what_is_no_answer():
    with ending((0, 0, []), (0, 0, None)) as (url, _):
        equal(herald("tail", url, *QUICK),
              (1, "", f"herald: {url}/admin/: the answer has no events\n"))
    with ending((0, 0, []), (3, 0, [7, None, event(3)])) as (url, _):
        equal(herald("tail", url, "--count", "1", *QUICK)[1].count("e-3"), 1)


@case
def tail_ends_if_the_token_is_wrong_later():
    """Of a service that is busy for a while before that, each new reason is told once."""
    statuses = [200, 503, 503, 429, 429, 401]

    def answer(_path):
        return json.dumps({"last": 0, "lost": 0, "events": [], "error": "no"}).encode()

    with server(lambda: statuses.pop(0), answer) as (url, requests):
        equal(herald("tail", url, *QUICK),
              (1, "", "".join(f"herald: {url}/admin/: {reason}\n"
                              for reason in ("503: no", "429: no", "401: no"))))
        equal(len(requests), 6)


@case
def tail_says_that_it_cannot_write():
    with ending((0, 0, []), (1, 0, [event(1)])) as (url, _), \
            open("/dev/full", "wb", buffering=0) as full:
        result = subprocess.run([HERALD, "tail", url, "--token", TOKEN, *QUICK], stdout=full,
                                stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
        equal((result.returncode, result.stderr), (1, b"herald: could not write to stdout\n"))


@contextlib.contextmanager
def quickstart(port):
    command = [QUICKSTART, "--port", str(port), "--admin", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: listens(port), process)
            yield
        finally:
            process.kill()


def line_after_events(url, output):
    """The next line that the tool prints while events of a user are sent."""
    sent = {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
            "payload": {"user_id": "1"}}

    def has_line():
        send(url, sent, 400)
        return select.select([output], [], [], 0.02)[0]

    wait_until(has_line)
    return output.readline()


@case
def tail_waits_for_a_service_that_is_gone():
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tool("tail", url, *QUICK) as process:
        equal((process.wait(WAIT_S), b"connection refused" in process.stderr.read()), (1, True))
    with quickstart(port):
        # pylint: disable=consider-using-with
        process = tool("tail", url, *QUICK)
        first = line_after_events(url, process.stdout)
    with process:
        try:
            equal(re.sub(" +[0-9.]+[num]?s ", " ", first.decode()[24:]),
                  " rejected  user_created     -  /payload/username  username is required, but "
                  "missing\n")
            assert b"/admin/: " in process.stderr.readline()
            with quickstart(port):
                while b"user_created" not in line_after_events(url, process.stdout):
                    pass
        finally:
            process.kill()


# What all of the commands say of services that do not answer.

COMMANDS = {"schema": [], "explain": [], "top": ["--count", "1", "--interval-ms", "10"]}
ALL_COMMANDS = {**COMMANDS, "tail": []}  # tail waits for events if the first request succeeds
HOSTS = ("it takes IP addresses, localhost, and the names in `hosts` of the dashboard's path or of "
         "`herald dashboard --host`")


def fails(text, url, *words, **environment):
    for command, options in ALL_COMMANDS.items():
        found = herald(command, url, *options, *words, **environment)
        equal((command, *found), (command, 1, "", f"herald: {text}\n"))


@case
def whose_certificates_are_trusted():
    with service(QUICKSTART) as url, \
            https.in_front_of(int(url.rsplit(":", 1)[1])) as (secure, trusted, other):
        for command, options in COMMANDS.items():
            equal(herald(command, secure, *options, "--tls-ca", trusted)[0], 0)
            for words in (["--tls-ca", other], ["--tls-ca", __file__], []):
                status, output, error = herald(command, secure, *options, *words)
                equal((status, output), (1, ""))
                assert f"herald: {secure}/admin/: " in error and "certificate" in error, error
            equal(herald(command, secure, *options, "--tls-ca", "/missing"),
                  (2, "", 'herald: --tls-ca: expected a file that can be read, found "/missing"\n'))
            equal(herald(command, url, *options, "--tls-ca", trusted),
                  (2, "", f"herald: {command}: --tls-ca needs a URL that begins with https://\n"))


@case
def tokens():
    with service(QUICKSTART) as url, files() as folder:
        path = folder + "/token"
        with open(path, "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        for command, options in COMMANDS.items():
            equal(herald(command, url, *options, "--token", TOKEN, HERALD_TOKEN="")[0], 0)
            equal(herald(command, url, *options, "--token", "@" + path, HERALD_TOKEN="wrong")[0], 0)
            equal(herald(command, url, "--token", "@" + folder + "/none"),
                  (2, "", "herald: --token: expected a secret, or @FILE with a file that can be "
                          "read\n"))
            equal(herald(command, url, HERALD_TOKEN=""),
                  (2, "", f"herald: {command}: needs --token, or HERALD_TOKEN\n"))
            for wrong in ("a b", "a\r\nX-Other: b", "ä"):
                equal(herald(command, url, HERALD_TOKEN=wrong),
                      (2, "", f"herald: {command}: the token must be visible ASCII\n"))
        fails(f"{url}/admin/: 401: the token is wrong", url, "--token", "not-this-one")


@case
def requests_that_are_refused():
    with service(QUICKSTART) as url:
        fails(f"{url}/other/: 404: there is no dashboard at this address", url + "/other")
        fails("http://shop.example/admin/: 403: the path is not for the host shop.example; "
              + HOSTS, "http://shop.example", http_proxy=url)
        fails(f"{url}/admin/: the answer has more than 20 bytes; see --max-bytes", url,
              "--max-bytes", "20")
    fails(f"{url}/admin/: connection refused; does the service run, on this port?", url)


@case
def answers_that_are_wrong():
    for status, body, error in (
            (200, b"<html>", "expected JSON, found text/html: expected a value, found '<' "
                             "(byte 0); is this a dashboard?"),
            (404, b'{"error":"there is no such resource"}',
             "404: there is no dashboard at this address"),
            (500, b'{"error":"\\u001b[31mred\\u009b\x7f"}', "500: ?[31mred??"),
            (503, b"", "503: no reason was given"),
            (403, b"", "403: forbidden; " + HOSTS)):
        with server(status, body, "text/html") as (url, _):
            fails(f"{url}/admin/: {error}", url)


@case
def redirects_do_not_get_the_token():
    with server(200, b"{}") as (other, requests):
        with server(302, b"", Location=other + "/a\x1b") as (url, _):
            fails(f"{url}/admin/: 302: it has moved: {other}/a?", url)
    equal(requests, [])


@case
def the_request():
    with server(200, b"{}") as (url, requests):
        for words, path in ((["schema", "--type", "x y&ä"], "schema?type=x%20y%26%C3%A4"),
                            (["explain", "--type", "ä"], "pipeline?type=%C3%A4&format=text"),
                            (["top"], "state"), (["tail"], "events")):
            herald(*words, url + "/a/b", "--token", "secret")
            equal((requests[0][0], requests[0][1]["Authorization"]),
                  ("/a/b/api/" + path, "Bearer secret"))
            requests.clear()


@case
def a_service_that_hangs():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        fails(f"{url}/admin/: no answer within 200 ms; see --timeout-ms", url, "--timeout-ms",
              "200")


@case
def wrong_usage():
    for words, error in (
            ([], "the URL is missing"),
            (["ftp://a"], "expected a URL that begins with http:// or https://"),
            (["127.0.0.1:8080"], "expected a URL that begins with http:// or https://"),
            (["http://"], "expected a URL with a host"),
            (["http:///admin/"], "expected a URL with a host"),
            (["http://a b/"], "expected a URL of visible ASCII characters"),
            (["http://a/\x1b"], "expected a URL of visible ASCII characters"),
            (["http://me:" + TOKEN + "@a/"],
             "expected a URL without a name and a password; the dashboard takes --token"),
            (["http://a/admin/?x"], "expected the dashboard's address, without '?' and '#'"),
            (["http://a", "http://b"], 'unexpected argument "http://b"')):
        for command in ALL_COMMANDS:
            equal(herald(command, *words), (2, "", f"herald: {command}: {error}\n"))
    for words, error in (
            (["--version", "1"], "herald: schema: --version needs --type"),
            (["--draft", "7"], "herald: schema: --draft needs --type; schemas in AsyncAPI are of "
                               "draft-07"),
            (["--draft", "4"], 'herald: --draft: expected 7 or 2020-12, found "4"'),
            (["--timeout-ms", "0"],
             'herald: --timeout-ms: expected milliseconds, 1 to 86400000, found "0"'),
            (["--max-bytes", "0"],
             'herald: --max-bytes: expected bytes, 1 to 1073741824, found "0"')):
        equal(herald("schema", "http://a", *words), (2, "", error + "\n"))
    for words, error in (
            (["--interval-ms", "5001"], 'milliseconds, 10 to 5000, found "5001"'),
            (["--verdict", "ok"], "done, retry, fail, rejected, accepted, duplicate or ignored, "
                                  'found "ok"')):
        equal(herald("tail", "http://a", *words),
              (2, "", f"herald: {words[0]}: expected {error}\n"))
    for words, error in (
            (["--interval-ms", "9"], 'milliseconds, 10 to 3600000, found "9"'),
            (["--count", "0"], 'a number from 1 to 1000000000, found "0"')):
        equal(herald("top", "http://a", *words),
              (2, "", f"herald: {words[0]}: expected {error}\n"))


if __name__ == "__main__":
    tap.run([(function.__name__.replace("_", " "), function) for function in cases])
