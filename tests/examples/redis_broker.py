"""A Redis server in a temporary folder, for the tests of examples."""

import os
import shutil
import socket
import subprocess
import tempfile

from ports import free_port
from programs import WAIT_S, wait_until

STORES_ENDS_LATER = False

PROGRAM = shutil.which("redis-server", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/local/bin")


class Broker:
    """The server, and what a test asks of it. Other brokers have the same functions."""

    # Whether a dead letter that is being replayed when a connection is lost may be in two places.
    IN_DOUBT = False
    # Whether two commands at the same time may send the same dead letter.
    MAY_DOUBLE = False
    # Of replays that are looked at meanwhile.
    RATE = 4000
    # Whether others do not see a dead letter that was read.
    HIDES_WHAT_IS_READ = False

    def __init__(self):
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = tempfile.mkdtemp(prefix="herald-orders-", dir=memory)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        # With appendfsync everysec, Redis puts off writing while a flush is under way, for up to
        # two seconds, and confirms meanwhile. If it is killed then, that is lost.
        self.process = subprocess.Popen(
            [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder,
             "--save", "", "--appendonly", "yes", "--appendfsync", "always",
             "--maxmemory-policy", "noeviction"],
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
            return self.run(["PING"]) == [b"PONG"]
        except OSError:
            return False

    def run(self, *commands):
        """The answers to commands, which are lists of texts. Errors are raised."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as connection:
            connection.sendall(b"".join(encode(command) for command in commands))
            with connection.makefile("rb") as answers:
                return [read_answer(answers) for _ in commands]

    def publish(self, source, events):
        self.run(*(["XADD", source, "*", "data", event] for event in events))

    def put(self, name, messages):
        """Add messages, which are dictionaries of their fields, to any stream."""
        self.run(*(["XADD", name, "*", *(part for pair in message.items() for part in pair)]
                   for message in messages))

    def all(self, name):
        """The messages of a stream: dictionaries of their fields."""
        return [dict(zip(fields[::2], fields[1::2]))
                for _, fields in self.run(["XRANGE", name, "-", "+"])[0]]

    def ready(self, name):
        """How many messages no one has."""
        return len(self.all(name))

    def dead(self, source):
        """The dead letters."""
        return self.all(f"{source}.dead")

    def left(self, source, group):
        """The events that are not finished."""
        (groups,) = self.run(["XINFO", "GROUPS", source])
        for pairs in groups:
            found = dict(zip(pairs[::2], pairs[1::2]))
            if found[b"name"] == group.encode():
                after = b"(" + found[b"last-delivered-id"]
                return found[b"pending"] + len(self.run(["XRANGE", source, after, "+"])[0])
        return None


def encode(command):
    parts = [part if isinstance(part, bytes) else part.encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part)
                                              for part in parts)


def read_answer(answers):
    line = answers.readline()
    if not line:
        raise ConnectionError("the server has closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind in (b"-",):
        raise OSError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else answers.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [] if rest == b"-1" else [read_answer(answers) for _ in range(int(rest))]
    return rest
