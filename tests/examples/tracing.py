#!/usr/bin/env python3
"""Runs examples/tracing.c in front of a small receiver of OTLP. tests/interop/otlp.py has others.

    tests/examples/tracing.py TRACING
"""

import http.server
import json
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import ports
import tap
from programs import refuses_wrong_ports

PROGRAM = sys.argv[1]
WAIT_S = 60
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
LINK = "4bf92f3577b34da6a3ce929d0e0e4736"
EVENT = {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
         "payload": {"username": "johndoe"},
         "metadata": {"id": "1", "traceparent": f"00-{LINK}-1234567890abcdef-00"}}


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps the bodies of its requests."""

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.put((self.path, self.headers["Content-Type"], body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def wait_for(port):
    end = time.monotonic() + WAIT_S
    while not ports.listens(port):
        assert time.monotonic() < end, f"nothing listens on port {port}"
        time.sleep(0.01)


def post(port, event, headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/event",
                                     json.dumps(event).encode(),
                                     {"Content-Type": "application/json", **headers})
    try:
        return urllib.request.urlopen(request, timeout=WAIT_S).status
    except urllib.error.HTTPError as error:
        return error.code


def send_events(url):
    """A sampled event with a link, an event that is refused, and one that is not sampled. The
    program has sent its spans when this returns. Returns its log."""
    port = ports.free_port()
    with subprocess.Popen([PROGRAM, str(port), url], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as program:
        try:
            wait_for(port)
            assert post(port, EVENT, {"traceparent": f"00-{TRACE}-{PARENT}-01",
                                      "tracestate": "a=1", "X-Request-Id": "7"}) == 200
            assert post(port, {"event_type": "user_created"}, {}) == 400
            assert post(port, EVENT, {"traceparent": f"00-{TRACE}-{PARENT}-00"}) == 200
        finally:
            program.send_signal(signal.SIGTERM)
        log = program.communicate(timeout=WAIT_S)[1]
        assert program.returncode == 0, program.returncode
        return log


def collect():
    """Returns the requests that a collector gets, and the program's log."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        server.requests = queue.Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        log = send_events(f"http://127.0.0.1:{server.server_port}/v1/traces")
        server.shutdown()
    return list(server.requests.queue), log


def spans_of(requests):
    return [span for _, _, body in requests for resource in json.loads(body)["resourceSpans"]
            for scope in resource["scopeSpans"] for span in scope["spans"]]


def requests_are_otlp():
    requests, log = collect()
    assert requests and all(path == "/v1/traces" and media_type == "application/json"
                            for path, media_type, _ in requests), requests
    done, refused = spans_of(requests)
    assert (done["traceId"], done["parentSpanId"]) == (TRACE, PARENT), done
    assert done["links"][0]["traceId"] == LINK, done
    assert int(done["endTimeUnixNano"]) >= int(done["startTimeUnixNano"]) > 1e18, done
    assert refused["status"]["code"] == 2 and "parentSpanId" not in refused, refused
    records = [line for line in log.splitlines() if f"trace_id={TRACE}" in line]
    assert f"span_id={done['spanId']} x_request_id=7" in records[0], log


if __name__ == "__main__":
    tap.run([("requests are OTLP, and log records name the trace", requests_are_otlp),
             ("a wrong port is named", refuses_wrong_ports, sys.argv[1])])
