#!/usr/bin/env python3
"""Sends events with `herald send` to `herald listen`, and compares what arrives.

    tests/cmd/send.py HERALD

Every case is one line of TAP.
"""

import http.server
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

# pylint: disable=wrong-import-position
import https  # noqa: E402
import tap  # noqa: E402
from listening import listening  # noqa: E402
from programs import equal  # noqa: E402

HERALD = sys.argv[1]
MODES = ("structured", "binary", "batch")
cases = []


def case(function):
    cases.append((function.__name__, function))
    return function


def send(port, *words, data=b""):
    """Status, output and errors."""
    result = subprocess.run([HERALD, "send", f"http://127.0.0.1:{port}/hook", *words], input=data,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                            check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


@case
def an_envelope():
    with listening(HERALD) as listener:
        equal(send(listener.port, "--type", "user_created", "--id", "7", "--source", "users",
                   "--version", "2.1", "--subject", "ann", "--time", "2026-01-31T12:00:00Z",
                   "--extension", "tenant=a", "--data", '{"id": 1}'), (0, "accepted\n", ""))
        line = listener.event()
    equal(line, line | {"verdict": "accepted", "format": "herald", "type": "user_created",
                        "id": "7", "source": "users", "version": "2.1", "subject": "ann",
                        "time": "2026-01-31T12:00:00Z", "extensions": {"tenant": "a"},
                        "data": {"id": 1}})


@case
def defaults():
    with listening(HERALD) as listener:
        equal(send(listener.port), (0, "accepted\n", ""))
        equal(send(listener.port), (0, "accepted\n", ""))
        lines = [listener.event() for _ in range(2)]
    equal([line["type"] for line in lines], ["test", "test"])
    assert len({line["id"] for line in lines}) == 2 and lines[0]["time"], lines


# Texts that are hard for headers, for JSON, or for both.
LETTERS = ["a", " ", "%", "%41", '"', "\\", ",", ";", "é", "€", "😀", "~", "\u00a0", "'", "="]


def text(draw):
    """Not empty, and without blanks at its ends, which a header cannot have."""
    return "x" + "".join(draw.choice(LETTERS) for _ in range(draw.randrange(8))) + "y"


def data_of(draw):
    """Options, and what data and data_base64 become."""
    kind = draw.randrange(4)
    if kind == 0:
        return [], None, None
    if kind == 1:
        value = {"t": text(draw), "n": draw.randrange(10**9), "l": [None, True, 1.5]}
        return ["--data", json.dumps(value)], value, None
    if kind == 2:
        value = draw.choice([0, "", False, None, [], "text"])
        return ["--data", json.dumps(value), "--content-type", "application/x+json"], value, None
    return ["--data", "pl\u00e4in", "--content-type", "text/plain"], None, "cGzDpGlu"


@case
def random_cloudevents():
    seed = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(2**32))
    draw = random.Random(seed)
    print(f"# HERALD_TEST_SEED={seed}")
    with listening(HERALD) as listener:
        for number in range(60):
            mode = draw.choice(MODES)
            words, data, bytes64 = data_of(draw)
            texts = {name: text(draw) for name in ("id", "source", "type", "subject")}
            extensions = {f"ext{i}": text(draw) for i in range(draw.randrange(3))}
            for name, value in texts.items():
                words += [f"--{name}", value]
            for name, value in extensions.items():
                words += ["--extension", f"{name}={value}"]
            try:
                equal(send(listener.port, "--cloudevents", mode, *words), (0, "accepted\n", ""))
                line = listener.event()
                equal(line, line | {"mode": mode, "extensions": extensions, "data": data, **texts})
                equal(line.get("data_base64"), bytes64)
            except AssertionError as error:
                raise AssertionError(f"HERALD_TEST_SEED={seed}, {number}: {words}: {error}") \
                    from error


SECRETS = {
    "standard-webhooks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "github": "gh", "stripe": "whsec_test", "slack": "sl", "shopify": "sh", "paddle": "pd",
    "gitlab": "gl",
}


@case
def signed():
    for scheme, secret in SECRETS.items():
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(secret + "\nsecond line\n")
            file.flush()
            with listening(HERALD, "--scheme", scheme, "--secret", f"@{file.name}", "--secret",
                           SECRETS["standard-webhooks"]) as listener:
                status, output, _ = send(listener.port, "--scheme", scheme, "--secret", secret)
                line = listener.event()
                equal((scheme, line["signature"], status, output),
                      (scheme, "valid", 0, "accepted\n"))
                status, output, _ = send(listener.port, "--scheme", scheme, "--secret",
                                         "whsec_" + "A" * 32)
                line = listener.event()
                equal((scheme, line["signature"], line["verdict"], status),
                      (scheme, "invalid", "rejected", 1))
                equal(output, '401 {"error":"Unauthorized"}\n')


@case
def a_load():
    with listening(HERALD) as listener:
        status, output, errors = send(listener.port, "--count", "1000", "--connections", "8",
                                      "--id", "e", "--cloudevents", "binary")
        ids = {listener.event()["id"] for _ in range(1000)}
    equal((status, errors.count("\n")), (0, errors.count("events")))
    equal(ids, {"e"} | {f"e-{i}" for i in range(1, 1000)})
    first, second = output.splitlines()
    assert re.fullmatch(r"1000 accepted, 0 refused, 0 failed in \d+\.\d\d s "
                        r"\(\d+ events a second\)", first), first
    assert re.fullmatch(r"latency in ms: p50 [\d.]+, p90 [\d.]+, p99 [\d.]+, p99\.9 [\d.]+, "
                        r"max [\d.]+", second), second


@case
def batches():
    with listening(HERALD) as listener:
        status, output, _ = send(listener.port, "--count", "25", "--batch-count", "10",
                                 "--cloudevents", "batch")
        lines = [listener.event() for _ in range(25)]
    assert status == 0 and output.startswith("25 accepted, "), output
    equal({line["mode"] for line in lines}, {"batch"})
    equal(len({line["id"] for line in lines}), 25)


@case
def one_batch():
    """Without --count, --batch-count says how many."""
    with listening(HERALD) as listener:
        status, output, _ = send(listener.port, "--cloudevents", "batch", "--batch-count", "5")
        for _ in range(5):
            listener.event()
    assert status == 0 and output.startswith("5 accepted, "), output


@case
def a_file_that_cannot_be_read():
    status, output, errors = send(1, "--data", "@/nowhere")
    equal((status, output), (1, ""))
    assert errors.startswith("herald: cannot read /nowhere: "), errors


@case
def a_rate():
    """50 events at 100 a second take half a second, and progress is not in the way."""
    with listening(HERALD) as listener:
        status, output, _ = send(listener.port, "--count", "50", "--rate", "100")
        for _ in range(50):
            listener.event()
    seconds = float(re.search(r"in ([\d.]+) s", output).group(1))
    assert status == 0 and seconds >= 0.49, output


@case
def not_accepted():
    with listening(HERALD, "--answer", "503") as listener:
        status, output, _ = send(listener.port, "--count", "3")
        for _ in range(3):
            listener.event()
        assert status == 1 and output.startswith("0 accepted, 3 refused, 0 failed"), output
        assert "first of these: 503" in output, output
        equal(send(listener.port)[:2], (1, "503 \n"))
        listener.event()
        port = listener.port
    status, output, _ = send(port)
    assert status == 1 and "connect" in output, output


@case
def whose_certificates_are_trusted():
    with listening(HERALD) as listener, https.in_front_of(listener.port) as (url, trusted, other):
        for words, accepted in ((["--tls-ca", trusted], True), (["--tls-ca", other], False),
                                (["--tls-ca", __file__], False), ([], False)):
            result = subprocess.run([HERALD, "send", url + "/hook", *words], timeout=60,
                                    stdout=subprocess.PIPE, check=False)
            equal(result.returncode, 0 if accepted else 1)
            if accepted:
                equal(listener.event()["type"], "test")
            else:
                assert b"certificate" in result.stdout, result.stdout
        missing = subprocess.run([HERALD, "send", url, "--tls-ca", "/missing"], timeout=60,
                                 stderr=subprocess.PIPE, check=False)
        equal((missing.returncode, missing.stderr),
              (2, b'herald: --tls-ca: expected a file that can be read, found "/missing"\n'))
        equal(send(listener.port, "--tls-ca", trusted),
              (2, "", "herald: send: --tls-ca needs a URL that begins with https://\n"))


class Silent(http.server.BaseHTTPRequestHandler):
    """Never answers."""

    def do_POST(self):  # pylint: disable=invalid-name
        self.server.released.wait()


@case
def a_receiver_that_does_not_answer():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.released = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        status, output, _ = send(server.server_port, "--timeout-ms", "100")
        assert status == 1 and "imeout" in output, output
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers after a while."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.1)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@case
def a_slow_receiver_costs_no_time():
    """With a rate that it cannot keep, the process waits and does not poll. A signal ends the load
    with its figures."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen([HERALD, "send", f"http://127.0.0.1:{server.server_port}/",
                               "--count", "1000", "--rate", "1000"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stderr.readline()  # the progress after a second
            process.send_signal(signal.SIGINT)
            output = process.communicate(timeout=60)[0].decode()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        server.shutdown()
    found = re.match(r"(\d+) accepted, 0 refused, 0 failed in .*\n"
                     r"stopped: (\d+) of 1000 have no answer\nlatency in ms: p50 ", output)
    assert process.returncode == 1 and found, output
    equal(int(found.group(1)) + int(found.group(2)), 1000)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < 0.15, f"{seconds} s of processor time"


@case
def wrong_usage():
    for words, reason in (
            ([], "the URL is missing"),
            (["ftp://a/"], "expected a URL that begins with"),
            (["http://a/", "b"], "unexpected argument"),
            (["http://a/", "--cloudevents", "x"], "expected structured, binary or batch"),
            (["http://a/", "--data", "{"], "herald: --data: the raw JSON"),
            (["http://a/", "--time", "x"], "--time: expected a time"),
            (["http://a/", "--header", "x"], "--header: expected"),
            (["http://a/", "--batch-count", "2"], "needs --cloudevents batch"),
            (["http://a/", "--cloudevents", "binary", "--extension", "A=b"], "A"),
            (["http://a/", "--cloudevents", "binary", "--webhook"], "exclude each other"),
            (["http://a/", "--content-type", "a/b"], "needs --cloudevents or --webhook"),
            *[(["http://a/", "--webhook", name, value], f"{name} needs an envelope")
              for name, value in (("--type", "a"), ("--source", "a"), ("--subject", "a"),
                                  ("--time", "2026-01-31T12:00:00Z"), ("--version", "1"),
                                  ("--extension", "a=b"))],
            (["http://a/", "--scheme", "github"], "--scheme needs a --secret"),
            (["http://a/", "--count", "0"], "--count: expected a number from 1")):
        result = subprocess.run([HERALD, "send", *words], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=60, check=False)
        errors = result.stderr.decode()
        assert result.returncode == 2 and result.stdout == b"" and reason in errors, (words, errors)


@case
def errors_name_the_options():
    modes = ((), ("--cloudevents", "structured"), ("--cloudevents", "binary"),
             ("--cloudevents", "batch"))
    utf8, control = "expected UTF-8, found byte 0xFF", "without control characters, found U+0001"
    for words, text, used in (
            (["--subject", b"\xff"], utf8, modes),
            (["--type", b"\xff"], utf8, modes),
            (["--id", b"\xff"], utf8, modes),
            (["--source", b"\xff"], utf8, modes),
            (["--type", "a\1"], control, modes[1:]),
            (["--data", "{"], "the raw JSON is not valid at byte 1", (modes[0], modes[1], modes[3])),
            (["--extension", "a=\1"], control, modes[1:]),
            (["--extension", "id=a"], "id", modes),
            (["--extension", "A=a"], "A is not a valid attribute name", modes[1:])):
        for mode in used:
            status, output, errors = send(1, *words, *mode)
            place = words[0] + (" " + words[1].split("=")[0] if "=" in str(words[1]) else "")
            assert (status, output) == (2, "") and text in errors, (words, mode, status, errors)
            assert re.match(f"herald: {place}: (?!{place.strip('-')}:)", errors), errors


@case
def data_and_headers():
    with listening(HERALD, "--type-from", "X-Kind", "--format", "webhook") as listener:
        equal(send(listener.port, "--data", "@-", "--header", "X-Kind:  push ", data=b'{"a":1}'),
              (0, "accepted\n", ""))
        line = listener.event()
        equal((line["type"], line["data"]["payload"]), ("push", {"a": 1}))
        equal(send(listener.port, "--webhook", "--data", '[1, "raw"]', "--header", "X-Kind: x"),
              (0, "accepted\n", ""))
        line = listener.event()
        equal((line["datacontenttype"], line["data"]), ("application/json", [1, "raw"]))
        equal(send(listener.port, "--webhook", "--data", "a=1", "--header", "X-Kind: x",
                   "--content-type", "application/x-www-form-urlencoded")[0], 0)
        equal(listener.event()["data_base64"], "YT0x")


if __name__ == "__main__":
    tap.run(cases)
