#!/usr/bin/env python3
"""Runs the recipes: each example with the commands that its head comment shows.

    tests/examples/recipes.py HERALD RECIPE...

HERALD is the tool, a RECIPE the program of examples/recipes/NAME.c.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys

import tap
from ports import free_port
from programs import WAIT_S, equal, refuses_wrong_ports

HERALD = sys.argv[1]


def head_of(name):
    with open(f"examples/recipes/{name}.c", encoding="utf-8") as source:
        return "\n".join(line[2:] for line in source.read().split("*/")[0].split("\n"))


def commands_of(name):
    """Pairs of a command and the beginning of its answer."""
    blocks = re.findall(r"^\t(?:curl|herald) .*?\n\t=> .*?$", head_of(name),
                        re.DOTALL | re.MULTILINE)
    assert blocks, head_of(name)
    return [block.lstrip().split("\n\t=> ") for block in blocks]


def environment_of(name):
    found = re.search(r"(WEBHOOK_SECRET)=(\S+)", head_of(name))
    return {**os.environ, **({found.group(1): found.group(2)} if found else {})}


@contextlib.contextmanager
def running(program, name):
    """The program's port; what it prints is in the list."""
    output = []
    # pylint: disable=consider-using-with
    process = subprocess.Popen(["stdbuf", "-oL", program, str(free_port())], env=environment_of(name),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        line = process.stderr.readline().decode()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line + process.stderr.read().decode()
        yield int(found.group(1)), output
        process.send_signal(signal.SIGTERM)
        printed, errors = process.communicate(timeout=WAIT_S)
        equal((process.returncode, errors.decode()), (0, ""))
        output += printed.decode().splitlines()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def run(command, port):
    """What a command prints, a curl's as "200 BODY"."""
    line = command.replace(":8080", f":{port}").replace("curl -i", "curl -s -i")
    line = re.sub(r"^herald ", f"{HERALD} ", line)
    result = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=WAIT_S, check=False)
    text = result.stdout.decode()
    assert text, result.stderr.decode()
    if command.startswith("curl"):
        head, body = text.split("\r\n\r\n", 1)
        return f"{head.split(' ', 2)[1]} {body}".strip()
    return text


def check(program, name):
    commands = commands_of(name)
    with running(program, name) as (port, output):
        for command, answer in commands:
            found = run(command, port)
            assert found.startswith(answer), f"{command}: {found!r} instead of {answer!r}"
    accepted = [answer for _, answer in commands if "accepted" in answer or "SUCCESS" in answer]
    assert accepted and len(output) >= len(accepted), output


if __name__ == "__main__":
    tap.run([(os.path.basename(program), check, program, os.path.basename(program))
             for program in sys.argv[2:]] +
            [(f"{os.path.basename(program)} names a wrong port", refuses_wrong_ports, program)
             for program in sys.argv[2:]])
