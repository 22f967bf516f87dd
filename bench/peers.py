"""The peers: which there are, how those in Go and Rust are built, and how a process is run.

Toolchains that are missing are not installed; what they would have built is skipped, with
the reason.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


class BenchError(Exception):
    """It cannot go on; the text says why."""


def cores():
    """The core for the measured program, and the core for the load generator."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-1], allowed[0]


def cores_for_two():
    """Two cores for the measured program, and those for the load generator: on a machine that has
    only two, the same ones."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-2:], allowed[:-2] or allowed


def start(command, *cores, **options):
    """Start a process on these cores, with pipes for its lines."""
    return subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        **options,
    )


def stop(process):
    process.stdin.close()
    process.terminate()
    process.wait()
    process.stdout.close()


def ask(process, request):
    """Send a line, read a line."""
    try:
        process.stdin.write(request + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass
    answer = process.stdout.readline().strip()
    if not answer:
        raise BenchError(f"{' '.join(process.args)} has ended with status {process.wait()}")
    return answer


# --- Building -------------------------------------------------------------------------------------


class Missing(Exception):
    """Why a peer is not there."""


def c_program(build, name, needs):
    path = build / "bench" / name
    if not path.exists():
        raise Missing(f"not built: {needs} is missing")
    return path


def build_once(command, cwd, environment=None, done={}):
    """Run a build, once for all peers that come from it."""
    key = (tuple(command), str(environment))
    if key not in done:
        print("building:", " ".join(map(str, command)), file=sys.stderr)
        done[key] = subprocess.run(
            [str(word) for word in command], cwd=cwd, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    if done[key].returncode != 0:
        lines = done[key].stdout.strip().splitlines()
        raise Missing(f"it does not build: {lines[-1] if lines else 'no output'}")


def build_folder(name):
    """Besides Meson's, which ./dev makes anew when its options change."""
    return HERE.parent / "build" / "bench-peers" / name


def rust_program(name, native=False):
    if not shutil.which("cargo"):
        raise Missing("cargo is not here (rustup.rs, or Debian's cargo if it is new enough)")
    target = build_folder("rust-native" if native else "rust")
    build_once(["cargo", "build", "--release", "--bin", name, "--target-dir", target],
               HERE / "rust", {"RUSTFLAGS": "-C target-cpu=native"} if native else None)
    return target / "release" / name


def go_program(name, module="go"):
    """A program of one of our Go modules, which are folders here."""
    if not shutil.which("go"):
        raise Missing("go is not here (Debian: golang-go, if it is new enough)")
    target = build_folder(module.replace("/", "-")) / name
    build_once(["go", "build", "-mod=readonly", "-o", target, f"./{name}"], HERE / module)
    return target


def go_module(path, module):
    """The folder of a module that one of ours depends on."""
    done = subprocess.run(["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", path],
                          cwd=HERE / module, text=True, capture_output=True, check=True)
    return Path(done.stdout.strip())


def packaged_program(name, std):
    """The peer of a library whose C or C++ source is in a package of PyPI, which peers/NAME.txt
    names with its hash. The package itself is not built."""
    folder = build_folder(name)
    program = folder / f"peer_{name}"
    peer = HERE / "peers" / f"{name}.cpp"
    inputs = [HERE / "peers" / f"{name}.txt", peer,
              *(HERE / "peers" / file for file in ("events.hpp", "peer.c", "peer.h", "rfc3339.h"))]
    if program.exists() and all(program.stat().st_mtime > path.stat().st_mtime for path in inputs):
        return program
    source = unpack(name, folder)
    compiler = ["cc"] if source.suffix == ".c" else ["c++", f"-std={std}"]
    for command in (
        [*compiler, "-O3", "-march=native", "-c", source, "-o", folder / f"{name}.o"],
        ["cc", "-O3", "-march=native", "-c", HERE / "peers" / "peer.c", "-o", folder / "peer.o"],
        ["c++", f"-std={std}", "-O3", "-march=native", f"-I{folder}", peer, folder / "peer.o",
         folder / f"{name}.o", "-ldl", "-o", program],
    ):
        build_once(command, HERE)
    return program


def unpack(name, folder):
    """Take the library's source and header out of the package; the path of the source."""
    requirement = HERE / "peers" / f"{name}.txt"
    package, version = re.search(r"^([\w-]+)==(\S+)", requirement.read_text(), re.MULTILINE).groups()
    folder.mkdir(parents=True, exist_ok=True)
    build_once([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
                package, "--require-hashes", "-r", requirement, "-d", folder], HERE)
    with tarfile.open(folder / f"{package}-{version}.tar.gz") as files:
        for member in files.getmembers():
            if re.fullmatch(rf"{name}\.(c|cpp|h)", Path(member.name).name):
                member.name = Path(member.name).name
                files.extract(member, folder)
    source, = [*folder.glob(f"{name}.c"), *folder.glob(f"{name}.cpp")]
    return source


def glaze_program():
    raise Missing("no package of PyPI, npm or crates that has its source is known to us")


def find(build, makers, wanted=None):
    """Make the peers: ({name: command}, {name: why it is skipped})."""
    found, skipped = {}, {}
    for name, maker in makers.items():
        if wanted and name not in wanted:
            continue
        try:
            found[name] = maker(build)
        except Missing as missing:
            skipped[name] = str(missing)
    unknown = set(wanted or ()) - set(makers)
    if unknown:
        raise BenchError(f"no peer {', '.join(sorted(unknown))}; there are: {', '.join(makers)}")
    return found, skipped


def constant_server(name):
    if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"):
        raise Missing(f"{name} is not here (Debian: {name})")
    return [HERE / "http" / "constant.sh", name]


def c_peer(name, needs, variant="-"):
    return lambda build: [c_program(build, name, needs), variant]


CODEC = {
    "herald": c_peer("peer_herald", "Herald", "codec"),
    "herald service": c_peer("peer_herald", "Herald", "service"),
    "herald lines": c_peer("peer_herald", "Herald", "lines"),
    "herald array": c_peer("peer_herald", "Herald", "array"),
    "simdjson lookup": lambda _: [packaged_program("simdjson", "c++20"), "lookup"],
    "simdjson iterate": lambda _: [packaged_program("simdjson", "c++20"), "iterate"],
    "simdjson builder": lambda _: [packaged_program("simdjson", "c++20"), "builder"],
    "yyjson": lambda _: [packaged_program("yyjson", "c++17"), "-"],
    "glaze": lambda _: glaze_program(),
    "serde_json": lambda _: [rust_program("peer"), "serde_json"],
    "sonic-rs": lambda _: [rust_program("peer"), "sonic_rs"],
    "sonic-rs native": lambda _: [rust_program("peer", native=True), "sonic_rs"],
    "go encoding/json": lambda _: [go_program("peer"), "encoding_json"],
    "go sonic": lambda _: [go_program("peer"), "sonic"],
    "jansson": c_peer("peer_jansson", "libjansson-dev"),
}

# herald_service_handle_many(), compared with a loop of single calls.
MANY = ("herald lines", "herald array")

# A service answers; simdjson's builder is another of its interfaces than On-Demand.
ONLY_DECODE = ("herald service", *MANY, "simdjson lookup", "simdjson iterate")
ONLY_ENCODE = ("simdjson builder",)

SERVERS = {
    "bare epoll": lambda build: [c_program(build, "server_epoll", "the build")],
    "herald door": lambda build: [c_program(build, "server_herald_server", "the build")],
    "bare nginx": lambda _: constant_server("nginx"),
    "bare h2o": lambda _: constant_server("h2o"),
    "bare microhttpd": lambda build: [c_program(build, "server_microhttpd", "libmicrohttpd-dev")],
    "herald microhttpd": lambda build: [
        c_program(build, "server_herald_microhttpd", "libmicrohttpd-dev")],
    "herald libevent": lambda build: [
        c_program(build, "server_herald_libevent", "libevent-dev")],
    "herald civetweb": lambda build: [
        c_program(build, "server_herald_civetweb", "libcivetweb-dev")],
    "herald ulfius": lambda build: [
        c_program(build, "server_herald_ulfius", "libulfius-dev")],
    "go gin": lambda _: [go_program("server")],
    "go fasthttp": lambda _: [go_program("fasthttp")],
    "axum": lambda _: [rust_program("server")],
    "hyper": lambda _: [rust_program("hyper")],
}

CALLBACKS = {
    "herald": lambda build: [c_program(build, "callback_herald", "libcurl4-openssl-dev"), "hook"],
    "herald, 2 threads": lambda build: [
        c_program(build, "callback_herald", "libcurl4-openssl-dev"), "thread"],
    "go net/http": lambda _: [go_program("callback")],
}
