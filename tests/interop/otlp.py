#!/usr/bin/env python3
"""Runs examples/tracing.c in front of real readers of OTLP.

    tests/interop/otlp.py TRACING

TRACING is the program of examples/tracing.c. The readers are the receiver of the OpenTelemetry
Collector (collector/, a Go module) and the protobuf schema of OpenTelemetry (read_otlp.py, with
PyPI opentelemetry-proto). They are installed from their registries into build/interop/, in fixed
versions; one whose toolchain or registry is not here is skipped, by name.
"""

import json
import subprocess
import sys

from sdks import HERE, ROOT, folder_of, install

sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import ports  # noqa: E402
import tap  # noqa: E402
import tracing  # noqa: E402


def protobuf_reads_them():
    folder = folder_of("opentelemetry-proto")
    program = folder / "bin" / "python3"
    if not program.exists():
        install(["python3", "-m", "venv", str(folder)], ROOT)
    install([str(program), "-m", "pip", "install", "--quiet", "opentelemetry-proto==1.27.0"], ROOT)
    requests, _ = tracing.collect()
    subprocess.run([str(program), str(HERE / "read_otlp.py")], check=True, timeout=tracing.WAIT_S,
                   input=b"\n".join(body for _, _, body in requests) + b"\n")


def the_collector_takes_them():
    program = folder_of("collector") / "receiver"
    install(["go", "build", "-o", str(program), "."], HERE / "collector")
    port = ports.free_port()
    with subprocess.Popen([program, f"127.0.0.1:{port}"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as receiver:
        tracing.wait_for(port)
        tracing.send_events(f"http://127.0.0.1:{port}/v1/traces")
        lines = receiver.communicate("", timeout=tracing.WAIT_S)[0].splitlines()
    done, refused = map(json.loads, lines)
    assert done["resource"] == {"service.name": "users"}, done
    assert (done["trace_id"], done["parent_id"], done["trace_state"]) == \
        (tracing.TRACE, tracing.PARENT, "a=1"), done
    assert (done["name"], done["kind"]) == ("process user_created", "Consumer"), done
    assert done["attributes"]["cloudevents.event_id"] == "1", done
    assert done["attributes"]["messaging.message.body.size"] > 100, done
    assert done["links"] == [{"trace_id": tracing.LINK, "span_id": "1234567890abcdef"}], done
    assert (refused["status"], refused["parent_id"]) == ("Error", ""), refused


if __name__ == "__main__":
    tap.run([("the receiver of the OpenTelemetry Collector", the_collector_takes_them),
             ("OpenTelemetry's protobuf schema, strictly", protobuf_reads_them)])
