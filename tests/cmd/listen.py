#!/usr/bin/env python3
"""Runs `herald listen` on golden data of CloudEvents, signatures, trace context and handshakes.

    tests/cmd/listen.py HERALD

Every case is one line of TAP.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
from ports import listens  # noqa: E402
from programs import equal, wait_until  # noqa: E402
from listening import assert_case, data_file, expected_data, instant, listening, rows  # noqa: E402

HERALD = sys.argv[1]
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
cases = []


def case(function):
    cases.append((function.__name__, function))
    return function


def check_all(items, check):
    """Check all of them, and report every one that fails."""
    wrong = []
    for name, *arguments in items:
        try:
            check(*arguments)
        except AssertionError as error:
            wrong.append(f"{name}: {error}")
    assert not wrong, f"{len(wrong)} of {len(items)}:\n" + "\n".join(wrong)


# CloudEvents.

def check_received(listener, row):
    body = base64.b64decode(row["body_base64"])
    count = len(json.loads(body)) if row["expect"].startswith("reject member") else 1
    status, lines = listener.post(row["headers"], body, count)
    member = re.fullmatch(r"reject member (\d+)", row["expect"])
    if member:
        verdicts = [line["verdict"] for line in lines]
        index = int(member.group(1))
        assert verdicts[index] == "rejected" and status == 400, (status, verdicts)
        assert all(verdict == "accepted" for i, verdict in enumerate(verdicts) if i != index)
        assert lines[index]["path"].startswith(f"/{index}"), lines[index]
        return
    line = lines[0]
    assert row["expect"] in ("either", line["verdict"].replace("ed", "")), line
    if line["verdict"] == "rejected":
        assert status >= 400 and line["status"] == status and line["error"], line
        return
    assert status == 204, status
    for name, value in row.get("attributes", {}).items():
        found = line[name] if name in line else line["extensions"].get(name)
        if name == "time":
            found, value = instant(found), instant(value)
        assert found == value, (name, found, value)
    if "data_json_text" in row:
        assert line["data"] == json.loads(row["data_json_text"]), line
    if "data_base64" in row:
        assert line["data_base64"] == row["data_base64"], line


@case
def receive_cases():
    with listening(HERALD) as listener:
        check_all([(row["name"], listener, row) for row in rows("receive_cases.jsonl")],
                  check_received)


def load_cases():
    with open(data_file("cases.json"), encoding="utf-8") as file:
        found = json.load(file)
    return ({row["case"]: row for row in found["cases"]},
            {row["case"]: row["members"] for row in found["batches"]})


KNOWN, BATCHES = load_cases()


def differing(verdict):
    """The members in which an SDK's event differs from its case."""
    names = set()
    for text in verdict.get("differences", []):
        word = text.split(" ", 1)[0]
        names.add({"body": "data", "content-type": "datacontenttype"}.get(
            word, word.removeprefix("ce-")))
    if "datacontenttype" in names and not verdict.get("keeps_data"):
        names.add("data")
    return names


def has_controls(row):
    """Whether an SDK has written control characters into a header."""
    return any(re.search("[\x00-\x08\x0a-\x1f\x7f]", value)
               for value in row.get("headers", {}).values())


def check_sent(listener, row, verdict, send):
    mode = row["mode"]
    if mode == "batch":
        members = BATCHES[row["case"]]
        status = send(listener, row)
        lines = [listener.event() for _ in members]
        assert status == 204, (status, lines)
        for line, member in zip(lines, members):
            ignored = {text.split(": ", 1)[1].split(" ", 1)[0]
                       for text in verdict.get("differences", [])
                       if text.startswith(member + ":")}
            assert_case(line, KNOWN[member], mode, ignored)
        return
    status = send(listener, row)
    if has_controls(row):
        line = listener.event()
        assert (status, line["status"], line["format"]) == (400, 400, None), (status, line)
        return
    if "refused" in verdict:
        assert (status, listener.event()["verdict"]) == (400, "rejected"), status
        return
    line = listener.event()
    is_bad_json = "datacontenttype" not in differing(verdict) and any("is not JSON" in text for text in verdict.get("differences", []))
    body_is_empty = any("body b'' is not JSON" in text for text in verdict.get("differences", []))
    if is_bad_json and not body_is_empty:
        assert (status, line["verdict"]) == (400, "rejected"), line
        return
    assert status == 204, (status, line)
    assert_case(line, KNOWN[row["case"]], mode, differing(verdict))


def verdicts_by_row():
    return {(row["sdk"], row["version"], row["case"], row["mode"]): row
            for row in rows("verdicts.jsonl")}


def send_raw(listener, row):
    return listener.raw(base64.b64decode(row["request_base64"]))


def send_parts(listener, row):
    if has_controls(row):
        return listener.raw("\r\n".join(
            ["POST / HTTP/1.1", "Host: a", "Content-Length: 0"] +
            [f"{name}: {value}" for name, value in row["headers"].items()] + ["", ""]).encode())
    headers = [[name, value.strip(" ")] for name, value in row["headers"].items()]
    response, _ = listener.request("POST", headers, base64.b64decode(row["body_base64"]))
    return response.status


# What sdk-javascript 10.0.0 writes differently; verdicts.jsonl does not have it.
JAVASCRIPT = {
    ("ext_all_types", "structured"): "refused: bytes become an object",
    ("ext_binary_bytes", "structured"): "refused: bytes become an object",
    ("data_empty_binary", "structured"): "refused: both data and data_base64",
    ("spaces_percent_quotes", "binary"): "subject is not percent-encoded",
    ("already_percent_encoded", "binary"): "source subject are not percent-encoded",
    ("leading_trailing_spaces", "binary"): "subject is not percent-encoded",
    ("ext_all_types", "binary"): "extbinary becomes its bytes",
    ("extensions_documented", "binary"): "dataref is not percent-encoded",
    ("data_json_string", "binary"): "body is not JSON",
    ("data_json_string_no_contenttype", "binary"): "body is not JSON",
    ("data_json_string_of_json", "binary"): "data is another value",
    ("data_json_empty_string", "binary"): "data is lost",
    ("data_json_numbers", "structured"): "data has other numbers",
    ("data_json_numbers", "binary"): "data has other numbers",
}


WORDS = ("source", "subject", "data", "extbinary", "dataref")


def javascript_verdict(row):
    text = JAVASCRIPT.get((row["case"], row["mode"]), "")
    if text.startswith("refused"):
        return {"refused": text}
    differences = ["time added"] + [f"{word} differs" for word in text.split()
                                    if word in WORDS]
    if row["mode"] == "binary" and row["case"] in KNOWN and \
            "datacontenttype" not in KNOWN[row["case"]]["attrs"] and "JSON" not in text:
        differences.append("datacontenttype added")
        if (KNOWN[row["case"]]["data"] or {"kind": "json"})["kind"] == "json":
            return {"differences": differences, "keeps_data": True}
    return {"differences": differences + ([text] if "JSON" in text else [])}


def verdict_of(verdicts, row):
    """The verdict on a row of an SDK; wire.jsonl has longer versions and names of its own."""
    if row["sdk"] == "sdk-javascript":
        return javascript_verdict(row)
    for (sdk, version, name, mode), verdict in verdicts.items():
        if (name, mode) == (row["case"], row["mode"]) and row["sdk"].startswith(sdk) and \
                row["version"].startswith(version):
            return verdict
    return None


@case
def sdk_requests():
    verdicts = verdicts_by_row()
    items = []
    with listening(HERALD) as listener:
        for row in rows("wire.jsonl"):
            verdict = verdict_of(verdicts, row)
            assert verdict, row
            items.append((f"{row['sdk']} {row['case']} {row['mode']}", listener, row, verdict,
                          send_raw))
        check_all(items, check_sent)


@case
def sdk_events():
    verdicts = verdicts_by_row()
    items = []
    with listening(HERALD) as listener:
        for name in ("pydantic", "sdk-go", "sdk-javascript", "sdk-python-1", "sdk-python",
                     "sdk-rust"):
            for row in rows(f"cloudevents-{name}.jsonl"):
                if "error" in row:
                    continue
                verdict = verdict_of(verdicts, row)
                assert verdict, row
                items.append((f"{name} {row['case']} {row['mode']}", listener, row, verdict,
                              send_parts))
        check_all(items, check_sent)


def check_expected(listener, row, mode):
    part = row[mode]
    response, _ = listener.request("POST", list(part["headers"].items()),
                                   base64.b64decode(part["body_base64"]))
    members = BATCHES[row["case"]] if mode == "batch" else [row["case"]]
    assert response.status == 204, response.status
    for member in members:
        # Without a type, JSON data has one in binary mode all the same.
        ignored = ["datacontenttype"] if mode == "binary" and member.endswith("no_contenttype") \
            and KNOWN[member]["data"]["kind"] == "json" else []
        assert_case(listener.event(), KNOWN[member], mode, ignored)


@case
def expected_events():
    with listening(HERALD) as listener:
        check_all([(f"{row['case']} {mode}", listener, row, mode)
                   for row in rows("expected.jsonl") for mode in ("binary", "structured", "batch")
                   if mode in row], check_expected)


def conformance(name, key):
    with open(data_file(f"conformance/{name}"), encoding="utf-8") as file:
        return [(row["id"], row[key]) for row in json.load(file)["tests"]]


def check_conformance(listener, content_type, value, is_right):
    body = json.dumps(value).encode()
    count = len(value) if content_type == BATCH else 1
    response, _ = listener.request("POST", [("Content-Type", content_type)], body)
    if not is_right:
        first = listener.event()
        lines = [first]
        while not first["path"] == "" and len(lines) < count and \
                not first["path"].endswith("specversion"):
            lines.append(listener.event())
        assert any(line["verdict"] == "rejected" for line in lines), lines
        assert response.status == 400, response.status
        return
    lines = [listener.event() for _ in range(count)]
    assert response.status == 204 and all(line["verdict"] == "accepted" for line in lines), lines


@case
def json_format_conformance():
    try:
        data_file("conformance/json-valid-events.json")
    except FileNotFoundError as error:
        raise tap.Skip("the conformance tests of CloudEvents are not here") from error
    items = []
    for name, key, content_type, is_right in (
            ("json-valid-events.json", "event", STRUCTURED, True),
            ("json-invalid-events.json", "event", STRUCTURED, False),
            ("json-valid-batches.json", "batch", BATCH, True),
            ("json-invalid-batches.json", "batch", BATCH, False)):
        items += [(name, key, content_type, is_right)]
    for name, key, content_type, is_right in items:
        # One listener each: how many lines a wrong batch prints is not known.
        for title, value in conformance(name, key):
            with listening(HERALD) as listener:
                check_all([(title, listener, content_type, value, is_right)], check_conformance)


# Signatures.

def check_signature(row, scheme, secrets):
    options = [word for secret in secrets for word in ("--secret", secret)]
    if row["name"] == "secret_unpadded":
        status, _, errors = run("listen", "--scheme", scheme, *options)
        assert status == 2 and "--secret: is not padded base64" in errors, errors
        return
    if "url" in row:
        options += ["--url", row["url"]]
    with listening(HERALD, "--scheme", scheme, "--now", str(row["now"]), *options) as listener:
        status, lines = listener.post(row["headers"].items() if isinstance(row["headers"], dict)
                                      else row["headers"],
                                      base64.b64decode(row["payload_base64"]))
    line = lines[0]
    if row["expect"] == "either":
        return
    right = row["expect"] == "ok"
    assert line["signature"] == ("valid" if right else "invalid"), line
    assert (line["verdict"], status) == (("accepted", 204) if right else ("rejected", 401)), line


@case
def standard_webhooks_verify():
    check_all([(row["name"], row, "standard-webhooks", row["secrets"])
               for row in rows("standard_webhooks_verify.jsonl")], check_signature)


@case
def vendor_signatures():
    check_all([(f"{row['vendor']} {row['name']}", row, row["vendor"], [row["secret"]])
               for row in rows("vendor_signatures.jsonl")], check_signature)


@case
def the_hash_of_twilio():
    """Twilio adds it to the URL that it was told."""
    row = next(row for row in rows("vendor_signatures.jsonl") if row["name"] == "json_bodySHA256")
    url, query = row["url"].split("?")
    with listening(HERALD, "--scheme", "twilio", "--secret", row["secret"],
                   "--url", url) as listener:
        for called, verdict in ((f"/any?{query}", "valid"), (f"/?a=1&{query}&b=2", "valid"),
                                (f"/?{query}0", "invalid"), (f"/?x{query}", "invalid"),
                                ("/", "invalid")):
            listener.request("POST", row["headers"].items(),
                             base64.b64decode(row["payload_base64"]), called)
            assert listener.event()["signature"] == verdict, called


def run(*words, data=b""):
    result = subprocess.run([HERALD, *words], input=data, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=30, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def check_signing(row):
    secret = row.get("secret") or row.get("secret_key") or row["signing_key"]
    body = base64.b64decode(row["payload_base64"])
    status, output, errors = run("sign", "--secret", secret, "--id", row["id"], "--timestamp",
                                 str(row["timestamp"]), data=body)
    headers = dict(line.split(": ", 1) for line in output.splitlines())
    assert (status, errors) == (0, ""), errors
    assert headers == {"webhook-id": row["id"], "webhook-timestamp": str(row["timestamp"]),
                       "webhook-signature": row["signature"]}, headers
    verified = run("verify", "--secret", secret, "--now", str(row["timestamp"]),
                   data=output.encode() + b"\n" + body)
    assert verified == (0, "valid\n", ""), verified
    changed = run("verify", "--secret", secret, "--now", str(row["timestamp"]),
                  data=output.encode() + b"\n" + body + b" ")
    assert changed[0] == 1 and changed[1].startswith("invalid: "), changed


@case
def standard_webhooks():
    check_all([(row["name"], row) for row in rows("standard_webhooks.jsonl")], check_signing)


# Traces.

def check_trace(listener, row):
    body = b'{"specversion":"1.0","id":"1","source":"/s","type":"t"}'
    _, lines = listener.post([("Content-Type", STRUCTURED), *row["headers"]], body)
    expected = row["expect"]["trace_id"]
    found = lines[0]["trace_id"]
    assert re.fullmatch("[0-9a-f]{32}", found) and found != "0" * 32, found
    sent = [value for name, value in row["headers"] if name.lower() == "traceparent"]
    if expected == "new":
        assert not any(found in value for value in sent), (found, sent)
    else:
        assert found == expected, found


@case
def trace_context():
    with listening(HERALD) as listener:
        check_all([(row["name"], listener, row) for row in rows("trace_context.jsonl")],
                  check_trace)


# The handshake.

def check_handshake(row):
    options = [word for name in row["allowed_origins"] for word in ("--allow-origin", name)]
    with listening(HERALD, "--allow-rate", str(row["allowed_rate"]), *options) as listener:
        response, _ = listener.request("OPTIONS", row["headers"].items(), path="/")
    expected = row["expect"]
    assert response.status in expected["status"], response.status
    assert "POST" in response.headers["Allow"], response.headers["Allow"]
    for name, value in expected.items():
        if name not in ("status", "absent", "Allow"):
            assert response.headers[name] in value.split(" or "), (name, response.headers[name])
    for name in expected.get("absent", []):
        assert name not in response.headers, response.headers[name]


@case
def webhook_handshake():
    check_all([(row["name"], row) for row in rows("webhook_handshake.jsonl")], check_handshake)


# Other formats.

ENVELOPE = (b'{"event_type":"user_created","timestamp":"2024-08-20T05:21:19.14Z",\n'
            b'"payload":{"id":1, "name":"a b"},'
            b'"metadata":{"source":"users","version":"1.0","id":"7","n":5,"o":{"x":[1]}}}')


@case
def herald_envelope():
    with listening(HERALD) as listener:
        response, body = listener.request("POST", [("Content-Type", "application/json")],
                                          ENVELOPE)
        line = listener.event()
        assert (response.status, body) == (200, b'{"status":"success"}'), body
        assert line == line | {
            "verdict": "accepted", "status": 200, "format": "herald", "mode": None, "id": "7",
            "source": "users", "type": "user_created", "time": "2024-08-20T05:21:19.14Z",
            "subject": None, "version": "1.0", "extensions": {"n": 5, "o": {"x": [1]}},
            "data": {"id": 1, "name": "a b"}, "signature": "none", "error": None, "path": None,
            "offset": None}, line
        response, body = listener.request("POST", [("Content-Type", "application/json")],
                                          ENVELOPE.replace(b"2024-", b"x024-"))
        line = listener.event()
        assert (response.status, line["path"]) == (400, "/timestamp"), line
        assert line["offset"] == ENVELOPE.index(b"2024-") - 1 or line["offset"] > 0, line
        assert json.loads(body) == {"error": line["error"], "path": "/timestamp"}, body


# Name, options, headers, body, and type and id; or a text that the error has.
WEBHOOKS = (
    ("github", [], [("X-GitHub-Event", "push"), ("X-GitHub-Delivery", "d1")], b'{"ref":"x"}',
     ("push", "d1")),
    ("stripe", [], [], b'{"id":"evt_1","object":"event","type":"charge.succeeded"}',
     ("charge.succeeded", "evt_1")),
    ("slack", [], [], b'{"event_id":"E1","type":"event_callback","event":{"type":"message"}}',
     ("event_callback", "E1")),
    ("slack without its type", [], [], b' {"event":{"type":"message"}} ', ("message", None)),
    ("pointer", ["--type-from", "/event/type", "--id-from", "X-Id"], [("x-id", "9")],
     b'{"type":"event_callback","event":{"type":"message"}}', ("message", "9")),
    ("escaped pointer", ["--type-from", "/a~1b/~0~01", "--id-from", "/"], [],
     b'{"a/b":{"~~1":"x"},"":"i"}', ("x", "i")),
    ("event_type", ["--type-from", "/event_type"], [],
     b'{"event_type":"a","payload":{},"id":"1"}', ("a", "1")),
    ("no type", [], [], b'{"a":1}', "no event type was found"),
    ("no type there", ["--type-from", "/kind"], [], b'{"type":"a"}', "--type-from"),
    ("none needed", ["--format", "webhook"], [], b'[1,2]', (None, None)),
    ("null", ["--format", "webhook"], [], b'null', (None, None)),
    ("broken", ["--format", "webhook"], [], b'{"a":1', "end of the input"),
    ("not even JSON", [], [], b'hello', "expected"),
    ("nothing", [], [], b'', "end of the input"),
    ("blanks", [], [], b' ', "end of the input"),
    ("an array", [], [], b'[1]', "expected an object"),
    ("no object", [], [], b'null', "expected an object, found null"),
    ("a half envelope", [], [], b'{"event_type":"a","payload":{}}',
     "a plain webhook needs --format webhook or --type-from"),
    ("duplicate members", [], [], b'{"type":"a","type":"b"}', "duplicate"),
    ("duplicate members, pointer", ["--type-from", "/type", "--format", "webhook"], [],
     b'{"type":"a","type":"b"}', "duplicate"),
    ("many members", [], [],
     json.dumps({"type": "x"} | {f"k{i}": i for i in range(65536)}).encode(), "65536"),
    ("compressed", [], [("Content-Encoding", "gzip")], b"\x1f\x8b", "gzip is not supported"),
    ("compressed, with a long name", [], [("Content-Encoding", "gzip" + "x" * 61)], b"\x1f\x8b",
     "gzip" + "x" * 60 + "... is not supported"),
    ("not compressed", [], [("Content-Encoding", "Identity")], b'{"type":"x"}', ("x", None)),
)


def check_webhook(options, headers, body, expected):
    with listening(HERALD, *options) as listener:
        status, lines = listener.post([("Content-Type", "application/json"), *headers], body)
    line = lines[0]
    if isinstance(expected, str):
        assert (status, line["verdict"]) == (415 if "gzip" in expected else 400, "rejected"), line
        assert expected in line["error"] and not line["path"].startswith("/members"), line
        return
    assert (status, line["verdict"], line["format"]) == (204, "accepted", "webhook"), line
    assert (line["type"], line["id"], line["data"]) == (*expected, json.loads(body)), line


@case
def webhooks():
    check_all([(name, *rest) for name, *rest in WEBHOOKS], check_webhook)


# Bodies that are JSON only within other JSON: they would add members to the line that is printed.
FORGED = (b'{"type":"x"},"verdict":"accepted","status":200', b'1,"a":2', b'{"type":"x"}}',
          b'{"type":"x"},"value":1', b'{"type":"x"},"members":{"type":"y"}', b'1]', b'null,')


def check_forged(listener, content_type, body, secret):
    headers = [("Content-Type", content_type)] if content_type else []
    if secret:
        mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers.append(("X-Hub-Signature-256", f"sha256={mac}"))
    response, _ = listener.request("POST", headers, body)
    line = listener.event()
    assert line["data"] is None, line
    # Signed bytes of no type are an event, but not JSON.
    if not content_type and secret:
        assert base64.b64decode(line["data_base64"]) == body, line
        return
    assert (response.status, line["status"], line["verdict"]) == (400, 400, "rejected"), line
    assert "expected the end of the input" in line["error"], line
    assert line["offset"] == (body.index(b"}") + 1 if b"}" in body else
                              re.search(rb"[],]", body).start()), line


@case
def forged_members():
    for secret in (None, "s3cret"):
        words = ["--secret", secret, "--scheme", "github"] if secret else []
        for format_words in ([], ["--format", "webhook"]):
            with listening(HERALD, *words, *format_words) as listener:
                check_all([(f"{body} {content_type} {words} {format_words}", listener,
                            content_type, body, secret)
                           for body in FORGED
                           for content_type in ("application/json", None)
                           if content_type or secret or not format_words], check_forged)


@case
def an_empty_batch():
    with listening(HERALD, "--secret", "s3cret", "--scheme", "github") as listener:
        for mac in (None, "0" * 64):
            headers = [("Content-Type", BATCH)]
            if mac:
                headers.append(("X-Hub-Signature-256", f"sha256={mac}"))
            response, body = listener.request("POST", headers, b"[]")
            line = listener.event()
            assert (response.status, body) == (401, b'{"error":"Unauthorized"}'), body
            assert (line["verdict"], line["signature"], line["mode"], line["status"]) == \
                ("rejected", "invalid", "batch", 401) and line["error"], line
        mac = hmac.new(b"s3cret", b"[]", hashlib.sha256).hexdigest()
        response, body = listener.request(
            "POST", [("Content-Type", BATCH), ("X-Hub-Signature-256", f"sha256={mac}")], b"[]")
        # The listener checks at its end that nothing more was printed.
        assert (response.status, body) == (204, b""), response.status


@case
def large_requests():
    with listening(HERALD) as listener:
        body = json.dumps({"event": {"type": "x", "text": "a" * 5_000_000}}).encode()
        status, lines = listener.post([("Content-Type", "application/json")], body)
        assert (status, lines[0]["type"]) == (204, "x"), (status, lines[0]["error"])
        event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
        status, lines = listener.post([("Content-Type", BATCH)],
                                      json.dumps([event] * 1001).encode(), 1001)
        assert status == 204 and lines[1000]["verdict"] == "accepted", lines[1000]
        status, lines = listener.post([("Content-Type", BATCH)], json.dumps([0] * 10001).encode())
        assert status == 400 and "10000" in lines[0]["error"], lines
        many = event | {f"ext{i}": "v" for i in range(1024)}
        status, lines = listener.post([("Content-Type", STRUCTURED)], json.dumps(many).encode())
        assert (status, len(lines[0]["extensions"])) == (204, 1024), lines[0]["error"]


@case
def control_characters():
    """They are escaped, also those that JSON allows."""
    body = '{"type":"a\u007fb\u0080\u009f\u00a0","x":["\u007f","\\\\\u009b","é"]}'
    process = subprocess.Popen([HERALD, "listen", "--port", "0", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        port = int(re.search(rb":(\d+),", process.stderr.readline()).group(1))
        subprocess.run(["curl", "-s", "-H", "Content-Type: application/json", "--data-binary",
                        "@-", f"http://127.0.0.1:{port}/"], input=body.encode(), check=True,
                       stdout=subprocess.DEVNULL)
        line = process.stdout.readline().decode()
        assert not re.search("[\x00-\x09\x7f-\x9f]", line), line
        assert json.loads(line)["data"] == json.loads(body), line
        assert json.loads(line)["type"] == json.loads(body)["type"], line
    finally:
        process.terminate()
        process.wait()


# Requests that the server refuses by itself.

MANY = b"".join(b"X-%d: a\r\n" % i for i in range(200))
HTTP_REFUSALS = (
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "the path accepts POST, OPTIONS, not GET"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413, "larger than"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"a" * 101 +
     b"\r\n0\r\n\r\n", 413, "larger than"),
    (b"POST / HTTP/1.1\r\nHost: a\r\n" + MANY + b"\r\n", 431, "headers"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 300000 + b"\r\n\r\n", 431, "too large"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n", 400, ""),
    (b"POST / HTTP/1.1\r\nHost: a\r\nX: \x1b[2J\r\n\r\n", 400, ""),
    (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, ""),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, ""),
)


@case
def refusals_of_the_server():
    """A sender's mistakes in HTTP itself are shown as well."""
    with listening(HERALD, "--max-bytes", "100") as listener:
        for request, status, reason in HTTP_REFUSALS:
            assert listener.raw(request) == status, request[:60]
            line = listener.event()
            assert line == line | {
                "verdict": "rejected", "status": status, "format": None, "mode": None,
                "id": None, "extensions": {}, "data": None, "trace_id": None,
                "signature": "none", "path": "", "offset": None}, line
            assert reason in line["error"] and line["error"], line
            assert not re.search("[\x00-\x1f]", line["error"]), line


@case
def refusals_for_people():
    with subprocess.Popen([HERALD, "listen", "--port", "0", "--allow-origin", "a.example"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        port = int(re.search(rb":(\d+),", process.stderr.readline()).group(1))
        url = f"http://127.0.0.1:{port}/"
        for words in ([], ["-X", "OPTIONS", "-H", "WebHook-Request-Origin: a.example"],
                      ["-X", "OPTIONS", "-H", "WebHook-Request-Origin: a.example",
                       "-H", "WebHook-Request-Rate: 0"], ["-X", "OPTIONS"]):
            subprocess.run(["curl", "-s", *words, url], check=True, stdout=subprocess.DEVNULL)
        process.terminate()
        output, errors = process.communicate(timeout=30)
    assert output == (b"405 rejected  request\n    the path accepts POST, OPTIONS, not GET\n"
                      b"204 handshake  origin=a.example\n400 handshake  origin=a.example\n"
                      b"204 handshake\n"), output
    assert errors == b"", errors


@case
def it_starts_in_under_50_ms():
    """The fastest of some starts; a busy machine delays them."""
    with open(HERALD, "rb") as program:
        if re.search(rb"__[at]san_init", program.read()):
            raise tap.Skip("sanitizers start more slowly")
    times = []
    while len(times) < 20 and min(times, default=1) >= 0.05:
        begin = time.monotonic()
        with subprocess.Popen([HERALD, "listen", "--port", "0"], stderr=subprocess.PIPE) as process:
            process.stderr.readline()
            times.append(time.monotonic() - begin)
            process.terminate()
    assert min(times) < 0.05, f"{min(times):.3f} s"


# Options.

CHUNKED = (b"POST /chunked HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
           b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(ENVELOPE), ENVELOPE))


@case
def answers_and_files():
    with tempfile.TemporaryDirectory() as folder:
        with listening(HERALD, "--answer", "503", "--save", folder) as listener:
            status, _ = listener.post([("Content-Type", "application/json")], ENVELOPE)
            assert status == 503, status
            status, _ = listener.post([("Content-Type", "application/json")], b"{")
            assert status == 400, status
            assert listener.raw(CHUNKED) == 503
            listener.event()
        files = sorted(pathlib.Path(folder).iterdir())
        assert [file.name for file in files] == [f"00000{i}.http" for i in (1, 2, 3)], files
        head, body = files[0].read_bytes().split(b"\r\n\r\n", 1)
        assert body == ENVELOPE and head.startswith(b"POST /any/path?q=1 HTTP/1.1\r\n"), head
        with listening(HERALD, "--save", folder) as listener:
            assert listener.raw(files[0].read_bytes()) == 200
            listener.event()
            assert listener.raw(files[2].read_bytes()) == 200
            listener.event()
        assert len(list(pathlib.Path(folder).iterdir())) == 5


@case
def a_folder_that_is_gone():
    with tempfile.TemporaryDirectory() as folder:
        inner = pathlib.Path(folder) / "inner"
        inner.mkdir()
        with subprocess.Popen([HERALD, "listen", "--port", "0", "--save", str(inner)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            port = int(re.search(rb":(\d+),", process.stderr.readline()).group(1))
            inner.rmdir()
            status = subprocess.run(
                ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                 "Content-Type: application/json", "--data-binary", "@-",
                 f"http://127.0.0.1:{port}/"], input=ENVELOPE, check=True,
                stdout=subprocess.PIPE).stdout
            output, errors = process.communicate(timeout=30)
        assert (status, process.returncode, output) == (b"503", 1, b""), (status, errors)
        assert errors.count(b"\n") == 1 and b"cannot save to" in errors, errors


@case
def a_disk_that_is_full():
    """A request that cannot be saved whole leaves no file."""
    with tempfile.TemporaryDirectory() as folder:
        limited = f"ulimit -f 8; trap '' XFSZ; exec {HERALD} listen --port 0 --save {folder}"
        with subprocess.Popen(["bash", "-c", limited], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            port = int(re.search(rb":(\d+),", process.stderr.readline()).group(1))
            status = subprocess.run(
                ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                 "Content-Type: application/json", "--data-binary", "@-",
                 f"http://127.0.0.1:{port}/"], input=b'"' + b"a" * 20000 + b'"', check=True,
                stdout=subprocess.PIPE).stdout
            _, errors = process.communicate(timeout=30)
        assert (status, process.returncode) == (b"503", 1), (status, errors)
        assert b"cannot save to" in errors and b"File too large" in errors, errors
        assert not list(pathlib.Path(folder).iterdir())


def unread_bytes(pipe):
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


@case
def a_second_signal_ends_it():
    """The event in flight waits for a reader of the output, so the first signal does not end it."""
    event = json.dumps({"specversion": "1.0", "id": "1", "source": "/s", "type": "t",
                        "data": "a" * 20000}).encode()
    head = (f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {STRUCTURED}\r\n"
            f"Content-Length: {len(event)}\r\n\r\n").encode()
    for first, second in ((signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)):
        reading, writing = os.pipe()
        fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 4096)
        with subprocess.Popen([HERALD, "listen", "--port", "0", "--json"], stdout=writing,
                              stderr=subprocess.PIPE) as process:
            try:
                os.close(writing)
                port = int(re.search(rb":(\d+),", process.stderr.readline()).group(1))
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(head + event)
                    wait_until(lambda pipe=reading: unread_bytes(pipe) == 4096, process)
                    process.send_signal(first)
                    wait_until(lambda port=port: not listens(port), process)
                    process.send_signal(second)
                    equal(process.wait(30), -second)
            finally:
                process.kill()
                os.close(reading)


@case
def an_answer_with_a_batch():
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    with listening(HERALD, "--answer", "503") as listener:
        response, body = listener.request("POST", [("Content-Type", BATCH)],
                                          json.dumps([{}, event]).encode())
        lines = [listener.event() for _ in range(2)]
    assert [line["status"] for line in lines] == [400, 503], lines
    assert (response.status, body) == (503, b""), body


@case
def a_unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/s"
        with subprocess.Popen([HERALD, "listen", "--address", address], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            line = process.stderr.readline().decode()
            process.terminate()
        assert line == f"listening on {address}, any path\n", line


@case
def secrets_are_not_printed():
    with tempfile.TemporaryDirectory() as folder:
        empty, control = pathlib.Path(folder) / "empty", pathlib.Path(folder) / "control"
        empty.write_bytes(b"\nsecond line\n")
        control.write_bytes(b"pass\x00word\n")
        many = [word for i in range(16) for word in ("--secret", f"key{i}")]
        for words, text in (
                (["--secret", f"@{empty}"], "is empty"),
                (["--secret", ""], "is empty"),
                (["--secret", f"@{control}"], "without control characters"),
                (["--secret", "pass\x1bword"], "without control characters"),
                (["--secret", f"@{folder}/password"], "a file that can be read"),
                ([*many, "--secret", "password"], "at most 16"),
                (["--secert=password"], "unknown option")):
            status, output, errors = run("verify", *words)
            assert (status, output) == (2, "") and text in errors, (words, errors)
            assert "pass" not in errors and errors.count("\n") == 1, errors


@case
def errors_name_the_options():
    """Not the members of the library's structs, and nothing that the tool does not have."""
    secret = ["--secret", "aGVsbG8="]
    public = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    for words, text in (
            (["sign", "--secret", "hello"], "--secret: is not padded base64, which has a multiple "
                                            "of 4 characters"),
            (["verify", "--secret", "hello"], "--secret: is not padded base64, which has a "
                                              "multiple of 4 characters"),
            (["sign", *secret, "--secret", "a!"], "--secret, number 2: is not base64 at byte 1"),
            (["sign", "--secret", public, "--id", "a"], "--secret: can only verify"),
            (["sign", *secret], "--id: is missing, and the scheme signs it"),
            (["sign", *secret, "--id", "a\nb"], "--id: cannot be the value of a header"),
            (["sign", *secret, "--scheme", "twilio"],
             "sign: --url is missing, and twilio signs it"),
            (["verify", *secret, "--scheme", "twilio"],
             "verify: --url is missing, and twilio signs it")):
        equal(run(*words, "/dev/null"), (2, "", f"herald: {text}\n"))


@case
def exit_statuses():
    for words, expected, text in (
            (["sign", "--secret", "a", "/nowhere"], 1, "cannot read /nowhere"),
            (["verify", "--secret", "a", "/nowhere"], 1, "cannot read /nowhere"),
            (["verify", "--secret", "a", "--headers", "/nowhere", "-"], 1, "cannot read /nowhere"),
            (["verify", "--secret", "a", "--headers", "-", "-"], 2, "both be standard input"),
            (["verify", "--secret", "a", "--headers", "-"], 2, "both be standard input")):
        status, output, errors = run(*words, "--scheme", "github")
        assert (status, output) == (expected, "") and text in errors, (words, status, errors)
    usage = run("--help")
    assert usage[0] == 0 and usage == run("-h") == run("help"), usage
    usage = run("listen", "--help")
    assert usage[0] == 0 and usage == run("listen", "-h"), usage


@case
def wrong_options():
    for words, text in (
            (["--port", "65536"], "--port: expected a port"),
            (["--format", "x"], "--format: expected any, cloudevents, herald or webhook"),
            (["--scheme", "x", "--secret", "a"], "--scheme: expected standard-webhooks"),
            (["--scheme", "github"], "--scheme needs a --secret"),
            (["--secret", "whsec_!"], "herald: --secret: is not base64 at byte 6\n"),
            (["--save", "/nowhere"], "--save: expected a directory"),
            (["--save", HERALD], "--save: expected a directory"),
            (["--type-from", ""], "--type-from: expected a header, or a JSON Pointer"),
            (["--type-from", "/a~2"], "--type-from: expected a header, or a JSON Pointer"),
            (["--id-from", "/a~"], "--id-from: expected a header, or a JSON Pointer"),
            (["--answer", "100"], "--answer: expected an HTTP status"),
            (["--address", "example.com"], "herald: --address: must be"),
            (["--allow-origin", "http://a"], "herald: --allow-origin: expected a DNS name"),
            (["--allow-origin", "a", "--allow-origin", "http://a"],
             "herald: --allow-origin, number 2: expected a DNS name"),
            (["--scheme", "twilio", "--secret", "a"], "--url is missing, and twilio signs it"),
            (["--what"], "unknown option"),
            (["word"], "unexpected argument")):
        status, output, errors = run("listen", *words)
        assert status in (1, 2) and output == "" and text in errors, (words, errors)
        assert errors.startswith("herald: "), errors


@case
def for_people():
    process = subprocess.Popen([HERALD, "listen", "--port", "0"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        port = int(re.search(rb":(\d+),", process.stderr.readline()).group(1))
        body = ENVELOPE.replace(b'{"id":1, ', b'{\n"id":\t1,\n').replace(
            b"a b", b"a\\u001b[2Jb").replace(b"[1]", b"[1,\n2]").replace(b'"users"', b'"u\\u001bs"')
        subprocess.run(["curl", "-s", "-H", "Content-Type: application/json", "--data-binary",
                        "@-", f"http://127.0.0.1:{port}/"], input=body, check=True,
                       stdout=subprocess.DEVNULL)
        first = process.stdout.readline()
        assert first.startswith(b"200 accepted  herald  type=user_created  version=1.0  id=7"), first
        assert b"\x1b" not in first and b"source=u?s" in first, first
        assert process.stdout.readline() == b'    n=5  o={"x":[1, 2]}\n'
        assert process.stdout.readline() == b'    { "id": 1, "name":"a\\u001b[2Jb"}\n'
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    assert expected_data
    tap.run(cases)
