#!/usr/bin/env python3
"""Runs examples/many.c as its head comment says.

    tests/examples/many.py PROGRAM

Every case is one line of TAP.
"""

import os
import re
import subprocess
import sys

import tap
from programs import WAIT_S, equal, head_of, is_short, run_line

PROGRAM = sys.argv[1]
FOLDER = os.path.dirname(os.path.abspath(PROGRAM))
LINE = b'{"event_type":"paid","timestamp":"2024-08-20T05:21:19Z","payload":{"cents":1}}\n'


def prints_what_its_head_says():
    blocks = re.findall(r"^\t(printf (?:.*\n)+?)\t=> ((?:.*\n)+)", head_of("many"), re.MULTILINE)
    equal(len(blocks), 1)
    command, answer = blocks[0]
    expected = [line.removeprefix("\t   ") for line in answer.rstrip().split("\n")]
    equal(run_line(f"PATH={FOLDER}:$PATH; {command}").rstrip("\n").split("\n"), expected)


def run(text):
    return subprocess.run([PROGRAM], input=text, stdout=subprocess.PIPE, timeout=WAIT_S,
                          check=True).stdout


def takes_more_than_one_part():
    count = (4 << 20) // len(LINE) * 2 + 7
    equal(run(LINE * count + b"{\n" + LINE + b"[]"),
          b"line %d, byte 1: expected a member's name in quotes, found the end of the input\n"
          b"line %d, byte 0: expected an object, found an array\n"
          b"%d of %d events done, %d cents\n"
          % (count + 1, count + 3, count + 1, count + 3, count + 1))


def refuses_a_line_larger_than_a_part():
    found = subprocess.run([PROGRAM], input=LINE + b"x" * (5 << 20), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
    equal((found.returncode, found.stderr), (1, b"many: a line is larger than 4194304 bytes\n"))


tap.run([(check.__name__.replace("_", " "), check) for check in
         (prints_what_its_head_says, takes_more_than_one_part, refuses_a_line_larger_than_a_part)] +
        [("is of a readable length", is_short, "many")])
