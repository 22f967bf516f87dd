"""./dev mutate: changes the sources one token at a time, and lists what no test noticed.

The draws of a seed are the same until the sources change. A change that does not compile, that
makes the same code, or that tools/mutate/no-effect.txt lists, does not count. The exit status is 1
when fewer are noticed than --least.
"""

import argparse
import fcntl
import fnmatch
import json
import random
import resource
import signal
import sys
import threading
import time
from collections import Counter, namedtuple
from pathlib import Path

sys.dont_write_bytecode = True  # Next to the sources

# pylint: disable=wrong-import-position
import no_effect
import suite
import tokens
import workspace
# pylint: enable=wrong-import-position

# The outcome of a draw: "noticed", "not noticed", or why it does not count.
Outcome = namedtuple("Outcome", "number change status detail ran seconds")

COUNTED = ("noticed", "not noticed")

NO_EFFECT = Path("tools/mutate/no-effect.txt")  # Of the project; see no_effect.py

MAX_FILE_BYTES = 256 << 20  # What a mutant that writes without end may write


def arguments():
    parser = argparse.ArgumentParser(prog="./dev mutate", description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=50, help="how many changes (50)")
    parser.add_argument("--seed", type=int, help="draws the changes; without it, any")
    parser.add_argument("--file", metavar="PATTERN", default="*",
                        help="only in files whose path has PATTERN in it, such as 'codec/*.c'")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time, a build each (1)")
    parser.add_argument("--least", type=float, default=95, help="percent to be noticed (95)")
    parser.add_argument("--budget", type=float, metavar="SECONDS", default=float("inf"),
                        help="run at most so many seconds of tests for a change (all)")
    parser.add_argument("--list-only", action="store_true", help="show the draws, and try none")
    parser.add_argument("--check", action="store_true",
                        help="only see that each line of no-effect.txt is still there")
    parser.add_argument("--replay", type=int, metavar="DRAW",
                        help="try one draw of the seed, and show what the test says")
    parser.add_argument("--root", type=lambda text: Path(text).resolve(), default=Path.cwd(),
                        help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count < 1 or options.jobs < 1:
        parser.error("at least 1 change, and 1 job")
    if options.replay is not None and options.seed is None:
        parser.error("--replay: of which --seed?")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1000000)
    return options


def read_sources(root):
    """Map the path of each source file to its text."""
    return {path: (root / path).read_text() for path in workspace.files_of(root)
            if path.suffix in workspace.CODE and path.parts[0] in ("src", "adapters")}


def draw(root, sources, seed, pattern):
    """All changes in the order of their draws: one for each place, at random."""
    headers = [(root / path).read_text() for path in workspace.files_of(root)
               if path.suffix == ".h" and path.parts[0] == "include"]
    siblings = tokens.enum_siblings([*headers, *sources.values()])
    chance = random.Random(seed)
    sites = [site for path, text in sorted(sources.items())
             for site in tokens.sites(path, text, siblings)]
    chance.shuffle(sites)
    changes = [chance.choice(site) for site in sites]
    return [(number, change) for number, change in enumerate(changes, 1)
            if fnmatch.fnmatch(str(change.path), f"*{pattern}*")]


def differing_lines(text, change):
    """A change as the lines of a diff."""
    before = text.splitlines()
    after = tokens.apply(text, change).splitlines()
    last = change.line + text.count("\n", change.start, change.end)
    return ([f"-{line}" for line in before[change.line - 1:last]] +
            [f"+{line}" for line in after[change.line - 1:last] if line.strip(" \t;")])


def short(text, change):
    old = " ".join(text[change.start:change.end].split())
    new = change.new.strip() or "nothing"
    old = old if len(old) <= 40 else old[:37] + "..."
    return f"{change.path}:{change.line}: {old} -> {new}"


class Run:
    """The draws that are tried, shared by the workers."""

    def __init__(self, options, sources, draws, known):
        self.options = options
        self.known = known  # The changes that have no effect
        self.sources = sources
        self.draws = iter(draws)
        self.directory = options.root / "build" / "mutate"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.learned = read_json(self.directory / "learned.json")
        self.outcomes = []
        self.counted = 0
        self.error = None
        self.stop = threading.Event()
        self.lock = threading.Lock()

    def next(self):
        with self.lock:
            if self.stop.is_set() or self.counted >= self.options.count:
                return None
            return next(self.draws, None)

    def add(self, outcome):
        with self.lock:
            self.outcomes.append(outcome)
            if outcome.status not in COUNTED:
                return
            self.counted += 1
            by = outcome.detail or ("1 test" if len(outcome.ran) == 1
                                    else f"{len(outcome.ran)} tests")
            change = short(self.sources[outcome.change.path], outcome.change)
            print(f"{self.counted:4} draw {outcome.number}: {outcome.status} by {by} "
                  f"({outcome.seconds:.1f} s): {change}", flush=True)

    def fail(self, error):
        with self.lock:
            self.error = self.error or error
        self.stop.set()

    def save(self):
        (self.directory / "learned.json").write_text(json.dumps(self.learned, indent=1))


def read_json(path):
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def prepare(run, index):
    """Build a worker's copy, and time the tests on it unless that was done; returns its suite."""
    print(f"Building build/mutate/{index}", flush=True)
    place = workspace.Workspace(run.options.root, run.directory / str(index))
    place.prepare()
    tests = suite.Suite(place, run.learned, run.stop)
    times = run.directory / "times.json"
    key = workspace.digest(place.source)
    known = read_json(times)
    if known.get("sources") != key:
        print("Running the tests without a change, to time them", flush=True)
        known = {"sources": key, "seconds": {}}
    failed = tests.measure(known["seconds"])
    times.write_text(json.dumps(known))
    if failed:
        raise workspace.WorkspaceError(f"fails without a change: {', '.join(failed)}\n"
                                       f"The last one says:\n{tests.failure[-4000:].rstrip()}")
    return tests


def try_draw(run, tests, number, change):
    start = time.monotonic()
    why = no_effect.why(run.known, change, run.sources[change.path])
    if why and run.options.replay is None:
        return Outcome(number, change, "no effect", why, [], 0)
    detail, ran = None, []
    changed = tokens.apply(run.sources[change.path], change)
    status = tests.workspace.compare(change.path, changed)
    if status == "other code":
        name, how, ran = tests.judge(change.path, run.options.budget)
        if how == "build":
            status = "does not compile"
        else:
            status = "noticed" if name else "not noticed"
            detail = f"{name} ({how})" if name and how != "failed" else name
    return Outcome(number, change, status, detail, ran, time.monotonic() - start)


def work(run, tests):
    try:
        while (drawn := run.next()) is not None:
            run.add(try_draw(run, tests, *drawn))
    except suite.Stopped:
        pass
    except Exception as error:  # pylint: disable=broad-except
        run.fail(error)


def replay(run, draws):
    number, change = next((one for one in draws if one[0] == run.options.replay), (None, None))
    if number is None:
        raise workspace.WorkspaceError(f"--replay {run.options.replay}: there is no such draw")
    print("\n".join([short(run.sources[change.path], change),
                     *differing_lines(run.sources[change.path], change)]), flush=True)
    tests = prepare(run, 1)
    outcome = try_draw(run, tests, number, change)
    if outcome.status == "noticed":
        print(tests.log.read_text(errors="replace").rstrip())
    print(f"{outcome.status}{f' by {outcome.detail}' if outcome.detail else ''}; "
          f"ran: {', '.join(outcome.ran) or 'none'}")
    return 0 if outcome.status == "noticed" else 1


def print_missed(run, outcome):
    change = outcome.change
    lines = differing_lines(run.sources[change.path], change)
    print(f"\nnot noticed: {change.path}:{change.line} "
          f"(--seed {run.options.seed} --replay {outcome.number})", *lines,
          f"ran: {', '.join(outcome.ran) or 'nothing: no test has this code'}", sep="\n")


def report(run, processor_s):
    """Print what was not noticed, and the sums; returns the exit status."""
    outcomes = sorted(run.outcomes, key=lambda outcome: outcome.number)
    sums = Counter(outcome.status for outcome in outcomes)
    counted = [outcome for outcome in outcomes if outcome.status in COUNTED][:run.options.count]
    missed = [outcome for outcome in counted if outcome.status == "not noticed"]
    for outcome in missed:
        print_missed(run, outcome)
    for outcome in outcomes:
        if outcome.status == "no effect":
            change = short(run.sources[outcome.change.path], outcome.change)
            print(f"no effect: {change}: {outcome.detail}")
    noticed = len(counted) - len(missed)
    percent = 100 * noticed / max(1, len(counted))
    print(f"\nseed {run.options.seed}; not counted: {sums['does not compile']} do not compile, "
          f"{sums['the same code']} make the same code, {sums['no effect']} are known to have no "
          "effect")
    print(f"{processor_s / max(1, len(counted)):.1f} s of processor time for each that counts")
    print(f"{noticed} of {len(counted)} noticed ({percent:.1f} %)")
    return 0 if counted and percent >= run.options.least else 1


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_all(run):
    suites = [prepare(run, index) for index in range(1, run.options.jobs + 1)]
    start_s = processor_seconds()
    workers = [threading.Thread(target=work, args=(run, tests)) for tests in suites]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except KeyboardInterrupt:
        print("interrupted; so far:", flush=True)
        run.stop.set()
        for worker in workers:
            worker.join()
    run.save()
    if run.error:
        raise run.error
    return report(run, processor_seconds() - start_s)


def read_known(root, sources):
    """The changes that are known to have no effect; exits when an entry is out of date."""
    file = root / NO_EFFECT
    try:
        known = no_effect.read(file.read_text() if file.exists() else "")
        no_effect.check(known, sources)
    except no_effect.NoEffectError as error:
        sys.exit(f"./dev mutate: {NO_EFFECT}: {error}")
    return known


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def main():
    options = arguments()
    sources = read_sources(options.root)
    known = read_known(options.root, sources)
    if options.check:
        return 0
    draws = draw(options.root, sources, options.seed, options.file)
    if options.list_only:
        for number, change in draws[:options.count]:
            print(f"draw {number}: {short(sources[change.path], change)}")
        return 0
    run = Run(options, sources, draws, known)
    # A shell starts a job in the background with signals ignored that the tests send.
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    with open(run.directory / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return replay(run, draws) if options.replay is not None else run_all(run)
        except BlockingIOError:
            sys.exit("./dev mutate: another one is running in build/mutate")
        except workspace.WorkspaceError as error:
            sys.exit(f"./dev mutate: {error}")
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
