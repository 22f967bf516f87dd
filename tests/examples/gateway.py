#!/usr/bin/env python3
"""Runs the gateway example on Redis: its commands, a broker that is killed, one that refuses,
events that come twice, and events whose keys no message may have.

    tests/examples/gateway.py GATEWAY

Every case is one line of TAP.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import redis_broker
import tap
from ports import free_port, listens
from programs import WAIT_S, commands_of, equal, run_command, wait_until

# The example's timeout_ms.
PATIENCE_S = 5
# More than the example handles, 64, and lets wait, 64.
CLIENTS = 160
BUSY = b"the broker cannot take the message now"
REFUSED = b"the broker refuses the message"
FULL = b"too many events are waiting"


@contextlib.contextmanager
def gateway(program, broker, log=subprocess.DEVNULL):
    """Its port."""
    port = free_port()
    process = subprocess.Popen([program, "--url", broker.url, "--port", str(port)], stderr=log)
    try:
        wait_until(lambda: listens(port), process)
        yield port
        process.terminate()
        equal(process.wait(WAIT_S), 0)
    finally:
        process.kill()
        process.wait(WAIT_S)


def place(port, order_id, total_cents=1998, event_id=None):
    """The status, and the body."""
    event = {"event_type": "order_placed", "timestamp": "2024-08-20T05:21:19Z",
             "payload": {"order_id": order_id, "total_cents": total_cents},
             "metadata": {"id": event_id or f"e-{order_id}"}}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/event", json.dumps(event).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def shipments(broker):
    """Pairs of an event's id and a body."""
    return [(message[b"herald-event-id"], message[b"data"]) for message in broker.all("shipments")]


def the_commands_of_its_head_do_what_it_says(program, broker):
    ((command, promised),) = commands_of("gateway")
    with gateway(program, broker) as port:
        equal(run_command(command, port), promised)
    (message,) = broker.all("shipments")
    equal((message[b"data"], message[b"herald-message-id"], message[b"herald-key"],
           message[b"content-type"]),
          (b'{"order_id":"o-1","is_insured":false}', message[b"herald-delivery-id"], b"o-1",
           b"application/json"))
    equal((len(message[b"herald-message-id"]), message[b"herald-event-id"]), (32, b"e-1"))


def a_broker_that_is_away_is_waited_for_and_told(program, broker):
    """200 only once the message is there; 503 after the producer's time limit."""
    with gateway(program, broker) as port:
        equal(place(port, "o-2")[0], 200)
        broker.kill()
        try:
            began_s = time.monotonic()
            status, body = place(port, "o-3")
            equal((status, BUSY in body), (503, True))
            assert time.monotonic() - began_s >= PATIENCE_S
        finally:
            broker.start()
        found = 503
        while found == 503:
            found = place(port, "o-3", 20000)[0]
        equal(found, 200)
    assert (b"e-o-2", b'{"order_id":"o-2","is_insured":false}') in shipments(broker)
    assert (b"e-o-3", b'{"order_id":"o-3","is_insured":true}') in shipments(broker)


def events_that_find_no_thread_are_refused_at_once(program, broker):
    """While the broker is away, and as many wait as may."""
    refused = threading.Event()
    bodies = []

    def ask(port):
        deadline = time.monotonic() + WAIT_S
        while not refused.is_set() and time.monotonic() < deadline:
            bodies.append(place(port, "o-5"))
            if FULL in bodies[-1][1]:
                refused.set()

    with gateway(program, broker) as port:
        broker.kill()
        try:
            clients = [threading.Thread(target=ask, args=(port,)) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
        finally:
            broker.start()
    assert refused.is_set()
    equal({status for status, _ in bodies}, {503})


def what_the_broker_refuses_is_logged_and_not_told(program, broker):
    broker.run(["DEL", "shipments"], ["SET", "shipments", "1"])
    with tempfile.TemporaryFile() as log:
        with gateway(program, broker, log) as port:
            status, body = place(port, "o-4")
            equal((status, REFUSED in body), (500, True))
            assert b"WRONGTYPE" not in body, body
        log.seek(0)
        assert b"WRONGTYPE" in log.read()
    broker.run(["DEL", "shipments"])


def the_id_of_a_message_tells_whether_an_event_came_twice(program, broker):
    """Whatever the event's id is."""
    broker.run(["DEL", "shipments"])
    with gateway(program, broker) as port:
        for event_id in ("a" * 64, "a b", "50%", "caf\xe9", "a\x7f") * 2:
            equal(place(port, "o-6", event_id=event_id)[0], 200)
    ids = [message[b"herald-message-id"] for message in broker.all("shipments")]
    equal(ids[:5], ids[5:])
    equal((len(set(ids)), {len(message_id) for message_id in ids}), (5, {32}))


def keys_that_no_message_may_have_are_refused(program, broker):
    broker.run(["DEL", "shipments"])
    with gateway(program, broker) as port:
        for order_id in ("a" * 255, "caf\xe9", "50 %"):
            equal(place(port, order_id, event_id="e-7")[0], 200)
        for order_id in ("", "a" * 256, "a\nb", "a\x7f"):
            status, body = place(port, order_id, event_id="e-7")
            equal((status, b"order_id" in body), (400, True))
    equal(len(shipments(broker)), 3)


def main():
    if not redis_broker.PROGRAM:
        print("1..0 # SKIP the server of Redis is not installed")
        return
    program = os.path.abspath(sys.argv[1])
    broker = redis_broker.Broker()
    try:
        tap.run([(check.__name__.replace("_", " "), check, program, broker)
                 for check in (the_commands_of_its_head_do_what_it_says,
                               a_broker_that_is_away_is_waited_for_and_told,
                               events_that_find_no_thread_are_refused_at_once,
                               what_the_broker_refuses_is_logged_and_not_told,
                               the_id_of_a_message_tells_whether_an_event_came_twice,
                               keys_that_no_message_may_have_are_refused)])
    finally:
        broker.stop()


if __name__ == "__main__":
    main()
