#!/usr/bin/env python3
"""Builds Herald as its users do, and programs that use it: on a machine that has a compiler, Meson
and nothing else; as a subproject; by pkg-config and CMake from an installed tree; shared, static.

    tests/compile/consumer.py CC CXX [ADAPTER...]

CC and CXX are one word each, as for the shell. Everything is built in a folder that is deleted
afterwards. Every case is one line of TAP.
"""

import glob
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
CONSUMER = os.path.join(SOURCE, "tests", "compile", "consumer")
CC = shlex.split(sys.argv[1])
CXX = shlex.split(sys.argv[2])
ADAPTERS = sys.argv[3:]
# Compiling takes most of the time, so two cases have half of the adapters each, other halves with
# another seed, and one of them one kind of library.
SEED = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(2**32))
DRAW = random.Random(SEED)
SHUFFLED = DRAW.sample(ADAPTERS, len(ADAPTERS))
HALVES = SHUFFLED[::2], SHUFFLED[1::2]
OPTIONS = {"signature": "nettle"}  # of Meson; other options have the names of their adapters
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
CXX_FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def run(*command, env=None, cwd=None):
    """Run a command that must succeed; returns what it prints."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                            cwd=cwd, check=False)
    output = result.stdout.decode(errors="replace")
    assert result.returncode == 0, f"{shlex.join(command)}: {result.returncode}\n{output}"
    return output


def plain_environment(**more):
    """Without what Meson sets for a test, such as where the shared libraries of its build are."""
    unwanted = ("LD_LIBRARY_PATH", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MESON_BUILD_ROOT")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, "CC": shlex.join(CC), **more}


def bare_environment(directory):
    """A PATH with a C compiler, Meson, Ninja and pkg-config; and no .pc file anywhere."""
    tools = os.path.join(directory, "bin")
    os.makedirs(tools)
    os.makedirs(os.path.join(directory, "empty"))
    for name in (CC[-1], "meson", "ninja", "pkg-config", "ar", "as", "ld", "python3", "env", "sh",
                 "rm"):
        os.symlink(shutil.which(name), os.path.join(tools, os.path.basename(name)))
    return {"PATH": tools, "CC": os.path.basename(CC[-1]), "LC_ALL": "C.UTF-8",
            "PKG_CONFIG_LIBDIR": os.path.join(directory, "empty"), "HOME": directory}


def setup(build, source, *options, env=None):
    # Neither optimised nor with debug information: everything is compiled four times.
    run("meson", "setup", build, source, "--buildtype=plain", *options,
        env=env or plain_environment())
    run("ninja", "-C", build, env=env or plain_environment())


def only(adapters, project=""):
    """The options for a build with these adapters alone; "herald:" where Herald is a subproject."""
    enabled = [f"-D{project}{OPTIONS.get(name, name)}=enabled" for name in adapters]
    return ["-Dauto_features=disabled", *enabled]


def as_subproject(directory):
    """A copy of the consumer that has Herald under subprojects/."""
    project = os.path.join(directory, "project")
    shutil.copytree(CONSUMER, project)
    os.makedirs(os.path.join(project, "subprojects"))
    os.symlink(SOURCE, os.path.join(project, "subprojects", "herald"))
    return project


def is_shared(program):
    """Whether a program loads the core from a shared library."""
    return "libherald.so" in run("readelf", "--dynamic", program)


def builds_on_a_bare_machine(directory):
    build = os.path.join(directory, "build")
    env = bare_environment(directory)
    setup(build, SOURCE, "--prefix=/usr", env=env)
    targets = json.loads(run("meson", "introspect", "--targets", build, env=env))
    parts = {os.path.relpath(target["defined_in"], SOURCE).split("/")[0] for target in targets}
    # CivetWeb is the one framework that is looked for without pkg-config.
    assert parts - {"adapters"} == {"src", "cmd"}, parts


def is_a_subproject(directory):
    build = os.path.join(directory, "build")
    kind = DRAW.choice(["shared", "both", "static"])
    print(f"# {kind}: {' '.join(HALVES[0])}")
    setup(build, as_subproject(directory), f"-Ddefault_library={kind}",
          "-Dadapters=" + ",".join(HALVES[0]), *only(HALVES[0], "herald:"))
    for name in ("core", *HALVES[0]):
        program = os.path.join(build, name)
        equal(is_shared(program), kind != "static")
        run(program, env=plain_environment())


def install(directory, *options):
    """Install Herald; returns the root, and the environment in which pkg-config finds it."""
    root = os.path.join(directory, "root")
    build = os.path.join(directory, "build")
    setup(build, SOURCE, f"--prefix={root}", "--libdir=lib", *options)
    run("meson", "install", "-C", build, "--no-rebuild", env=plain_environment())
    paths = [os.path.join(root, "lib", "pkgconfig"), os.environ.get("PKG_CONFIG_PATH", "")]
    return root, plain_environment(PKG_CONFIG_PATH=":".join(filter(None, paths)))


def compile_by_pkg_config(directory, env, name, *options, flags=()):
    """Compile a program as the guide says; returns its path."""
    package = "herald" if name == "core" else f"herald-{name}"
    program = os.path.join(directory, name)
    found = run("pkg-config", *options, "--cflags", "--libs", package, env=env).split()
    source, defined = ("core.c", []) if name == "core" else ("adapter.c", [f"-DADAPTER_{name}"])
    run(*CC, *FLAGS, *flags, *defined, os.path.join(CONSUMER, source), "-o", program, *found,
        env=env)
    return program


def cxx_compilers():
    """CXX, and the other one of g++ and clang++ if it is here."""
    others = [[name] for name in ("g++", "clang++") if shutil.which(name)]
    return [CXX] + [other for other in others if other[-1] != os.path.basename(CXX[-1])]


def check_cxx(directory, env, root):
    """C++ programs compile without a warning, by each compiler, and run."""
    found = run("pkg-config", "--cflags", "--libs", "herald", env=env).split()
    program = os.path.join(directory, "cxx")
    hello = os.path.join(SOURCE, "examples", "cpp", "hello.cpp")
    for compiler in cxx_compilers():
        for source in (hello, os.path.join(CONSUMER, "core.cpp")):
            run(*compiler, *CXX_FLAGS, "-std=c++17", source, "-o", program, *found, env=env)
        assert is_shared(program), compiler
        run(program, env={**env, "LD_LIBRARY_PATH": os.path.join(root, "lib")})


def run_cmake(directory, root, version, adapters):
    """Set up the project by CMake; returns its exit status, output and folder."""
    build = tempfile.mkdtemp(dir=directory)
    command = ["cmake", "-S", CONSUMER, "-B", build, f"-DCMAKE_PREFIX_PATH={root}",
               f"-DVERSION={version}", "-DADAPTERS=" + ";".join(adapters)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env=plain_environment(CXX=shlex.join(CXX)))
    return done.returncode, " ".join(done.stdout.decode(errors="replace").split()), build


def check_cmake(directory, root, adapters):
    """CMake finds the libraries that are installed, and says which one is missing."""
    if not shutil.which("cmake"):
        print("# without CMake, which is not here")
        return
    for wanted in ("", version(), "0", "0.1", "0.1.0...<0.2"):
        status, output, build = run_cmake(directory, root, wanted, adapters[:1])
        assert status == 0, f"{wanted}: {output}"
    status, output, build = run_cmake(directory, root, "", adapters)
    assert status == 0, output
    run("cmake", "--build", build, env=plain_environment())
    for name in ("core", "core_cpp", *adapters):
        run(os.path.join(build, name), env=plain_environment())
    for wanted, names, reason in (
            ("0.0.9", [], "version: " + version()), ("0.2", [], "version: " + version()),
            ("1", [], "version: " + version()), ("0.2...<0.3", [], "version: " + version()),
            ("", ["sqlit"], "pkg-config does not find herald-sqlit, or what that needs. Installed "
                            "components: ")):
        status, output, _ = run_cmake(directory, root, wanted, names)
        assert status != 0 and reason in output, f"{wanted} {names}: {status}\n{output}"


def check_build_folder(directory):
    """Programs can use a build that is not installed: its .pc files are in meson-uninstalled."""
    build = os.path.join(directory, "build")
    paths = [os.path.join(build, "meson-uninstalled"), os.environ.get("PKG_CONFIG_PATH", "")]
    env = plain_environment(PKG_CONFIG_PATH=":".join(filter(None, paths)))
    libraries = ":".join(os.path.join(build, name) for name in ("src", "adapters"))
    for name in ("core", *ADAPTERS):
        program = compile_by_pkg_config(directory, env, name)
        assert is_shared(program), name
        run(program, env={**env, "LD_LIBRARY_PATH": libraries})


def is_installed_shared_and_static(directory):
    root, env = install(directory, "-Ddefault_library=both")
    check_documents(root)
    assert os.path.isfile(os.path.join(root, "share/man/man7/herald.7")), "no herald(7)"
    check_dependencies(os.path.join(root, "lib", "libherald.so"))
    check_names(glob.glob(os.path.join(root, "lib", "*.a")))
    for name in ("core", *ADAPTERS):
        program = compile_by_pkg_config(directory, env, name)
        assert is_shared(program), name
        run(program, env={**env, "LD_LIBRARY_PATH": os.path.join(root, "lib")})
    check_cxx(directory, env, root)
    check_cmake(directory, root, HALVES[0])
    check_build_folder(directory)
    program = compile_by_pkg_config(directory, env, "core", "--static", flags=["-static"])
    equal(is_shared(program), False)
    run(program)
    equal(run("pkg-config", "--modversion", "herald", env=env).strip(), version())


def is_installed_static_alone(directory):
    root, env = install(directory, "-Ddefault_library=static", *only(HALVES[1]))
    equal(glob.glob(os.path.join(root, "lib", "*.so*")), [])
    for name in ("core", *HALVES[1]):
        program = compile_by_pkg_config(directory, env, name)
        equal(is_shared(program), False)
        run(program, env=env)
    check_cmake(directory, root, HALVES[1][:1])


def check_dependencies(library):
    """The core needs the C library in its parts, and nothing else."""
    needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "--dynamic", library))
    others = [name for name in needed if not re.match(r"(libc|libm|libpthread|ld)\b|ld-", name)]
    assert needed and not others, needed


def check_documents(root):
    """LICENSE and the documents for users are there."""
    documents = os.path.join(root, "share", "doc", "herald")
    guides = [os.path.relpath(path, SOURCE) for path in glob.glob(f"{SOURCE}/docs/*.md")]
    assert guides
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", *guides):
        with open(os.path.join(documents, name), "rb") as found, \
                open(os.path.join(SOURCE, name), "rb") as expected:
            equal(found.read(), expected.read())


def check_names(archives):
    """An archive hides nothing: its names begin as ours do, and no two archives have the same."""
    owners = {}
    for archive in archives:
        symbols = run("nm", "--extern-only", "--defined-only", "--format=posix", archive)
        for name in [line.split()[0] for line in symbols.splitlines() if len(line.split()) > 1]:
            assert name.startswith("herald_"), f"{archive} defines {name}"
            equal(owners.setdefault(name, archive), archive)


def version():
    with open(os.path.join(SOURCE, "meson.build"), encoding="utf-8") as source:
        return source.read().split("version: '", 1)[1].split("'", 1)[0]


cases = [builds_on_a_bare_machine, is_a_subproject, is_installed_shared_and_static,
         is_installed_static_alone]
print(f"1..{len(cases)}\n# HERALD_TEST_SEED={SEED}", flush=True)
failed = False
for index, function in enumerate(cases, 1):
    title = function.__name__.replace("_", " ")
    try:
        with tempfile.TemporaryDirectory(prefix="herald-consumer-") as scratch:
            function(scratch)
        print(f"ok {index} - {title}", flush=True)
    except Exception as error:  # pylint: disable=broad-except
        failed = True
        print(f"not ok {index} - {title}")
        print("\n".join("# " + line for line in f"{type(error).__name__}: {error}".split("\n")),
              flush=True)
sys.exit(1 if failed else 0)
