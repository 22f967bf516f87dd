"""A PostgreSQL cluster in a temporary folder, for the tests of examples."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from ports import free_port
from programs import WAIT_S, wait_until


def folder_of_programs():
    """Where initdb is; None without PostgreSQL's server."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    found = folders[-1] if folders else shutil.which("initdb")
    return os.path.dirname(found) if found else None


def folder_in_memory():
    """/dev/shm, if there is enough of it: a busy disk takes seconds for an fsync()."""
    memory = "/dev/shm"
    if os.path.isdir(memory) and shutil.disk_usage(memory).free >= 1 << 30:
        return memory
    return None


@contextlib.contextmanager
def cluster():
    """The URL of a database in a new cluster, which trusts everyone on this machine."""
    programs = folder_of_programs()
    # PostgreSQL does not run as root.
    user = pwd.getpwnam("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} \
        if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder:
        os.chown(folder, user.pw_uid, user.pw_gid)
        data, port = os.path.join(folder, "data"), free_port()
        subprocess.run([f"{programs}/initdb", "-D", data, "-U", "shop", "-A", "trust", "-E", "UTF8",
                        "--locale=C"], stdout=subprocess.DEVNULL, timeout=WAIT_S, check=True,
                       cwd=folder, **as_user)
        server = subprocess.Popen(
            [f"{programs}/postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **as_user)
        url = f"postgres://shop@127.0.0.1:{port}/postgres"
        try:
            wait_until(lambda: query(url, "SELECT 1") == ["1"], server)
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(WAIT_S)


def query(url, sql):
    """The rows of a query, as psql prints them; None if it fails."""
    result = subprocess.run(["psql", "-X", "-A", "-t", "-c", sql, url], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, timeout=WAIT_S, check=False)
    return result.stdout.decode().splitlines() if result.returncode == 0 else None
