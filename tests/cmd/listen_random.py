#!/usr/bin/env python3
"""Sends events drawn at random to `herald listen`: CloudEvents in every form that the specification
allows, and webhooks, signed and not.

    tests/cmd/listen_random.py HERALD

HERALD_TEST_SEED repeats a run, HERALD_TEST_SECONDS lets each case run longer than a second. Every
case is one line of TAP.
"""

import base64
import hmac
import json
import os
import pathlib
import random
import socket
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
from listening import WAIT_S, instant, listening  # noqa: E402

HERALD = sys.argv[1]
SEED = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(1 << 32))
SECONDS = float(os.environ.get("HERALD_TEST_SECONDS") or 1)
ATTRIBUTES = {"specversion", "id", "source", "type", "subject", "time", "dataschema",
              "datacontenttype", "data"}
# What JSON, headers and percent-encoding treat in different ways, and what nothing does.
CHARACTERS = "aZ09 \"%\\/,;:=?#[]{}<>'~äß€漢\u00a0\u2028\ufffc😀\U0010fffd"


def drawn_text(draw, least=1, most=12):
    return "".join(draw.choice(CHARACTERS) for _ in range(draw.randint(least, most)))


def drawn_time(draw):
    offset = draw.choice(["Z", "z", "+00:00", "-08:30", "+14:00", "-00:00"])
    fraction = draw.choice(["", ".5", ".000000001", ".123456789", ".120"])
    return (f"{draw.randint(1970, 2100)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
            f"{draw.choice('Tt')}{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:"
            f"{draw.randint(0, 59):02}{fraction}{offset}")


def drawn_name(draw):
    while True:
        name = "".join(draw.choice("abcxyz0189") for _ in range(draw.randint(1, 20)))
        if name not in ATTRIBUTES:
            return name


def drawn_json(draw, depth=0):
    kind = draw.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [drawn_json(draw, depth + 1) for _ in range(draw.randrange(4))]
    if kind == 7:
        return {drawn_text(draw): drawn_json(draw, depth + 1) for _ in range(draw.randrange(4))}
    return [None, True, False, draw.randint(-2**53, 2**53), draw.choice([0.5, -1e300, 1e-7]),
            drawn_text(draw, 0)][kind]


class Event:
    """An event: its attributes, its extensions with their types, and its data."""

    def __init__(self, draw):
        self.attributes = {name: drawn_text(draw) for name in ("id", "source", "type")}
        for name, value in (("subject", drawn_text(draw)), ("time", drawn_time(draw)),
                            ("dataschema", draw.choice(["#", "https://a.example/b?c#d"]))):
            if draw.random() < 0.5:
                self.attributes[name] = value
        self.extensions = {drawn_name(draw): draw.choice(
            [True, False, 0, -2**31, 2**31 - 1, draw.randint(-99, 99), "", drawn_text(draw)])
                           for _ in range(draw.choice([0, 1, 2, 5, 30]))}
        self.kind = draw.choice(["none", "json", "text", "bytes"])
        self.data = {"none": None, "json": drawn_json(draw), "text": drawn_text(draw),
                     "bytes": draw.randbytes(draw.choice([1, 2, 3, 50, 5000]))}[self.kind]
        self.type = {"none": None,
                     "json": draw.choice(["application/json", "text/json; charset=utf-8",
                                          "application/vnd.a.b+json", "Application/JSON"]),
                     "text": draw.choice(["text/plain", "application/xml; charset=\"utf-8\""]),
                     "bytes": draw.choice(["application/octet-stream", "image/png"])}[self.kind]

    def check(self, line, mode):
        assert (line["verdict"], line["format"], line["mode"]) == \
            ("accepted", "cloudevents", mode), line
        assert (line["error"], line["signature"]) == (None, "none"), line
        for name in ("id", "source", "type", "subject", "dataschema"):
            assert line[name] == self.attributes.get(name), (name, line[name], self.attributes)
        assert line["datacontenttype"] == self.type, (line["datacontenttype"], self.type)
        given = self.attributes.get("time")
        assert (given is None) == (line["time"] is None), (given, line["time"])
        if given:
            assert instant(given) == instant(line["time"]), (given, line["time"])
        expected = self.extensions
        if mode == "binary":  # its values are strings, by the way they are written
            expected = {name: {True: "true", False: "false"}[value] if isinstance(value, bool)
                        else str(value) for name, value in expected.items()}
        found = line["extensions"]
        assert found == expected, (found, expected)
        assert all(type(found[name]) is type(expected[name]) for name in found), (found, expected)
        self.check_data(line)

    def check_data(self, line):
        if self.kind in ("none", "json"):
            assert line["data"] == self.data and "data_base64" not in line, line
            return
        data = self.data.encode() if self.kind == "text" else self.data
        assert line["data"] is None and base64.b64decode(line["data_base64"]) == data, line


# Structured.

def json_string(draw, text):
    """A string of JSON, some characters of which are escaped."""
    out = ""
    for character in text:
        units = character.encode("utf-16-be")
        escaped = "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2))
        if character in "\"\\":
            out += draw.choice(["\\" + character, escaped])
        elif character == "/":
            out += draw.choice(["/", "\\/", escaped])
        else:
            out += draw.choice([character, character, character, escaped])
    return f'"{out}"'


def blank(draw):
    return draw.choice(["", "", "", " ", "\r\n\t "])


def structured(draw, event):
    """Members in any order, with blanks, escapes, and attributes that are null."""
    members = [(name, json_string(draw, value)) for name, value in event.attributes.items()]
    members += [(name, json_string(draw, value) if isinstance(value, str) else json.dumps(value))
                for name, value in event.extensions.items()]
    members.append(("specversion", '"1.0"'))
    members += [(name, "null") for name in ("subject", "time", "dataschema")
                if name not in event.attributes and draw.random() < 0.3]
    if event.type:
        members.append(("datacontenttype", json_string(draw, event.type)))
    if event.kind == "json":
        members.append(("data", json.dumps(event.data, ensure_ascii=draw.random() < 0.5)))
    elif event.kind == "text":
        members.append(("data", json_string(draw, event.data)))
    elif event.kind == "bytes":
        text = base64.b64encode(event.data).decode()
        members.append(("data_base64", json_string(draw, text)))
    draw.shuffle(members)
    return "{" + ",".join(
        f"{blank(draw)}{json_string(draw, name)}{blank(draw)}:{blank(draw)}{value}{blank(draw)}"
        for name, value in members) + "}"


# Binary.

def header_value(draw, text):
    """Percent-encoded: what must be, and some of what need not be; or as a quoted string."""
    quotes = draw.random() < 0.2
    out = ""
    for character in text:
        must = character in " \"%" or not "!" <= character <= "~"
        if must or draw.random() < 0.1:
            out += "".join(draw.choice([f"%{byte:02X}", f"%{byte:02x}"])
                           for byte in character.encode())
        elif quotes and (character == "\\" or draw.random() < 0.1):
            out += "\\" + character
        else:
            out += character
    return f'"{out}"' if quotes else out


def any_case(draw, text):
    return "".join(draw.choice([letter.lower(), letter.upper()]) for letter in text)


def binary(draw, event):
    values = {"specversion": "1.0"} | event.attributes | {
        name: json.dumps(value) if isinstance(value, bool) else str(value)
        for name, value in event.extensions.items()}
    headers = [(any_case(draw, f"ce-{name}"), header_value(draw, value))
               for name, value in values.items()]
    if event.type:
        headers.append((any_case(draw, "content-type"), event.type))
    body = {"none": b"", "json": lambda: json.dumps(event.data).encode(),
            "text": lambda: event.data.encode(), "bytes": lambda: event.data}[event.kind]
    return headers, body() if callable(body) else body


# Requests.

def request_bytes(draw, headers, body):
    """Headers in any order, with blanks; a length, or chunks of any size."""
    headers = headers + [("Host", "a.example"), ("X-Other", "ce-id: 5"), ("Connection", "close")]
    content = body
    if draw.random() < 0.5:
        headers.append(("Content-Length", str(len(body))))
    else:
        headers.append(("Transfer-Encoding", "chunked"))
        content = b""
        while body:
            size = draw.randint(1, len(body))
            content += b"%x\r\n%b\r\n" % (size, body[:size])
            body = body[size:]
        content += b"0\r\n\r\n"
    draw.shuffle(headers)
    head = "".join(f"{name}:{draw.choice(['', ' ', '  ', chr(9)])}{value}{draw.choice(['', ' '])}"
                   "\r\n" for name, value in headers)
    return f"POST /a/b?c HTTP/1.1\r\n{head}\r\n".encode() + content


def send(draw, listener, data):
    """The status of a request that is sent in pieces."""
    cuts = sorted(draw.randint(0, len(data)) for _ in range(draw.choice([0, 1, 3])))
    with socket.create_connection(("127.0.0.1", listener.port), timeout=WAIT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin, end in zip([0] + cuts, cuts + [len(data)]):
            connection.sendall(data[begin:end])
        answer = b""
        while more := connection.recv(65536):
            answer += more
    return int(answer.split()[1])


def post(draw, listener, headers, body, status=204):
    data = request_bytes(draw, headers, body)
    found = send(draw, listener, data)
    assert found == status, (found, data, listener.event())


def repeat(check):
    draw = random.Random(SEED)
    end = time.monotonic() + SECONDS
    with listening(HERALD) as listener:
        while True:
            check(draw, listener)
            if time.monotonic() >= end:
                return


def structured_events():
    def check(draw, listener):
        event = Event(draw)
        media = any_case(draw, "application/cloudevents+json") + draw.choice(
            ["", "; charset=utf-8", ";charset=\"UTF-8\"", " ; charset=Utf-8; a=b"])
        # They may repeat attributes; the body counts.
        headers = [("Content-Type", media)] + draw.choice([[], [("ce-id", "other")]])
        post(draw, listener, headers, structured(draw, event).encode())
        event.check(listener.event(), "structured")
    repeat(check)


def binary_events():
    def check(draw, listener):
        event = Event(draw)
        post(draw, listener, *binary(draw, event))
        event.check(listener.event(), "binary")
    repeat(check)


def batches():
    def check(draw, listener):
        events = [Event(draw) for _ in range(draw.choice([0, 1, 2, 7]))]
        body = "[" + ",".join(blank(draw) + structured(draw, event) + blank(draw)
                              for event in events) + blank(draw) + "]"
        media = any_case(draw, "application/cloudevents-batch+json") + draw.choice(
            ["", "; charset=utf-8"])
        post(draw, listener, [("Content-Type", media)], body.encode())
        for event in events:
            event.check(listener.event(), "batch")
    repeat(check)


# What a sender must not send: the change, and a part of the error.
WRONG = (
    ("id", lambda members: members.pop("id"), "id is required"),
    ("specversion", lambda members: members.update(specversion='"1.1"'), "specversion"),
    ("type", lambda members: members.update(type='""'), "type: must not be empty"),
    ("time", lambda members: members.update(time='"2024-02-30T00:00:00Z"'), "time"),
    ("x", lambda members: members.update(x="1.0"), "x: expected an integer"),
    ("x", lambda members: members.update(x="2147483648"), "x: expected an integer"),
    ("x", lambda members: members.update(x="[1]"), "x: expected"),
    ("X_y", lambda members: members.update(X_y="1"), "not a valid attribute name"),
    ("subject", lambda members: members.update(subject='"\\u0001"'), "subject"),
    ("source", lambda members: members.update(source='"\\ud800"'), "source"),
    ("data_base64", lambda members: members.update(data="1", data_base64='"AA=="'), "exclude"),
    ("data_base64", lambda members: members.update(data_base64='"A"'), "data_base64"),
)


def wrong_events():
    """The reason and the place are told, in structured mode and for a member of a batch."""
    def check(draw, listener):
        event = Event(draw)
        event.kind = "none"
        members = {name: json.dumps(value)
                   for name, value in (event.attributes | event.extensions).items()}
        members = {"specversion": '"1.0"'} | members
        members.pop("x", None)
        name, change, error = draw.choice(WRONG)
        change(members)
        items = list(members.items())
        draw.shuffle(items)
        body = "{" + ",".join(f'"{key}":{value}' for key, value in items) + "}"
        index = draw.choice([None, 0, 2])
        media, path, mode = "application/cloudevents+json", "", "structured"
        is_whole = index is None
        good = '{"specversion":"1.0","id":"1","source":"/s","type":"t"}'
        if index is not None:
            body = "[" + ",".join([good] * index + [body] + [good]) + "]"
            media, path, mode = "application/cloudevents-batch+json", f"/{index}", "batch"
            if name == "specversion":
                return  # versions must be the same: the batch as a whole is wrong
            # JSON that is not valid refuses the batch as a whole.
            is_whole = name == "source"
        post(draw, listener, [("Content-Type", media)], body.encode(), 400)
        for i in range(1 if is_whole else index + 2):
            line = listener.event()
            if not is_whole and i != index:
                assert line["verdict"] == "accepted", line
                continue
            assert (line["verdict"], line["status"], line["mode"]) == ("rejected", 400, mode), line
            assert error in line["error"], (line["error"], error)
            # Of two members that exclude each other, the second one is told.
            places = ["data", "data_base64"] if error == "exclude" else [name]
            assert line["path"] in [f"{path}/{place}" for place in places], (line["path"], name)
            assert 0 <= line["offset"] < len(body.encode()), line
    repeat(check)


# Senders of plain webhooks: where the type and the id are, in headers or in the body.
VENDORS = (
    ("X-GitHub-Event", None, "X-GitHub-Delivery"),
    ("X-Gitlab-Event", None, None),
    ("X-Shopify-Topic", None, "X-Shopify-Webhook-Id"),
    (None, "type", "webhook-id"),
    (None, "type", None),
)


def webhooks():
    def check(draw, listener):
        type_header, member, id_header = draw.choice(VENDORS)
        kind = "".join(draw.choice("abz_./:-") for _ in range(draw.randint(1, 20)))
        body = drawn_json(draw)
        body = {"a": body} if not isinstance(body, dict) else body
        for name in ("type", "event_type", "payload", "timestamp", "metadata", "id", "event"):
            body.pop(name, None)
        headers = [("Content-Type", "application/json")]
        if type_header:
            headers.append((any_case(draw, type_header), kind))
        else:
            body[member] = kind
        identity = None
        if id_header:
            identity = f"id-{draw.getrandbits(64):x}"
            headers.append((any_case(draw, id_header), identity))
        headers += [(f"X-{draw.getrandbits(32):x}", "y") for _ in range(draw.randrange(5))]
        post(draw, listener, headers, json.dumps(body).encode())
        line = listener.event()
        assert (line["verdict"], line["format"]) == ("accepted", "webhook"), line
        assert line["mode"] is None, line
        assert (line["type"], line["data"]) == (kind, body), (line, kind, body)
        if identity:
            assert line["id"] == identity, (line["id"], identity)
    repeat(check)


# Signatures, by Python's own HMAC.

NOW = 1700000000


def mac(key, data, kind="sha256"):
    return hmac.new(key, data, kind)


def signed_headers(scheme, secret, body):
    """The headers of a sender."""
    key, now = secret.encode(), str(NOW)
    if scheme == "github":
        return {"X-Hub-Signature-256": "sha256=" + mac(key, body).hexdigest()}
    if scheme == "stripe":
        code = mac(key, f"{now}.".encode() + body).hexdigest()
        return {"Stripe-Signature": f"t={now},v1={code},v0={'0' * 64}"}
    if scheme == "slack":
        code = mac(key, f"v0:{now}:".encode() + body).hexdigest()
        return {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={code}"}
    if scheme == "shopify":
        code = base64.b64encode(mac(key, body).digest()).decode()
        return {"X-Shopify-Hmac-SHA256": code}
    if scheme == "paddle":
        return {"Paddle-Signature": f"ts={now};h1=" +
                mac(key, f"{now}:".encode() + body).hexdigest()}
    if scheme == "gitlab":
        return {"X-Gitlab-Token": secret}
    if scheme == "twilio":
        code = mac(key, URL.encode() + form_text(body), "sha1").digest()
        return {"X-Twilio-Signature": base64.b64encode(code).decode()}
    code = mac(base64.b64decode(secret.removeprefix("whsec_")), f"msg_1.{now}.".encode() + body)
    return {"webhook-id": "msg_1", "webhook-timestamp": now,
            "webhook-signature": "v1," + base64.b64encode(code.digest()).decode()}


URL = "https://a.example/hook?b=c"


def form_text(body):
    """What Twilio signs of a form: names and values, sorted by the names."""
    pairs = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
    return "".join(name + value for name, value in sorted(pairs)).encode()


def drawn_form(draw):
    names = draw.sample(["From", "To", "Body", "Caller", "a b", "ä"], draw.randint(1, 5))
    return urllib.parse.urlencode([(name, drawn_text(draw, 0)) for name in names]).encode()


def change(draw, text):
    """Another text, which differs in one character."""
    at = draw.randrange(len(text))
    other = draw.choice([byte for byte in "abcxyzABC0189=,.%+/" if byte != text[at]])
    return text[:at] + other + text[at + 1:]


def signed_webhooks():
    """Any body of any sender is valid, and with one character changed it is not."""
    draw = random.Random(SEED)
    for scheme in ("github", "stripe", "slack", "shopify", "paddle", "gitlab", "twilio",
                   "standard-webhooks"):
        secret = "".join(draw.choice("abcXYZ019_") for _ in range(draw.randint(1, 40)))
        if scheme == "standard-webhooks":
            secret = draw.choice(["", "whsec_"]) + base64.b64encode(
                draw.randbytes(draw.randint(24, 64))).decode()
        with listening(HERALD, "--scheme", scheme, "--secret", secret, "--now", str(NOW),
                       "--url", URL, "--format", "webhook") as listener:
            end = time.monotonic() + SECONDS / 8
            while True:
                check_signed(draw, listener, scheme, secret)
                if time.monotonic() >= end:
                    break


def check_signed(draw, listener, scheme, secret):
    is_form = scheme == "twilio"
    body = drawn_form(draw) if is_form else json.dumps({"a": drawn_json(draw)}).encode()
    headers = signed_headers(scheme, secret, body)
    media = [("Content-Type", "application/x-www-form-urlencoded" if is_form
              else "application/json")]
    post(draw, listener, media + [(any_case(draw, name), value)
                                  for name, value in headers.items()], body)
    line = listener.event()
    assert (line["verdict"], line["signature"]) == ("accepted", "valid"), (scheme, line)
    name = draw.choice(list(headers))
    is_body = scheme != "gitlab" and draw.random() < 0.3
    if is_body:
        body = body + b"x"
    else:
        # Stripe's v0 is of another version, and may be anything.
        headers[name] = change(draw, headers[name].partition(",v0=")[0])
    post(draw, listener, media + list(headers.items()), body, 401)
    line = listener.event()
    assert (line["verdict"], line["status"], line["signature"]) == ("rejected", 401, "invalid"), \
        (scheme, is_body, headers, line)


def main():
    print(f"# HERALD_TEST_SEED={SEED}", flush=True)
    tap.run([(case.__name__, case) for case in (
        structured_events, binary_events, batches, wrong_events, webhooks, signed_webhooks)])


main()
