#!/usr/bin/env python3
"""Runs the commands of `herald` that ask a running service, on services that are examples.

    tests/cmd/admin.py HERALD QUICKSTART [DURABLE]

What the examples do not answer, such as hostile texts, a server of the test does. Every case is one
line of TAP.
"""

import contextlib
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
from ports import free_port, listens  # noqa: E402
from programs import WAIT_S, equal, wait_until  # noqa: E402

HERALD, QUICKSTART = sys.argv[1:3]
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
    """Gives the address of a server that always answers this, and the requests that it got."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            requests.append((self.path, dict(self.headers)))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

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


# What all of the commands say of services that do not answer.

COMMANDS = ("schema", "explain")
HOSTS = ("it takes IP addresses, localhost, and the names in `hosts` of the dashboard's path or of "
         "`herald dashboard --host`")


def fails(text, url, *words, **environment):
    for command in COMMANDS:
        found = herald(command, url, *words, **environment)
        equal((command, *found), (command, 1, "", f"herald: {text}\n"))


@case
def tokens():
    with service(QUICKSTART) as url, files() as folder:
        path = folder + "/token"
        with open(path, "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        for command in COMMANDS:
            equal(herald(command, url, "--token", TOKEN, HERALD_TOKEN="")[0], 0)
            equal(herald(command, url, "--token", "@" + path, HERALD_TOKEN="wrong")[0], 0)
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
        fails(f"{url}/admin/: the answer has more than 100 bytes; see --max-bytes", url,
              "--max-bytes", "100")
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
        for command in COMMANDS:
            herald(command, url + "/a/b", "--type", "x y&ä", "--token", "secret")
            path, headers = requests.pop()
            assert path.startswith("/a/b/api/") and "type=x%20y%26%C3%A4" in path, path
            equal(headers["Authorization"], "Bearer secret")


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
        for command in COMMANDS:
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


if __name__ == "__main__":
    tap.run([(function.__name__.replace("_", " "), function) for function in cases])
