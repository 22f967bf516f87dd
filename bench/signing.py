"""signature: what verifying costs, compared with the HMAC that it needs."""

import subprocess

import codec
import peers

CASES = {"200 bytes": 200, "1 KiB": 1024, "64 KiB": 65536}
PEERS = {"herald": "herald verify", "nettle": "nettle HMAC"}
BATCH_MS, QUICK_MS = 100, 10


def signature(options):
    program = options.build / "bench" / "bench_signature"
    if not program.exists():
        return [], {"herald verify": "nettle is not here"}
    results = []
    for case, size in CASES.items():
        if options.cases and case not in options.cases:
            continue
        results += measure(program, case, size, options)
    return results, {}


def measure(program, case, size, options):
    times = {name: [] for name in PEERS}
    allocations = dict.fromkeys(PEERS, 0)
    with subprocess.Popen([program, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        for _ in range(options.rounds):
            process.stdin.write(f"{QUICK_MS if options.quick else BATCH_MS}\n")
            process.stdin.flush()
            for _ in PEERS:
                words = process.stdout.readline().split()
                if len(words) != 3:
                    raise peers.BenchError(f"{program} has ended")
                times[words[0]].append(float(words[1]))
                allocations[words[0]] = float(words[2])
        process.stdin.close()
    return [codec.Result("signature", case, peer, size, allocations[name], times[name])
            for name, peer in PEERS.items()]
