#!/usr/bin/env python3
"""Sends requests to the libuv example: what its loop must do for Herald's connections.

    tests/examples/libuv.py PROGRAM

Every case is one line of TAP, with a program of its own.
"""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time

import tap
from ports import free_port, listens
from programs import WAIT_S, commands_of, equal, refuses_wrong_ports, run_command, wait_until

SUCCESS = '{"status":"success"}'
HEAD_LIMIT_S = 2  # the example's header_timeout_ms


def event(name, length=None):
    body = json.dumps({"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
                       "payload": {"username": name}})
    return (f"POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length or len(body)}\r\n\r\n{body}").encode()


class Client:
    """A connection; reads responses one by one."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read_more(self):
        data = self.socket.recv(65536)
        self.received += data
        return data

    def response(self):
        """The next response, as "200 {...}", and its head."""
        while b"\r\n\r\n" not in self.received:
            assert self.read_more(), f"closed after {self.received!r}"
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", 0))
        while len(self.received) < length:
            assert self.read_more(), f"closed after {self.received!r}"
        body, self.received = self.received[:length].decode(), self.received[length:]
        return lines[0].split(" ")[1] + " " + body, headers

    def is_closed(self):
        """Whether the server ends the connection, with nothing before."""
        return self.received == b"" and self.read_more() == b""


@contextlib.contextmanager
def running(program):
    port = free_port()
    with subprocess.Popen([program, str(port)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            wait_until(lambda: listens(port), process)
            yield process, port
        finally:
            process.kill()


def ends_well(process, printed):
    output, errors = process.communicate(timeout=WAIT_S)
    equal((process.returncode, output.decode()), (0, printed))
    assert errors.startswith(b"listening on http://127.0.0.1:") and errors.count(b"\n") == 1, errors


def stop(process, printed):
    process.send_signal(signal.SIGTERM)
    ends_well(process, printed)


def works_as_its_head_says(program):
    with running(program) as (process, port):
        for command, answer in commands_of("libuv"):
            equal(run_command(command, port), answer)
        stop(process, "Welcome, johndoe!\n")


def bad_event_then_good_on_the_same_connection(program):
    with running(program) as (process, port), Client(port) as client:
        client.send(event("a").replace(b"username", b"usernama"))
        equal(client.response()[0], '400 {"error":"username is required, but missing",'
              '"path":"/payload/username","offset":79}')
        client.send(event("b"))
        equal(client.response()[0], f"200 {SUCCESS}")
        stop(process, "Welcome, b!\n")


def pipelined_requests_are_answered_in_order(program):
    with running(program) as (process, port), Client(port) as client:
        client.send(event("a") + b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n" + event("b")
                    + b"GET /nowhere HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        equal([client.response()[0] for _ in range(4)],
              [f"200 {SUCCESS}", '200 {"status":"ok"}', f"200 {SUCCESS}",
               '404 {"error":"not found"}'])
        assert client.is_closed()
        stop(process, "Welcome, a!\nWelcome, b!\n")


def event_in_single_bytes(program):
    with running(program) as (process, port), Client(port) as client:
        for byte in event("a"):
            client.send(bytes([byte]))
        equal(client.response()[0], f"200 {SUCCESS}")
        stop(process, "Welcome, a!\n")


def answers_that_nobody_reads_for_a_while(program):
    """More than sockets take: the loop stops reading, serves others, and goes on later."""
    count = 100000
    request = "GET /healthz HTTP/1.1\r\nHost: test\r\n"
    with running(program) as (process, port), Client(port) as client, Client(port) as other:
        requests = (f"{request}\r\n" * (count - 1) + f"{request}Connection: close\r\n\r\n").encode()
        sender = threading.Thread(target=client.send, args=[requests])
        sender.start()
        other.send(event("a"))
        equal(other.response()[0], f"200 {SUCCESS}")
        while client.read_more():
            pass
        sender.join()
        equal(client.received.count(b"HTTP/1.1 200 OK"), count)
        equal(client.received.count(b'{"status":"ok"}'), count)
        stop(process, "Welcome, a!\n")


def slow_client_gets_408(program):
    with running(program) as (process, port), Client(port) as client:
        begin = time.monotonic()
        client.send(b"POST /event HT")
        equal(client.response()[0], '408 {"error":"the head of the request came too slowly"}')
        assert time.monotonic() - begin >= HEAD_LIMIT_S * 0.9
        assert client.is_closed()
        stop(process, "")


def client_that_closes_its_side_is_answered(program):
    with running(program) as (process, port), Client(port) as client:
        client.send(event("a") + event("b"))
        client.socket.shutdown(socket.SHUT_WR)
        equal([client.response()[0] for _ in range(2)], [f"200 {SUCCESS}"] * 2)
        assert client.is_closed()
        stop(process, "Welcome, a!\nWelcome, b!\n")


def clients_that_disconnect(program):
    """While the pool has their event, too."""
    with running(program) as (process, port):
        for _ in range(20):
            with Client(port) as client:
                client.send(event("a") * 3)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=WAIT_S)
        equal((process.returncode, set(output.decode().splitlines()) - {"Welcome, a!"}), (0, set()))


def stop_answers_what_is_open(program):
    with running(program) as (process, port), Client(port) as idle, Client(port) as busy:
        idle.send(event("a"))
        equal(idle.response()[0], f"200 {SUCCESS}")
        busy.send(event("b"))
        process.send_signal(signal.SIGTERM)
        answer, headers = busy.response()
        equal(answer, f"200 {SUCCESS}")
        assert busy.is_closed() or headers.get("connection") == "close"
        assert idle.is_closed()
        ends_well(process, "Welcome, a!\nWelcome, b!\n")


def names_a_wrong_port(program):
    refuses_wrong_ports(program)


CASES = [works_as_its_head_says, bad_event_then_good_on_the_same_connection,
         pipelined_requests_are_answered_in_order, event_in_single_bytes,
         answers_that_nobody_reads_for_a_while, slow_client_gets_408,
         client_that_closes_its_side_is_answered, clients_that_disconnect,
         stop_answers_what_is_open, names_a_wrong_port]
tap.run([(case.__name__.replace("_", " "), case, sys.argv[1]) for case in CASES])
