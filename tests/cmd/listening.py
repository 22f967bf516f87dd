"""Runs `herald listen --json`, posts to it over a socket, and compares what it prints."""

import base64
import contextlib
import datetime
import http.client
import json
import pathlib
import queue
import re
import signal
import socket
import subprocess
import threading

WAIT_S = 30
HERE = pathlib.Path(__file__).resolve().parent
# Data that is not ours to copy is read where it is.
SHARED = HERE.parents[2] / "shared" / "data" / "interop"
DATA = HERE.parent / "data" / "interop"


def data_file(name):
    """A file of golden data; FileNotFoundError if it is not here."""
    for folder in (DATA, SHARED):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(name)


def rows(name):
    with open(data_file(name), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Listener:
    """A `herald listen --json` that runs."""

    def __init__(self, herald, *options):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([herald, "listen", "--port", "0", "--json", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = queue.Queue()
        first = self.process.stderr.readline().decode()
        found = re.match(r"listening on http://127\.0\.0\.1:(\d+), any path\n", first)
        assert found, first or self.process.wait()
        self.port = int(found.group(1))
        self.reader = threading.Thread(target=self.read_lines)
        self.reader.start()

    def read_lines(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def event(self):
        try:
            line = self.lines.get(timeout=WAIT_S)
        except queue.Empty as error:
            raise AssertionError("no event was printed") from error
        assert line is not None, "listen has ended"
        return line

    def request(self, method, headers, body=b"", path="/any/path?q=1"):
        """The response to a request with exactly these headers, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value if isinstance(value, bytes)
                                 else value.encode("utf-8"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response, content

    def post(self, headers, body, count=1):
        """Status, and the lines of `count` events."""
        response, _ = self.request("POST", headers, body)
        return response.status, [self.event() for _ in range(count)]

    def raw(self, request):
        """The status of a request that is sent as it is."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as connection:
            connection.sendall(request)
            answer = b""
            while b"\r\n" not in answer:
                more = connection.recv(65536)
                assert more, "closed without an answer"
                answer += more
        return int(answer.split()[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(WAIT_S)
        self.reader.join()
        errors = self.process.stderr.read().decode()
        rest = []
        while not self.lines.empty():
            rest.append(self.lines.get())
        assert (status, errors, rest) == (0, "", [None]), (status, errors, rest)


@contextlib.contextmanager
def listening(herald, *options):
    listener = Listener(herald, *options)
    try:
        yield listener
    except BaseException:
        listener.process.kill()
        listener.process.wait()
        raise
    listener.stop()


# What a case of cases.json is, as lines show it.

def instant(text):
    """A time as nanoseconds since 1970."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text)
    assert found, text
    offset = "+00:00" if found.group(3) in "Zz" else found.group(3)
    whole = datetime.datetime.fromisoformat(found.group(1).upper() + offset)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    delta = whole - epoch
    nanoseconds = int(((found.group(2) or ".0")[1:] + "0" * 9)[:9])
    return (delta.days * 86400 + delta.seconds) * 10**9 + nanoseconds


def text_of_value(value, is_binary):
    """An extension in this mode: typed in JSON, a string in a header."""
    if is_binary and isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if is_binary else value


def expected_data(case):
    """data, data_base64 of a line."""
    data = case["data"]
    if data is None:
        return None, None
    if data["kind"] == "json":
        return data["value"], None
    if data["kind"] == "json_text":
        return json.loads(data["value"]), None
    if data["kind"] == "text":
        return None, base64.b64encode(data["value"].encode()).decode()
    return None, data["base64"]


def assert_case(line, case, mode, ignored=()):
    """Compare a line with a case; `ignored` has the names of members that may differ."""
    binary = mode == "binary"
    attributes = dict(case["attrs"])
    assert (line["verdict"], line["mode"]) == ("accepted", mode), line
    for name in ("id", "source", "type", "subject", "dataschema", "datacontenttype"):
        if name not in ignored:
            assert line[name] == attributes.get(name), (name, line[name], attributes.get(name))
    if "time" not in ignored:
        times = [value and instant(value) for value in (line["time"], attributes.get("time"))]
        assert times[0] == times[1], times
    extensions = {name: text_of_value(value["v"], binary) for name, value in case["ext"].items()
                  if name not in ignored}
    found = {name: value for name, value in line["extensions"].items() if name not in ignored}
    assert found == extensions, (found, extensions)
    if "data" in ignored:
        return
    data, bytes64 = expected_data(case)
    # Binary mode has no empty data, and bytes with a JSON type are JSON there.
    if binary and not bytes64:
        bytes64 = None
    if binary and bytes64 and (attributes.get("datacontenttype") or "").endswith("json"):
        data, bytes64 = json.loads(base64.b64decode(bytes64)), None
    assert (line["data"], line.get("data_base64")) == (data, bytes64), line
