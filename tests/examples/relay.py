#!/usr/bin/env python3
"""Runs the relay example on PostgreSQL and NATS: its commands, and kill -9 at random moments.

    tests/examples/relay.py RELAY

Every case is one line of TAP.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
import time

import nats_broker
import postgres
import tap
from programs import WAIT_S, equal, head_of

KILLS = 30
ORDERS_EACH = 40


def start(program, db, broker, topic):
    return subprocess.Popen([program, "--db", db, "--url", broker.url, "--topic", topic],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def the_commands_of_its_head_do_what_it_says(program, db, broker):
    head = head_of("relay").replace("\\\n", "")
    blocks = re.findall(r"^\t\S.*?(?=\n\s*\n|\Z)", head, re.DOTALL | re.MULTILINE)
    equal(len(blocks), 4)
    with tempfile.TemporaryDirectory() as folder:
        # Debian does not have the NATS CLI.
        os.symlink(nats_broker.__file__, f"{folder}/nats")
        environment = {**os.environ, "URL": broker.url, "DB": db, "PYTHONPATH": sys.path[0],
                       "PATH": f"{folder}:{os.environ['PATH']}"}
        for block in blocks:
            command, *promised = block.strip().split("\n\t=> ")
            found = subprocess.run(
                ["bash", "-ec", re.sub(r"build/\S+/relay", program, command)], cwd=folder,
                stdout=subprocess.PIPE, env=environment, timeout=WAIT_S, check=True).stdout.decode()
            if promised:
                equal(found.splitlines(), promised)
    assert '"order_id":"o-1"' in found and "herald-key: o-1" in found, found
    equal(found.count("herald-message-id: "), 1)


def what_is_ordered_arrives_once(program, db, broker):
    """The relay is killed while it orders and sends; the last run sends what is left."""
    seed = os.environ.get("HERALD_TEST_SEED", str(time.time_ns()))
    print(f"# HERALD_TEST_SEED={seed}")
    draw = random.Random(seed)
    nats_broker.make_stream(broker.port, "kills", "kills")
    number = 0
    for _ in range(KILLS):
        process = start(program, db, broker, "kills")
        try:
            # The shell of the test fills the pipe; the program is killed somewhere in it.
            process.stdin.write("".join(f"k-{number + i} tea 1\n" for i in range(ORDERS_EACH)))
            process.stdin.flush()
            number += ORDERS_EACH
            for _ in range(draw.randrange(2 * ORDERS_EACH)):
                if not process.stdout.readline():
                    break
            time.sleep(draw.random() * 0.005)
        finally:
            process.kill()
            process.communicate(timeout=WAIT_S)
    result = subprocess.run([program, "--db", db, "--url", broker.url, "--topic", "kills"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=WAIT_S,
                            check=True)
    ordered = postgres.query(db, "SELECT order_id FROM orders WHERE order_id LIKE 'k-%'")
    arrived = [message[b"herald-event-id"].decode() for message in broker.all("kills")]
    print(f"# {len(ordered)} ordered, {result.stdout.count(b'delivered')} of them sent at the end")
    assert len(ordered) > KILLS, len(ordered)
    equal(sorted(arrived), sorted(ordered))


def run(program, db, broker, topic, orders):
    result = subprocess.run([program, "--db", db, "--url", broker.url, "--topic", topic],
                            input=orders, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
    return result.returncode, result.stdout, result.stderr


def what_cannot_be_sent_waits(program, db, broker):
    """Without a stream, or without the broker, the next run goes on."""
    status, output, errors = run(program, db, broker, "absent", "a-1 tea 1\n")
    equal((status, output), (1, "a-1: ordered\n"))
    assert "relay: 1 not sent yet; the next run goes on\n" in errors, errors
    nats_broker.make_stream(broker.port, "absent", "absent")
    equal(run(program, db, broker, "absent", "")[:2], (0, "a-1: order_placed delivered\n"))
    broker.kill()
    try:
        status, output, errors = run(program, db, broker, "kills", "l-1 tea 1\n")
    finally:
        broker.start()
    equal((status, output), (1, "l-1: ordered\n"))
    assert "relay: 1 not sent yet; the next run goes on\n" in errors, errors
    equal(run(program, db, broker, "kills", "")[:2], (0, "l-1: order_placed delivered\n"))


def main():
    if not postgres.folder_of_programs() or not nats_broker.PROGRAM:
        print("1..0 # SKIP the server of PostgreSQL or NATS is not installed")
        return
    program = os.path.abspath(sys.argv[1])
    broker = nats_broker.Broker()
    try:
        with postgres.cluster() as db:
            tap.run([(check.__name__.replace("_", " "), check, program, db, broker)
                     for check in (the_commands_of_its_head_do_what_it_says,
                                   what_is_ordered_arrives_once,
                                   what_cannot_be_sent_waits)])
    finally:
        broker.stop()


if __name__ == "__main__":
    main()
