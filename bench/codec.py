"""decode and encode: every case on every peer, and how Herald's cost grows."""

import os
from dataclasses import dataclass, field
from statistics import median

import documents
import peers
import report


@dataclass
class Result:
    """What was measured of one peer in one case; times in nanoseconds."""

    bench: str
    case: str
    peer: str
    bytes: int
    allocs_per_event: float | None  # None: not counted
    times: list = field(default_factory=list)

    @property
    def cost(self):
        return median(self.times)

    @property
    def spread(self):
        return report.spread(self.times)

    def shape(self):
        return {
            "bench": self.bench,
            "case": self.case,
            "peer": self.peer,
            "bytes": self.bytes,
            "ns_per_event": round(self.cost, 2),
            "gb_per_s": round(self.bytes / self.cost, 4),
            "allocs_per_event": self.allocs_per_event and round(self.allocs_per_event, 2),
        }


@dataclass
class Job:
    """One peer on one case: its process takes part in the turns."""

    case: str
    peer: str
    command: list
    payload_type: str
    text: str
    extra: tuple = ()


def decode(options):
    return run("decode", options)


def encode(options):
    return run("encode", options)


def run(bench, options):
    makers = {name: maker for name, maker in peers.CODEC.items()
              if name not in (peers.ONLY_ENCODE if bench == "decode" else peers.ONLY_DECODE)}
    found, skipped = peers.find(options.build, makers, options.peers)
    groups = [
        [Job(case, peer, command, documents.CASES[case], text) for peer, command in found.items()
         if peer not in peers.MANY]
        for case, text in documents.documents().items()
    ]
    if bench == "decode" and "herald service" in found:
        groups += scaling(found["herald service"])
    if bench == "decode":
        groups += [many(found)]
    if options.cases:
        groups = [[job for job in group if job.case in options.cases] for group in groups]
    results = []
    for group in groups:
        results += take_turns(bench, group, options)
    return results, skipped


def many(found):
    """100 events in one call, and one at a time."""
    text = documents.write(documents.user_created())
    return [Job("many_100", peer, found[peer], "user_created", text)
            for peer in ("herald service", *peers.MANY) if peer in found]


def scaling(command):
    """Two groups: sizes from 1 KB to 1 MB, and 10 to 10,000 routes."""
    sizes = [
        Job(f"size_{count}_items", "herald service", command, "batch",
            documents.write(documents.batch(count)))
        for count in (10, 100, 1000, 10000)
    ]
    routes = [
        Job(f"routes_{count}", "herald service", command, "user_created",
            documents.routed_documents(count), (count,))
        for count in (10, 1000, 10000)
    ]
    return [sizes, routes]


def take_turns(bench, jobs, options):
    """Check all, then A B C A B C ...; the first round warms up and does not count."""
    core, _ = peers.cores()
    batch_ms = 10 if options.quick else 50
    folder = options.build / "documents"
    folder.mkdir(exist_ok=True)
    processes, results = [], []
    # All of them first: a peer that starts may still be reading when the next one is checked.
    for case, text in {job.case: job.text for job in jobs}.items():
        (folder / f"{case}.json").write_bytes(text.encode())
    for job in jobs:
        path = folder / f"{job.case}.json"
        command = [*job.command, bench, job.payload_type, path, batch_ms, *job.extra]
        results.append(prove(bench, job, command, options))
        processes.append(peers.start(command, core))
    try:
        for turn in range(options.rounds + 1):
            for process, result in zip(processes, results):
                time = float(peers.ask(process, "run"))
                if turn > 0:
                    result.times.append(time)
    finally:
        for process in processes:
            peers.stop(process)
    return results


def prove(bench, job, command, options):
    """Prove that the peer gets the right values, and count its allocations."""
    counting = {"LD_PRELOAD": str((options.build / "bench/libcount_allocations.so").resolve())}
    process = peers.start(command, peers.cores()[0], env={**os.environ, **counting})
    try:
        lines = [peers.ask(process, "check")]
        while lines[-1] != "end":
            lines.append(process.stdout.readline().strip())
            if not lines[-1]:
                raise peers.BenchError(f"{job.peer} has ended in its check of {job.case}")
        allocations = float(peers.ask(process, "allocs"))
    finally:
        peers.stop(process)
    document = job.text.split("\n")[0] if job.extra else job.text
    size = len(document.encode())
    if bench == "decode":
        compare(job, lines[:-1], documents.dump(document, job.payload_type))
    else:
        compare(job, [documents.encoded(lines[0], job.payload_type)],
                [documents.known(document, job.payload_type)])
        size = len(lines[0].encode())
    return Result(bench, job.case, job.peer, size, allocations)


def compare(job, got, expected):
    if got == expected:
        return
    at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), -1)
    raise peers.BenchError(
        f"{job.peer} gets other values in {job.case}: {str(got[at])[:200]!r}, "
        f"not {str(expected[at])[:200]!r} (value {at} of {len(expected)}; it has {len(got)})")
