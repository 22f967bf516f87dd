#!/usr/bin/env python3
"""Runs the TLS example as its head comment says: with a certificate made by the openssl line there,
and each curl line word for word except for the port. Then it renews the certificate.

    tests/examples/tls.py PROGRAM
"""

import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile

import tap
from ports import free_port, listens
from programs import WAIT_S, commands_of, equal, head_of, is_short, refuses_wrong_ports, run_line, wait_until

# In the environment, curl would look for proxies and for other certificates.
os.environ["no_proxy"] = "*"


def make_certificate(directory):
    line = re.search(r"^\topenssl req .*?keyout key.pem$", head_of("tls"), re.DOTALL | re.MULTILINE)
    run_line(f"cd {directory} && {line.group(0)}")


@contextlib.contextmanager
def example(program):
    """The program, its port and the folder of its files."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        make_certificate(directory)
        process = subprocess.Popen([program, f"{directory}/cert.pem", f"{directory}/key.pem",
                                    str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            wait_until(lambda: listens(port), process)
            yield process, port, directory
        finally:
            process.kill()
            process.wait()


def works_as_its_head_says(program):
    with example(program) as (process, port, directory):
        for command, answer in commands_of("tls"):
            found = run_line(command.replace(":8080", f":{port}")
                             .replace("cert.pem", f"{directory}/cert.pem"))
            head, body = found.split("\r\n\r\n", 1)
            equal(head.split(" ", 2)[1] + " " + body, answer)
        process.send_signal(signal.SIGTERM)
        equal(process.communicate(timeout=WAIT_S), (b"Welcome, johndoe!\n", b""))
        equal(process.returncode, 0)


def served(port):
    return ssl.get_server_certificate(("127.0.0.1", port))


def text_of(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def reads_renewed_files(program):
    with example(program) as (process, port, directory):
        before = text_of(f"{directory}/cert.pem")
        equal(served(port), before)
        make_certificate(directory)
        after = text_of(f"{directory}/cert.pem")
        assert before != after
        equal(served(port), before)
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: served(port) == after, process)

        os.unlink(f"{directory}/key.pem")
        process.send_signal(signal.SIGHUP)
        equal(process.stderr.readline().decode(),
              f"tls: key: cannot read {directory}/key.pem: No such file or directory\n")
        equal(served(port), after)


def bad_arguments(program):
    for arguments, status, error in (
            ([], 2, "usage: tls CERTIFICATE KEY [PORT]\n"),
            (["/none/cert.pem", "/none/key.pem"], 1,
             "tls: certificate: cannot read /none/cert.pem: No such file or directory\n")):
        ended = subprocess.run([program, *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
        equal((ended.returncode, ended.stderr.decode()), (status, error))


def names_a_wrong_port(program):
    refuses_wrong_ports(program, "/none/cert.pem", "/none/key.pem")


tap.run([(f"tls {check.__name__.replace('_', ' ')}", check, sys.argv[1])
         for check in (works_as_its_head_says, reads_renewed_files, bad_arguments,
                       names_a_wrong_port)]
        + [("tls is short", is_short, "tls")])
