#!/usr/bin/env python3
"""Runs .ci/run in a folder of its own, with a ./dev that prints what the case says. Prints TAP."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Prints the text of its command and ends with its status, as steps.json has them. If the status is
# KILLED, it kills the shell that called timeout(1); if it is HANGS, it does not end. Each command
# adds the seed that it was given to seeds.
KILLED = -9
HANGS = -1
# How long a run may take in which one hangs; the others must be done by then.
SECONDS = 8
DEV = f"""#!{sys.executable}
import json, os, signal, sys
print(os.environ.get("HERALD_TEST_SEED"), file=open("seeds", "a"))
text, status = json.load(open("steps.json")).get(" ".join(sys.argv[1:3]), ["", 0])
print(text, flush=True)
if status == {KILLED}:
    timeout = open(f"/proc/{{os.getppid()}}/stat").read()
    os.kill(int(timeout.rsplit(")", 1)[1].split()[1]), 9)
if status == {HANGS}:
    signal.pause()
sys.exit(status)
"""
PASSED = "3 passed, 0 failed"
STEPS = {"test --all": (PASSED, 0), "sanitize address": (PASSED, 0), "sanitize thread": (PASSED, 0),
         "fuzz --list": ("one", 0)}
FUZZ_FAILED = ["fuzz failed; the end of build/ci/fuzz.log:", "    ./dev fuzz --list failed, or named no target."]
MANY = "\n".join(f"line {number}" for number in range(30))

# (name, steps, exit status, the last line, lines before it under "##### failed")
CASES = [
    ("all passed", {}, 0, "13 passed, 0 failed", []),
    ("two cases of a test run", {"test --all": ("failed: b: t: a: why\nfailed: b: t: c\n1 passed, 2 failed", 1)}, 1,
     "11 passed, 2 failed", ["test failed:", "    b: t: a: why", "    b: t: c"]),
    ("cases of two test runs",
     {"sanitize address": ("failed: a\n1 passed, 1 failed", 1), "sanitize thread": ("failed: b\n1 passed, 1 failed", 1)},
     1, "9 passed, 2 failed", ["sanitize address failed:", "    a", "sanitize thread failed:", "    b"]),
    ("a test run that does not compile",
     {"test --all": ("x.c:1: error\nfailed: build: no test ran\n3 passed, 1 failed", 1)}, 1, "13 passed, 1 failed",
     ["test failed:", "    build: no test ran", "test failed; the end of build/ci/test.log:", "    x.c:1: error",
      "    failed: build: no test ran", "    3 passed, 1 failed"]),
    ("a test run that ends early", {"test --all": ("no meson", 1)}, 1, "10 passed, 1 failed",
     ["test failed; the end of build/ci/test.log:", "    no meson"]),
    ("a test run without counts", {"sanitize thread": ("nothing", 0)}, 1, "10 passed, 1 failed",
     ["sanitize thread failed; the end of build/ci/sanitize-thread.log:", "    nothing"]),
    ("a test run without cases", {"sanitize address": ("0 passed, 0 failed", 0)}, 1, "10 passed, 1 failed",
     ["sanitize address failed; the end of build/ci/sanitize-address.log:", "    0 passed, 0 failed"]),
    ("tests that are left out", {"sanitize thread": (f"left out; x has them: a b\n{PASSED}", 0)}, 0, "13 passed, 0 failed",
     []),
    ("a step that is not a test run", {"check": (MANY, 1)}, 1, "12 passed, 1 failed",
     ["check failed; the end of build/ci/check.log:"] + [f"    line {number}" for number in range(10, 30)]),
    ("a fuzz target", {"fuzz one": ("9 passed, 9 failed", 77)}, 1, "12 passed, 1 failed",
     ["fuzz one failed; the end of build/ci/fuzz-one.log:", "    9 passed, 9 failed"]),
    ("a step aside that is killed", {"check": ("half", KILLED)}, 1, "12 passed, 1 failed",
     ["check failed; the end of build/ci/check.log:", "    half"]),
    ("a fuzz target after others", {"fuzz --list": ("one\ntwo\nthree\nfour\nfive", 0), "fuzz five": ("bad", 1)}, 1,
     "16 passed, 1 failed", ["fuzz five failed; the end of build/ci/fuzz-five.log:", "    bad"]),
    ("fuzz targets that are killed", {"fuzz --list": ("one\ntwo", 0), "fuzz two": ("half", KILLED)}, 1,
     "13 passed, 1 failed", ["fuzz two failed; the end of build/ci/fuzz-two.log:", "    half"]),
    ("fuzz targets that are not listed", {"fuzz --list": ("", 1)}, 1, "12 passed, 1 failed", FUZZ_FAILED),
    ("a list of fuzz targets that ends early", {"fuzz --list": ("one", 137)}, 1, "12 passed, 1 failed", FUZZ_FAILED),
    ("no fuzz targets", {"fuzz --list": ("", 0)}, 1, "12 passed, 1 failed", FUZZ_FAILED),
    ("a step that hangs", {"docs": ("half", HANGS)}, 1, "12 passed, 1 failed",
     ["docs failed; the end of build/ci/docs.log:", "    half", f"    .ci/run: stopped; CI may take {SECONDS} seconds"]),
    ("a step aside that hangs", {"check": ("half", HANGS)}, 1, "12 passed, 1 failed",
     ["check failed; the end of build/ci/check.log:", "    half",
      f"    .ci/run: stopped; CI may take {SECONDS} seconds"]),
    ("a fuzz target that cannot be had", {"fuzz one": ("no network", 69)}, 0, "12 passed, 0 failed", []),
]


def make_folder(folder, steps):
    (folder / ".ci").mkdir()
    for path, text in ((".ci/run", (ROOT / ".ci" / "run").read_text(encoding="utf-8")), ("dev", DEV)):
        (folder / path).write_text(text, encoding="utf-8")
        (folder / path).chmod(0o755)
    (folder / "steps.json").write_text(json.dumps({**STEPS, **steps}), encoding="utf-8")


def run_in(folder, **variables):
    # Neither the seed nor the repository of the run that this test belongs to.
    env = {name: value for name, value in os.environ.items() if name != "HERALD_TEST_SEED" and name[:4] != "GIT_"}
    env["GIT_CEILING_DIRECTORIES"] = str(folder.parent)
    return subprocess.run([".ci/run"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, env={**env, **variables})


def run(steps):
    with tempfile.TemporaryDirectory() as name:
        make_folder(Path(name), steps)
        hangs = any(status == HANGS for _, status in steps.values())
        done = run_in(Path(name), **({"HERALD_CI_SECONDS": str(SECONDS)} if hangs else {}))
        return done.returncode, done.stdout


def seed_of(folder, **variables):
    """The seed that a run prints first, which each of its commands has."""
    (folder / "seeds").unlink(missing_ok=True)
    printed = run_in(folder, **variables).stdout
    match = re.match(r"HERALD_TEST_SEED=([0-9]+)\n", printed)
    assert match, f"the first line is {printed.splitlines()[0]!r}"
    seeds = set((folder / "seeds").read_text(encoding="ascii").split())
    assert seeds == {match[1]}, f"the commands have {seeds} instead of {match[1]}"
    return int(match[1])


def commit(folder, message):
    """Returns the name of a commit."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", message], cwd=folder, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


def seed_is_of_the_commit(folder):
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    for message in ("one", "two"):
        expected = int(commit(folder, message)[:15], 16)
        for _ in range(2):
            seed = seed_of(folder)
            assert seed == expected, f"{seed} instead of {expected}"


def seed_is_drawn_without_git(folder):
    seeds = {seed_of(folder), seed_of(folder)}
    assert len(seeds) == 2, f"twice {seeds}"


def seed_that_is_given_is_kept(folder):
    seed = seed_of(folder, HERALD_TEST_SEED="17")
    assert seed == 17, seed


SEED_CASES = [seed_is_drawn_without_git, seed_that_is_given_is_kept]
if shutil.which("git"):
    SEED_CASES.append(seed_is_of_the_commit)


def check(printed, rows_of_fuzz, last, left_out, failures):
    summary = printed.split("\n##### summary\n")[1].splitlines()
    assert summary[-1] == last, f"the last line is {summary[-1]!r}"
    rows = [line for line in summary if re.fullmatch(r"\S.* +(\d+ passed +\d+ failed +\d+ s|skipped; see .*)", line)]
    assert len(rows) == 6 + rows_of_fuzz, f"{len(rows)} rows"
    expected = left_out + (["", "##### failed", *failures] if failures else [])
    rest = [line for line in summary[:-1] if line not in rows]
    assert rest == expected, rest


def check_summary(name, steps, status, last, failures):
    code, printed = run(steps)
    assert code == status, f"{name}: exit status {code}"
    listed, list_status = {**STEPS, **steps}["fuzz --list"]
    targets = listed.split() if list_status == 0 else []
    left_out = [line for text, _ in steps.values() for line in text.splitlines() if line.startswith("left out; ")]
    check(printed, max(len(targets), 1), last, left_out, failures)


def check_seed(case):
    with tempfile.TemporaryDirectory() as name:
        make_folder(Path(name), {})
        case(Path(name))


def main():
    failed = False
    cases = [(case[0], check_summary, case) for case in CASES]
    cases += [(case.__name__, check_seed, (case,)) for case in SEED_CASES]
    print(f"1..{len(cases)}")
    for index, (name, function, arguments) in enumerate(cases, 1):
        try:
            function(*arguments)
            print(f"ok {index} - {name}")
        except AssertionError as error:
            failed = True
            print(f"not ok {index} - {name}\n# {error}")
    return 1 if failed else 0


sys.exit(main())
