#!/usr/bin/env python3
"""Runs ./dev where packages are missing, with an apt-get that only logs. Prints TAP.

A copy of ./dev runs in a folder of its own. Whatever it calls is a script that is made here, so
nothing is installed, and a call that was not expected does not find its program.
"""

import os
import pty
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60

# What ./dev docs and ./dev test call. Every program writes its name and arguments to a log.
LOGGED = 'echo "$(basename "$0") $*" >>"$TEST_LOG"\n'
PROGRAMS = {
    "dpkg-query": 'for last; do :; done\ngrep -qx "$last" "$TEST_MISSING" || echo installed\n',
    "id": 'echo "${TEST_USER:-0}"\n',
    "apt-get": LOGGED + 'if [ "$1" = download ]; then : >"$2_1_all.deb"; fi\n',
    "dpkg-deb": LOGGED + 'mkdir -p "$3/usr/sbin"\n: >"$3/usr/sbin/nginx"\n'
                         'chmod +x "$3/usr/sbin/nginx"\n',
    "doxygen": LOGGED,
    "pg_conftool": LOGGED + 'if [ "$2" = show ]; then [ -n "${TEST_CLUSTER:-}" ]; fi\n',
    "meson": "exit 1\n",
}
REAL = ["bash", "sh", "env", "dirname", "basename", "awk", "grep", "mkdir", "rm", "cat", "chmod",
        "printf", "setarch"]


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
        scripts = {**PROGRAMS, **({"sudo": LOGGED + '"$@"\n'} if sudo else {})}
        for name, text in scripts.items():
            (programs / name).write_text("#!/bin/sh\n" + text, encoding="utf-8")
            (programs / name).chmod(0o755)
        # The path of an installed nginx depends on the machine; use a path without one.
        text = (ROOT / "dev").read_text(encoding="utf-8").replace("/usr/sbin/nginx", "/nowhere", 1)
        (self.folder / "dev").write_text(text, encoding="utf-8")
        (self.folder / "dev").chmod(0o755)
        (self.folder / "missing").write_text("\n".join(missing) + "\n", encoding="utf-8")
        (self.folder / "log").touch()

    def run(self, arguments, typed=None, user="0", ci=False, cluster=""):
        """Return exit status and output. With `typed` there is a terminal where it is typed."""
        environment = {"PATH": str(self.folder / "bin"), "TEST_LOG": str(self.folder / "log"),
                       "TEST_MISSING": str(self.folder / "missing"), "TEST_USER": user,
                       "TEST_CLUSTER": cluster, **({"CI": "true"} if ci else {})}
        main, end = pty.openpty()
        if typed is not None:
            os.write(main, typed.encode())
        result = subprocess.run(["./dev", *arguments], cwd=self.folder, env=environment,
                                stdin=end if typed is not None else subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=WAIT_S, check=False)
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


def check_nginx():
    """It is unpacked in the tree: no service is installed that could be started."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["nginx", "gcc"], True)
        _, output = place.run(["test"], typed="y\n")
        assert place.calls("apt-get", "dpkg-deb") == [
            "apt-get update", INSTALL + "gcc", "apt-get download nginx",
            "dpkg-deb -x build/tools/nginx/nginx_1_all.deb build/tools/nginx"], output
        assert "not installed but unpacked in build/tools/nginx" in output, output
        (Path(folder) / "log").write_text("", encoding="utf-8")
        (Path(folder) / "missing").write_text("nginx\n", encoding="utf-8")
        place.run(["test"], typed="n\n")
        assert not place.calls("apt-get"), "unpacked twice"


def check_postgresql(is_set):
    """No database is made, unless the user has set that one is; the setting is as before then."""
    setting = "pg_conftool /etc/postgresql-common/createcluster.conf "
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, ["postgresql", "gcc"], True)
        _, output = place.run(["test"], typed="y\n", cluster=is_set)
        wanted = [INSTALL + "postgresql-common", setting + "show create_main_cluster",
                  setting + "set create_main_cluster false", INSTALL + "gcc postgresql",
                  setting + "remove create_main_cluster", "apt-get download nginx"]
        if is_set:
            wanted = [call for call in wanted if " set " not in call and "remove" not in call]
        assert place.calls("apt-get", "pg_conftool") == ["apt-get update", *wanted], output
        assert "postgresql is installed without a database" in output, output


def main():
    cases = [(what, lambda rest=rest: check_case(*rest)) for what, *rest in CASES]
    cases.append(("nginx is unpacked", check_nginx))
    cases.append(("postgresql makes no database", lambda: check_postgresql("")))
    cases.append(("a setting of postgresql stays", lambda: check_postgresql("yes")))
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
