#!/usr/bin/env python3
"""Count the instructions of decode and encode, by callgrind: they are the same in each run, also on
a busy machine. With two builds it compares them.

    python3 bench/instructions.py BUILD [OLDER-BUILD] [--cases a,b]

A build is one of -Dbench=true, such as build/bench; two builds of two trees can be compared. Fails
where a case takes 2 % more than in the older build.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import documents

EVENTS = 12
LIMIT = 1.02

# The indented and shuffled cases encode what other cases encode.
NOT_ENCODED = ("shuffled", "envelope_last", "webhook_pretty", "integers_pretty")


def count(build, bench, case, folder):
    """Instructions of an event; the first two of a process warm up, and count as well."""
    command = [
        "valgrind", "--tool=callgrind", "--toggle-collect=peer_event",
        f"--callgrind-out-file={folder}/out", build / "bench/peer_herald",
        "codec", bench, documents.CASES[case], folder / f"{case}.json", "0",
    ]
    done = subprocess.run(list(map(str, command)), input="run\n" * (EVENTS - 2), text=True,
                          capture_output=True)
    found = re.search(r"^==\d+== Collected : (\d+)", done.stderr, re.MULTILINE)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return int(found.group(1)) // EVENTS


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="+", type=Path, metavar="BUILD")
    parser.add_argument("--cases", type=lambda text: text.split(","))
    options = parser.parse_args()
    slower = False
    with tempfile.TemporaryDirectory() as name:
        for case, text in documents.documents().items():
            if options.cases and case not in options.cases:
                continue
            (Path(name) / f"{case}.json").write_bytes(text.encode())
            for bench in ("decode", "encode"):
                if bench == "encode" and case in NOT_ENCODED:
                    continue
                counts = [count(build, bench, case, Path(name)) for build in options.builds]
                ratio = counts[0] / counts[-1]
                slower = slower or ratio > LIMIT
                compared = f" {counts[-1]:9} {ratio:6.3f}" if len(counts) > 1 else ""
                print(f"{bench} {case:16} {counts[0]:9}{compared}", flush=True)
    return slower


if __name__ == "__main__":
    sys.exit(main())
