#!/usr/bin/env python3
"""Runs tools/count-tests on small logs of meson. Prints TAP."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "count-tests"


def test(stdout, result="OK", returncode=0, **more):
    return {"name": "t", "stdout": stdout, "result": result, "returncode": returncode, **more}


# (name, tests of the log or None, all lines that are printed, without the directory)
CASES = [
    ("all passed", [test("1..2\nok 1 - a\nok 2 - b\n"), test("no TAP\n")], ["3 passed, 0 failed"]),
    ("a case that failed, and why",
     [test("1..3\nok 1 - a\nnot ok 2 - b: c\n# E: waited\n# \n# x.c:1: error\nok 3 - d\n# later\n",
           "ERROR", 1)],
     ["failed: t: b: c: E: waited: x.c:1: error", "2 passed, 1 failed"]),
    ("two cases that failed", [test("1..2\n# seed 1\nnot ok 1 - a\nnot ok 2 - b\n", "FAIL")],
     ["failed: t: a", "failed: t: b", "0 passed, 2 failed"]),
    ("the texts of cmocka's fail_msg()",
     [test("1..4\nnot ok 1 - a\n# x.c:1: error: Failure!\nnot ok 2 - b\n# 1 != 2\n# x.c:2: error: Failure!\n"
           "not ok 3 - c\n# x.c:3: error: Failure!\nnot ok 4 - d\n# x.c:4: error: Failure!\n", "FAIL", 4,
           stderr="noise\nERROR: row 3\nERROR: row 4: \u00fc\nmore\nERROR: row 5\nto ERROR: x\n")],
     ["failed: t: a: x.c:1: error: row 3", "failed: t: b: 1 != 2: x.c:2: error: row 4: \u00fc",
      "failed: t: c: x.c:3: error: row 5", "failed: t: d: x.c:4: error: Failure!",
      "0 passed, 4 failed"]),
    ("fail_msg() in a case that was not the one that failed",
     [test("1..1\nnot ok 1 - a\n# 1 != 2\n# x.c:1: error\n", "FAIL", 1, stderr="ERROR: x\n")],
     ["failed: t: a: 1 != 2: x.c:1: error", "0 passed, 1 failed"]),
    ("numbers in names", [test("1..3\nnot ok 1 - 2 - 3\nnot ok 2 200 at once\nnot ok\n", "FAIL")],
     ["failed: t: 2 - 3", "failed: t: 200 at once", "failed: t: ", "0 passed, 3 failed"]),
    ("a skipped case", [test("1..2\nok 1 - a # SKIP no nginx\nok 2 - b\n")],
     ["skipped: t: a # SKIP no nginx", "1 passed, 0 failed"]),
    ("a crash", [test("1..5\nok 1 - a\nnot ok 2 - b\nok 3 # skip\n", "ERROR", -11)],
     ["skipped: t: # skip", "failed: t: b",
      "failed: t: cases that did not run: 2 (ERROR, exit status -11)", "1 passed, 3 failed"]),
    ("a time-out", [test("1..2\nok 1 - a\n", "TIMEOUT", -15)],
     ["failed: t: cases that did not run: 1 (TIMEOUT, exit status -15)", "1 passed, 1 failed"]),
    ("a time-out before the plan", [test("", "TIMEOUT", None)], ["failed: t: TIMEOUT", "0 passed, 1 failed"]),
    ("a report of a sanitizer", [test("1..1\nok 1 - a\n", "ERROR", 66, stderr="== 1\nSUMMARY: X: data race f\n")],
     ["failed: t: ERROR, exit status 66: X: data race f", "1 passed, 1 failed"]),
    ("not TAP", [test("what?\n", "FAIL", 1)], ["failed: t: FAIL, exit status 1", "0 passed, 1 failed"]),
    ("a long reason", [test(f"1..1\nnot ok 1 - {'a' * 500}\n", "FAIL")],
     [f"failed: t: {'a' * 300}", "0 passed, 1 failed"]),
    ("more than are shown", [test("1..60\n" + "not ok - a\n" * 60, "FAIL")],
     ["failed: t: a"] * 50 + ["failed: and 10 more", "0 passed, 60 failed"]),
    ("no log", None, ["failed: no test ran", "0 passed, 1 failed"]),
]
# Likewise, with the status of `meson test` that ./dev has written.
STATUS_CASES = [
    ("Meson failed although all passed", [test("1..1\nok 1 - a\n")], 137,
     ["failed: meson test ended with status 137; tests may be missing", "1 passed, 1 failed"]),
    ("Meson failed because a case did", [test("1..1\nnot ok 1 - a\n", "FAIL")], 1,
     ["failed: t: a", "0 passed, 1 failed"]),
    ("Meson failed before the first test", None, 1, ["failed: no test ran", "0 passed, 1 failed"]),
    ("Meson succeeded", [test("1..1\nok 1 - a\n")], 0, ["1 passed, 0 failed"]),
]


def run(tests, status):
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "build" / "meson-logs"
        logs.mkdir(parents=True)
        if tests is not None:
            (logs / "testlog.json").write_text("".join(json.dumps(entry) + "\n" for entry in tests), encoding="utf-8")
        if status is not None:
            (logs / "status").write_text(f"{status}\n", encoding="ascii")
        done = subprocess.run([sys.executable, str(TOOL), "build"], cwd=folder, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stderr + done.stdout


def main():
    failed = False
    cases = [(name, tests, None, expected) for name, tests, expected in CASES] + STATUS_CASES
    print(f"1..{len(cases)}")
    for index, (name, tests, status, expected) in enumerate(cases, 1):
        code, printed = run(tests, status)
        ok = (printed.replace("build: ", "").splitlines() == expected and
              code == (0 if expected[-1].endswith(" 0 failed") else 1))
        failed = failed or not ok
        print(f"{'' if ok else 'not '}ok {index} - {name}")
        if not ok:
            print("\n".join("# " + line for line in printed.split("\n")))
    return 1 if failed else 0


sys.exit(main())
