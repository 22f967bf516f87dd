"""The tests that meson knows: which a change can reach, in what order, and their runs."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

# A test that takes longer than this, or more memory, has noticed something.
TIMEOUT_S, TIMEOUT_FACTOR = 5, 5
MEMORY_BYTES = 2 << 30

ATTEMPTS = 2  # A busy machine may disturb a test
LOOK_EVERY_S = 0.05
LINK_S = 0.3  # What a test costs before it runs
LIKELY_COUNT = 5  # So many are linked and run one by one, the others are linked together

# As ./dev sanitize sets them: crashes are left to the sanitizer, which cmocka would hide.
CRASHES = "handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2"
ENVIRONMENT = {
    "ASAN_OPTIONS": f"{CRASHES}:detect_stack_use_after_return=1:strict_string_checks=1:"
                    "verify_asan_link_order=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


class Test:
    """One of meson's tests, and the files of the build that it runs."""

    def __init__(self, entry, targets, workspace):
        self.name = entry["name"]
        self.command = entry["cmd"]
        self.environment = entry["env"]
        self.folder = entry["workdir"] or workspace.build
        self.timeout_s = entry["timeout"]  # On unchanged sources
        self.files = sorted({file for target in entry["depends"] for file in targets[target]})
        self.targets = [os.path.relpath(file, workspace.build) for file in self.files]
        libraries = self.environment.get("LD_LIBRARY_PATH", "").split(":")
        self.libraries = [Path(folder) for folder in libraries if folder]

    def digest(self):
        """Of all that was built for it: what is equal behaves as before."""
        files = [Path(file) for file in self.files]
        for folder in self.libraries:
            files += sorted(file for file in folder.glob("*.so") if file.is_file())
        whole = hashlib.sha256()
        for file in files:
            whole.update(hashlib.sha256(file.read_bytes()).digest())
        return whole.digest()


def read_tests(workspace):
    """The tests that run something built. Other tests cannot notice a change of the sources.

    If several run the same command in different environments, such as locales, only the first.
    """
    about = workspace.build / "meson-info"
    targets = {target["id"]: target["filename"]
               for target in json.loads((about / "intro-targets.json").read_text())}
    tests = [Test(entry, targets, workspace)
             for entry in json.loads((about / "intro-tests.json").read_text())]
    first = {}
    for test in tests:
        if test.files:
            first.setdefault(tuple(test.command), test)
    return list(first.values())


def group_bytes(group):
    """The memory of the processes of a group, in bytes."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name, in parentheses, may hold anything.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                pages += int(fields[21])
        except (OSError, IndexError, ValueError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def end_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Stopped(Exception):
    """The user has interrupted the run."""


def wait(process, timeout_s, stop):
    """Wait for a process and say how it went: "passed", "failed", "timeout" or "memory".

    Raises Stopped when the event `stop` is set.
    """
    end = time.monotonic() + timeout_s
    look = 0
    while True:
        try:
            return "passed" if process.wait(LOOK_EVERY_S) == 0 else "failed"
        except subprocess.TimeoutExpired:
            pass
        if stop.is_set():
            raise Stopped
        if time.monotonic() >= end:
            return "timeout"
        look += 1
        if look % 4 == 0 and group_bytes(process.pid) > MEMORY_BYTES:
            return "memory"


def run(test, log, timeout_s, stop):
    """Run a test, its output to the file `log`; returns as wait(), and the seconds it took."""
    start = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(test.command, cwd=test.folder, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **ENVIRONMENT, **test.environment})
        try:
            outcome = wait(process, timeout_s, stop)
        finally:
            end_group(process.pid)
            process.wait()
    if outcome == "passed" and re.search(rb"^not ok", Path(log).read_bytes(), re.MULTILINE):
        outcome = "failed"
    return outcome, time.monotonic() - start


def words(name):
    return set(re.split(r"[_\W]+", name)) - {"h", "c", "src", "adapters", "json", ""}


class Suite:
    """The tests of a build, how long each takes, and which noticed changes of which file."""

    def __init__(self, workspace, learned, stop):
        self.workspace = workspace
        self.stop = stop
        self.learned = learned  # file -> test -> how many of its mutants it noticed; shared
        self.tests = read_tests(workspace)
        self.digests = {test.name: test.digest() for test in self.tests}
        self.seconds = {}  # test -> how long it takes on the unchanged sources
        self.log = workspace.build / "mutate-test.log"
        self.failure = ""  # What a test that fails without a change has printed

    def measure(self, known):
        """Learn how long each test takes on the unchanged sources; returns the names of those that
        fail. Those in `known` (name -> seconds) are not run again, the others are added.
        """
        failed = []
        for test in self.tests:
            for _ in range(ATTEMPTS):
                if test.name in known:
                    break
                outcome, seconds = run(test, self.log, test.timeout_s, self.stop)
                if outcome == "passed":
                    known[test.name] = seconds
            if test.name not in known:
                failed.append(test.name)
                self.failure = self.log.read_text(errors="replace")
        self.seconds = known
        return failed

    def hope(self, test, path):
        """How soon a test will notice a change of a file: by what it noticed, and by its name."""
        noticed = self.learned.get(str(path), {}).get(test.name, 0)
        shared = words(str(path)) & words(test.name)
        alike = 2 if test.name == path.stem else 1 if shared else 0
        return (noticed + alike) / (self.seconds[test.name] + LINK_S)

    def affordable(self, order, budget_s):
        """The first tests of an order that take no longer than a budget together."""
        chosen, sum_s = [], 0
        for test in order:
            sum_s += self.seconds[test.name]
            if sum_s > budget_s:
                break
            chosen.append(test)
        return chosen

    def judge(self, path, budget_s):
        """Run the tests on a changed file until one fails, or until the budget is used up.

        Returns its name (None when all pass), how it failed, and the names of those that ran. When
        the tests cannot be built, the name is None and how it failed is "build".
        """
        order = sorted(self.tests,
                       key=lambda test: (-self.hope(test, path), self.seconds[test.name]))
        order = self.affordable(order, budget_s)
        likely = [test for test in order if self.hope(test, path) > 0][:LIKELY_COUNT]
        rest = [test for test in order if test not in likely]
        ran = []
        for group in [[test] for test in likely] + [rest]:
            targets = sorted({target for test in group for target in test.targets})
            if targets and not self.workspace.make(targets):
                return None, "build", ran
            for test in group:
                if test.digest() == self.digests[test.name]:
                    continue
                ran.append(test.name)
                outcome = self.outcome(test)
                if outcome != "passed":
                    by_test = self.learned.setdefault(str(path), {})
                    by_test[test.name] = by_test.get(test.name, 0) + 1
                    return test.name, outcome, ran
        return None, "passed", ran

    def outcome(self, test):
        """How a test goes on a changed file. A failure counts when it comes again."""
        timeout_s = TIMEOUT_S + TIMEOUT_FACTOR * self.seconds[test.name]
        for _ in range(ATTEMPTS):
            outcome, _ = run(test, self.log, timeout_s, self.stop)
            if outcome != "failed":
                break
        return outcome
