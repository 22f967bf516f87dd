"""An end of TLS in front of a program, with a certificate that is made here."""

import contextlib
import os
import select
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading


def make_certificate(folder, name):
    """The path of a certificate of 127.0.0.1 that signs itself; its key is in the same file."""
    path = os.path.join(folder, name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path + ".key", "-out",
                    path], check=True, capture_output=True)
    with open(path + ".key", encoding="ascii") as key, open(path, "a", encoding="ascii") as both:
        both.write(key.read())
    return path


def relay(client, program):
    """Hand on what comes, until one of them ends. One thread: a TLS connection is used by one."""
    others = {client: program, program: client}
    while True:
        for source in select.select(list(others), [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            while source is client and client.pending() > 0:
                data += client.recv(client.pending())
            others[source].sendall(data)


class Relay(socketserver.BaseRequestHandler):
    """Hands on what comes, and what is answered."""

    def handle(self):
        with contextlib.suppress(OSError), \
                self.server.context.wrap_socket(self.request, server_side=True) as client, \
                socket.create_connection(("127.0.0.1", self.server.program_port)) as program:
            relay(client, program)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextlib.contextmanager
def in_front_of(port):
    """Gives the address, the certificate that is to be trusted, and another one."""
    with tempfile.TemporaryDirectory() as folder:
        trusted, other = (make_certificate(folder, name) for name in ("trusted.pem", "other.pem"))
        with Server(("127.0.0.1", 0), Relay) as server:
            server.program_port = port
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(trusted)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"https://127.0.0.1:{server.server_address[1]}", trusted, other
            finally:
                server.shutdown()
                thread.join()
