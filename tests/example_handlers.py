#!/usr/bin/env python3
"""Runs examples as their head comments say: each curl line word for word but for the port, which is a
free one, its answer compared with the "=>" line after it, and what the program prints.

    tests/example_handlers.py PROGRAM...

The source of PROGRAM is examples/NAME.c. Every case is one line of TAP.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

WAIT_S = 20

# What each program prints while its curl lines are run; a dictionary is a JSON line with at least these.
PRINTED = {
    "custom_logger": [
        {"app": "mailer", "number": 1, "level": "info", "message": "mail sent",
         "fields": {"event_type": "user_created", "to": "johndoe"}},
        {"app": "mailer", "number": 2, "level": "debug", "message": "event done"},
        {"app": "mailer", "number": 3, "level": "warning", "message": "event rejected"},
    ],
    "custom_format": ['Welcome, John "Joe" Döe & sons!'],
    "verify_before": ["Welcome, johndoe!"],
    "civetweb": ["Welcome, johndoe!"],
    "libevent": ["Welcome, johndoe!"],
    "ulfius": ["Welcome, johndoe!"],
    "versions": [
        "o-1: 1200 cents EUR",
        "o-2: 1250 cents EUR",
        "o-3: paid, by version 1.7",
        "unknown: [1, 2]",
    ],
}


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def head_of(name):
    with open(f"examples/{name}.c", encoding="utf-8") as source:
        head = source.read().split("*/")[0]
    return "\n".join(line[2:] for line in head.split("\n"))


def commands_of(name):
    """Pairs of a curl command and the answer that is promised."""
    blocks = re.findall(r"^\tcurl .*?(?=\n\s*\n|\Z)", head_of(name), re.DOTALL | re.MULTILINE)
    pairs = [block.rstrip().split("\n\t=> ") for block in blocks]
    assert pairs and all(len(pair) == 2 for pair in pairs), f"a command without answer: {pairs}"
    return pairs


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(process, port):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        assert process.poll() is None, process.stderr.read().decode()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
            return
        except ConnectionRefusedError:
            pass
    raise AssertionError("it does not listen")


def run_command(command, port):
    """The answer to a curl line, as "200 {...}"."""
    answer = subprocess.run(["bash", "-c", command.replace(":8080", f":{port}")],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_S,
                            check=True).stdout.decode()
    head, body = answer.split("\r\n\r\n", 1)
    return head.split(" ", 2)[1] + " " + body


def check_line(line, expected):
    if isinstance(expected, str):
        equal(line, expected)
        return
    found = json.loads(line)
    equal(list(found), ["app", "number", "time", "level", "message", "fields"])
    equal({name: found[name] for name in expected}, expected)


def works_as_its_head_says(program):
    name = os.path.basename(program)
    port = free_port()
    environment = {**os.environ, "API_KEY": "secret"}
    with subprocess.Popen([program, str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment) as process:
        try:
            wait_for(process, port)
            for command, answer in commands_of(name):
                equal(run_command(command, port), answer)
            process.send_signal(signal.SIGTERM)
            printed, errors = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()
    equal((process.returncode, errors.decode()),
          (0, f"listening on http://127.0.0.1:{port}/event\n"))
    lines = printed.decode().splitlines()
    equal(len(lines), len(PRINTED[name]))
    for line, expected in zip(lines, PRINTED[name]):
        check_line(line, expected)


def is_short(program):
    with open(f"examples/{os.path.basename(program)}.c", encoding="utf-8") as source:
        count = len(source.readlines())
    assert count < 120, f"{count} lines"


cases = [(check, program) for program in sys.argv[1:] for check in (works_as_its_head_says, is_short)]
print(f"1..{len(cases)}")
failed = False
for index, (check, program) in enumerate(cases, 1):
    title = f"{os.path.basename(program)} {check.__name__.replace('_', ' ')}"
    try:
        check(program)
        print(f"ok {index} - {title}")
    except Exception as error:  # pylint: disable=broad-except
        failed = True
        print(f"not ok {index} - {title}")
        print("\n".join("# " + line for line in f"{type(error).__name__}: {error}".split("\n")))
sys.exit(1 if failed else 0)
