#!/usr/bin/env python3
"""Reads Herald's metrics, and what there is for Prometheus, with real readers.

    tests/interop/prometheus.py WRITE_METRICS QUICKSTART

WRITE_METRICS is the program of write_metrics.c. The readers are the parsers of PyPI
prometheus-client, of which the one for OpenMetrics is strict, and promtool (Debian's prometheus),
which also checks and tests the alerts in docs/monitoring. PROMTOOL names it if it is not in the
PATH; if it is not here, its cases are skipped.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request

from sdks import HERE, ROOT, folder_of, install

sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
from programs import WAIT_S, equal  # noqa: E402

write_metrics, quickstart = sys.argv[1:]
ALERTS = ROOT / "docs" / "monitoring"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def written(kind):
    return subprocess.run([write_metrics, kind], stdout=subprocess.PIPE, timeout=WAIT_S,
                          check=True).stdout


def parsed(kind, text):
    folder = folder_of("prometheus-client")
    program = folder / "bin" / "python3"
    if not program.exists():
        install(["python3", "-m", "venv", str(folder)], ROOT)
    install([str(program), "-m", "pip", "install", "--quiet", "prometheus-client==0.26.0"], ROOT)
    result = subprocess.run([str(program), str(HERE / "read_metrics.py"), kind], input=text,
                            stdout=subprocess.PIPE, timeout=WAIT_S, check=True)
    return json.loads(result.stdout)


def promtool(*arguments, text=b""):
    program = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if not program:
        raise tap.Skip("promtool is not here (Debian's package prometheus)")
    result = subprocess.run([program, *map(str, arguments)], input=text, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=WAIT_S, check=False)
    equal((result.returncode, result.stdout.decode() if result.returncode else ""), (0, ""))
    return result.stdout.decode()


def both_parsers_read_the_same():
    read = {kind: parsed(kind, written(kind)) for kind in ("openmetrics", "prometheus")}
    equal(read["openmetrics"]["types"]["herald_build"], "info")
    equal(read["openmetrics"]["types"]["herald_events"], "counter")
    equal(read["openmetrics"]["types"]["herald_event_duration_seconds"], "histogram")

    def without_sums(samples):
        # How long it took is another time in each run, and so are the buckets.
        return [sample if "duration" not in sample[0] else sample[:2] for sample in samples]

    equal(*(without_sums(found["samples"]) for found in read.values()))
    names = {sample[1].get("event_type") for sample in read["openmetrics"]["samples"]}
    equal(names, {None, "", "*", "item", "a \"quoted\" \\ and\nbroken \\xff \u20ac"})
    counted = {sample[1]["verdict"]: sample[2] for sample in read["openmetrics"]["samples"]
               if sample[0] == "herald_events_total" and sample[1]["event_type"] == "item"}
    equal(counted, {"done": 1, "retry": 0, "fail": 1, "invalid": 0, "unauthorized": 0})


def a_running_program_is_read():
    with subprocess.Popen([quickstart, "--port", "0"], stdout=subprocess.PIPE, text=True) as program:
        try:
            port = re.search(r"127\.0\.0\.1:(\d+)", program.stdout.readline()).group(1)
            url = f"http://127.0.0.1:{port}/metrics"
            for accept, kind in ((OPENMETRICS, "openmetrics"), ("*/*", "prometheus")):
                request = urllib.request.Request(url, headers={"Accept": accept})
                with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                    text = answer.read()
                    assert kind in answer.headers["Content-Type"] or kind == "prometheus"
                assert parsed(kind, text)["samples"]
                if kind == "prometheus":
                    promtool("check", "metrics", text=text)
        finally:
            program.kill()


def promtool_finds_nothing_to_say():
    promtool("check", "metrics", text=written("prometheus"))


def the_alerts_are_rules():
    promtool("check", "rules", ALERTS / "prometheus-alerts.yml")


def the_alerts_fire_when_they_should():
    promtool("test", "rules", ALERTS / "prometheus-alerts-test.yml")


tap.run([(case.__name__.replace("_", " "), case) for case in (
    both_parsers_read_the_same, a_running_program_is_read, promtool_finds_nothing_to_say,
    the_alerts_are_rules, the_alerts_fire_when_they_should)])
