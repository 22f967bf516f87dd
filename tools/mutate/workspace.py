"""A copy of the project, which mutants are built in; the tree that is copied is only read.

Two compilations answer two questions: an optimised object says whether a change compiles without
new warnings and whether it makes other code; the build that the tests run is under the sanitizers.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

NOT_COPIED = {"build", ".git", ".cache", "__pycache__", "node_modules", "target"}
OPTIONS = ("-Dbuildtype=plain", "-Doptimization=1", "-Dauto_features=enabled", "-Dtests=true",
           "-Dexamples=true", "-Db_sanitize=address,undefined",
           "-Dc_args=-fno-sanitize-recover=all -fno-omit-frame-pointer",
           "-Dcpp_args=-fno-sanitize-recover=all -fno-omit-frame-pointer")
# Of a command of the build, what must go so that equal code makes equal objects.
NOT_COMPARED = re.compile(r"-fsanitize=.*|-fno-sanitize.*|-fno-omit-frame-pointer|-O.|-g.*|-M[DP]|"
                          r"-fdiagnostics-color=.*")
CODE = (".c", ".h")


class WorkspaceError(Exception):
    pass


def files_of(root):
    """The files of a project, relative to its root."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - NOT_COPIED)
        for name in sorted(names):
            yield Path(folder, name).relative_to(root)


def synchronise(root, copy):
    """Make a copy equal to the project; a file that is equal keeps its time of change."""
    wanted = set(files_of(root))
    for path in set(files_of(copy)) - wanted if copy.exists() else ():
        (copy / path).unlink()
    for path in wanted:
        source, target = root / path, copy / path
        data = source.read_bytes()
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        target.chmod(source.stat().st_mode & 0o777)


def digest(root):
    """Represents all files of a project."""
    whole = hashlib.sha256()
    for path in files_of(root):
        content = (root / path).read_bytes()
        whole.update(f"{path} {len(content)} ".encode() + content)
    return whole.hexdigest()


class Workspace:
    """One copy and its build. Not for several threads."""

    def __init__(self, root, directory):
        self.root = root
        self.source = directory / "source"
        self.build = directory / "build"
        self.objects = {}  # Of the unchanged sources: output -> (object's digest, warnings)
        self.changed = None  # The changed file and its content before

    def prepare(self):
        """Copy, configure and build; raises WorkspaceError."""
        synchronise(self.root, self.source)
        self.objects.clear()
        marker = self.build / "mutate-options"
        if not marker.exists() or marker.read_text() != repr(OPTIONS):
            shutil.rmtree(self.build, ignore_errors=True)
            self.run(["meson", "setup", str(self.build), str(self.source), *OPTIONS],
                     env={**os.environ, "CC": "gcc", "CXX": "g++"})
            marker.write_text(repr(OPTIONS))
        self.run(["ninja", "-C", str(self.build)])
        self.read_build()

    def run(self, command, **options):
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, errors="replace", check=False, **options)
        if result.returncode != 0:
            raise WorkspaceError(f"{shlex.join(command)}:\n{result.stdout.rstrip()}")
        return result.stdout

    def read_build(self):
        """Learn the build's commands, and which objects are made of which files."""
        commands = json.loads((self.build / "compile_commands.json").read_text())
        self.commands = {entry["output"]: entry["command"] for entry in commands}
        self.users = {}
        output = None
        for line in self.run(["ninja", "-C", str(self.build), "-t", "deps"]).splitlines():
            if line.startswith(" ") and output in self.commands:
                path = Path(os.path.normpath(self.build / line.strip()))
                if path.is_relative_to(self.source):
                    self.users.setdefault(path.relative_to(self.source), []).append(output)
            elif ": #deps" in line:
                output = line.split(":")[0]
        # The library's own objects first: they tell the most for their price.
        for outputs in self.users.values():
            outputs.sort(key=lambda name: ("test" in name, "fuzz" in name, name))

    def change(self, path, text):
        """Write a changed source file of the copy; the one changed before is as it was again."""
        self.restore()
        file = self.source / path
        self.changed = file, file.read_bytes()
        file.write_text(text)

    def restore(self):
        if self.changed:
            file, content = self.changed
            file.write_bytes(content)
            self.changed = None

    def compile_object(self, output):
        """The digest of an optimised object (None when it does not compile), and its warnings."""
        words = [word for word in shlex.split(self.commands[output])
                 if not NOT_COMPARED.fullmatch(word)]
        for option in ("-MQ", "-MF", "-o"):
            at = words.index(option)
            del words[at:at + 2]
        target = self.build / "mutate.o"
        result = subprocess.run([*words, "-O2", "-o", str(target)], cwd=self.build,
                                stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        warnings = result.stderr.count("warning:")
        if result.returncode != 0:
            return None, warnings
        return hashlib.sha256(target.read_bytes()).digest(), warnings

    def compare(self, path, text):
        """Change a file; returns "other code", "the same code" or "does not compile"."""
        outputs = self.users.get(path, [])
        self.restore()
        for output in outputs:
            if output not in self.objects:
                self.objects[output] = self.compile_object(output)
            self.change(path, text)
            digest, warnings = self.compile_object(output)
            known, known_warnings = self.objects[output]
            if digest is None or warnings > known_warnings:
                return "does not compile"
            if digest != known:
                return "other code"
            self.restore()
        return "the same code"

    def make(self, targets):
        """Build some targets; whether that went well."""
        command = ["ninja", "-C", str(self.build), *targets]
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
