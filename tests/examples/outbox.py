#!/usr/bin/env python3
"""Runs the outbox example against the quickstart: its commands, no receiver, and kill -9.

    tests/examples/outbox.py OUTBOX QUICKSTART

Every case is one line of TAP.
"""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile

import tap
from ports import free_port, listens
from programs import WAIT_S, equal, head_of, run_line, wait_until

cases = []


def case(function):
    cases.append(function)
    return function


@contextlib.contextmanager
def receiver(port):
    """The quickstart; its output is read when it has been stopped."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([quickstart, "--port", str(port)], stdout=output)
        try:
            wait_until(lambda: listens(port), process)
            yield lambda: orders_in(process, output)
        finally:
            process.kill()
            process.wait()


def orders_in(process, output):
    """The orders that the quickstart has handled; ends it."""
    process.send_signal(signal.SIGTERM)
    process.wait(WAIT_S)
    output.seek(0)
    return re.findall(r"^order_placed: (\S+),", output.read(), re.MULTILINE)


def place(folder, port, lines):
    """The lines that the example prints."""
    result = subprocess.run([outbox, "--db", os.path.join(folder, "orders.db"),
                             "--to", f"http://127.0.0.1:{port}/event"], input=lines,
                            stdout=subprocess.PIPE, timeout=WAIT_S, check=True, text=True)
    return result.stdout.splitlines()


def orders_of(folder):
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "orders.db"))) as db:
        return [row[0] for row in db.execute("SELECT order_id FROM orders ORDER BY rowid")]


@case
def the_commands_of_its_head_print_what_they_promise():
    port = free_port()
    blocks = re.findall(r"^\techo .*?(?=\n\s*\n|\Z)", head_of("outbox"), re.DOTALL | re.MULTILINE)
    equal(len(blocks), 2)
    with tempfile.TemporaryDirectory() as folder, receiver(port) as orders:
        for block in blocks:
            command, *promised = block.rstrip().split("\n\t=> ")
            command = command.replace("orders.db", os.path.join(folder, "orders.db"))
            command = command.replace(":8081", f":{port}")
            command = command.replace("build/release/examples/outbox", outbox)
            equal(run_line(command).splitlines(), promised)
        equal(orders(), ["o-1"])


@case
def without_a_receiver_events_wait_for_the_next_run():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        equal(place(folder, port, "o-1 tea 2\no-2 cup 1\n"), ["o-1: ordered", "o-2: ordered"])
        with receiver(port) as orders:
            found = []
            while len(found) < 2:
                found += place(folder, port, "")
            equal(sorted(found), ["o-1: order_placed delivered", "o-2: order_placed delivered"])
            equal(sorted(orders()), ["o-1", "o-2"])


@case
def killed_at_any_time_each_order_has_its_event():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, receiver(port) as orders:
        for i in range(10):
            process = subprocess.Popen(
                [outbox, "--db", os.path.join(folder, "orders.db"),
                 "--to", f"http://127.0.0.1:{port}/event"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            process.stdin.write("".join(f"o-{i}-{j} tea 1\n" for j in range(20)))
            process.stdin.flush()
            # Somewhere in the middle: after as many lines as this is the i-th kill.
            for _ in range(2 * i + 1):
                process.stdout.readline()
            process.kill()
            process.communicate()
        pending = [(-1,)]
        while pending != [(0,)]:
            place(folder, port, "")
            with contextlib.closing(sqlite3.connect(os.path.join(folder, "orders.db"))) as db:
                pending = db.execute("SELECT count(*) FROM herald_delivery").fetchall()
        placed = orders_of(folder)
        assert len(placed) > 10, placed
        # Each at least once; twice if the process was killed between the answer and the commit.
        equal(sorted(set(orders())), sorted(placed))


@case
def a_database_that_cannot_be_used_is_refused_with_what_to_do():
    with tempfile.TemporaryDirectory() as folder:
        missing = os.path.join(folder, "missing")
        for path, what_to_do in ((folder, f"{folder} is a folder; name a file in it"),
                                 (os.path.join(missing, "orders.db"),
                                  f"the folder {missing}: No such file or directory; create it")):
            result = subprocess.run([outbox, "--db", path, "--to", "http://127.0.0.1:1/event"],
                                    stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    timeout=WAIT_S, check=False, text=True)
            equal((result.returncode, result.stderr), (1, f"outbox: path: {what_to_do}\n"))


outbox, quickstart = sys.argv[1:]
if __name__ == "__main__":
    tap.run([(function.__name__.replace("_", " "), function) for function in cases])
