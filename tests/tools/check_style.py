#!/usr/bin/env python3
"""Runs tools/check-style on small trees, each with one fault or one thing that is allowed."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-style"
WORDS = "word " * 18  # 90 columns

# What it is, the file, its text, and what is printed; None: nothing is.
CASES = [
    ("a comment of 100 columns", "src/base/a.c", f"/* {WORDS}1234 */\n", None),
    ("a comment of 101 columns", "src/base/a.c", f"\n/* {WORDS}12345 */\n",
     r"^src/base/a\.c:2: 101 columns, limit 100$"),
    ("a tab is 8 wide", "include/herald/a.h", f"\t/* {WORDS}*/\n", r"a\.h:1: 103 columns"),
    ("the backslash of a macro", "src/base/a.h", f"#define A {WORDS}\\\n\t1\n", None),
    ("characters, not bytes", "src/base/a.c", f"/* {WORDS}\u00e4\u00e4\u00e4\u00e4 */\n", None),
    ("what must not compile", "tests/misuse/a.c", f"/* expect: {WORDS} */\n",
     r"a\.c:1: 104 columns"),
    ("a table of fields", "tests/codec/a.c", f"HERALD_SCHEMA({WORDS}, a)\n", r"a\.c:1: 108 columns"),
    ("C++", "bench/a.cpp", f"// {WORDS}12345678\n", r"a\.cpp:1: 101 columns"),
    ("Meson", "src/meson.build", f"# {WORDS}123456789\n", r"src/meson\.build:1: 101 columns"),
    ("the top", "meson.build", f"# {WORDS}123456789\n", r"^meson\.build:1: 101 columns"),
    ("shell", "dev", f"#!/usr/bin/env bash\n\t# {WORDS}1\n", r"^dev:2: 101 columns"),
    ("code of the shell", "dev", f"#!/usr/bin/env bash\n\techo {WORDS} {WORDS}\n", None),
    ("a Python comment", "tools/a", f"#!/usr/bin/env python3\n    # {WORDS}12345\n",
     r"^tools/a:2: 101 columns"),
    ("a docstring", "tests/a.py", f'"""{WORDS}12345678"""\n', r"^tests/a\.py:1: 104 columns"),
    ("within a docstring", "tests/a.py", f'"""Short.\n\n{WORDS}12345678901\n"""\n',
     r"^tests/a\.py:3: 101 columns"),
    ("after a docstring", "tests/a.py", f'"""Short.\n"""\na = "{WORDS}12345678901"\n', None),
    ("a pointer compared with NULL", "src/base/a.c", "int a(char *b)\n{\n\treturn b != NULL;\n}\n",
     r"a\.c:3: write `pointer` or `!pointer`"),
    ("NULL compared with a pointer", "adapters/http/a/a.c", "int b = NULL == a;\n",
     r"^adapters/http/a/a\.c:1: write `pointer`"),
    ("NULL in a comment and in a text", "src/base/a.c", '/* a == NULL */\nchar *a = "== NULL";\n',
     None),
    ("NULL compared in a test", "tests/a.c", "int b = NULL == a;\n", None),
    ("an attribute by itself", "src/base/a.c", "__attribute__((noinline)) int a;\n",
     r"a\.c:1: use a macro of src/base/attributes\.h"),
    ("cold by itself", "include/herald/a.h", "int a __attribute__((noreturn, cold));\n",
     r"a\.h:1: use a macro"),
    ("where attributes are named", "src/base/attributes.h",
     "#define HERALD__COLD __attribute__((noinline, cold))\n", None),
    ("an input", "tests/data/a.c", f"/* {WORDS}{WORDS} */\n", None),
]


def main():
    print(f"1..{len(CASES)}")
    failed = False
    for number, (what, name, text, expected) in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            for path, content in (("src/good.c", "int a;\n"), (name, text)):
                Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, path).write_text(content, encoding="utf-8")
            result = subprocess.run([TOOL, "--root", folder], capture_output=True, text=True,
                                    check=False)
        output = (result.stdout + result.stderr).rstrip("\n")
        if expected is None:
            right = result.returncode == 0 and output == ""
        else:
            right = result.returncode == 1 and re.search(expected, output, re.M)
        failed = failed or not right
        print(f"{'' if right else 'not '}ok {number} - {what}")
        if not right:
            print(f"# exit {result.returncode}, expected {expected}\n# "
                  + output.replace("\n", "\n# "))
    return 1 if failed else 0


sys.exit(main())
