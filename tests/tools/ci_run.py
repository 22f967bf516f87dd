#!/usr/bin/env python3
"""Runs .ci/run in a folder of its own, with a ./dev that prints what the case says. Prints TAP."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Prints the text of its command and ends with its status, as steps.json has them.
DEV = f"""#!{sys.executable}
import json, sys
text, status = json.load(open("steps.json")).get(" ".join(sys.argv[1:3]), ["", 0])
print(text)
sys.exit(status)
"""
PASSED = "3 passed, 0 failed"
STEPS = {"test": (PASSED, 0), "sanitize address": (PASSED, 0), "sanitize thread": (PASSED, 0),
         "fuzz --list": ("one", 0)}
MANY = "\n".join(f"line {number}" for number in range(30))

# (name, steps, exit status, the last line, lines before it under "##### failed")
CASES = [
    ("all passed", {}, 0, "13 passed, 0 failed", []),
    ("two cases of a test run", {"test": ("failed: b: t: a: why\nfailed: b: t: c\n1 passed, 2 failed", 1)}, 1,
     "11 passed, 2 failed", ["test failed:", "    b: t: a: why", "    b: t: c"]),
    ("cases of two test runs",
     {"sanitize address": ("failed: a\n1 passed, 1 failed", 1), "sanitize thread": ("failed: b\n1 passed, 1 failed", 1)},
     1, "9 passed, 2 failed", ["sanitize address failed:", "    a", "sanitize thread failed:", "    b"]),
    ("a test run that does not compile",
     {"test": ("x.c:1: error\nfailed: build: no test ran\n3 passed, 1 failed", 1)}, 1, "13 passed, 1 failed",
     ["test failed:", "    build: no test ran", "test failed; the end of build/ci/test.log:", "    x.c:1: error",
      "    failed: build: no test ran", "    3 passed, 1 failed"]),
    ("a test run that ends early", {"test": ("no meson", 1)}, 1, "10 passed, 1 failed",
     ["test failed; the end of build/ci/test.log:", "    no meson"]),
    ("a step that is not a test run", {"check": (MANY, 1)}, 1, "12 passed, 1 failed",
     ["check failed; the end of build/ci/check.log:"] + [f"    line {number}" for number in range(10, 30)]),
    ("a fuzz target", {"fuzz one": ("9 passed, 9 failed", 77)}, 1, "12 passed, 1 failed",
     ["fuzz one failed; the end of build/ci/fuzz-one.log:", "    9 passed, 9 failed"]),
    ("a fuzz target that cannot be had", {"fuzz one": ("no network", 69)}, 0, "12 passed, 0 failed", []),
]


def run(steps):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".ci").mkdir()
        for path, text in ((".ci/run", (ROOT / ".ci" / "run").read_text(encoding="utf-8")), ("dev", DEV)):
            (folder / path).write_text(text, encoding="utf-8")
            (folder / path).chmod(0o755)
        (folder / "steps.json").write_text(json.dumps({**STEPS, **steps}), encoding="utf-8")
        done = subprocess.run([".ci/run"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        return done.returncode, done.stdout


def check(printed, last, failures):
    summary = printed.split("\n##### summary\n")[1].splitlines()
    assert summary[-1] == last, f"the last line is {summary[-1]!r}"
    rows = [line for line in summary if re.fullmatch(r"\S.* +(\d+ passed +\d+ failed +\d+ s|skipped; see .*)", line)]
    assert len(rows) == 7, f"{len(rows)} rows"
    expected = ["", "##### failed", *failures] if failures else []
    assert summary[len(rows):-1] == expected, summary[len(rows):-1]


def main():
    failed = False
    print(f"1..{len(CASES)}")
    for index, (name, steps, status, last, failures) in enumerate(CASES, 1):
        code, printed = run(steps)
        try:
            assert code == status, f"exit status {code}"
            check(printed, last, failures)
            print(f"ok {index} - {name}")
        except AssertionError as error:
            failed = True
            print(f"not ok {index} - {name}\n# {error}")
    return 1 if failed else 0


sys.exit(main())
