#!/usr/bin/env python3
"""A Kafka broker in a temporary folder, and a client by librdkafka, for the tests of examples.

As a program, it understands as much of kcat as the head of examples/orders_kafka.c needs.
"""

import ctypes
import ctypes.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from ports import free_port
from programs import WAIT_S, wait_until

# Offsets are committed some time after the events have run.
STORES_ENDS_LATER = True

# Of topics that are made without a number.
PARTITIONS = 4

JARS = os.environ.get("HERALD_TEST_KAFKA",
                      pathlib.Path(__file__).resolve().parents[2] / "build" / "tools" / "kafka")
LIBRARY = ctypes.util.find_library("rdkafka")
PROGRAM = shutil.which("java") if LIBRARY and os.path.exists(
    f"{JARS}/kafka-clients-3.9.1.jar") else None

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# Constants of librdkafka.
PRODUCER, CONSUMER = 0, 1
EVENT_DR = 1
ANY_PARTITION = -1
V_END, V_TOPIC, V_PARTITION, V_VALUE, V_FLAGS, V_HEADER = 0, 1, 3, 4, 7, 9
COPY = 2
PARTITION_EOF = -191


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int), ("rkt", ctypes.c_void_p), ("partition", ctypes.c_int32),
                ("payload", ctypes.c_void_p), ("len", ctypes.c_size_t),
                ("key", ctypes.c_void_p), ("key_len", ctypes.c_size_t),
                ("offset", ctypes.c_int64), ("private", ctypes.c_void_p)]


class TopicPartition(ctypes.Structure):
    _fields_ = [("topic", ctypes.c_char_p), ("partition", ctypes.c_int32),
                ("offset", ctypes.c_int64), ("metadata", ctypes.c_void_p),
                ("metadata_size", ctypes.c_size_t), ("opaque", ctypes.c_void_p),
                ("err", ctypes.c_int), ("private", ctypes.c_void_p)]


class PartitionList(ctypes.Structure):
    _fields_ = [("cnt", ctypes.c_int), ("size", ctypes.c_int),
                ("elems", ctypes.POINTER(TopicPartition))]


class MetadataTopic(ctypes.Structure):
    _fields_ = [("topic", ctypes.c_char_p), ("partition_cnt", ctypes.c_int),
                ("partitions", ctypes.c_void_p), ("err", ctypes.c_int)]


class Metadata(ctypes.Structure):
    _fields_ = [("broker_cnt", ctypes.c_int), ("brokers", ctypes.c_void_p),
                ("topic_cnt", ctypes.c_int), ("topics", ctypes.POINTER(MetadataTopic))]


def load():
    """The library, with the types that are not numbers of an int."""
    library = ctypes.CDLL(LIBRARY)
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64
    for name, result, arguments in (
            ("conf_new", pointer, []), ("conf_set", None, [pointer, text, text, text, ctypes.c_size_t]),
            ("conf_set_events", None, [pointer, ctypes.c_int]),
            ("new", pointer, [ctypes.c_int, pointer, text, ctypes.c_size_t]),
            ("destroy", None, [pointer]), ("queue_get_main", pointer, [pointer]),
            ("queue_poll", pointer, [pointer, ctypes.c_int]), ("event_type", None, [pointer]),
            ("event_message_next", ctypes.POINTER(Message), [pointer]),
            ("event_destroy", None, [pointer]), ("err2str", text, [ctypes.c_int]),
            ("topic_new", pointer, [pointer, text, pointer]), ("topic_destroy", None, [pointer]),
            ("metadata", None, [pointer, ctypes.c_int, pointer,
                                ctypes.POINTER(ctypes.POINTER(Metadata)), ctypes.c_int]),
            ("metadata_destroy", None, [pointer]),
            ("query_watermark_offsets", None, [pointer, text, ctypes.c_int32, ctypes.POINTER(number),
                                               ctypes.POINTER(number), ctypes.c_int]),
            ("consume_start", None, [pointer, ctypes.c_int32, number]),
            ("consume_stop", None, [pointer, ctypes.c_int32]),
            ("consume", ctypes.POINTER(Message), [pointer, ctypes.c_int32, ctypes.c_int]),
            ("message_destroy", None, [pointer]),
            ("message_timestamp", number, [pointer, ctypes.POINTER(ctypes.c_int)]),
            ("message_headers", None, [pointer, ctypes.POINTER(pointer)]),
            ("header_get_all", None, [pointer, ctypes.c_size_t, ctypes.POINTER(text),
                                      ctypes.POINTER(pointer), ctypes.POINTER(ctypes.c_size_t)]),
            ("topic_partition_list_new", ctypes.POINTER(PartitionList), [ctypes.c_int]),
            ("topic_partition_list_add", pointer, [pointer, text, ctypes.c_int32]),
            ("topic_partition_list_destroy", None, [pointer]),
            ("committed", None, [pointer, pointer, ctypes.c_int])):
        function = getattr(library, f"rd_kafka_{name}")
        function.restype, function.argtypes = result or ctypes.c_int, arguments
    return library


class Client:
    """A client of librdkafka."""

    library = None

    def __init__(self, kind, port, **settings):
        Client.library = Client.library or load()
        conf = self.library.rd_kafka_conf_new()
        why = ctypes.create_string_buffer(256)
        settings = {name.replace("_", "."): value for name, value in settings.items()}
        for name, value in {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": "0",
                            "reconnect.backoff.max.ms": "200", **settings}.items():
            if self.library.rd_kafka_conf_set(conf, name.encode(),
                                              value.encode(), why, 256) != 0:
                raise OSError(why.value.decode())
        self.library.rd_kafka_conf_set_events(conf, EVENT_DR if kind == PRODUCER else 0)
        self.handle = self.library.rd_kafka_new(kind, conf, why, 256)
        self.queue = self.library.rd_kafka_queue_get_main(self.handle)

    def topics(self):
        """Their numbers of partitions."""
        found = ctypes.POINTER(Metadata)()
        self.check(self.library.rd_kafka_metadata(self.handle, 1, None, ctypes.byref(found), 2000))
        names = {found.contents.topics[i].topic.decode(): found.contents.topics[i].partition_cnt
                 for i in range(found.contents.topic_cnt)}
        self.library.rd_kafka_metadata_destroy(found)
        return names

    def make(self, topic):
        """Brokers make a topic for which a producer asks."""
        found = ctypes.POINTER(Metadata)()
        handle = self.library.rd_kafka_topic_new(self.handle, topic.encode(), None)
        self.check(self.library.rd_kafka_metadata(self.handle, 0, handle, ctypes.byref(found),
                                                  2000))
        self.library.rd_kafka_metadata_destroy(found)
        self.library.rd_kafka_topic_destroy(handle)

    def check(self, code):
        if code:
            raise OSError(self.library.rd_kafka_err2str(code).decode())

    def range(self, topic, partition):
        """The first offset, and the one after the last."""
        low, end = ctypes.c_int64(), ctypes.c_int64()
        self.check(self.library.rd_kafka_query_watermark_offsets(
            self.handle, topic.encode(), partition, ctypes.byref(low), ctypes.byref(end), 2000))
        return low.value, end.value

    def produce(self, topic, messages, partition=ANY_PARTITION):
        """Messages are dictionaries of their headers, and of their body as `data`."""
        for message in messages:
            arguments = [ctypes.c_int(V_TOPIC), ctypes.c_char_p(topic.encode()),
                         ctypes.c_int(V_PARTITION), ctypes.c_int32(partition),
                         ctypes.c_int(V_VALUE), ctypes.c_char_p(message[b"data"]),
                         ctypes.c_size_t(len(message[b"data"])),
                         ctypes.c_int(V_FLAGS), ctypes.c_int(COPY)]
            for name, value in message.items():
                if name != b"data":
                    arguments += [ctypes.c_int(V_HEADER), ctypes.c_char_p(name),
                                  ctypes.c_char_p(value), ctypes.c_ssize_t(len(value))]
            self.check(self.library.rd_kafka_producev(ctypes.c_void_p(self.handle), *arguments,
                                                      ctypes.c_int(V_END)))
        self.await_reports(len(messages))

    def await_reports(self, count):
        failed = 0
        while count > 0:
            event = self.library.rd_kafka_queue_poll(self.queue, 1000)
            while event and (report := self.library.rd_kafka_event_message_next(event)):
                count -= 1
                failed = failed or report.contents.err
            if event:
                self.library.rd_kafka_event_destroy(event)
        self.check(failed)

    def read(self, topic):
        """All records: partition, offset, time, key, and a dictionary as of produce()."""
        records = []
        for partition in range(self.topics().get(topic, 0)):
            low, end = self.range(topic, partition)
            handle = self.library.rd_kafka_topic_new(self.handle, topic.encode(), None)
            self.library.rd_kafka_consume_start(handle, partition, low)
            while low < end:
                found = self.library.rd_kafka_consume(handle, partition, WAIT_S * 1000)
                if not found:
                    raise OSError("no record in time")
                if found.contents.err not in (0, PARTITION_EOF):
                    raise OSError(self.library.rd_kafka_err2str(found.contents.err).decode())
                low = found.contents.offset + (found.contents.err == 0)
                if found.contents.err == 0 and found.contents.offset < end:
                    records.append(self.copy(found))
                self.library.rd_kafka_message_destroy(found)
            self.library.rd_kafka_consume_stop(handle, partition)
            self.library.rd_kafka_topic_destroy(handle)
        return records

    def copy(self, found):
        message, kind = found.contents, ctypes.c_int()
        headers, fields, i = ctypes.c_void_p(), {}, 0
        if message.payload:
            fields[b"data"] = ctypes.string_at(message.payload, message.len)
        name, value, size = ctypes.c_char_p(), ctypes.c_void_p(), ctypes.c_size_t()
        self.library.rd_kafka_message_headers(found, ctypes.byref(headers))
        while headers and self.library.rd_kafka_header_get_all(
                headers, i, ctypes.byref(name), ctypes.byref(value), ctypes.byref(size)) == 0:
            fields[name.value] = ctypes.string_at(value, size.value)
            i += 1
        key = ctypes.string_at(message.key, message.key_len) if message.key else b""
        return (message.partition, message.offset,
                self.library.rd_kafka_message_timestamp(found, ctypes.byref(kind)), key, fields)

    def left(self, topic, partitions):
        """How many messages the group of this client has not finished."""
        places = self.library.rd_kafka_topic_partition_list_new(partitions)
        for partition in range(partitions):
            self.library.rd_kafka_topic_partition_list_add(places, topic.encode(), partition)
        self.check(self.library.rd_kafka_committed(self.handle, places, 5000))
        count = 0
        for i in range(partitions):
            place = places.contents.elems[i]
            metadata = ctypes.string_at(place.metadata, place.metadata_size) \
                if place.metadata else b""
            low, end = self.range(topic, i)
            count += left_of(max(low, place.offset), end, metadata.decode())
        self.library.rd_kafka_topic_partition_list_destroy(places)
        return count


def left_of(first, end, metadata):
    """What the metadata of an offset says; see adapters/broker/kafka/offsets.h."""
    if not metadata.startswith("h1"):
        return end - first
    still_open, _, rest = metadata[2:].partition(";")
    count, at = 0, 0
    while at < len(still_open):
        is_count = still_open[at] == "*"
        at += is_count
        while DIGITS.index(still_open[at]) >= 32:
            at += 1
        at += 1
        count += not is_count
    limit = sum(DIGITS.index(digit) % 32 << (5 * i) for i, digit in enumerate(rest))
    return count + end - first - limit


class Broker:
    """The broker, and what a test asks of it. Other brokers have the same functions."""

    # A copy is sent, and then it is written down that the dead letter is done.
    IN_DOUBT = True
    RATE = 1000
    HIDES_WHAT_IS_READ = False
    # Whether two commands at the same time may send the same dead letter.
    MAY_DOUBLE = True

    def __init__(self):
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = tempfile.mkdtemp(prefix="herald-orders-", dir=memory)
        self.port, self.controller_port = free_port(), free_port()
        self.url = f"kafka://127.0.0.1:{self.port}"
        self.process = None
        self.producer = Client(PRODUCER, self.port, message_timeout_ms="5000",
                               message_max_bytes="10000000", linger_ms="1")
        self.consumer = Client(CONSUMER, self.port, enable_partition_eof="true")
        self.groups = {}
        pathlib.Path(f"{self.folder}/server.properties").write_text(f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
log.dirs={self.folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
num.partitions={PARTITIONS}
message.max.bytes=4000000
auto.create.topics.enable=true
log.cleaner.dedupe.buffer.size=2000000
""", encoding="ascii")
        status = self.java("kafka.tools.StorageTool", "format", "-t", "SGVyYWxkVGVzdHNLYWZrYQ",
                           "-c", f"{self.folder}/server.properties").wait(WAIT_S)
        assert status == 0, f"Kafka's storage tool: {self.log()}"
        self.start()

    def java(self, *words):
        with open(f"{self.folder}/log", "ab") as log:
            return subprocess.Popen(
                [PROGRAM, "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-XX:-UsePerfData", "-cp", f"{JARS}/*", *words], stdout=log,
                stderr=subprocess.STDOUT)

    def log(self):
        return pathlib.Path(f"{self.folder}/log").read_text(encoding="utf-8")

    def start(self):
        self.process = self.java("kafka.Kafka", f"{self.folder}/server.properties")
        wait_until(self.answers, self.process)

    def answers(self):
        try:
            self.consumer.topics()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_S)

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder)

    def publish(self, source, events):
        self.producer.make(source)
        self.producer.produce(source, [{b"data": event.encode()} for event in events])

    def put(self, name, messages):
        """Add messages, which are dictionaries of their fields, to any topic, in their order."""
        self.producer.produce(name, messages, 0)

    def all(self, name):
        """The messages of a topic, without dead letters that are done."""
        done = {}
        for *_, key, fields in self.consumer.read(f"{name}.done"):
            done[key] = b"data" in fields
        return [fields for partition, offset, time, _, fields in self.consumer.read(name)
                if not done.get(b"%d:%d:%d" % (partition, offset, time))]

    def ready(self, name):
        """How many messages no one has."""
        return len(self.all(name))

    def dead(self, source):
        """The dead letters."""
        return self.all(f"{source}.dead")

    def left(self, source, group):
        """The events that are not finished, with those in the topics for retries. As many as there
        can be while the broker does not say, as of a topic that was just made."""
        if group not in self.groups:
            self.groups[group] = Client(CONSUMER, self.port, group_id=group)
        client = self.groups[group]
        try:
            return sum(client.left(name, count) for name, count in client.topics().items()
                       if name == source or name.startswith(f"{source}.{group}.retry."))
        except OSError:
            return sys.maxsize


def main():
    """kcat -P -b BROKER -t TOPIC, with lines from stdin, or kcat -C ... -e -f '%h\\n%s\\n'."""
    mode, option, server, name, topic, *more = sys.argv[1:]
    assert (option, name) == ("-b", "-t"), sys.argv
    port = server.rpartition(":")[2]
    if mode == "-P":
        lines = sys.stdin.buffer.read().splitlines()
        Client(PRODUCER, port, message_timeout_ms="10000").produce(
            topic, [{b"data": line} for line in lines])
        return
    assert (mode, *more) == ("-C", "-e", "-f", "%h\\n%s\\n"), sys.argv
    for *_, fields in Client(CONSUMER, port, enable_partition_eof="true").read(topic):
        data = fields.pop(b"data", b"")
        print(",".join(f"{name.decode()}={value.decode()}" for name, value in fields.items()))
        print(data.decode())


if __name__ == "__main__":
    main()
