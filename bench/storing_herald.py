"""durable: the cases with a figure of Herald alone; held_snapshot measures other queues, too."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import peers
import serving
import storing

STUCK, DEAD_ROWS, PENDING, MORE_PENDING = 100_000, 100_000, 1_000_000, 10_000_000
# Events whose rate is compared, and events whose latency is measured. If many are pending, a store
# counts them for some time after its start, so more of them are claimed.
CLAIMED, CLAIMED_OF_MANY, HELD, WOKEN = 50_000, 200_000, 20_000, 500
# They get the same treatment as Herald.
HELD_TOO = ("river postgres tuned", "graphile tuned")


@dataclass
class Figure:
    """A figure that is not a cost; a round is one value."""

    case: str
    peer: str
    store: str
    unit: str
    values: list = field(default_factory=list)

    def shape(self):
        return {
            "bench": "durable",
            "case": self.case,
            "peer": self.peer,
            "store": self.store,
            "value": round(median(self.values), 2),
            "value_range": [round(min(self.values), 2), round(max(self.values), 2)],
            "unit": self.unit,
            "cpu_us_per_event": None,
        }


def cases(queues, options):
    """{case: what measures it}"""
    ours = [queue for queue in queues if queue.is_ours]
    held = [queue for queue in queues
            if queue.server and (queue.is_ours or queue.name in HELD_TOO)]

    def each(measure):
        return lambda: [figure for queue in ours for figure in measure(queue, options)]

    return {
        "store_insert_256": lambda: store_insert(ours, options),
        "exactly_once": lambda: storing.in_turns("exactly_once", ours, join, options),
        "held_snapshot": lambda: percentages("held_snapshot", held, held_snapshot, options),
        "stuck_keys": lambda: percentages("stuck_keys", ours, stuck_keys, options),
        "pending_1m": each(pending),
        "recover": each(recover),
        "wake_up": each(wake_up),
    }


# --- Costs ----------------------------------------------------------------------------------------


def store_insert(ours, options):
    """What the database alone costs: transactions of 256 events, with ids or without."""
    results = {}
    for turn in range(options.rounds + 1):
        for queue in ours:
            for ids, name in enumerate(("no ids", "ids in order", "random ids")):
                def measure(count, queue=queue, ids=ids):
                    queue.ask("clear")
                    return queue.measure(f"insert {count} {storing.BATCH} {ids}")
                measured = measure(queue.count(f"store_insert {ids}", measure, options))
                if turn > 0:
                    peer = f"{queue.name}, {name}"
                    results.setdefault(peer, storing.Result(
                        "durable", "store_insert_256", peer, queue.store)).add(*measured)
        storing.progress("store_insert_256", turn, options)
    return list(results.values())


def join(queue):
    """Each function writes a row in the transaction of its event."""
    def measure(count):
        queue.ask("clear")
        queue.ask(f"insert {count} {storing.BATCH}")
        return queue.measure(f"join {count}")
    return measure


# --- Percentages ----------------------------------------------------------------------------------


def percentages(case, queues, measurer, options):
    """Of each queue: the rate under a burden, in percent of the rate without it."""
    results = {queue: Figure(case, queue.name, queue.store, "% of normal") for queue in queues}
    for turn in range(options.rounds + 1):
        for queue in queues:
            free, burdened = measurer(queue, options)
            if turn > 0:
                results[queue].values.append(100 * burdened / free)
        if queues:
            storing.progress(case, turn, options)
    return list(results.values())


def rate(queue, count):
    """Store events and run them: events per second."""
    queue.ask(f"insert {count} {storing.BATCH}")
    _, seconds = queue.ask(f"work {count}")
    return count / seconds


def few(options, count):
    return count // 50 if options.quick else count


def held_snapshot(queue, options):
    """A transaction that is open keeps vacuum from removing the rows of events that are done."""
    count = few(options, HELD)
    queue.ask("clear")
    free = rate(queue, count)
    with snapshot(queue.server.url):
        rate(queue, few(options, DEAD_ROWS))
        burdened = rate(queue, count)
    return free, burdened


@contextmanager
def snapshot(url):
    """Hold a snapshot of the whole database."""
    if not shutil.which("psql"):
        raise peers.BenchError("held_snapshot needs psql (Debian: postgresql-client)")
    process = subprocess.Popen(["psql", "-qAt", url], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        peers.ask(process, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current();")
        yield
    finally:
        peers.stop(process)


def stuck_keys(queue, options):
    """Events that wait for two others, which are due later."""
    count = few(options, CLAIMED)
    queue.ask("clear")
    free = rate(queue, count)
    queue.ask("clear")
    queue.ask(f"stuck {few(options, STUCK)} 2")
    return free, rate(queue, count)


# --- Many pending events --------------------------------------------------------------------------


def pending(queue, options):
    """Herald's rate, its time to open, and its memory, with many events in the database."""
    claims = Figure("pending_1m", f"{queue.name}, rate", queue.store, "% of normal")
    cpu = Figure("pending_1m", f"{queue.name}, CPU", queue.store, "% of normal")
    opened = Figure("pending_1m", f"{queue.name}, open", queue.store, "ms")
    memory = Figure("pending_1m", f"{queue.name}, RSS", queue.store, "MiB")
    count = few(options, CLAIMED_OF_MANY)
    for turn in range(options.rounds):
        queue.ask("clear")
        free_us, free_seconds = work_settled(queue, count, count)
        used_us, seconds = work_settled(queue, few(options, PENDING), count)
        claims.values.append(100 * free_seconds / seconds)
        cpu.values.append(100 * used_us / free_us)
        open_many(queue, opened, memory)
        storing.progress("pending_1m", turn + 1, options)
    figures = [claims, cpu, opened, memory]
    if options.full:
        queue.ask(f"insert {MORE_PENDING} 1000")
        figures += [Figure("pending_10m", f"{queue.name}, open", queue.store, "ms"),
                    Figure("pending_10m", f"{queue.name}, RSS", queue.store, "MiB")]
        open_many(queue, *figures[-2:])
    queue.ask("clear")
    return figures


def work_settled(queue, stored, count):
    """Store events, and run some of them. Returns the CPU time and the seconds of the latter."""
    queue.ask(f"insert {stored} 1000")
    settle(queue)
    used, _, seconds = queue.measure(f"work {count}")
    return sum(used), seconds


def settle(queue):
    """What was stored is on disk, and tidied up: that is not charged to what comes next."""
    if queue.server:
        if not shutil.which("psql"):
            raise peers.BenchError("pending_1m needs psql (Debian: postgresql-client)")
        for command in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            subprocess.run(["psql", "-qAt", queue.server.url, "-c", command], check=True)
    os.sync()


def open_many(queue, opened, memory):
    """In a process of its own, whose memory has held nothing else."""
    other = queue.another()
    try:
        _, seconds = other.ask("open")
        opened.values.append(1000 * seconds)
        memory.values.append(serving.rss_mb(other.process.pid))
        other.ask("close")
    finally:
        peers.stop(other.process)


# --- Waking up ------------------------------------------------------------------------------------


def wake_up(queue, options):
    """From the commit of an event until its function begins, of events that come one by one."""
    count = WOKEN // 5 if options.quick else WOKEN
    here = Figure("wake_up", f"{queue.name}, in process", queue.store, "ms, median")
    there = [Figure("wake_up", f"{queue.name}, between processes, {name}", queue.store, "ms")
             for name in ("p50", "p99")]
    for turn in range(options.rounds):
        queue.ask("clear")
        queue.ask("listen")
        sent = times(queue, f"send {count}")
        begun = times(queue, f"begun {count}")
        here.values.append(1000 * median(latencies(sent, begun)))
        if queue.server:
            between(queue, count, there)
        storing.progress("wake_up", turn + 1, options)
    queue.ask("clear")
    if not queue.server:
        return [here]
    return [here, *there, notifies(queue, options)]


def notifies(queue, options):
    """How often a busy process tells others of new events."""
    figure = Figure("wake_up", f"{queue.name}, NOTIFY", queue.store, "per second")
    seconds = 1 if options.quick else 3
    watcher = queue.another()
    try:
        for _ in range(options.rounds):
            watcher.process.stdin.write(f"watch {seconds}\n")
            watcher.process.stdin.flush()
            end_s = storing.now_s() + seconds
            while storing.now_s() < end_s:
                queue.ask(f"flow {few(options, CLAIMED)} {storing.BATCH}")
            count, _ = watcher.process.stdout.readline().split()
            figure.values.append(int(count) / seconds)
    finally:
        peers.stop(watcher.process)
    queue.ask("clear")
    return figure


def times(queue, command):
    return [float(word) for word in peers.ask(queue.process, command).split()]


def latencies(sent, begun):
    """A function may begin before the sender has seen its answer: then the latency is 0."""
    return [max(0.0, end - start) for start, end in zip(sent, begun) if end > 0]


def between(queue, count, figures):
    """One process takes events and another one runs them, because the workers of the first one are
    busy. It keeps the first few for itself."""
    queue.ask("clear")
    sender, runner = queue.another(), queue.another()
    try:
        sender.ask("open")
        runner.ask("listen")
        sent = times(sender, f"send {count}")
        time.sleep(1)
        begun = times(runner, f"begun {count}")
        kept = 20
        waits = sorted(latencies(sent[kept:], begun[kept:]))
        for figure, part in zip(figures, (0.5, 0.99)):
            figure.values.append(1000 * waits[min(len(waits) - 1, int(part * len(waits)))])
    finally:
        # The sender's functions do not return.
        for process in (sender.process, runner.process):
            process.kill()
            peers.stop(process)


# --- A killed process -----------------------------------------------------------------------------


def recover(queue, options):
    """From kill -9 of a process that runs events until another one runs them again. On SQLite the
    other one starts after the kill; on PostgreSQL it is there before."""
    figure = Figure("recover", queue.name, queue.store, "ms")
    for turn in range(options.rounds if queue.store == "sqlite" else min(2, options.rounds)):
        queue.ask("clear")
        queue.ask("insert 4 4")
        victim = queue.another()
        victim.ask("hold 4")
        other = queue.another() if queue.server else None
        if other:
            other.ask("listen")
        figure.values.append(kill(victim, other, queue.another))
        storing.progress("recover", turn + 1, options)
    queue.ask("clear")
    return [figure]


def kill(victim, other, start):
    os.kill(victim.process.pid, signal.SIGKILL)
    killed_s = storing.now_s()
    victim.process.wait()
    other = other or start()
    try:
        _, recovered_s = other.ask("recover 4")
        other.ask("close")
    finally:
        peers.stop(other.process)
    return 1000 * (recovered_s - killed_s)
