"""cloudevents: an event of either mode, from headers and body to attributes and typed data, in
Herald and in the SDKs for Go, Rust and Java. cloudevents/herald.c describes the peers' protocol."""

import json
import shutil
from pathlib import Path
from statistics import quantiles

import codec
import peers

HERE = Path(__file__).resolve().parent / "cloudevents"

LINES = [{"sku": f"SKU-{number:04}", "quantity": number % 7 + 1} for number in range(8)]
DATA = {"order_id": "4711", "total_cents": 1999, "lines": LINES}
ATTRIBUTES = {
    "id": "b0d2e1a4-8d3c-4f2a-9d7e-2f6c1f0a9b11",
    "source": "https://example.com/orders/eu",
    "type": "com.example.order.placed",
    "time": "2018-04-05T17:31:00.123456789Z",
    "subject": "order/4711",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01",
}
EXPECTED = " ".join([
    *(ATTRIBUTES[name] for name in ("id", "source", "type", "subject", "time", "traceparent")),
    "4711", "1999", *(f"{line['sku']}:{line['quantity']}" for line in LINES)])


TURNS_A_ROUND = 10
"""Many short turns, because only some of them run without being disturbed."""


class Result(codec.Result):
    """The fastest tenth of the turns of each peer: other programs on the machine, a garbage
    collector or a compiler only ever add time. Herald and its peers are treated alike."""

    @property
    def cost(self):
        return quantiles(self.times, n=10)[0] if len(self.times) > 1 else self.times[0]

    @property
    def spread(self):
        """From the fastest tenth to the fastest fifth, in percent."""
        fifth = quantiles(self.times, n=5)[0] if len(self.times) > 1 else self.cost
        return 100 * (fifth - self.cost) / self.cost


def write(value):
    return json.dumps(value, separators=(",", ":"))


def requests():
    """What each peer reads from a file: headers, an empty line, the body."""
    structured = {"specversion": "1.0", **ATTRIBUTES, "datacontenttype": "application/json",
                  "data": DATA}
    headers = "".join(f"ce-{name}: {value}\n" for name, value in ATTRIBUTES.items())
    return {
        "structured": "content-type: application/cloudevents+json\n\n" + write(structured),
        "binary": f"ce-specversion: 1.0\n{headers}content-type: application/json\n\n{write(DATA)}",
    }


def java_program():
    if not shutil.which("mvn") or not shutil.which("java"):
        raise peers.Missing("mvn or java is not here (Debian: maven, default-jdk)")
    target = peers.build_folder("cloudevents-java")
    target.mkdir(parents=True, exist_ok=True)
    jars = target / "jars"
    peers.build_once(
        ["mvn", "-q", "-B", f"-DbuildDirectory={target}", "package", "dependency:copy-dependencies",
         f"-DoutputDirectory={jars}"], HERE / "java")
    return ["java", "-XX:+UseSerialGC", "-cp", f"{target}/cloudevents-peer-1.jar:{jars}/*",
            "bench.Peer"]


def rust_program():
    if not shutil.which("cargo"):
        raise peers.Missing("cargo is not here (rustup.rs, or Debian's cargo if it is new enough)")
    target = peers.build_folder("cloudevents-rust")
    peers.build_once(["cargo", "build", "--release", "--target-dir", target],
                     HERE / "rust")
    return [target / "release" / "cloudevents-peer"]


MAKERS = {
    "herald": lambda build: [peers.c_program(build, "cloudevents_herald", "Herald")],
    "sdk-go": lambda _: [peers.go_program("peer", "cloudevents/go")],
    "sdk-rust": lambda _: rust_program(),
    "sdk-java": lambda _: java_program(),
}


def cloudevents(options):
    found, skipped = peers.find(options.build, MAKERS, options.peers)
    results = []
    for case, text in requests().items():
        if not options.cases or case in options.cases:
            results += take_turns(case, text, found, options)
    return results, skipped


def take_turns(case, text, found, options):
    """Check all, then A B C A B C ...; the first three rounds warm up (the JVM compiles) and do
    not count."""
    warm_up = 3 * TURNS_A_ROUND
    path = options.build / f"cloudevents_{case}.txt"
    path.write_text(text, encoding="utf-8")
    batch_ms = 5 if options.quick else 20
    core, _ = peers.cores()
    processes, results = [], []
    try:
        for peer, command in found.items():
            process = peers.start([*command, case, path, batch_ms], core)
            processes.append(process)
            got = peers.ask(process, "check")
            if got != EXPECTED:
                raise peers.BenchError(f"{peer} gets other values in {case}: {got!r}")
            results.append(Result("cloudevents", case, peer, len(text.split("\n\n")[1]), None))
        for turn in range(options.rounds * TURNS_A_ROUND + warm_up):
            for process, result in zip(processes, results):
                time = float(peers.ask(process, "run"))
                if turn >= warm_up:
                    result.times.append(time)
    finally:
        for process in processes:
            peers.stop(process)
    return results
