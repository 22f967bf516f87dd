"""Servers of message brokers of our own: in a temporary folder, on a free port of 127.0.0.1, as
long as a bench runs. They are stopped by their process ids.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import peers
import postgres

START_S = 60


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def program(name, package, folders="/usr/sbin:/usr/local/bin"):
    found = shutil.which(name, path=f"{os.environ['PATH']}:{folders}")
    if not found:
        raise peers.Missing(f"{name} is not here (Debian: {package})")
    return found


class Server:
    """A running server. Use it in a `with`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.port = free_port()
        self.started = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            process.kill()
            process.wait()

    def run(self, command, port, environment=None):
        """Start a process, and wait until it takes connections."""
        log = self.folder / "log"
        with open(log, "a") as output:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output, cwd=self.folder,
                                       env=environment)
        self.started.append(process)
        end = time.monotonic() + START_S
        while not takes_connections(port):
            if process.poll() is not None or time.monotonic() > end:
                raise peers.BenchError(f"{command[0]} does not start: {log.read_text().strip()}")
            time.sleep(0.02)

    def cpu_us(self):
        """CPU time of the server so far: the process that was started last."""
        return postgres.process_cpu_us(self.started[-1].pid)


def takes_connections(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Redis(Server):
    """Entries are appended to a file, which is flushed each second."""

    def start(self):
        self.run([program("redis-server", "redis-server"), "--port", self.port,
                  "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", "--appendonly", "yes",
                  "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"], self.port)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"


class Nats(Server):
    """Streams are in files, with the settings of the server."""

    def start(self):
        self.run([program("nats-server", "nats-server"), "-js", "-sd", self.folder / "store",
                  "-a", "127.0.0.1", "-p", self.port], self.port)

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"


class RabbitMQ(Server):
    """Nothing of the machine's own RabbitMQ. Its schedulers do not spin when they have no work,
    which would be charged to it."""

    PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    def start(self):
        if not os.access(self.PROGRAM, os.X_OK):
            raise peers.Missing("RabbitMQ is not here (Debian: rabbitmq-server)")
        names, nodes = free_port(), free_port()
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\ndisk_free_limit.absolute = 50MB\n")
        (self.folder / "enabled_plugins").write_text("[].\n")
        settings = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": self.folder,
            "ERL_EPMD_PORT": names,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": f"bench{self.port}@localhost",
            "RABBITMQ_DIST_PORT": nodes,
            "RABBITMQ_MNESIA_BASE": self.folder / "mnesia",
            "RABBITMQ_LOG_BASE": self.folder / "logs",
            "RABBITMQ_CONFIG_FILE": self.folder / "rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "enabled_plugins",
            "RABBITMQ_PID_FILE": self.folder / "pid",
            "RABBITMQ_ALLOW_INPUT": 1,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
        }
        environment = {name: str(value) for name, value in settings.items()}
        self.run([program("epmd", "erlang-base"), "-port", names, "-address", "127.0.0.1"], names,
                 environment)
        self.run([self.PROGRAM, "-noinput"], self.port, environment)

    @property
    def url(self):
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"
