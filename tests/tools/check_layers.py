#!/usr/bin/env python3
"""Runs tools/check-layers on small trees, each with one fault, and on one without. Prints TAP."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check-layers"

# A tree without a fault; each case changes or adds files.
GOOD = {
    "src/base/text.h": "int herald__text(int a);\n#define HERALD__TEXT_BYTES 8\n",
    "src/base/text.c": '#include "base/text.h"\nstatic int same(void) { return 0; }\n'
                       "int\nherald__text(int a)\n{\n\treturn a + same();\n}\n",
    "src/json/reader/scan.h": "int herald__scan(void);\n",
    "src/json/reader/scan.c": '#include "json/reader/scan.h"\n#include "base/text.h"\n'
                              "static int same(void) { return 1; }\n"
                              "int\nherald__scan(void)\n{\n\treturn herald__text(same());\n}\n",
    "src/service/route.h": "int herald__route(void);\n",
    "src/service/route.c": '#include "service/route.h"\n#include "json/reader/scan.h"\n'
                           "int\nherald__route(void)\n{\n\treturn herald__scan();\n}\n",
    "src/http/endpoint.h": "int herald__endpoint(void);\n",
    "src/http/endpoint.c": '#include "http/endpoint.h"\n#include "service/route.h"\n'
                           "int\nherald__endpoint(void)\n{\n\treturn herald__route();\n}\n",
    "src/http/framing.c": "int\nherald_framing(void)\n{\n\treturn 0;\n}\n",
    "adapters/http/one/two.h": "int herald__two(void);\n",
    "adapters/http/one/two.c": '#include "two.h"\nint\nherald__two(void)\n{\n\treturn 2;\n}\n',
    "adapters/http/one/one.c": '#include <herald/adapter/framing.h>\n#include "two.h"\n'
                               "int\nherald__one(void)\n{\n\treturn herald__two() + herald_framing();\n}\n",
}


def calls(name, *others):
    return f"int\n{name}(void)\n{{\n\treturn 0{''.join(f' + {other}()' for other in others)};\n}}\n"


# A file with vector code, through another header.
VECTORS = {"src/base/simd.h": "\n", "src/json/reader/v.h": '#include "base/simd.h"\n',
           "src/json/reader/v.c": '#include "json/reader/v.h"\n'}

# What is wrong, the files that make it so, and what is printed; None: nothing is.
CASES = [
    ("a tree without faults", {}, None),
    ("two files call each other",
     {"src/http/a.c": calls("herald__a", "herald__b"), "src/http/b.c": calls("herald__b", "herald__a")},
     r"circle of files: src/http/a -> src/http/b -> src/http/a\n"
     r"    src/http/a.c:4 names herald__b\n    src/http/b.c:4 names herald__a$"),
    ("a circle through four files",
     {f"src/http/{a}.c": calls(f"herald__{a}", f"herald__{b}") for a, b in ("pq", "qr", "rs", "sp")},
     r"src/http/p -> src/http/q -> src/http/r -> src/http/s -> src/http/p$"),
    ("a circle through a pointer to a function",
     {"src/http/a.c": "int herald__b(void);\nint (*herald__a)(void) = herald__b;\n",
      "src/http/b.c": "extern int (*herald__a)(void);\nint\nherald__b(void)\n{\n\treturn herald__a();\n}\n"},
     r"circle of files: src/http/a -> src/http/b -> src/http/a$"),
    ("a circle through an inline function",
     {"src/http/a.h": '#include "http/b.h"\nstatic inline int\nherald__a(void)\n{\n\treturn herald__b();\n}\n',
      "src/http/b.h": "int herald__b(void);\n",
      "src/http/b.c": '#include "http/a.h"\n' + calls("herald__b", "herald__a")},
     r"circle of files: src/http/a -> src/http/b -> src/http/a$"),
    ("a circle through a macro",
     {"src/http/a.h": "#define HERALD__A(X) \\\n\therald__b(X)\n",
      "src/http/b.c": "int\nherald__b(int a)\n{\n\treturn HERALD__A(a);\n}\n"},
     r"circle of files: src/http/a -> src/http/b -> src/http/a$"),
    ("a call in a comment or a text",
     {"src/http/a.c": '/* herald__b() */\nconst char *herald__a = "herald__b()"; // herald__b()\n',
      "src/http/b.c": calls("herald__b") + "extern const char *herald__a;\n"
                      "const void *\nherald__c(void)\n{\n\treturn herald__a;\n}\n"}, None),
    ("a member has the name of a function",
     {"src/http/a.c": "struct s {\n\tint x;\n};\nint\nherald__a(struct s *s)\n{\n\treturn s->herald__b;\n}\n",
      "src/http/b.c": calls("herald__b", "herald__a")}, None),
    ("two folders call each other",
     {"src/json/writer/w.c": calls("herald__w", "herald__scan"),
      "src/json/writer/v.c": calls("herald__v"), "src/json/reader/u.c": calls("herald__u", "herald__v")},
     r"circle of folders: src/json/reader -> src/json/writer -> src/json/reader$"),
    ("headers include each other",
     {"src/http/a.h": '#include "http/b.h"\n', "src/http/b.h": '#include "http/a.h"\n'},
     r"circle of headers: src/http/a.h -> src/http/b.h -> src/http/a.h$"),
    ("a header of the layer above",
     {"src/base/a.c": '#include "service/route.h"\n'},
     r"^src/base/a.c:1: must not include service/route.h"),
    ("a header of the layer above, by a relative path",
     {"src/base/a.c": '\n#include "../service/route.h"\n'},
     r"^src/base/a.c:2: must not include ../service/route.h"),
    ("a function of the layer above, declared by hand",
     {"src/base/a.c": "int herald__route(void);\n" + calls("herald__a", "herald__route")},
     r"^src/base/a.c:1 names herald__route of src/service/route, which"),
    ("the core uses an adapter",
     {"adapters/http/one/one.h": "int herald__one(void);\n",
      "src/http/a.c": '#include "../../adapters/http/one/one.h"\n'},
     r"^src/http/a.c:1: must not include ../../adapters/http/one/one.h"),
    ("delivery knows HTTP",
     {"src/delivery/a.c": '#include "http/endpoint.h"\n'},
     r"^src/delivery/a.c:1: must not include http/endpoint.h"),
    ("delivery knows the service",
     {"src/delivery/a.c": '#include "service/route.h"\n'},
     r"^src/delivery/a.c:1: must not include service/route.h"),
    ("the callback handler knows the service",
     {"src/delivery/callback.c": '#include "service/route.h"\n'}, None),
    ("the outbox knows delivery",
     {"src/delivery/a.h": "\n", "src/store/outbox.c": '#include "delivery/a.h"\n'}, None),
    ("the store knows delivery",
     {"src/delivery/a.h": "\n", "src/store/store.c": '#include "delivery/a.h"\n'},
     r"^src/store/store.c:1: must not include delivery/a.h"),
    ("the store knows HTTP",
     {"src/store/outbox.c": '#include "http/endpoint.h"\n'},
     r"^src/store/outbox.c:1: must not include http/endpoint.h"),
    ("delivery knows the store",
     {"src/store/store.h": "\n", "src/delivery/a.c": '#include "store/store.h"\n'},
     r"^src/delivery/a.c:1: must not include store/store.h"),
    ("an adapter knows another one",
     {"adapters/http/two/two.c": '#include "../one/one.h"\n', "adapters/http/one/one.h": "\n"},
     r"^adapters/http/two/two.c:1: must not include ../one/one.h"),
    ("an adapter includes a private header",
     {"adapters/http/one/a.c": '\n#include "base/text.h"\n'},
     r"^adapters/http/one/a.c:2: must not include base/text.h, which is private; see herald/adapter/"),
    ("an adapter includes a private header by a relative path",
     {"adapters/http/one/a.c": '#include "../../../src/base/text.h"\n'},
     r"^adapters/http/one/a.c:1: must not include ../../../src/base/text.h, which is private"),
    ("an adapter names a private function, declared by hand",
     {"adapters/http/one/a.c": "int herald__text(int a);\n" + calls("herald_a", "herald__text")},
     r"^adapters/http/one/a.c:1 names herald__text of src/base/text.c, which is private"),
    ("a handler includes a private header",
     {"src/service/handlers/a.c": '#include "base/text.h"\n'},
     r"^src/service/handlers/a.c:1: must not include base/text.h, which is private; see herald/ad"),
    ("a handler names a private function, declared by hand",
     {"src/service/handlers/a.c": "int herald__text(int a);\n" + calls("herald_a", "herald__text")},
     r"^src/service/handlers/a.c:1 names herald__text of src/base/text.c, which is private"),
    ("a private header that is nowhere",
     {"src/http/a.c": '#include "a.h"\n'}, r"^src/http/a.c:1: a.h is neither in src/ nor"),
    ("a header's function in a .c of another name",
     {"src/http/a.h": "int herald__b(\n\tint one,\n\tint two);\n",
      "src/http/b.c": "int\nherald__b(int one, int two)\n{\n\treturn one + two;\n}\n"},
     r"^src/http/a.h: declares herald__b, which src/http/b.c defines$"),
    ("a header's table in a .c of another name",
     {"src/http/a.h": "extern const struct t herald__table[2];\n",
      "src/http/b.c": "const struct t herald__table[2] = {{1}, {2}};\n"},
     r"^src/http/a.h: declares herald__table, which src/http/b.c defines$"),
    ("vector code that is compiled once",
     {**VECTORS, "src/meson.build": "vector_sources = files(\n)\n"},
     r"^src/json/reader/v.c: includes src/base/simd.h, but is not in vector_sources of src/meson.build$"),
    ("vector code that is compiled again",
     {**VECTORS, "src/meson.build": "vector_sources = files(\n  'json/reader/v.c',\n)\n"}, None),
    ("plain code that is compiled again",
     {"src/meson.build": "vector_sources = files(\n  'base/text.c',\n)\n"},
     r"^src/base/text.c: is in vector_sources of src/meson.build, but does not include src/base/simd.h$"),
    ("no sources", None, r"^check-layers: there are no sources$"),
]


def run(folder, files):
    for name, text in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return subprocess.run([TOOL, "--root", folder], capture_output=True, text=True, check=False)


def main():
    print(f"1..{len(CASES)}")
    failed = False
    for number, (what, files, expected) in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            result = run(folder, {} if files is None else {**GOOD, **files})
        output = (result.stdout + result.stderr).rstrip("\n")
        if expected is None:
            right = result.returncode == 0 and output == ""
        else:
            right = result.returncode == 1 and re.search(expected, output, re.M)
        failed = failed or not right
        print(f"{'' if right else 'not '}ok {number} - {what}")
        if not right:
            print(f"# exit {result.returncode}, expected {expected}\n# " + output.replace("\n", "\n# "))
    return 1 if failed else 0


sys.exit(main())
