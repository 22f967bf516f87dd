#!/usr/bin/env python3
"""Checks that every macro and option of schemas in C has a counterpart in herald.hpp.

    tests/compile/cpp_counterparts.py

cpp_typed.cpp compares tables of C with tables of C++, line by line. Here: the tables of C use every
macro and every option, the comparison compares every member of a line, and the table in the guide
has every macro. Every case is one line of TAP.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

import tap  # noqa: E402  pylint: disable=wrong-import-position

# In C++, each is the class herald::schema. The C file has HERALD_SCHEMA_DEFINE for them.
SAME_AS_DEFINE = {"HERALD_SCHEMA", "HERALD_SCHEMA_WITH"}
# Options that are set by macros of their own.
SET_BY_MACROS = {"key", "lower_bound", "upper_bound", "one_of", "tag", "when", "unknown", "flat"}
# Not in same_line(): it calls same_names() for two, and the macros of C need no inner_bytes.
NOT_COMPARED = {"names", "names_count", "inner_bytes"}


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def missing(names, text, where):
    words = set(re.findall(r"\w+", text))
    absent = sorted(names - words)
    assert names, "nothing to look for"
    assert not absent, f"{where} lacks {', '.join(absent)}"


def macros():
    """The public macros for tables: those that C++ does not have."""
    for_c = "".join(part for header in ("schema.h", "check.h") for part in re.findall(
        r"^#ifndef __cplusplus$(.*?)^#endif", read(f"include/herald/{header}"), re.M | re.S))
    found = set(re.findall(r"^#define (HERALD_[A-Z_]*[A-Z])\(", read("include/herald/schema.h"), re.M))
    found |= set(re.findall(r"^#define (HERALD_[A-Z_]*[A-Z])\(", for_c, re.M))
    assert "HERALD_OPTIONAL_ARRAY" in found and "HERALD_CHECK" in found
    return found


def members(struct):
    """The members of a public struct in schema.h."""
    body = re.search(rf"^struct {struct} {{\n(.*?)^}};", read("include/herald/schema.h"), re.M | re.S)[1]
    code = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    return set(re.findall(r"([a-z_]+);", code))


def macros_are_used():
    source = read("tests/compile/cpp_schema.h") + read("tests/compile/cpp_schema.c")
    missing(macros() - SAME_AS_DEFINE, source, "cpp_schema.c")


def options_are_used():
    """The options that have no macro of their own."""
    declarations = read("include/herald/schema.h").split("const char *key;")[1].split("\n};")[0]
    code = re.sub(r"/\*.*?\*/", "", declarations, flags=re.S)
    options = set(re.findall(r"([a-z_]+);", code)) - SET_BY_MACROS
    assert "nullable" in options and "lenient" in options
    used = " ".join(re.findall(r"\.([a-z_]+) =", read("tests/compile/cpp_schema.c")))
    missing(options, used, "cpp_schema.c")


def members_are_compared():
    source = read("tests/compile/cpp_typed.cpp")
    body = re.search(r"^same_line\(.*?^}", source, re.M | re.S)[0]
    missing(members("herald_field") - NOT_COMPARED, body, "same_line()")
    body = re.search(r"^expect_same_table\(.*?^}", source, re.M | re.S)[0]
    missing(members("herald_schema") - {"fields"}, body, "expect_same_table()")


def the_guide_has_each():
    table = read("docs/guide.md").split("| In C | In C++ |")[1].split("\n\n")[0]
    missing(macros(), table, "the table in section 14 of the guide")


tap.run([
    ("the C tables use every macro", macros_are_used),
    ("the C tables use every option", options_are_used),
    ("every member of a line and a schema is compared", members_are_compared),
    ("the guide names the counterpart of every macro", the_guide_has_each),
])
