#!/usr/bin/env python3
"""Runs the FastCGI example as its head comment says: behind an nginx with the location shown
there, on a free port, and each curl line word for word except for that port and the socket's path.

    tests/examples/fastcgi.py PROGRAM
"""

import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios

import tap
from ports import free_port, listens
from programs import WAIT_S, commands_of, equal, head_of, is_short, run_command, wait_until

PIPE_BYTES = 4096

# Debian keeps this file next to nginx' configuration; here it is what the example needs of it.
PARAMETERS = """
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
"""

CONFIGURATION = """
{user}
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path body; fastcgi_temp_path fastcgi; proxy_temp_path proxy;
  scgi_temp_path scgi; uwsgi_temp_path uwsgi;
  server {{
    listen 127.0.0.1:{port};
    keepalive_timeout 0;
    {location}
  }}
}}
"""


def location():
    return re.search(r"^\tlocation .*?^\t}", head_of("fastcgi"), re.DOTALL | re.MULTILINE).group(0)


def start_nginx(directory, port, path):
    with open(f"{directory}/fastcgi_params", "w", encoding="utf-8") as out:
        out.write(PARAMETERS)
    text = CONFIGURATION.format(user="user root;" if os.geteuid() == 0 else "", port=port,
                                directory=directory, location=location())
    with open(f"{directory}/nginx.conf", "w", encoding="utf-8") as out:
        out.write(text.replace("/tmp/herald.socket", path))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    return subprocess.Popen([nginx, "-e", f"{directory}/error.log", "-p", directory, "-c",
                             f"{directory}/nginx.conf"], stderr=subprocess.PIPE)


def end(process, number):
    if process.poll() is None:
        process.send_signal(number)
    output = process.communicate(timeout=WAIT_S)
    return process.returncode, *output


def takes_connections(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def a_second_signal_ends_it(program):
    """The function is held by its output: a name longer than the pipe, which nobody reads."""
    for number in (signal.SIGINT, signal.SIGTERM):
        second_signal_ends_it(program, number)


def second_signal_ends_it(program, number):
    port = free_port()
    event = {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
             "payload": {"user_id": "1", "username": "a" * 100000}}
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/socket"
        output, to = os.pipe()
        fcntl.fcntl(to, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        example = subprocess.Popen([program, path], stdout=to, stderr=subprocess.PIPE)
        os.close(to)
        nginx = start_nginx(directory, port, path)
        try:
            wait_until(lambda: os.path.exists(path) and listens(port), example, nginx)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
            connection.request("POST", "/event", json.dumps(event),
                               {"Content-Type": "application/json"})
            wait_until(lambda: bytes_in(output) == PIPE_BYTES, example, nginx)
            example.send_signal(number)
            wait_until(lambda: not takes_connections(path), example, nginx)
            example.send_signal(number)
            equal(example.wait(WAIT_S), -number)
            connection.close()
        finally:
            example.kill()
            example.communicate()
            end(nginx, signal.SIGQUIT)
            os.close(output)


def bytes_in(pipe):
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def works_as_its_head_says(program):
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/socket"
        example = subprocess.Popen([program, path], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        nginx = start_nginx(directory, port, path)
        try:
            wait_until(lambda: os.path.exists(path) and listens(port), example, nginx)
            for command, answer in commands_of("fastcgi"):
                equal(run_command(command, port), answer)
        finally:
            end(nginx, signal.SIGQUIT)
            ended = end(example, signal.SIGTERM)
    equal(ended, (0, b"Welcome, johndoe!\n", b"waiting for a web server\n"))


tap.run([(f"fastcgi {check.__name__.replace('_', ' ')}", check, sys.argv[1])
         for check in (works_as_its_head_says, a_second_signal_ends_it)]
        + [("fastcgi is short", is_short, "fastcgi")])
