#!/usr/bin/env python3
"""Runs ./dev where packages are missing, with an apt-get that only logs. Prints TAP.

A copy of ./dev runs in a folder of its own. Whatever it calls is a script that is made here, so
nothing is installed, and a call that was not expected does not find its program.
"""

import itertools
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60

# What ./dev docs and ./dev test call. Every program writes its name and arguments to a log.
LOGGED = 'echo "$(basename "$0") $*" >>"$TEST_LOG"\n'
# Says whether it is called without the lock, or has got it itself. Usage: LOCK % NAME
LOCK = """
if [ -n "${TEST_LOCKS:-}" ]; then
	flock --nonblock build/%s.lock dirname . >/dev/null &&
		echo "lock none for $(basename "$0") $1" >>"$TEST_LOG"
	[ ! -e /proc/$$/fd/9 ] || echo "lock inherited by $(basename "$0") $1" >>"$TEST_LOG"
	echo "lock seen by $(basename "$0") $1" >>"$TEST_LOG"
fi
"""
PROGRAMS = {
    "dpkg-query": 'for last; do :; done\ngrep -qx "$last" "$TEST_MISSING" || echo installed\n',
    "id": 'echo "${TEST_USER:-0}"\n',
    "apt-get": LOGGED + LOCK % "packages" + """
if [ -e policy ]; then echo "policy $(sh policy; echo $?)" >>"$TEST_LOG"; fi
[ "$1" = install ] || exit 0
for unit in nginx.service epmd.service epmd.socket; do : >"enabled-$unit"; done
[ "${TEST_BROKEN:-}" != SIGINT ] || kill -INT 0
[ "${TEST_BROKEN:-}" != SIGKILL ] || kill -KILL "$PPID"
[ -z "${TEST_BROKEN:-}" ]
""",
    # A unit is enabled if there is a file of its name.
    "systemctl": """
if [ "$1" = is-enabled ]; then [ -e "enabled-$3" ]; exit; fi
""" + LOGGED + 'rm "enabled-$3"\n',
    "doxygen": LOGGED,
    "pg_conftool": LOGGED + 'if [ "$2" = show ]; then [ -n "${TEST_CLUSTER:-}" ]; fi\n',
    # One test passes; then TEST_MESON, a command of sh, says how `meson test` ends.
    "meson": LOCK % "release" + """
if [ -n "${TEST_MESON:-}" ] && [ "$1" = test ]; then
	printf '%s\\n' '{"name": "t", "stdout": "1..1\\nok 1 - a\\n", "result": "OK"}' \\
		>"$3/meson-logs/testlog.json"
	eval "$TEST_MESON"
fi
[ -n "${TEST_LOCKS:-}${TEST_MESON:-}" ] && mkdir -p "$2/meson-logs"
""",
    "ninja": LOCK % "release",
}
REAL = ["bash", "sh", "env", "dirname", "basename", "awk", "grep", "mkdir", "rm", "cat", "chmod",
        "printf", "setarch", "tee", "cut", "flock", "nproc", "sed", "tr"]


class Place:
    """A folder with ./dev and the programs that it finds."""

    def __init__(self, folder, missing, sudo):
        self.folder = Path(folder)
        programs = self.folder / "bin"
        programs.mkdir()
        for name in REAL:
            found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True,
                                   text=True, check=False).stdout.strip()
            if found.startswith("/"):
                (programs / name).symlink_to(found)
        scripts = {**PROGRAMS, **({"sudo": LOGGED + '[ "$1" != "${TEST_REFUSED:-}" ] && "$@"\n'} if sudo else {})}
        for name, text in scripts.items():
            (programs / name).write_text("#!/bin/sh\n" + text, encoding="utf-8")
            (programs / name).chmod(0o755)
        text = (ROOT / "dev").read_text(encoding="utf-8").replace("/usr/sbin/policy-rc.d", "policy")
        (self.folder / "dev").write_text(text, encoding="utf-8")
        (self.folder / "dev").chmod(0o755)
        (self.folder / "missing").write_text("\n".join(missing) + "\n", encoding="utf-8")
        (self.folder / "log").touch()

    def run(self, arguments, typed=None, user="0", ci=False, cluster="", broken="",
            refused="", locks="", meson="", seed=None):
        """Return exit status and output. With `typed` there is a terminal where it is typed."""
        environment = {"PATH": str(self.folder / "bin"), "TEST_LOG": str(self.folder / "log"),
                       "TEST_MISSING": str(self.folder / "missing"), "TEST_USER": user,
                       "TEST_CLUSTER": cluster, "TEST_BROKEN": broken,
                       "TEST_REFUSED": refused, "TEST_LOCKS": locks, "TEST_MESON": meson,
                       **({"CI": "true"} if ci else {}),
                       **({"HERALD_TEST_SEED": seed} if seed else {})}
        main, end = pty.openpty()
        if typed is not None:
            os.write(main, typed.encode())
        result = subprocess.run(["./dev", *arguments], cwd=self.folder, env=environment,
                                stdin=end if typed is not None else subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=WAIT_S, check=False, start_new_session=True)
        os.close(main)
        os.close(end)
        return result.returncode, result.stdout

    def calls(self, *names):
        return [line for line in (self.folder / "log").read_text(encoding="utf-8").splitlines()
                if line.split()[0] in names]


INSTALL = "apt-get install --yes --no-install-recommends "

# What it is, the packages that are missing, the arguments, how it is run, whether sudo is there,
# the exit status, calls of apt-get, and a text in the output.
CASES = [
    ("nothing is missing", [], ["docs"], {"typed": ""}, True, 0, [], None),
    ("yes", ["doxygen"], ["docs"], {"typed": "y\n"}, True, 0,
     ["apt-get update", INSTALL + "doxygen"], "doxygen               makes the API documentation"),
    ("no", ["doxygen"], ["docs"], {"typed": "n\n"}, True, 1, [], "nothing was installed"),
    ("only Enter", ["doxygen", "graphviz"], ["docs"], {"typed": "\n"}, True, 1, [],
     "apt-get install --yes --no-install-recommends doxygen graphviz"),
    ("--yes", ["doxygen"], ["--yes", "docs"], {"typed": "n\n"}, True, 0,
     ["apt-get update", INSTALL + "doxygen"], "makes the API documentation"),
    ("CI=true", ["doxygen"], ["docs"], {"typed": "n\n", "ci": True}, True, 0,
     ["apt-get update", INSTALL + "doxygen"], "makes the API documentation"),
    ("no terminal", ["doxygen"], ["docs"], {}, True, 0,
     ["apt-get update", INSTALL + "doxygen"], "makes the API documentation"),
    ("a user", ["doxygen"], ["docs"], {"typed": "y\n", "user": "1000"}, True, 0,
     ["sudo apt-get update", "apt-get update",
      "sudo env DEBIAN_FRONTEND=noninteractive " + INSTALL + "doxygen", INSTALL + "doxygen"],
     "sudo env DEBIAN_FRONTEND=noninteractive apt-get install"),
    ("a user without sudo", ["doxygen"], ["docs"], {"typed": "y\n", "user": "1000"}, False, 1, [],
     "run as root: apt-get install --no-install-recommends doxygen"),
    ("run needs a compiler, Meson and ninja", ["gcc", "ninja-build", "pkg-config", "g++",
                                               "libcurl4-gnutls-dev", "libuv1-dev"],
     ["run"], {"typed": "n\n"}, True, 1, [], INSTALL + "gcc ninja-build\n"),
]


def check_case(missing, arguments, how, sudo, status, calls, text):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, missing, sudo)
        found, output = place.run(arguments, **how)
        assert found == status, f"exit {found} instead of {status}\n{output}"
        assert place.calls("apt-get", "sudo") == calls, place.calls("apt-get", "sudo")
        assert not text or text in output, output
        # Nothing is done after a refusal.
        assert bool(place.calls("doxygen")) == (status == 0), place.calls("doxygen")


USERS_POLICY = "exit 3\n"
MARK = "# Made by ./dev of Herald while it installs packages.\n"
# What a ./dev left that was killed, and what one that is at work made.
LEFT_POLICY = MARK + "exit 0\n"
OTHERS_POLICY = MARK + "exit 101\n"


def check_servers(policy, broken, user):
    """None is started, now or at boot. Afterwards only a policy of the user is there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["nginx", "gcc"], True)
        is_users = policy == USERS_POLICY
        if policy:
            (Path(folder) / "policy").write_text(policy, encoding="utf-8")
        _, output = place.run(["test"], typed="y\n", broken=broken, user=user)
        found = place.calls("apt-get", "systemctl", "policy")
        at_update = [f"policy {3 if is_users else 0}"] if policy else []
        wanted = ["apt-get update", *at_update, INSTALL + "gcc nginx",
                  "policy 3" if is_users else "policy 101",
                  "systemctl disable --quiet nginx.service"]
        assert found == wanted, f"{found}\n{output}"
        assert (Path(folder) / "policy").exists() == is_users, output
        assert not (Path(folder) / "enabled-nginx.service").exists(), output
        text = ("Your policy decides whether servers are started now; at boot they are not"
                if is_users else "Servers are not started, neither now nor at boot")
        assert text in output, output
        assert (broken == "yes") == ("could not install: gcc nginx" in output), output
        assert "please do it yourself" not in output, output


def check_another_dev():
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["nginx"], True)
        (Path(folder) / "policy").write_text(OTHERS_POLICY, encoding="utf-8")
        status, output = place.run(["test"], typed="y\n")
        assert status == 1 and "another ./dev is installing packages" in output, output
        assert place.calls("apt-get") == ["apt-get update"], output
        assert (Path(folder) / "policy").read_text(encoding="utf-8") == OTHERS_POLICY, output


def check_refused_undo():
    """A policy that cannot be removed forbids nothing afterwards, and the rest is undone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["nginx", "postgresql"], True)
        _, output = place.run(["test"], typed="y\n", user="1000", refused="rm")
        assert "please do it yourself: sudo rm -f policy\n" in output, output
        assert output.count("please do it yourself") == 1, output
        policy = Path(folder) / "policy"
        assert MARK in policy.read_text(encoding="utf-8"), output
        assert subprocess.run(["sh", policy], check=False).returncode == 0, output
        assert place.calls("systemctl") == ["systemctl disable --quiet nginx.service"], output
        assert any("remove create_main_cluster" in call for call in place.calls("pg_conftool"))


def check_killed():
    """What a killed ./dev leaves forbids nothing, and the next installation removes it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["nginx"], True)
        status, output = place.run(["test"], typed="y\n", broken="SIGKILL")
        assert status == -signal.SIGKILL, output
        policy = Path(folder) / "policy"
        assert MARK in policy.read_text(encoding="utf-8"), output
        assert subprocess.run(["sh", policy], check=False).returncode == 0, output
        _, output = place.run(["test"], typed="y\n")
        assert place.calls("policy") == ["policy 101", "policy 0", "policy 101"], output
        assert not policy.exists(), output


def check_epmd(was_enabled):
    """rabbitmq-server brings units of erlang-base; those that were enabled before stay so."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["rabbitmq-server"], True)
        units = ["epmd.service", "epmd.socket"]
        for unit in units if was_enabled else []:
            (Path(folder) / f"enabled-{unit}").touch()
        _, output = place.run(["test", "--all"], typed="y\n")
        wanted = [] if was_enabled else [f"systemctl disable --quiet {unit}" for unit in units]
        assert place.calls("systemctl") == wanted, output


def check_postgresql(is_set):
    """No database is made, unless the user has set that one is; the setting is as before then."""
    setting = "pg_conftool /etc/postgresql-common/createcluster.conf "
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["postgresql", "gcc"], True)
        _, output = place.run(["test"], typed="y\n", cluster=is_set)
        wanted = [INSTALL + "postgresql-common", setting + "show create_main_cluster",
                  setting + "set create_main_cluster false", INSTALL + "gcc postgresql",
                  setting + "remove create_main_cluster"]
        if is_set:
            wanted = [call for call in wanted if " set " not in call and "remove" not in call]
        assert place.calls("apt-get", "pg_conftool") == ["apt-get update", *wanted], output
        assert "postgresql makes no database" in output, output


def check_locks():
    """Another ./dev neither installs nor builds the same at the same time."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["gcc"], True)
        status, output = place.run(["build"], typed="y\n", locks="yes")
        assert status == 0, output
        found = place.calls("lock")
        assert found == [f"lock seen by {call}" for call in ("apt-get update", "apt-get install", "meson setup",
                                                              "ninja -C")], found


def check_meson(command, build, meson, status, last_lines):
    """The exit status of `meson test` counts, too: what it has not run is not in its log."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, [], True)
        (place.folder / "tools").mkdir()
        shutil.copy(ROOT / "tools" / "count-tests", place.folder / "tools")
        (place.folder / "bin" / "python3").symlink_to(sys.executable)
        found, output = place.run(command, meson=meson)
        assert found == status, f"exit {found} instead of {status}\n{output}"
        expected = [line.replace("BUILD", f"build/{build}") for line in last_lines]
        assert output.splitlines()[-len(expected):] == expected, output


# Lists tests, of which three do not take long, and one that takes long is of another command; logs
# what `meson test` is to run.
LISTS = """
case "$*" in
*--list*heavy*) printf "herald:heavy / l%s\\n" 1 2 3 4 5 6; echo "herald:long / other" ;;
*--list*) printf "herald:unit / %s\\n" a l1 l2 b l3 l4 l5 l6 c ;;
*) echo "meson $*" >>"$TEST_LOG" ;;
esac
exit 0
"""


def check_drawn(command, seed, drawn):
    """With a seed a sanitizer runs a quarter of what takes long, and names the rest."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, [], True)
        (place.folder / "tools").mkdir()
        shutil.copy(ROOT / "tools" / "count-tests", place.folder / "tools")
        (place.folder / "bin" / "python3").symlink_to(sys.executable)
        status, output = place.run(command, meson=LISTS, seed=seed)
        assert status == 0, output
        names = place.calls("meson")[0].split()[-len(drawn) - 3:]
        assert sorted(names) == sorted(["a", "b", "c", *drawn]), names
        left = [name for name in ("l1", "l2", "l3", "l4", "l5", "l6") if name not in drawn]
        told = [line for line in output.splitlines() if line.startswith("left out; ")]
        expected = f"left out; ./dev sanitize without HERALD_TEST_SEED has them: {' '.join(left)}"
        assert told == ([expected] if left else []), output


DRAWN = [(None, ["l1", "l2", "l3", "l4", "l5", "l6"]), ("4", ["l4"]), ("5", ["l1", "l5"]), ("6", ["l2", "l6"]),
         ("349545905720795499", ["l3"]), ("0000000000000009", ["l1", "l5"]), ("18446744073709551615", ["l3"])]

MESON_CASES = [
    ("succeeds", "exit 0", 0, ["1 passed, 0 failed"]),
    ("is killed after a test", "kill -KILL $$", 1,
     ["failed: BUILD: meson test ended with status 137; tests may be missing", "1 passed, 1 failed"]),
]


def main():
    # A signal that is ignored here would be ignored by ./dev and apt-get, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cases = [(what, lambda rest=rest: check_case(*rest)) for what, *rest in CASES]
    policies = {"no policy": "", "the user's policy": USERS_POLICY, "a policy left": LEFT_POLICY}
    for policy, broken, user in itertools.product(policies, ("", "yes", "SIGINT"), ("0", "1000")):
        cases.append((f"no server is started: {policy}, broken {broken!r}, user {user}",
                      lambda how=(policies[policy], broken, user): check_servers(*how)))
    cases.append(("another ./dev installs packages", check_another_dev))
    cases.append(("an undo is refused", check_refused_undo))
    cases.append(("./dev is killed", check_killed))
    cases.append(("epmd is not started at boot", lambda: check_epmd(False)))
    cases.append(("epmd that was enabled stays so", lambda: check_epmd(True)))
    cases.append(("postgresql makes no database", lambda: check_postgresql("")))
    cases.append(("a setting of postgresql stays", lambda: check_postgresql("yes")))
    for what, *rest in MESON_CASES:
        for command, build in (("test", "test"), ("sanitize address", "asan"), ("sanitize thread", "tsan")):
            cases.append((f"./dev {command}: meson test {what}",
                          lambda how=(command.split(), build, *rest): check_meson(*how)))
    for kind, (seed, drawn) in itertools.product(("address", "thread"), DRAWN):
        cases.append((f"./dev sanitize {kind} draws, seed {seed}",
                      lambda how=(["sanitize", kind], seed, drawn): check_drawn(*how)))
    if shutil.which("flock"):
        cases.append(("two at a time wait for each other", check_locks))
    print(f"1..{len(cases)}")
    failed = False
    for number, (what, case) in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {what}")
        except AssertionError as error:
            failed = True
            print(f"not ok {number} - {what}\n# " + str(error).replace("\n", "\n# "))
    return 1 if failed else 0


sys.exit(main())
