"""A RabbitMQ server in a temporary folder, and a small client of AMQP 0-9-1, for tests."""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from ports import free_port, listens
from programs import WAIT_S, wait_until

STORES_ENDS_LATER = True

SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
PROGRAM = SERVER if os.access(SERVER, os.X_OK) else None

CHUNK_BYTES = 131000


def short(text):
    return bytes([len(text)]) + text


def long_text(text):
    return struct.pack(">I", len(text)) + text


def table(pairs):
    return long_text(b"".join(short(name) + b"S" + long_text(value)
                              for name, value in pairs.items()))


class Closed(Exception):
    """The server has closed the channel or the connection, such as for a queue that is missing."""


class Client:
    """A connection with one channel, which confirms."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(b"AMQP\0\0\x09\x01")
        self.expect(10, 10)
        self.method(0, 10, 11, table({}) + short(b"PLAIN") + long_text(b"\0guest\0guest") +
                    short(b"en_US"))
        tune = self.expect(10, 30)
        self.method(0, 10, 31, tune[:6] + b"\0\0")
        self.method(0, 10, 40, short(b"/") + short(b"") + b"\0")
        self.expect(10, 41)
        self.method(1, 20, 10, short(b""))
        self.expect(20, 11)
        self.method(1, 85, 10, b"\0")
        self.expect(85, 11)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def frame(self, kind, channel, payload):
        self.socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")

    def method(self, channel, class_id, method_id, arguments):
        self.frame(1, channel, struct.pack(">HH", class_id, method_id) + arguments)

    def read(self):
        head = self.stream.read(7)
        if len(head) < 7:
            raise ConnectionError("the server has closed the connection")
        kind, _, count = struct.unpack(">BHI", head)
        payload = self.stream.read(count + 1)
        return kind, payload[:-1]

    def expect(self, class_id, *method_ids):
        """The arguments of the next method of these; confirmations before it are skipped."""
        while True:
            kind, payload = self.read()
            if kind != 1:
                continue
            found = struct.unpack(">HH", payload[:4])
            if found in ((20, 40), (10, 50)):
                raise Closed(payload[7:7 + payload[6]].decode())
            if found[0] == class_id and found[1] in method_ids:
                return payload[4:] if len(method_ids) == 1 else (found[1], payload[4:])

    def declare(self, queue):
        arguments = table({b"x-queue-type": b"quorum"})
        self.method(1, 50, 10, b"\0\0" + short(queue) + b"\x02" + arguments)
        self.expect(50, 11)

    def publish(self, queue, messages):
        for message in messages:
            data = message[b"data"]
            headers = {name: value for name, value in message.items()
                       if name not in (b"data", b"content-type")}
            content_type = message.get(b"content-type")
            flags = 0x3000 | (0x8000 if content_type is not None else 0)
            properties = short(content_type) if content_type is not None else b""
            self.method(1, 60, 40, b"\0\0" + short(b"") + short(queue) + b"\0")
            self.frame(2, 1, struct.pack(">HHQH", 60, 0, len(data), flags) + properties +
                       table(headers) + b"\x02")
            for at in range(0, len(data), CHUNK_BYTES):
                self.frame(3, 1, data[at:at + CHUNK_BYTES])
        confirmed = 0
        while confirmed < len(messages):
            number, multiple = struct.unpack(">QB", self.expect(60, 80))
            confirmed = max(confirmed, number) if multiple else confirmed + 1

    def get(self, queue):
        """The next message, which stays with this connection; None: there is none."""
        self.method(1, 60, 70, b"\0\0" + short(queue) + b"\0")
        if self.expect(60, 71, 72)[0] == 72:
            return None
        _, head = self.read()
        _, _, count, flags = struct.unpack(">HHQH", head[:14])
        message = read_properties(head[14:], flags)
        data = b""
        while len(data) < count:
            data += self.read()[1]
        return {b"data": data, **message}

    def give_back(self, queue, count):
        """All messages. They are ready again some time later, unless another one takes them."""
        self.method(1, 60, 120, struct.pack(">QB", 0, 3))
        end = time.monotonic() + 5
        while self.count(queue) < count and time.monotonic() < end:
            time.sleep(0.005)

    def count(self, queue):
        """The messages that are ready."""
        self.method(1, 50, 10, b"\0\0" + short(queue) + b"\x01" + table({}))
        answer = self.expect(50, 11)
        return struct.unpack(">I", answer[1 + answer[0]:5 + answer[0]])[0]


def read_properties(properties, flags):
    """The content type, and headers that are texts."""
    message, at = {}, 0
    for bit in (0x8000, 0x4000):
        if flags & bit:
            end = at + 1 + properties[at]
            if bit == 0x8000:
                message[b"content-type"] = properties[at + 1:end]
            at = end
    if flags & 0x2000:
        end = at + 4 + struct.unpack(">I", properties[at:at + 4])[0]
        at += 4
        while at < end:
            name = properties[at + 1:at + 1 + properties[at]]
            at += 1 + len(name)
            kind, at = properties[at:at + 1], at + 1
            if kind == b"S":
                count = struct.unpack(">I", properties[at:at + 4])[0]
                message[name] = properties[at + 4:at + 4 + count]
                at += 4 + count
            else:
                at += {b"t": 1, b"b": 1, b"s": 2, b"u": 2, b"I": 4, b"i": 4, b"l": 8, b"d": 8,
                       b"T": 8}[kind]
    return message


class Broker:
    """The server, and what a test asks of it. Other brokers have the same functions."""

    # Whether a dead letter that is being replayed when a connection is lost may be in two places.
    IN_DOUBT = True
    MAY_DOUBLE = False
    # Of replays that are looked at meanwhile.
    RATE = 500
    # Whether others do not see a dead letter that was read.
    HIDES_WHAT_IS_READ = True

    def __init__(self):
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = tempfile.mkdtemp(prefix="herald-rabbitmq-", dir=memory)
        self.port, self.epmd_port, self.dist_port = free_port(), free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self.write("rabbitmq.conf", f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
                                    # What the machine has: with 256 MiB, it ran short.
                                    "vm_memory_high_watermark.absolute = 1000GiB\n"
                                    "disk_free_limit.absolute = 0\n")
        self.write("enabled_plugins", "[].\n")
        self.environment = {
            "PATH": os.environ.get("PATH", "") + ":/usr/bin:/bin", "HOME": self.folder,
            "ERL_EPMD_PORT": str(self.epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": f"herald{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_MNESIA_BASE": f"{self.folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{self.folder}/log",
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/enabled_plugins",
            "RABBITMQ_PID_FILE": f"{self.folder}/pid", "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none"}
        self.epmd = subprocess.Popen(
            ["epmd", "-port", str(self.epmd_port), "-address", "127.0.0.1"], env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self.epmd_port), self.epmd)
        self.process = None
        self.start()

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="ascii") as file:
            file.write(text)

    def start(self):
        self.process = subprocess.Popen(
            [SERVER, "-noinput"], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # On a busy machine for a minute or longer: the test's own limit ends it.
        while not self.answers():
            assert self.process.poll() is None, "the server has ended"
            time.sleep(0.02)

    def names_are_written(self):
        """Whether it finds all its queues after a kill -9. RabbitMQ 3.10 writes their names a
        second after the last one was made, or later, and forgets those that it has not written. The
        third number of the file says whether all of it has been written (dets_v9.erl of Erlang)."""
        node = f"herald{self.port}@localhost"
        try:
            with open(f"{self.folder}/mnesia/{node}/quorum/{node}/names.dets", "rb") as file:
                return file.read(12)[8:] == b"\0\0\0\1"
        except FileNotFoundError:
            return True

    def kill(self):
        """Once it would find all its queues again."""
        wait_until(self.names_are_written, self.process)
        self.process.kill()
        self.process.wait(WAIT_S)

    def stop(self):
        self.process.kill()
        self.process.wait(WAIT_S)
        self.epmd.kill()
        self.epmd.wait(WAIT_S)
        shutil.rmtree(self.folder)

    def answers(self):
        try:
            with Client(self.port):
                return True
        except (OSError, Closed):
            return False

    def publish(self, source, events):
        self.put(source, [{b"data": event.encode()} for event in events])

    def put(self, name, messages):
        """Add messages, which are dictionaries of their headers and data, to any queue."""
        with Client(self.port) as client:
            client.declare(name.encode())
            client.publish(name.encode(), messages)

    def all(self, name):
        """The messages of a queue: dictionaries of their headers, and of their body as `data`. What
        another connection holds is left out."""
        found = []
        with Client(self.port) as client:
            try:
                # Those that another one holds are not counted; they come back when it has ended.
                left = client.count(name.encode())
            except Closed:
                return []
            while left > 0 and (message := client.get(name.encode())):
                found.append(message)
                left -= 1
            client.give_back(name.encode(), len(found))
        return found

    def ready(self, name):
        """How many messages no one has."""
        with Client(self.port) as client:
            return client.count(name.encode())

    def dead(self, source):
        """The dead letters."""
        return self.all(f"{source}.dead")

    def left(self, source, _group):
        """The events that are ready."""
        return self.ready(source)
