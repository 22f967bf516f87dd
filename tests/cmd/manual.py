#!/usr/bin/env python3
"""Compares the options of `herald` with its manual page and its completions.

    tests/cmd/manual.py HERALD

Every case is one line of TAP.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
from programs import equal  # noqa: E402

HERALD = sys.argv[1]
COMMANDS = ("listen", "send", "sign", "verify", "validate", "generate", "dashboard",
            "schema", "explain", "top", "tail")


def output(*words):
    return subprocess.run([HERALD, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=True, timeout=30).stdout.decode()


# The one with all options of a group.
LARGEST = {"broker": ("broker", "dead", "replay")}


def options_of(command):
    return re.findall(r"^  --([a-z-]+)", output(*LARGEST.get(command, (command,)), "--help"),
                      re.MULTILINE)


def manual(command):
    page = (ROOT / "docs" / "herald.1").read_text(encoding="utf-8")
    section = page.split(f".Ss herald {command}\n")[1].split(".Ss ")[0].split(".Sh ")[0]
    equal(re.findall(r"^\.It Fl -([a-z-]+)", section, re.MULTILINE), options_of(command))


def bash(command):
    script = (ROOT / "cmd" / "herald" / "completion" / "herald.bash").read_text(encoding="utf-8")
    found = re.search(rf"\t{command}\) options=\"([^\"]*)\"", script).group(1).split()
    equal([word for word in found if word != "dead"], [f"--{name}" for name in options_of(command)] + ["--help"])


def zsh(command):
    script = (ROOT / "cmd" / "herald" / "completion" / "_herald").read_text(encoding="utf-8")
    body = script.split(f"_herald_{command}() {{")[1].split("\n}")[0]
    equal(re.findall(r"'--([a-z-]+)\[", body), options_of(command) + ["help"])


def fish(command):
    script = (ROOT / "cmd" / "herald" / "completion" / "herald.fish").read_text(encoding="utf-8")
    found = re.findall(rf"^complete -c herald -n '__fish_seen_subcommand_from {command}' -l (\S+)",
                       script, re.MULTILINE)
    equal(found, options_of(command) + ["help"])


def fish_completes(line, expected):
    if not shutil.which("fish"):
        raise tap.Skip("fish is not installed")
    script = f"source cmd/herald/completion/herald.fish; complete -C '{line}'"
    # It finds the command by its name, and writes to its home.
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.abspath(HERALD), os.path.join(folder, "herald"))
        found = subprocess.run(["fish", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, check=True,
                               env={**os.environ, "HOME": folder,
                                    "PATH": folder + ":" + os.environ["PATH"]},
                               timeout=30).stdout.decode()
    equal([line.split("\t")[0] for line in found.splitlines()], expected)


def completes(line, expected):
    """What bash offers for a line whose last word is being typed."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    script = (f"source cmd/herald/completion/herald.bash; COMP_WORDS=({quoted}); "
              f"COMP_CWORD={len(words) - 1}; _herald; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    found = subprocess.run(["bash", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, check=True,
                           timeout=30).stdout.decode().split()
    equal(found, expected)


def values_of(command):
    return re.findall(r"^  --([a-z-]+) \S", output(command, "--help"),
                      re.MULTILINE)


def empty(command):
    """An unset variable of the shell is not taken for a value that was meant."""
    found = values_of(command)
    assert found
    for name in found:
        for words in ((f"--{name}", ""), (f"--{name}=",)):
            result = subprocess.run([HERALD, command, *words], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False,
                                    timeout=30)
            errors = result.stderr.decode()
            equal((words, result.returncode, result.stdout), (words, 2, b""))
            assert errors.startswith(f"herald: --{name}: "), errors
            assert errors.endswith(', found ""\n') or "empty" in errors, errors


def options_of_broker():
    """No command has an option that replay has not."""
    for command in ("list", "show", "drop"):
        found = re.findall(r"^  --([a-z-]+)", output("broker", "dead", command, "--help"),
                           re.MULTILINE)
        equal(found, [name for name in options_of("broker") if name in found])


def usage():
    text = output("--help")
    for command in (*COMMANDS, "store", "broker"):
        assert re.search(rf"^  {command} ", text, re.MULTILINE), text


if __name__ == "__main__":
    tap.run([("usage", usage)] +
            [(f"{check.__name__} {command}", check, command)
             for command in COMMANDS for check in (manual, bash, zsh, fish, empty)] +
            [(f"{check.__name__} broker", check, "broker") for check in (manual, bash, zsh, fish)] +
            [("options of broker", options_of_broker)] +
            [("fish completes a command", fish_completes, "herald sc", ["schema"]),
             ("fish completes an option", fish_completes, "herald listen --ty", ["--type-from"]),
             ("fish completes a draft", fish_completes, "herald validate --draft 2", ["2020-12"]),
             ("fish completes a command of dead", fish_completes, "herald broker dead re",
              ["replay"])] +
            [("completes a command", completes, "herald se", ["send"]),
             ("completes a schema", completes, "herald sc", ["schema"]),
             ("completes an option", completes, "herald listen --ty", ["--type-from"]),
             ("completes a draft", completes, "herald validate --draft 2", ["2020-12"]),
             ("completes a value", completes, "herald send --cloudevents b", ["binary", "batch"]),
             ("completes a command of dead", completes, "herald broker dead re", ["replay"]),
             ("completes no reason", completes, "herald broker dead list --reason f", []),
             ("completes a broker", completes, "herald broker dead list --url r",
              ["redis://", "rediss://"]),
             ("completes a scheme", completes, "herald sign --scheme s", ["standard-webhooks",
                                                                          "stripe", "slack",
                                                                          "shopify"])])
