#!/usr/bin/env python3
"""A second SIGINT or SIGTERM ends an example that answers what is in flight; the first does not.

    tests/examples/signals.py PROGRAM...

The function is held by its output: it prints the user's name, which is longer than the pipe that
nobody reads. Every case is one line of TAP.
"""

import contextlib
import fcntl
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios

import tap
from ports import free_port, listens
from programs import WAIT_S, equal, wait_until

PIPE_BYTES = 4096
NAME = "a" * 100000
EVENT = {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
         "payload": {"user_id": "1", "username": NAME}}

SIGNALS = [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM),
           (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)]


class Example:
    """A program that serves on a free port, its output a small pipe that is not read."""

    def __init__(self, program):
        self.port = free_port()
        self.output, output = os.pipe()
        fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        arguments = ["--port"] if os.path.basename(program) == "quickstart" else []
        self.process = subprocess.Popen([program, *arguments, str(self.port)], stdout=output,
                                        stderr=subprocess.DEVNULL)
        os.close(output)

    def __enter__(self):
        wait_until(lambda: listens(self.port), self.process)
        self.drain_output()
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        os.close(self.output)

    def drain_output(self):
        """Read what there is: the quickstart prints more than the pipe holds when it starts."""
        text = b""
        while b"Ctrl-C" not in text and "quickstart" in self.process.args[0]:
            assert select.select([self.output], [], [], WAIT_S)[0], "no welcome"
            text += os.read(self.output, 65536)

    def post(self, event):
        """Send an event; returns its connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.request("POST", "/event", json.dumps(event),
                           {"Content-Type": "application/json"})
        return connection

    def pipe_is_full(self):
        count = fcntl.ioctl(self.output, termios.FIONREAD, b"\0" * 4)
        return int.from_bytes(count, sys.byteorder) == PIPE_BYTES

    def stops(self):
        """Whether it takes no more events; while it does, an empty one is refused with 400."""
        try:
            with contextlib.closing(self.post({})) as connection:
                return connection.getresponse().status == 503
        except ConnectionError:  # refused, or closed before it was read
            return True

    def hold_and_stop(self, number):
        """Hold a function, send the first signal, wait for it; returns the connection."""
        connection = self.post(EVENT)
        wait_until(self.pipe_is_full, self.process)
        self.process.send_signal(number)
        wait_until(self.stops, self.process)
        return connection


def a_first_signal_waits_for_what_is_in_flight(program):
    with Example(program) as example:
        connection = example.hold_and_stop(signal.SIGTERM)
        read = 0
        while read < len(NAME):
            assert select.select([example.output], [], [], WAIT_S)[0], "it prints no more"
            read += len(os.read(example.output, 65536))
        answer = connection.getresponse()
        equal((answer.status, answer.read()), (200, b'{"status":"success"}'))
        connection.close()
        equal(example.process.wait(WAIT_S), 0)


def a_second_signal_ends_it(program):
    for first, second in SIGNALS:
        with Example(program) as example:
            connection = example.hold_and_stop(first)
            example.process.send_signal(second)
            equal(example.process.wait(WAIT_S), -second)
            connection.close()


def a_signal_ends_it_while_it_delivers(program):
    """The callback example stops at Enter, and then waits for a receiver that does not answer."""
    for number in (signal.SIGINT, signal.SIGTERM):
        port = free_port()
        with socket.socket() as receiver, subprocess.Popen(
                [program, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            receiver.bind(("127.0.0.1", 0))
            receiver.listen()
            receiver.settimeout(WAIT_S)
            try:
                equal(process.stdout.readline(),
                      f"Enter ends it; listening on port {port}\n".encode())
                url = f"http://127.0.0.1:{receiver.getsockname()[1]}/"
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
                connection.request("POST", "/event", json.dumps(
                    {**EVENT, "payload": {"username": "b"}, "callback": {"success_url": url}}),
                    {"Content-Type": "application/json"})
                equal(connection.getresponse().status, 200)
                connection.close()
                delivery = receiver.accept()[0]
                process.stdin.close()
                process.send_signal(number)
                equal(process.wait(WAIT_S), -number)
                delivery.close()
            finally:
                process.kill()


# A shell that starts this in the background has it ignored, which programs inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

CASES = [a_first_signal_waits_for_what_is_in_flight, a_second_signal_ends_it]
OTHER_CASES = {"callback": [a_signal_ends_it_while_it_delivers]}

tap.run([(f"{os.path.basename(program)}: {check.__name__.replace('_', ' ')}", check, program)
         for program in sys.argv[1:]
         for check in OTHER_CASES.get(os.path.basename(program), CASES)])
