#!/usr/bin/env python3
"""A NATS server in a temporary folder, for the tests of examples.

Run as a program named `nats`, it stands in for the commands of the NATS CLI that the heads of
orders_nats.c and relay.c have: `nats -s URL pub SUBJECT DATA`, `nats -s URL stream view STREAM` and
`nats -s URL stream add STREAM --subjects SUBJECT --defaults`.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from ports import free_port
from programs import WAIT_S, wait_until

# The server stores acknowledgements some time after it has confirmed them.
STORES_ENDS_LATER = True

PROGRAM = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/bin")


class Client:
    """A connection, with requests and their replies in order."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.stream = self.socket.makefile("rb")
        self.line()
        self.socket.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'
                            b"SUB reply 1\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def line(self):
        line = self.stream.readline()
        if not line:
            raise ConnectionError("the server has closed the connection")
        return line.split()

    def reply(self):
        while True:
            line = self.line()
            if line[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif line[0] == b"MSG":
                return self.stream.read(int(line[-1]) + 2)[:-2]
            elif line[0] == b"HMSG":
                raise ConnectionError("no server answers")

    def request(self, *messages):
        """The replies to pairs of a subject and data."""
        self.socket.sendall(b"".join(b"PUB %s reply %d\r\n%s\r\n" % (subject.encode(), len(data), data)
                                     for subject, data in messages))
        return [json.loads(self.reply()) for _ in messages]

    def publish(self, subject, messages):
        """The replies to messages with headers."""
        self.socket.sendall(b"".join(encode(subject, message) for message in messages))
        return [json.loads(self.reply()) for _ in messages]

    def call(self, what, **arguments):
        (reply,) = self.request((f"$JS.API.{what}", json.dumps(arguments).encode()))
        return reply


class Broker:
    """The server, and what a test asks of it. Other brokers have the same functions."""

    # Whether a dead letter that is being replayed when a connection is lost may be in two places.
    IN_DOUBT = True
    MAY_DOUBLE = False
    # Of replays that are looked at meanwhile.
    RATE = 4000
    # Whether others do not see a dead letter that was read.
    HIDES_WHAT_IS_READ = False

    def __init__(self):
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = tempfile.mkdtemp(prefix="herald-orders-", dir=memory)
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAM, "-js", "-sd", self.folder, "-a", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, self.process)

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_S)

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder)

    def answers(self):
        try:
            with Client(self.port) as client:
                return "error" not in client.call("INFO")
        except OSError:
            return False

    def publish(self, source, events):
        self.put(source, [{b"data": event.encode()} for event in events])

    def put(self, name, messages):
        """Add messages, which are dictionaries of their headers and data, to any stream."""
        with Client(self.port) as client:
            client.call(f"STREAM.CREATE.{stream_of(name)}", name=stream_of(name), subjects=[name],
                        storage="file", retention="limits", discard="old", max_consumers=-1,
                        max_msgs=-1, max_bytes=-1, max_age=0, num_replicas=1)
            for first in range(0, len(messages), 100):
                for reply in client.publish(name, messages[first:first + 100]):
                    if "error" in reply:
                        raise OSError(reply["error"]["description"])

    def all(self, name):
        """The messages of a stream: dictionaries of their headers, and of their body as `data`."""
        return read_stream(self.port, stream_of(name))

    def ready(self, name):
        """How many messages no one has."""
        return len(self.all(name))

    def dead(self, source):
        """The dead letters."""
        return self.all(f"{source}.dead")

    def left(self, source, group):
        """The events that are not finished."""
        with Client(self.port) as client:
            info = client.call(f"CONSUMER.INFO.{source}.{group}")
        return None if "error" in info else info["num_pending"] + info["num_ack_pending"]


def make_stream(port, name, subject):
    with Client(port) as client:
        reply = client.call(f"STREAM.CREATE.{name}", name=name, subjects=[subject])
    if "error" in reply:
        raise OSError(reply["error"]["description"])


def stream_of(subject):
    """The stream that stores a subject, as the adapter names it."""
    return subject.replace(".", "-")


def encode(subject, message):
    headers = b"".join(b"%s: %s\r\n" % pair for pair in message.items() if pair[0] != b"data")
    head = b"NATS/1.0\r\n" + headers + b"\r\n" if headers else b""
    data = message[b"data"]
    if not head:
        return b"PUB %s reply %d\r\n%s\r\n" % (subject.encode(), len(data), data)
    return b"HPUB %s reply %d %d\r\n%s%s\r\n" % (subject.encode(), len(head),
                                               len(head) + len(data), head, data)


def read_stream(port, name):
    """Messages that were deleted are left out."""
    with Client(port) as client:
        info = client.call(f"STREAM.INFO.{name}")
        if "error" in info:
            return []
        state = info["state"]
        sequences = range(state["first_seq"], state["last_seq"] + 1) if state["messages"] else ()
        replies = client.request(*((f"$JS.API.STREAM.MSG.GET.{name}", b'{"seq":%d}' % sequence)
                                   for sequence in sequences))
    return [read_message(reply["message"]) for reply in replies if "message" in reply]


def read_message(message):
    fields = {b"data": base64.b64decode(message.get("data", ""))}
    for line in base64.b64decode(message.get("hdrs", "")).split(b"\r\n")[1:]:
        name, colon, value = line.partition(b": ")
        if colon:
            fields[name] = value
    return fields


def main():
    option, url, *command = sys.argv[1:]
    assert option == "-s", option
    port = int(url.rpartition(":")[2])
    if command[0] == "pub":
        with Client(port) as client:
            client.request((command[1], command[2].encode()))
    elif command[:2] == ["stream", "add"]:
        stream, subjects, subject, defaults = command[2:]
        assert (subjects, defaults) == ("--subjects", "--defaults"), command
        make_stream(port, stream, subject)
    else:
        assert command[:2] == ["stream", "view"], command
        for message in read_stream(port, command[2]):
            print(*(f"{name.decode()}: {value.decode()}" for name, value in message.items()),
                  sep="\n")


if __name__ == "__main__":
    main()
