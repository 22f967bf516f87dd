#!/usr/bin/env python3
"""Runs examples/schemas.c as its head comment says, and reads what it prints as JSON.

    tests/examples/schemas.py PROGRAM

Every case is one line of TAP.
"""

import json
import os
import re
import subprocess
import sys

import tap
from programs import WAIT_S, equal, head_of, is_short, run_line

PROGRAM = sys.argv[1]
FOLDER = os.path.dirname(os.path.abspath(PROGRAM))


def prints_what_its_head_says():
    blocks = re.findall(r"^\t(schemas .*)\n\t=> ((?:.*\n)+?)(?=\tschemas|\Z)", head_of("schemas"),
                        re.MULTILINE)
    equal(len(blocks), 2)
    for command, answer in blocks:
        # The lines after the first are indented by as much as "=> " is.
        expected = [line[4:] if line.startswith("\t   ") else line
                    for line in answer.rstrip().split("\n")]
        equal(run_line(f"PATH={FOLDER}:$PATH; {command}").rstrip("\n").split("\n"), expected)


def printed(argument):
    return json.loads(run_line(f"{PROGRAM} {argument}"))


def asyncapi_has_both_events():
    document = printed("asyncapi")
    equal(list(document["channels"]["events"]["messages"]), ["user_created", "order_placed_2"])
    equal(document["components"]["messages"]["order_placed_2"]["summary"], "Ships the order.")
    equal(document["components"]["schemas"]["order_placed"]["properties"]["total_cents"]
          ["description"], "The price of all lines, in cents.")


def json_schema_has_its_lines():
    equal(printed("order_placed")["$defs"]["order_line"]["properties"]["sku"]["description"],
          "The article.")


def refuses_others():
    result = subprocess.run([PROGRAM, "nothing"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=WAIT_S, check=False)
    equal((result.returncode, result.stdout, result.stderr),
          (2, b"", b"usage: schemas asyncapi | order_placed\n"))


tap.run([(check.__name__.replace("_", " "), check) for check in
         (prints_what_its_head_says, asyncapi_has_both_events, json_schema_has_its_lines,
          refuses_others)] + [("is of a readable length", is_short, "schemas")])
