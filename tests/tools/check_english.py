#!/usr/bin/env python3
"""Runs tools/check-english on small trees, each of one sentence. Prints TAP."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-english"

# (name, file, text, what is printed; None: it passes)
CASES = [
    ("a plain comment", "src/a.c", "/* Returns NULL if out of memory; there is no other error. */\n", None),
    ("a word in a comment", "src/a.c", "int a;\n/* The\n * memory is\n * out. */\n",
     r"^src/a\.c:3: not 'memory is out': write out of memory$"),
    ("a word in a message", "src/a.c", 'int a;\nconst char *t = "%d is no policy";\n',
     r"^src/a\.c:2: not 'is no': "),
    ("a phrase over two strings", "src/a.c", 'f("a value that is "\n  "no number");\n',
     r"^src/a\.c:1: not 'is no': "),
    ("names in code", "src/a.c", "int he = beside + stands; char c = '\"';\n", None),
    ("what is no longer so", "src/a.c", "/* It is no longer used. It stands for itself. */\n", None),
    ("an adapter", "adapters/http/one/one.c", "/* All but for one. */\n", r"^adapters/.*: not 'but for'"),
    ("a test", "tests/test_a.c", "/* The key stands twice. */\n", r"^tests/test_a\.c:1: not 'stands'"),
    ("a public header", "include/herald/a.h", "/** The version is that\n * of the library. */\n",
     r"^include/herald/a\.h:1: not 'that of'"),
    ("a noun that is elsewhere, in a test", "tests/base/test_a.c", "/* Errors are those\n * of the codec. */\n",
     r"^tests/base/test_a\.c:1: not 'those of'"),
    ("a sentence that begins with of", "bench/a.c", "/* Fast. Of several, the first. */\n",
     r"^bench/a\.c:1: not '\. Of several'"),
    ("a fragment about a member", "src/a.h", "int a; /* Of the payload. */\n", None),
    ("one that", "tests/a.c", "/* Those that fit exactly stay. */\n", r"^tests/a\.c:1: not '/\* Those that'"),
    ("one of several", "src/a.c", "/* One of the two; none of those that follow. */\n", None),
    ("a clause as a subject", "src/a.c", "/* Reads. What comes\n * back is in b. */\n",
     r"^src/a\.c:1: not '\. What comes back is in'"),
    ("what is wrong", "src/a.h", "/* What is wrong with a text that is not valid. What to read. */\n", None),
    ("a relation without a name", "adapters/a.c", "/* The socket is the user's. */\n",
     r"^adapters/a\.c:1: not 'is the user's'"),
    ("an owner with a noun", "src/a.c", "/* It is the user's own; it's the caller's task. */\n", None),
    ("whose business", "examples/a.c", "/* That is the pool's business. */\n", r"^examples/a\.c:1: not 'pool's business'"),
    ("a lock over the rest", "src/a.h", "int m; /* over the rest */\n", r"^src/a\.h:1: not '/\* over the rest'"),
    ("as ever", "fuzz/a.c", "/* It works as ever. */\n", r"^fuzz/a\.c:1: not 'as ever'"),
    ("an idiom", "tests/a.c", "/* What came of it. */\n", r"^tests/a\.c:1: not 'came of'"),
    ("what has come", "src/a.c", "/* What has come of a head. */\n", None),
    ("somebody", "tools/a.sh", "# For somebody else.\n", r"^tools/a\.sh:1: not 'somebody'"),
    ("nobody, in a source", "src/a.c", "/* Nobody needs it. */\n", r"^src/a\.c:1: not 'Nobody'"),
    ("nobody, as an event type in a test", "tests/a.c", 'f("nobody");\n', None),
    ("a number's old form", "include/herald/a.h", "/** Threads: 4; at most 1,024. */\n",
     r"^include/herald/a\.h:1: not '4; at most 1'"),
    ("nobody", "docs/guide.md", "Nobody is told.\n", r"^docs/guide\.md:1: not 'Nobody'"),
    ("a file that owns", "src/a.c", "/* Numbers are number.c's. */\n", r"^src/a\.c:1: not 'number\.c's'"),
    ("a document", "docs/guide.md", "# A\n\nThe others submit in\nvain.\n",
     r"^docs/guide\.md:3: not 'in vain'"),
    ("code in a document", "docs/guide.md", "Call `beside()`:\n\n```c\nbeside(he);\n```\n", None),
    ("prose after code", "README.md", "```sh\nls\n```\n\nHe calls.\n", r"^README\.md:5: not 'He'"),
    ("a script's comment", "tools/check-it", "#!/bin/sh\n# Runs amid\n# others.\nhe=1\n",
     r"^tools/check-it:2: not 'amid'"),
    ("a docstring", "bench/run.py", '"""Made by hand.\n\nBeside others."""\n', r"^bench/run\.py:3: not 'Beside'"),
    ("a heading that says nothing", "src/a.c", "/* The rest. */\n", r"^src/a\.c:1: "),
    ("nothing to read", "LICENSE", "he\n", r"^check-english: nothing to read$"),
]


def run(path, text):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, str(TOOL), "--root", folder], capture_output=True, text=True,
                              check=False)
        return done.returncode, (done.stdout + done.stderr).strip()


def main():
    failed = False
    print(f"1..{len(CASES)}")
    for index, (name, path, text, expected) in enumerate(CASES, 1):
        code, printed = run(path, text)
        if expected is None:
            ok = code == 0 and printed == ""
        else:
            ok = code == 1 and re.search(expected, printed, re.M) is not None
        failed = failed or not ok
        print(f"{'' if ok else 'not '}ok {index} - {name}")
        if not ok:
            print("\n".join("# " + line for line in printed.split("\n")))
    return 1 if failed else 0


sys.exit(main())
