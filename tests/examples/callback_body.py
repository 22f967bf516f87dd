#!/usr/bin/env python3
"""Runs the example callback_body against a receiver, and prints TAP.

Usage: tests/examples/callback_body.py PROGRAM
"""

import http.server
import subprocess
import sys
import threading

received = []


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        received.append((self.path, self.headers["Authorization"], self.headers["Content-Type"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def main():
    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done = subprocess.run(
        [sys.argv[1], str(server.server_port)], capture_output=True, text=True, timeout=60, check=False
    )
    server.shutdown()
    wanted = [("/receipts", "Bearer 4f1c", "application/json", '{"article":"tea","done":true}')]
    cases = [
        ("it ends with 0", done.returncode == 0, done),
        ("the function runs", done.stdout.startswith("ordered tea\n"), done.stdout),
        ("the outcome is told", done.stdout.endswith(": delivered\n"), done.stdout),
        ("the receiver gets the body and the password", received == wanted, received),
    ]
    for number, (name, is_good, found) in enumerate(cases, 1):
        print(f"{'ok' if is_good else 'not ok'} {number} - {name}")
        if not is_good:
            print(f"# found {found!r}")
    print(f"1..{len(cases)}")


main()
