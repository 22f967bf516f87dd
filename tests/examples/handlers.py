#!/usr/bin/env python3
"""Runs examples as their head comments say: each curl line as it is except for the port, which is
a free one, its answer compared with the "=>" line after it, and what the program prints.

    tests/examples/handlers.py PROGRAM...

The source of PROGRAM is examples/NAME.c; of cpp_NAME, examples/cpp/NAME.cpp. Every case is one line
of TAP.
"""

import json
import os
import signal
import subprocess
import sys

import tap
from ports import free_port, listens
from programs import WAIT_S, commands_of, equal, is_short, refuses_wrong_ports, run_command, wait_until


# What each program prints while its curl lines are run; a dictionary is a JSON line with at least
# these.
PRINTED = {
    "checks": ["open from 7 to 19"],
    "commands": ["x has 2 values", "circle of 3"],
    "cpp_hello": ["Welcome, johndoe!"],
    "cpp_shapes": ["circle of 2", "polygon of 2"],
    "custom_logger": [
        {"app": "mailer", "number": 1, "level": "info", "message": "mail sent",
         "fields": {"event_type": "user_created", "to": "johndoe"}},
        {"app": "mailer", "number": 2, "level": "debug", "message": "event done"},
        {"app": "mailer", "number": 3, "level": "warning", "message": "event rejected"},
    ],
    "custom_format": ['Welcome, John "Joe" Döe & sons!'],
    "formats": ["order 4711, event 1 of /shop, version 2", "push to refs/heads/main, from github"],
    "raw_json": ["card ending in 4242, valid until month 12", "invoice of 12 cents"],
    "shapes": ["A-1: 3 on 4b", "A-2: 0 on no shelf", "A-1: 250 cents", "3 rows, 3 cells"],
    "slack_verification": ["message by U061F7AUR: Hello!"],
    "signed": ["order 7 is paid"],
    "unions": ["circle of 2", "square of 3", "circle of 1"],
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
    environment = {**os.environ, "API_KEY": "secret", "WEBHOOK_SECRET": "secret"}
    with subprocess.Popen([program, str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment) as process:
        try:
            wait_until(lambda: listens(port), process)
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


def is_of_a_readable_length(program):
    is_short(os.path.basename(program))


def names_a_wrong_port(program):
    refuses_wrong_ports(program, name=os.path.basename(program).removeprefix("cpp_"))


tap.run([(f"{os.path.basename(program)} {check.__name__.replace('_', ' ')}", check, program)
         for program in sys.argv[1:] for check in (works_as_its_head_says, is_of_a_readable_length, names_a_wrong_port)])
