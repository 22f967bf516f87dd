#!/usr/bin/env python3
"""./dev bench: measures Herald against what its users would choose instead. See README.md.

It owns the command line and what is printed; the cases and the measuring in turns are in codec.py
(decode, encode), serving.py (http, callback), signing.py (signature), storing.py (durable),
consuming.py (brokers) and cloudevent_sdks.py (cloudevents).
"""

import argparse
import json
import os
import sys
from pathlib import Path

import cloudevent_sdks
import codec
import consuming
import peers
import report
import serving
import signing
import storing

BENCHES = {
    "decode": codec.decode,
    "encode": codec.encode,
    "http": serving.http_bench,
    "callback": serving.callback,
    "signature": signing.signature,
    "durable": storing.durable,
    "brokers": consuming.brokers,
    "cloudevents": cloudevent_sdks.cloudevents,
}


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("bench", choices=BENCHES)
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    parser.add_argument("--quick", action="store_true", help="few and short rounds: does it run?")
    parser.add_argument("--rounds", type=int, help="how often each peer is measured (11; durable and brokers: 5)")
    parser.add_argument("--cases", type=lambda text: text.split(","), help="only these: a,b")
    parser.add_argument("--peers", type=lambda text: text.split(","), help="only these: a,b")
    parser.add_argument("--write-results", action="store_true",
                        help="append them to bench/results.json; renew README.md and pictures")
    parser.add_argument("--full", action="store_true",
                        help="durable: also 10 million pending events")
    parser.add_argument("--build", type=Path, default=Path("build/bench"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least 1")
    options.rounds = options.rounds or rounds(options)
    if options.write_results and (options.quick or options.cases or options.peers):
        parser.error("--write-results: not with --quick, --cases or --peers")
    return options


def rounds(options):
    if options.bench == "durable":
        return 2 if options.quick else storing.ROUNDS
    if options.bench == "brokers":
        return 2 if options.quick else consuming.ROUNDS
    return 3 if options.quick else 11


def main():
    options = arguments()
    busy = os.getloadavg()[0]
    if busy > 0.5:
        print(f"the machine is busy (load {busy:.1f}): expect noise", file=sys.stderr)
    try:
        results, skipped = BENCHES[options.bench](options)
    except peers.BenchError as error:
        sys.exit(f"./dev bench: {error}")
    for name, reason in skipped.items():
        print(f"skipped: {name}: {reason}", file=sys.stderr)
    if options.json:
        for result in results:
            print(json.dumps(result.shape()))
    else:
        print(report.table(options.bench, results))
    if options.write_results:
        report.write(options.bench, results, skipped, options)


if __name__ == "__main__":
    main()
