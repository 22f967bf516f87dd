"""Running the examples: what their heads promise, and waiting for them."""

import os
import re
import subprocess
import time

WAIT_S = 60


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def source_of(name):
    """The source of a program: examples/NAME.c, or examples/cpp/NAME.cpp of cpp_NAME."""
    return f"examples/cpp/{name[4:]}.cpp" if name.startswith("cpp_") else f"examples/{name}.c"


def head_of(name):
    """The comment at the beginning of an example, without its stars."""
    with open(source_of(name), encoding="utf-8") as source:
        head = source.read().split("*/")[0]
    return "\n".join(line[2:] for line in head.split("\n"))


def is_short(name):
    with open(source_of(name), encoding="utf-8") as source:
        count = len(source.readlines())
    assert count < 140, f"{count} lines"


def refuses_wrong_ports(program, *arguments, name=None, zero="1"):
    """The last argument, a port from `zero` on, is checked, and named if it is wrong."""
    wrong = ["", " 1", "+1", "-1", "80x", "0x50", "1.5", "65536", "4294967297", "9" * 30] + ["0"] * (zero == "1")
    for port in wrong:
        result = subprocess.run([program, *arguments, port], capture_output=True, text=True, timeout=WAIT_S, check=False)
        equal((result.returncode, result.stdout, result.stderr),
              (2, "", f'{name or os.path.basename(program)}: expected a port from {zero} to 65535, not "{port}"\n'))


def commands_of(name):
    """Pairs of a curl command and the answer that is promised."""
    blocks = re.findall(r"^\tcurl .*?(?=\n\s*\n|\Z)", head_of(name), re.DOTALL | re.MULTILINE)
    pairs = [block.rstrip().split("\n\t=> ") for block in blocks]
    assert pairs and all(len(pair) == 2 for pair in pairs), f"a command without answer: {pairs}"
    return pairs


def status_and_body(answer):
    """What is left of the output of `curl -i`, as "200 {...}", or "204" without a body."""
    head, body = answer.split("\r\n\r\n", 1)
    status = head.split(" ", 2)[1]
    return f"{status} {body}" if body else status


def run_line(line):
    """The output of a line for a shell."""
    return subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=WAIT_S, check=True).stdout.decode()


def run_command(command, port):
    """The answer to a curl line, sent to this port instead of 8080."""
    return status_and_body(run_line(command.replace(":8080", f":{port}")))


def wait_until(condition, *processes):
    """Wait until the condition holds, as long as these processes run."""
    end = time.monotonic() + WAIT_S
    while not condition():
        for process in processes:
            assert process.poll() is None, f"the program has ended: {why_ended(process)}"
        assert time.monotonic() < end, "waited for too long"
        time.sleep(0.005)


def why_ended(process):
    errors = process.stderr.read().decode() if process.stderr else ""
    return errors or process.returncode
