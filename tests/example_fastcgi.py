#!/usr/bin/env python3
"""Runs the FastCGI example as its head comment says: behind an nginx with the location that is shown
there, on a free port, and each curl line word for word but for that port and the socket's path.

    tests/example_fastcgi.py PROGRAM
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
import time

WAIT_S = 20
PIPE_BYTES = 4096
SOURCE = "examples/fastcgi.c"

# Debian keeps this file beside nginx' configuration; here it is what the example needs of it.
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
    {location}
  }}
}}
"""


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def head():
    with open(SOURCE, encoding="utf-8") as source:
        text = source.read().split("*/")[0]
    return "\n".join(line[2:] for line in text.split("\n"))


def commands():
    """Pairs of a curl command and the answer that is promised."""
    blocks = re.findall(r"^\tcurl .*?(?=\n\s*\n|\Z)", head(), re.DOTALL | re.MULTILINE)
    pairs = [block.rstrip().split("\n\t=> ") for block in blocks]
    assert pairs and all(len(pair) == 2 for pair in pairs), f"a command without answer: {pairs}"
    return pairs


def location():
    return re.search(r"^\tlocation .*?^\t}", head(), re.DOTALL | re.MULTILINE).group(0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, *processes):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        for process in processes:
            assert process.poll() is None, process.stderr.read().decode()
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it does not start")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        return True
    except ConnectionRefusedError:
        return False


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


def run_command(command, port):
    """The answer to a curl line, as "200 {...}"."""
    answer = subprocess.run(["bash", "-c", command.replace(":8080", f":{port}")],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_S,
                            check=True).stdout.decode()
    answer_head, body = answer.split("\r\n\r\n", 1)
    return answer_head.split(" ", 2)[1] + " " + body


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
            for command, answer in commands():
                equal(run_command(command, port), answer)
        finally:
            end(nginx, signal.SIGQUIT)
            ended = end(example, signal.SIGTERM)
    equal(ended, (0, b"Welcome, johndoe!\n", b"waiting for a web server\n"))


def is_short(_):
    with open(SOURCE, encoding="utf-8") as source:
        count = len(source.readlines())
    assert count < 120, f"{count} lines"


cases = [works_as_its_head_says, a_second_signal_ends_it, is_short]
print(f"1..{len(cases)}")
failed = False
for index, check in enumerate(cases, 1):
    title = f"fastcgi {check.__name__.replace('_', ' ')}"
    try:
        check(sys.argv[1])
        print(f"ok {index} - {title}")
    except Exception as error:  # pylint: disable=broad-except
        failed = True
        print(f"not ok {index} - {title}")
        print("\n".join("# " + line for line in f"{type(error).__name__}: {error}".split("\n")))
sys.exit(1 if failed else 0)
