"""TCP ports of 127.0.0.1 for programs that have to be told one.

They are below those that the kernel gives to sockets without a port, so no connection and no server
of another test takes one before the program does. tests/support/ports.c does the same.
"""

import random
import socket

WAIT_S = 60
FIRST_PORT = 10240
ATTEMPTS = 1000

_reserved = []  # Names of Unix sockets with the number of a port, bound until the process ends


def first_ephemeral_port():
    """The first port that the kernel may give to any socket."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        return int(limits.read().split()[0])


def reserve(port):
    """Whether no other test has reserved it; none will until this process ends."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0herald-port-{port}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def free_port():
    """A port that is free, and that no other test gets."""
    end = first_ephemeral_port()
    # Where the kernel may give any port to any socket, a free one has to do.
    if end < FIRST_PORT + ATTEMPTS:
        end = 1 << 16
    for _ in range(ATTEMPTS):
        port = random.randrange(FIRST_PORT, end)
        if reserve(port) and is_free(port):
            return port
    raise OSError(f"no free port from {FIRST_PORT} to {end - 1}")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        return True
    except (ConnectionRefusedError, ConnectionResetError):
        return False
