"""A PostgreSQL server of our own, in a temporary folder, on a free port, as long as a bench runs.

Its settings are those that initdb writes, so commits are flushed to disk. It does not run as root:
if we do, it runs as the user `postgres`. It is stopped by its process id.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import peers


def folder_of_programs():
    """The folder of initdb and postgres: Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                     key=lambda path: float(path.parts[-3]))
    if not folders:
        raise peers.Missing("PostgreSQL's server is not here (Debian: postgresql)")
    return folders[-1].parent


def server_user():
    """The user that the server runs as: None for ours."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise peers.Missing("PostgreSQL does not run as root, and there is no user postgres")


class Server:
    """A running server with the database `postgres`. Use it in a `with`."""

    def __init__(self, folder, name, template=None):
        """folder    writable, and the server's user can enter it
        name      of the folder of this server
        template  a server that was never used and does not run: its files are copied, which takes
                  less time than initdb"""
        self.programs = folder_of_programs()
        self.user = server_user()
        self.folder = Path(folder) / name
        self.port = None
        self.process = None
        self.folder.mkdir(mode=0o700)
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        if template:
            self.run("cp", "-a", f"{template.folder}/.", self.folder)
        else:
            self.run(self.programs / "initdb", "-D", self.folder, "-U", "herald", "-A", "trust",
                     "-E", "UTF8", "--locale=C", "--no-instructions")

    def identity(self):
        return {} if self.user is None else {
            "user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def run(self, *command):
        done = subprocess.run([str(word) for word in command], cwd="/", text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self.identity())
        if done.returncode != 0:
            raise peers.BenchError(f"{command[0]} fails: {done.stdout.strip()}")

    def __enter__(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        with open(self.folder.parent / f"{self.folder.name}.log", "w") as log:
            self.process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.folder), "-p", str(self.port),
                 "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.identity())
        self.wait_until_ready(log.name)
        return self

    def wait_until_ready(self, log):
        """The last line of postmaster.pid is "ready" once it takes connections."""
        for _ in range(600):
            try:
                lines = (self.folder / "postmaster.pid").read_text().splitlines()
                if len(lines) >= 8 and lines[7].strip() == "ready":
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        raise peers.BenchError(f"postgres does not start: {Path(log).read_text().strip()}")

    def __exit__(self, *_):
        """A fast shutdown, which rolls back what is open."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()

    @property
    def url(self):
        return f"postgres://herald@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def cpu_us(self):
        """CPU time of all processes of the server so far, also the ended ones: of them the kernel
        tells the sum, in ticks of 10 ms."""
        while True:
            processes = children(self.process.pid)
            live_us = sum(map(process_cpu_us, [self.process.pid, *processes]))
            ended_us = ended_children_us(self.process.pid)
            # One that ends in between would be missing.
            if processes == children(self.process.pid):
                return live_us + ended_us


def stat_fields(pid):
    """Of /proc/PID/stat, from the state on: the name before it can have blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def children(pid):
    """Processes that were started by this one and not waited for."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = stat_fields(folder.name)
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(folder.name))
    return sorted(found)


def ended_children_us(pid):
    fields = stat_fields(pid)
    return (int(fields[13]) + int(fields[14])) * 1e6 / os.sysconf("SC_CLK_TCK")


def process_cpu_us(pid):
    """CPU time of a process with all its threads, also those that have ended."""
    try:
        # The id of a process's CPU clock, as clock_getcpuclockid() makes it.
        return time.clock_gettime_ns(~pid << 3 | 2) / 1000
    except OSError:
        return 0.0

