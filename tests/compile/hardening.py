#!/usr/bin/env python3
"""What -Dhardening promises, read from what was built, and which options turn what off.

    tests/compile/hardening.py CC BUILD FILE...

FILE is a shared library or a program, of a build that is optimised and has no sanitizers. The
options are tried in builds of their own; each is set up, but only one object is compiled.
Every case is one line of TAP.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
CC = shlex.split(sys.argv[1])
BUILD = sys.argv[2]
FILES = sys.argv[3:]
FORTIFY = "-D_FORTIFY_SOURCE=3"

# Of what the compiler may have or not, what it has.
OPTIONAL = ["-fstack-clash-protection", "-fcf-protection=full", "-mbranch-protection=standard",
            "-fno-plt"]


def run(*command, env=None):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                            env=env)
    output = result.stdout.decode(errors="replace")
    assert result.returncode == 0, f"{shlex.join(command)}:\n{output}"
    return output


def readelf(*arguments):
    return run("readelf", "--wide", *arguments)


def compiles_with(flag):
    command = [*CC, "-Werror", flag, "-x", "c", "-c", "-o", "/dev/null", "-"]
    return subprocess.run(command, input=b"int f(void) { return 0; }\n", stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


SUPPORTED = [flag for flag in OPTIONAL if compiles_with(flag)]


def core_commands(build):
    """The compiler's arguments for each file of the core, by its name."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    return {os.path.basename(entry["output"]): shlex.split(entry["command"]) for entry in entries
            if "libherald_core.a.p" in entry["output"]
            or "libherald_core_fast.a.p" in entry["output"]}


def everything_is_bound_at_start_and_then_read_only():
    for path in FILES:
        assert re.search(r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW", readelf("--dynamic", path)), path
        assert "GNU_RELRO" in readelf("--segments", path), path


def nothing_is_writable_and_executable():
    for path in FILES:
        segments = readelf("--segments", path)
        stack = re.search(r"GNU_STACK.* (R\S*)\s+0x", segments)
        assert stack and "E" not in stack.group(1), f"{path}: {stack}"
        for line in re.findall(r"^\s+LOAD.*$", segments, re.M):
            assert not re.search(r"\bRWE\b", line), f"{path}: {line}"
        assert "TEXTREL" not in readelf("--dynamic", path), path


def imports(path):
    symbols = readelf("--dyn-syms", path)
    return set(re.findall(r"UND (\w+)", symbols))


def buffers_on_the_stack_have_canaries():
    for path in FILES:
        assert "__stack_chk_fail" in imports(path), path
    for name, command in core_commands(BUILD).items():
        assert "-fstack-protector-strong" in command, name


def string_functions_are_checked():
    checked = {name for path in FILES for name in imports(path) if name.endswith("_chk")}
    for name in ("__snprintf_chk", "__vsnprintf_chk", "__fprintf_chk"):
        assert name in checked, checked
    for name, command in core_commands(BUILD).items():
        assert FORTIFY in command, name


def branches_and_stacks_are_protected():
    for name, command in core_commands(BUILD).items():
        missing = [flag for flag in SUPPORTED if flag not in command]
        assert not missing, f"{name}: {missing}"


def properties(path):
    """What each object says of itself, such as IBT and SHSTK."""
    notes = readelf("--notes", path)
    return [set(re.findall(r"IBT|SHSTK|BTI|PAC", line))
            for line in re.findall(r"(?:x86|AArch64) feature: (.*)$", notes, re.M)]


def objects_say_that_branches_are_protected():
    wanted = ({"IBT", "SHSTK"} if "-fcf-protection=full" in SUPPORTED else
              {"BTI"} if "-mbranch-protection=standard" in SUPPORTED else set())
    for name in core_commands(BUILD):
        for folder in ("libherald_core.a.p", "libherald_core_fast.a.p"):
            path = os.path.join(BUILD, "src", folder, name)
            if os.path.exists(path) and wanted:
                assert properties(path) and wanted <= properties(path)[0], path
    # A linked file says so when all of it does, the C library's own objects too.
    start = [run(*CC, f"-print-file-name={name}").strip() for name in ("crti.o", "crtbeginS.o")]
    if wanted and all(any(wanted <= one for one in properties(path)) for path in start):
        for path in FILES:
            assert wanted <= properties(path)[0], path


def set_up(directory, *options, env=None):
    run("meson", "setup", directory, SOURCE, "-Dauto_features=disabled", *options,
        env={**os.environ, "CC": shlex.join(CC), **(env or {})})
    return core_commands(directory)["base_status.c.o"]


def options_turn_it_off():
    for options, has_canaries, has_fortify in [
            ([], True, True),
            (["-Dbuildtype=release"], True, True),
            (["-Doptimization=g"], True, True),
            (["-Dhardening=false"], False, False),
            (["-Dbuildtype=debug"], True, False),
            (["-Dbuildtype=plain"], True, False),
            (["-Dc_args=-O0"], True, False),
            (["-Db_sanitize=address,undefined", "-Db_lundef=false"], True, False),
            (["-Dc_args=-fsanitize=undefined -fsanitize-undefined-trap-on-error"], True, False),
    ]:
        with tempfile.TemporaryDirectory(prefix="herald-hardening-") as directory:
            command = set_up(directory, *options)
            found = ("-fstack-protector-strong" in command, FORTIFY in command)
            assert found == (has_canaries, has_fortify), f"{options}: {found}"
            if "-Dhardening=false" in options:
                assert not set(OPTIONAL) & set(command), command


def own_flags_are_left_alone():
    """They come later in the command, and nothing is defined twice: no warning."""
    target = "src/libherald_core.a.p/base_status.c.o"
    for flag in ("-D_FORTIFY_SOURCE=2", "-D_FORTIFY_SOURCE=0", "-Wp,-D_FORTIFY_SOURCE=2"):
        with tempfile.TemporaryDirectory(prefix="herald-hardening-") as directory:
            command = set_up(directory, "-Dwerror=true", env={"CFLAGS": f"-O2 {flag}"})
            assert FORTIFY not in command and flag in command, command
            run("ninja", "-C", directory, target)
    with tempfile.TemporaryDirectory(prefix="herald-hardening-") as directory:
        set_up(directory, "-Dc_args=-fstack-protector-all")
        command = core_commands(directory)["codec_decode.c.o"]
        flags = [word for word in command if word.startswith("-fstack-protector")]
        assert flags[-1] == "-fstack-protector-all", flags


cases = [everything_is_bound_at_start_and_then_read_only, nothing_is_writable_and_executable,
         buffers_on_the_stack_have_canaries, string_functions_are_checked,
         branches_and_stacks_are_protected, objects_say_that_branches_are_protected,
         options_turn_it_off, own_flags_are_left_alone]
print(f"1..{len(cases)}", flush=True)
failed = False
for index, function in enumerate(cases, 1):
    title = function.__name__.replace("_", " ")
    try:
        function()
        print(f"ok {index} - {title}", flush=True)
    except Exception as error:  # pylint: disable=broad-except
        failed = True
        print(f"not ok {index} - {title}")
        print("\n".join("# " + line for line in f"{type(error).__name__}: {error}".split("\n")),
              flush=True)
sys.exit(1 if failed else 0)
