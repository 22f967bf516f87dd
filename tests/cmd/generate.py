#!/usr/bin/env python3
"""Generates code with `herald generate`, and compares it with tests/cmd/golden/.

    tests/cmd/generate.py HERALD [--update]

--update writes the golden files anew; read what changes. Every case is one line of TAP. Real
schemas and payloads are tested by ./dev interop, which downloads them.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import hostile  # noqa: E402
import tap  # noqa: E402
from programs import equal  # noqa: E402

HERALD = str(pathlib.Path(sys.argv[1]).resolve())
GOLDEN = ROOT / "tests" / "cmd" / "golden"
S7 = "http://json-schema.org/draft-07/schema#"

# (name, files)
WHOLE = [("order", ["order.json"]), ("shop", ["shop.yaml"]), ("user", ["user-1.json", "user-2.json"])]


def branch(kind, **members):
    """An alternative of a tagged union."""
    return {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}, **members}}


CLOSED = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}

# (schema, which may be text, lines that the header has, lines that the source has)
PARTS = [
    # Types of integers: the narrowest that holds both bounds.
    *[({"properties": {"a": {"type": "integer", "minimum": low, "maximum": high}}},
       [f"\t{name} a;"], [f"\tHERALD_OPTIONAL(p, a{bounds}));"])
      for low, high, name, bounds in (
          (0, 255, "uint8_t", ""), (0, 256, "uint16_t", ", HERALD_MAX(256)"),
          (-128, 127, "int8_t", ""), (-1, 128, "int16_t", ", HERALD_RANGE(-1, 128)"),
          (0, 65535, "uint16_t", ""), (-32768, 32767, "int16_t", ""),
          (0, 2 ** 32 - 1, "uint32_t", ""), (-2 ** 31, 2 ** 31 - 1, "int32_t", ""),
          (0, 2 ** 64 - 1, "uint64_t", ""), (-2 ** 63, 2 ** 63 - 1, "int64_t", ""),
          (1, 2 ** 63, "uint64_t", ", HERALD_RANGE(1, UINT64_C(9223372036854775808))"))],
    ({"properties": {"a": {"type": "integer"}}}, ["\tint64_t a;", "\tbool has_a;"],
     ["\tHERALD_OPTIONAL(p, a));"]),
    ({"properties": {"a": {"type": "integer", "maximum": 5}}}, ["\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MAX(5)));"]),
    ({"properties": {"a": {"type": "number", "minimum": 10 ** 30}}}, ["\tdouble a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(1000000000000000000000000000000.0)));"]),
    # Bounds of integers that are not written as integers are rounded inwards.
    *[({"properties": {"a": {"type": "integer", **bounds}}}, [f"\t{name} a;"],
       [f"\tHERALD_OPTIONAL(p, a{text}));"])
      for bounds, name, text in (
          ({"minimum": 1.0, "maximum": 10.0}, "uint8_t", ", HERALD_RANGE(1, 10)"),
          ({"minimum": 0.5, "maximum": 1e3}, "uint16_t", ", HERALD_RANGE(1, 1000)"),
          ({"minimum": -1.5, "maximum": 1.5}, "int8_t", ", HERALD_RANGE(-1, 1)"),
          ({"exclusiveMinimum": 1.5, "exclusiveMaximum": 9.5}, "uint8_t", ", HERALD_RANGE(2, 9)"),
          ({"exclusiveMinimum": 1.0, "exclusiveMaximum": 9.0}, "uint8_t", ", HERALD_RANGE(2, 8)"),
          ({"exclusiveMinimum": -1.5, "exclusiveMaximum": -0.5}, "int8_t",
           ", HERALD_RANGE(-1, -1)"),
          ({"exclusiveMinimum": 2 ** 63}, "uint64_t",
           ", HERALD_MIN(UINT64_C(9223372036854775809))"))],
    ({"properties": {"a": {"type": "integer", "minimum": 1e30}}},
     ["\t/* Not checked: minimum. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"]),
    # At the ends of 64 bits.
    *[({"properties": {"a": {"type": "integer", **bounds}}}, [f"\t{name} a;", *notes],
       [f"\tHERALD_OPTIONAL(p, a{text}));"])
      for bounds, name, notes, text in (
          ({"exclusiveMaximum": -2 ** 63}, "int64_t", ["\t/* Not checked: exclusiveMaximum. */"], ""),
          ({"exclusiveMaximum": -2 ** 63 + 1}, "int64_t", [], ", HERALD_MAX(INT64_MIN)"),
          ({"exclusiveMinimum": 2 ** 64 - 1}, "int64_t", ["\t/* Not checked: exclusiveMinimum. */"], ""),
          ({"exclusiveMinimum": 2 ** 64 - 2}, "uint64_t", [],
           ", HERALD_MIN(UINT64_C(18446744073709551615))"),
          ({"exclusiveMinimum": -2 ** 63}, "int64_t", [], ", HERALD_MIN(-9223372036854775807)"),
          ({"exclusiveMinimum": -2 ** 63, "exclusiveMaximum": 2 ** 63 - 1}, "int64_t", [],
           ", HERALD_RANGE(-9223372036854775807, 9223372036854775806)"),
          ({"minimum": 0, "exclusiveMaximum": 2 ** 63}, "uint64_t", [],
           ", HERALD_MAX(9223372036854775807)"))],
    # A format does not override given lengths.
    *[({"properties": {"a": {"type": "string", "format": "uuid", **lengths}}}, [],
       [f"\tHERALD_FIELD(p, a, {text}));"])
      for lengths, text in (
          ({}, ".min_bytes = 36, .max_bytes = 36"), ({"maxLength": 64}, ".min_bytes = 36, .max_bytes = 36"),
          ({"maxLength": 20}, ".max_bytes = 80"), ({"minLength": 40}, ".min_bytes = 40"))],
    # Lengths are characters; one character, not "1 characters".
    *[({"properties": {"a": {"type": "string", **lengths}}}, [f"\t/* {text} */"], [])
      for lengths, text in (
          ({"minLength": 40, "maxLength": 40}, "Exactly 40 characters."),
          ({"minLength": 1, "maxLength": 1}, "Exactly 1 character."),
          ({"maxLength": 1}, "At most 1 character."), ({"minLength": 2}, "At least 2 characters."),
          ({"maxLength": 0}, "Exactly 0 characters."),
          ({"minLength": 1, "maxLength": 3}, "1 to 3 characters."))],
    # However they are written, they are exact beyond 2 to the power of 53.
    ('{"properties": {"a": {"type": "integer", "minimum": 9007199254740993.0,'
     '"maximum": 9.007199254740995e15}}}', ["\tuint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(9007199254740993, 9007199254740995)));"]),
    ('{"properties": {"a": {"type": "integer", "minimum": -9007199254740993.5,'
     '"exclusiveMaximum": 9007199254740993.0}}}', ["\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(-9007199254740993, 9007199254740992)));"]),
    ({"properties": {"a": {"type": "integer", "minimum": -0.5, "maximum": 0.5}}}, ["\tuint8_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MAX(0)));"]),
    ({"properties": {"a": {"type": "integer", "maximum": -0.5}}}, ["\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MAX(-1)));"]),
    # A maximum that no int64_t exceeds is left out.
    ({"properties": {"a": {"type": "integer", "minimum": -5, "maximum": 2 ** 64 - 1}}},
     ["\t/* Refused: integers above 9223372036854775807. */", "\tint64_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(-5)));"]),
    ({"properties": {"a": {"type": "integer", "maximum": 2 ** 64 - 1}}},
     ["\t/* Refused: integers above 9223372036854775807. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"]),
    # Numbers that a double rounds to 0: a compiler warns of them.
    *[('{"properties": {"a": {"type": "number", %s}}}' % schema,
       [line], [f"\tHERALD_OPTIONAL(p, a, {text}));"])
      for schema, line, text in (
          ('"minimum": 1e-400', "\t/* Not checked: the bound 1e-400, which is 0 as a double. */", "HERALD_MIN(0)"),
          ('"maximum": -1e-330', "\t/* Not checked: the bound -1e-330, which is 0 as a double. */", "HERALD_MAX(0)"),
          (f'"minimum": 0.{"0" * 400}1', f"\t * Not checked: the bound 0.{'0' * 38}..., which is 0 as a",
           "HERALD_MIN(0)"),
          ('"const": 1e-400', "\t/* Not checked: the bound 1e-400, which is 0 as a double. */",
           "HERALD_RANGE(0, 0)"))],
    ('{"properties": {"a": {"enum": [0.5, 1e-400]}}}', ["\tdouble a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(0, 0.5)));"]),
    # Two bounds that are one double; the exclusive one is mentioned although the other is tighter.
    *[({"properties": {"a": {"type": "number", first: exact + step, second: exact}}},
       [f"\t/* Not checked: {second}, but its value is allowed. */"], [])
      for first, second, exact, step in (
          ("maximum", "exclusiveMaximum", -2 ** 63, -1), ("minimum", "exclusiveMinimum", 2 ** 63, 1))],
    ({"properties": {"a": {"type": "number", "minimum": 5e-324}}}, [], ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(5e-324)));"]),
    # Counts that no signed type holds.
    *[({"properties": {"a": {**schema, **bounds}}}, [], [f"\t{macro}(p, a, {text}));"])
      for schema, macro, bounds, text in (
          ({"items": {}}, "HERALD_VALUES", {"minItems": 2 ** 64}, ".min_count = 18446744073709551615u"),
          ({"items": {}}, "HERALD_VALUES", {"minItems": 2 ** 63 - 1}, ".min_count = 9223372036854775807"),
          ({"items": {}}, "HERALD_VALUES", {"minItems": 9007199254740993}, ".min_count = 9007199254740993"),
          ({"items": {}}, "HERALD_VALUES", {"maxItems": 2 ** 64 - 2}, ".max_count = 18446744073709551614u"),
          ({"type": "string"}, "HERALD_FIELD", {"minLength": 2 ** 63}, ".min_bytes = 9223372036854775808u"),
          ({"type": "object"}, "HERALD_FIELD", {"minProperties": 2 ** 64 - 1},
           ".min_count = 18446744073709551615u"))],
    # Integers of a list, without those that are none.
    ({"properties": {"a": {"type": "integer", "enum": [1.5, 2]}}}, ["\tuint8_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(2, 2)));"]),
    ({"properties": {"a": {"type": "integer", "oneOf": [{"const": 1.5}, {"const": 2}, {"const": 4}]}}},
     ["\tP_A_2 = 2,"], ['\t{"4", P_A_4},']),
    *[({"properties": {"a": {"type": "integer", **values}}},
       ["\t/* Never valid: no integer is in every enum. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"])
      for values in ({"const": 1.5}, {"enum": [0.5, 1.5]})],
    # A table with bounds that exclude each other would be refused.
    *[({"properties": {"a": {"type": kind, **bounds}}},
       [f"\t/* Never valid: {reason} */"], [line])
      for kind, bounds, reason, line in (
          ("integer", {"minimum": 5, "maximum": 3},
           "the smallest integer allowed is 5, and the largest 3.", "\tHERALD_OPTIONAL(p, a));"),
          ("integer", {"exclusiveMinimum": 3, "maximum": 3},
           "the smallest integer allowed is 4, and the largest 3.", "\tHERALD_OPTIONAL(p, a));"),
          ("number", {"minimum": 5.5, "maximum": 3}, "minimum 5.5 is greater than maximum 3.",
           "\tHERALD_OPTIONAL(p, a));"),
          ("string", {"minLength": 5, "maxLength": 3}, "minLength 5 is greater than maxLength 3.",
           "\tHERALD_FIELD(p, a));"),
          ("array", {"minItems": 5, "maxItems": 3, "items": {"type": "string"}},
           "minItems 5 is greater than maxItems 3.", "\tHERALD_VALUES(p, a));"),
          ("object", {"minProperties": 5, "maxProperties": 3,
                      "additionalProperties": {"type": "integer"}},
           "minProperties 5 is greater than maxProperties 3.", "\tHERALD_MAP(p, a, p_a_entry));"))],
    # Of several bounds, the tightest counts.
    *[({"properties": {"a": {"type": "number", "allOf": [first, second]}}}, ["\tdouble a;"],
       [f"\tHERALD_OPTIONAL(p, a, {text}));"])
      for one, other, text in (
          ({"minimum": 1}, {"minimum": 2.5}, "HERALD_MIN(2.5)"),
          ({"maximum": 1}, {"maximum": 2.5}, "HERALD_MAX(1)"),
          ({"minimum": 1}, {"exclusiveMinimum": 3}, "HERALD_MIN(3)"),
          ({"maximum": 4}, {"exclusiveMaximum": 3}, "HERALD_MAX(3)"))
      for first, second in ((one, other), (other, one))],
    ({"properties": {"a": {"type": "number", "minimum": 1, "exclusiveMinimum": 1}}},
     ["\t/* Not checked: exclusiveMinimum, but its value is allowed. */"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(1)));"]),
    ({"properties": {"a": {"type": "number", "minimum": -2 ** 63}}}, [],
     ["\tHERALD_OPTIONAL(p, a, HERALD_MIN(INT64_MIN)));"]),
    # Bounds of any length.
    ({"properties": {"a": {"type": "number", "minimum": 10 ** 300, "maximum": 10 ** 301}}}, [],
     [f"\t\tHERALD_RANGE({10 ** 300}.0, {10 ** 301}.0)));"]),
    ({"properties": {"a": {"type": "array", "items": {"type": "boolean"}, "maxItems": 0}}},
     ["\t/* Not checked: maxItems 0. */"], []),
    # Values that all of several lists have.
    ({"properties": {"a": {"allOf": [{"enum": ["x"]}, {"const": "y"}]}}},
     ["\t/* Never valid: no value is in every enum. */", "\tconst char *a;"], []),
    # Integers that are listed, in every way.
    *[({"properties": {"a": a}}, ["enum p_a {", "\tP_A_3 = 3,", "\tP_A_MINUS_1 = -1,", "\tenum p_a a;", "\tbool has_a;"],
       ['\t{"3", P_A_3},', "\tHERALD_OPTIONAL_ENUM(p, a, p_a_names, .numeric = true));"])
      for a in ({"enum": [3, -1]}, {"type": "integer", "enum": [3.0, -1, "x", 3]}, {"enum": [3, -1, None]},
                {"oneOf": [{"const": 3}, {"const": -1}]}, {"anyOf": [{"const": 3}, {"enum": [-1, 3]}]},
                {"type": "integer", "enum": [5, 3, -1], "maximum": 4},
                {"type": "integer", "enum": [5, 3, -1], "exclusiveMaximum": 5},
                {"allOf": [{"enum": [3, -1, 5]}, {"enum": [7, -1, 3]}]},
                {"enum": [7, 3, -1], "oneOf": [{"const": 3}, {"const": -1}]},
                {"anyOf": [{"const": 3}, {"const": -1}, {"const": 7}], "oneOf": [{"const": -1}, {"const": 3}]})],
    ({"properties": {"a": {"items": {"enum": [1, 2]}}}}, ["\tconst enum p_a *a;"],
     ["\tHERALD_ENUMS(p, a, p_a_names, .numeric = true));"]),
    ({"properties": {"a": {"enum": [1, 2]}, "b": {"enum": ["1", "2"]}}, "required": ["a"]},
     ["\tP_A_1 = 1,", "\tP_B_1,"],
     ["\tHERALD_ENUM(p, a, p_a_names, .numeric = true, .required = true),"]),
    ({"properties": {"a": {"enum": [-2 ** 31, 2 ** 31 - 1]}}},
     ["\tP_A_MINUS_2147483648 = -2147483648,", "\tP_A_2147483647 = 2147483647,"], []),
    # One value, and those that are not an int, are bounds.
    ({"properties": {"a": {"const": 5}}}, ["\tuint8_t a;"], ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(5, 5)));"]),
    ({"properties": {"a": {"enum": [2 ** 31, 1]}}},
     ["\t/* Not checked: that it is one of 2 values. */", "\tuint32_t a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(1, 2147483648)));"]),
    ({"properties": {"a": {"enum": list(range(501))}}}, ["\t/* Not checked: that it is one of 501 values. */", "\tint64_t a;"], []),
    ({"properties": {"a": {"type": "number", "enum": [2.5, -1, 0.5]}}},
     ["\t/* Not checked: that it is one of 3 values. */", "\tdouble a;"],
     ["\tHERALD_OPTIONAL(p, a, HERALD_RANGE(-1, 2.5)));"]),
    ({"properties": {"a": {"allOf": [{"enum": [1, 2]}, {"enum": [3]}]}}},
     ["\t/* Never valid: no integer is in every enum. */", "\tint64_t a;"], ["\tHERALD_OPTIONAL(p, a));"]),
    ({"properties": {"a": {"type": "boolean", "const": True}}}, ["\t/* Not checked: that it is always the same. */"], []),
    # Values with a NUL, which no string of C holds.
    *[({"properties": {"a": {"enum": values}}},
       ["\t/* Not checked: that it is one of %d value%s. */" % (len(values), "s"[len(values) == 1:]),
        "\tstruct herald_text a;"], ["\tHERALD_FIELD(p, a));"]) for values in (["\0", "a"], ["a\0"])],
    ({"properties": {"a": {"const": "\0"}}}, ["\tstruct herald_text a;"], []),
    ({"properties": {"a": {"items": {"enum": ["a", "b\0", None]}}}}, ["\tstruct herald_text value;"], []),
    # Names.
    ({"properties": {"a": {}, "A": {}, "a_2": {}}},
     ["\tstruct herald_json a;", "\tstruct herald_json a_2;", "\tstruct herald_json a_2_2;"],
     ['\tHERALD_FIELD(p, a_2, .key = "A"),', '\tHERALD_FIELD(p, a_2_2, .key = "a_2"));']),
    ({"properties": {"x": {"type": "boolean"}, "has_x": {"type": "boolean"}}},
     ["\tbool x;", "\tbool has_x;", "\tbool has_x_2;", "\tbool has_has_x_2;"], []),
    ({"properties": {"日本": {}}}, ["\tstruct herald_json member;"],
     ['\tHERALD_FIELD(p, member, .key = "日本"));']),
    # A struct with members that are never valid, or whose name has a NUL, only.
    *[(schema, [f"\t/* {reason} */", "\tstruct herald_json_map value;"], ["\tHERALD_FIELD(p, value, .required = true));"])
      for schema, reason in (
          ({"properties": {"a": False}}, "Not checked: that members are missing that are never valid: a."),
          ({"properties": {"a": False}, "required": ["a"]},
           "Never valid: it requires members that are never valid: a."),
          ({"type": "object", "allOf": [{"properties": {"a": {}}}, {"properties": {"a": False}}]},
           "Not checked: that members are missing that are never valid: a."),
          ({"properties": {"a": {"$ref": "#/$defs/no"}, "b": {"allOf": [True, False]}}, "$defs": {"no": False}},
           "Not checked: that members are missing that are never valid: a, b."))],
    ({"properties": {"x": {"properties": {"a": False}}, "y": {}}}, ["\tstruct herald_json_map x;"], []),
    # With additionalProperties: false, the table refuses members that are never valid, too.
    ({"properties": {"a": False, "b": {}}, "additionalProperties": False}, ["struct p {"],
     ["\t(.reject_unknown = true),"]),
    ({"properties": {"a\0": {}, "b": {}}, "additionalProperties": False},
     ["/* Left out: a member whose name has a NUL. Others are not refused. */"], ["HERALD_SCHEMA_DEFINE(p,"]),
    ({"properties": {"a\0": {}}},
     ["\t * Raw JSON: the name of a member has a NUL.", "\t * Not checked: properties."], []),
    ({"oneOf": [branch("x", d={"properties": {"z": False}}), branch("y", d={"properties": {"z": {}}})]},
     ["\tstruct herald_json_map d;"], []),
    ({"oneOf": [branch("x", z=False), branch("y", b={})]},
     ['/* With the tag "x": Not checked: that members are missing that are never valid: z. */'],
     ['\t\tHERALD_CASE("y", y, p_y)));']),
    ({"oneOf": [{"type": "object", "required": ["k\0"], "properties": {"k\0": {"const": value}}} for value in "xy"]},
     [" * One of the alternatives of oneOf."], []),
    # What nothing checks is named, also of raw JSON.
    *[({"properties": {"a": schema}}, lines, [])
      for schema, *lines in (
          ({"type": "array", "minItems": 3}, "\t * An array of anything.", "\t * Not checked: minItems 3."),
          ({"type": ["string", "integer"], "minimum": 3, "maxLength": 5},
           "\t * Not checked: minimum 3, maxLength 5."),
          ({"enum": ["a", 1, True]}, '\t * Not checked: enum ["a", 1, true].'),
          ({"not": {"type": "null"}}, "\t/* Not checked: not. */"),
          ({"not": False}, "\tstruct herald_json a;"),
          ({"enum": ["x", "yy"], "minLength": 2}, "\t/* Not checked: minLength. */"),
          ({"type": "string", "format": "date-time", "maxLength": 20, "minLength": 20},
           "\t/* Not checked: minLength, maxLength. */"),
          ({"oneOf": [{"type": "string"}, {"type": "boolean"}], "const": "x"}, '\tstruct herald_json a;'),
          ({"type": "object", "propertyNames": False}, "\t/* Not checked: propertyNames false. */"),
          ({"type": "object", "unevaluatedProperties": False},
           "\t/* Not checked: unevaluatedProperties false. */"),
          ({"type": "object", "unevaluatedProperties": True}, "\tstruct herald_json_map a;"),
          ({"items": {"type": "string"}, "enum": [["a"], ["b"]]}, '\t/* Not checked: enum [["a"], ["b"]]. */'),
          ({"items": {"type": "string"}, "const": ["a"]}, '\t/* Not checked: const ["a"]. */'),
          ({"properties": {"b": {}}, "const": {"b": 1}}, "\tconst struct p_a *a;"),
          ({"items": False}, "\t/* Not checked: that it is empty. No element is valid. */"),
          ({"anyOf": [False, {"type": "boolean"}]}, "\tbool a;"),
          ({"additionalProperties": {"minimum": 3, "type": ["number", "string"]}},
           "\tconst struct p_a_entry *a;", "\t * Not checked: minimum 3."),
          ({"additionalProperties": {"not": {"type": "null"}}}, "\t/* Not checked: additionalProperties. */"))],
    # Values that no integer of 64 bits has, or no literal of C.
    *[({"properties": {"a": schema}}, [f"\t{kind} a;", *lines], [])
      for schema, kind, *lines in (
          ({"enum": [10 ** 30]}, "int64_t",
           "\t/* Never valid: no value of its enum is an integer of 64 bits. */"),
          ({"const": 2 ** 64}, "int64_t", "\t/* Never valid: no value of its enum is an integer of 64 bits. */"),
          ({"enum": [2 ** 64 - 1, 2 ** 64]}, "uint64_t", "\t * Not checked: that it is one of 2 values.",
           "\t * Refused: values of its enum that have more than 64 bits."),
          ({"const": 2 ** 64 - 1}, "uint64_t"))],
    *[({"properties": {"a": schema}}, ["\tconst char *a;", line], [])
      for schema, line in (
          ({"const": "x" * 4096}, "\t/* Not checked: that it is one of 1 value. */"),
          ({"enum": ["x" * 4096, "y"]}, "\t/* Not checked: that it is one of 2 values. */"))],
    ({"properties": {"a": {"const": "x" * 4095}}}, ["\tconst char *a;"], []),
    ({"oneOf": [branch("x" * 4096, b={}), branch("y", c={})]},
     [" * Not a union: no member that all require has different strings or integers in each."], []),
    # A number is one type, an alternative of another type is not valid.
    ({"type": "number", "minimum": 5}, ["\tdouble value;"], ["\tHERALD_FIELD(p, value, .required = true, HERALD_MIN(5)));"]),
    ({"properties": {"a": {"type": "number", "oneOf": [branch("x", b={}), branch("y", c={})]}}},
     ["\t/* Never valid. */"], []),
    # Patterns of names are not checked.
    ({"properties": {"a": {"patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False}}},
     ["\t/*", "\t * Not checked: additionalProperties."], []),
    ({"properties": {"a": {"patternProperties": {"^x": {"type": "string"}}}}},
     ["\t * Refused: members of other types whose names do not match the pattern."], []),
    # Members without a schema of their own.
    *[({"properties": {"a": {}}, "additionalProperties": more, **patterns}, lines, [])
      for more, patterns, lines in (
          ({"type": "integer"}, {}, [" * Other members are not kept.", " * Not checked: additionalProperties."]),
          ({"maxLength": 1}, {}, [" * Not checked: additionalProperties."]),
          ({}, {}, ["/* Other members are not kept. */"]), ({"title": "T"}, {}, ["/* Other members are not kept. */"]),
          (False, {"patternProperties": {"^x": {}}},
           [" * Not checked: patternProperties.", " * Not checked: additionalProperties."]))],
    # One of several schemas forbids the members of the others.
    ({"properties": {"a": {}}, "additionalProperties": False, "allOf": [{"properties": {"b": {}}}]},
     ["/* Not checked: additionalProperties, which forbids some of these. */"], ["\t(.reject_unknown = true),"]),
    ({"properties": {"a": {"type": "string", "maxLength": 0}}}, ["\t/* Exactly 0 characters. */"],
     ['\tHERALD_FIELD(p, a, HERALD_ONE_OF("")));']),
    # A number tells the alternatives apart.
    ({"oneOf": [branch(1, b={}), branch(2.0, c={}), {"type": "object", "required": ["kind"], "properties": {
        "kind": {"type": "integer", "enum": [-3, 4]}, "d": {}}}]},
     ["\tP_KIND_1 = 1,", "\tP_KIND_MINUS_3 = -3,", "\tenum p_kind kind;", "\t\tstruct p_n_1 n_1;"],
     ["\tHERALD_ENUM(p, kind, p_kind_names, .numeric = true, .required = true),",
      '\t\tHERALD_CASE("1", n_1, p_n_1),', '\t\tHERALD_CASE("2", n_2, p_n_2),',
      '\t\tHERALD_CASE("-3", n_minus_3, p_n_minus_3),', '\t\tHERALD_CASE("4", n_minus_3, p_n_minus_3)));']),
    ({"oneOf": [branch(-1, b={}), branch(1, c={})]},
     ["\tP_KIND_MINUS_1 = -1,", "\t\tstruct p_n_minus_1 n_minus_1;", "\t\tstruct p_n_1 n_1;"], []),
    ({"properties": {"a\0": {}, "b": {}}}, ["/* Left out: a member whose name has a NUL. */"],
     ["\tHERALD_FIELD(p, b));"]),
    ({"properties": {"a": {"enum": ["x", "X", "x!"]}}},
     ["\tP_A_X,", "\tP_A_X_2,", "\tP_A_X_3,"], ['\t{"x!", P_A_X_3},']),
    ({"properties": {"a": {"enum": [str(i) for i in range(501)]}}},
     ["\t/* Not checked: that it is one of 501 values. */", "\tconst char *a;"], []),
    ({"properties": {"int64_t": {"type": "integer"}, "size_t": {"type": "string"}}},
     ["\tint64_t int64_t_;", "\tconst char *size_t_;"], []),
    # A doc is cut before a character, not within, also if blanks were collapsed.
    *[({"properties": {"a": {"description": blanks + "x" * (198 - i) + "é" * 9}}}, [],
       ['\tHERALD_FIELD(p, a,', f'\t\t.doc = "{"x" * (198 - i) + "é" * ((i + 2) // 2)}"));'])
      for blanks in ("", "     ") for i in range(4)],
    # Unions.
    ({"properties": {"a": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}},
     ["\t/* One of the alternatives of oneOf. */", "\tstruct herald_json a;"], []),
    ({"properties": {"a": {"anyOf": [{"minimum": 1}, {"type": "number"}]}}},
     ["\t/* Not checked: which alternative of anyOf it is. */", "\tdouble a;"], []),
    ({"properties": {"a": {"type": "object", "properties": {"b": {"type": "null"}},
                           "anyOf": [{"required": ["b"]}]}}},
     ["/* Not checked: anyOf. */", "\t/* Always null. */", "\tstruct herald_json b;"], []),
    ({"anyOf": [{"type": "object", "title": "One", "properties": {"a": {}}}, {"type": "array"}]},
     [" * The payload is raw JSON, struct herald_json: use herald_json_schema.",
      " * One of struct p_one: decode it with herald_context_decode().", "struct p_one {"], []),
    # Unions of objects that a member tells apart.
    *[({"properties": {"a": {key: [branch("x", b={"type": "string"}), branch("y", c={"type": "integer"}),
                                   *more]}}},
       ["enum p_a_kind {", "\tP_A_KIND_X,", "\tP_A_KIND_Y,", "struct p_a_x {", "\tconst char *b;",
        "struct p_a {", "\tenum p_a_kind kind;", "\tunion {", "\t\tstruct p_a_x x;", "\t\tstruct p_a_y y;",
        "\t} body;", "\tconst struct p_a *a;"],
       ["\tHERALD_ENUM(p_a, kind, p_a_kind_names, .required = true),",
        "\tHERALD_FLAT_VARIANT(p_a, body, kind,", '\t\tHERALD_CASE("x", x, p_a_x),',
        '\t\tHERALD_CASE("y", y, p_a_y)));', "\tHERALD_POINTER(p, a, p_a));"])
      for key in ("anyOf", "oneOf") for more in ([], [{"type": "null"}])],
    # As elements, as values of a map, as the whole; a case without members; members of all.
    ({"properties": {"a": {"type": "array", "items": {"oneOf": [branch("x", b={}), branch("y")]}}}},
     ["\tconst struct p_a *a;", "\tsize_t a_count;"], ['\t\tHERALD_CASE("x", x, p_a_x)));']),
    ({"properties": {"a": {"additionalProperties": {"oneOf": [branch("x", b={}), branch("y")]}}}},
     ["\tconst struct p_a_entry *a;", "\tstruct p_a value;"], []),
    ({"oneOf": [branch("x"), branch("y")], "type": "object", "required": ["n"],
      "properties": {"n": {"type": "boolean"}}}, ["\tenum p_kind kind;", "\tbool n;"],
     ["\tHERALD_ENUM(p, kind, p_kind_names, .required = true),",
      "\tHERALD_FIELD(p, n, .required = true));"]),
    ({"oneOf": [branch("x", int={}), {**branch("class", b={}), "additionalProperties": False}]},
     ["\t\tstruct p_class class_;", "\tstruct herald_json int_;",
      "/* Not checked: additionalProperties of some alternatives. */"],
     ['\t\tHERALD_CASE("class", class_, p_class)));']),
    ({"oneOf": [{**branch(name, b={}), "additionalProperties": False} for name in "xy"]}, [],
     ["HERALD_SCHEMA_DEFINE_WITH(p,", "\t(.reject_unknown = true),"]),
    ({"type": "object", "required": ["kind", "b"],
      "oneOf": [{"properties": {"kind": {"const": "x"}, "b": {"type": "string"}}},
                {"properties": {"kind": {"const": "y"}, "b": {"type": "integer"}, "c": {}}}]},
     ["\tconst char *b;", "\tint64_t b;"],
     ["\tHERALD_FIELD(p_x, b, .required = true));", "\tHERALD_FIELD(p_y, b, .required = true),",
      "\tHERALD_FIELD(p_y, c));"]),
    # The tag may be outside, by name or as an enum; a definition gives a case its name.
    ({"required": ["kind"], "properties": {"kind": {"enum": ["x", "y"]}},
      "oneOf": [{"properties": {"kind": {"const": "x"}, "b": {}}}, {"$ref": "#/$defs/why"}],
      "$defs": {"why": {"allOf": [{"properties": {"kind": {"enum": ["y"]}}}, {"properties": {"c": {}}}]}}},
     ["\t\tstruct p_x x;", "\t\tstruct p_why y;"], ['\t\tHERALD_CASE("y", y, p_why)));']),
    # Several values of the tag for a case; alternatives within an alternative.
    ({"oneOf": [branch("x", b={}), {"type": "object", "required": ["kind"], "properties": {
        "kind": {"enum": ["y", "z"]}, "c": {}}}]}, ["\tP_KIND_Z,", "\t\tstruct p_y y;"],
     ['\t\tHERALD_CASE("y", y, p_y),', '\t\tHERALD_CASE("z", y, p_y)));']),
    ({"oneOf": [branch("x", b={}), {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}},
                                    "anyOf": [branch("y", c={}), {"oneOf": [branch("z", d={}), branch("w")]}]}]},
     ["\tP_KIND_W,", "\t\tstruct p_z z;", "\t\tstruct p_w w;"],
     ["\tHERALD_FIELD(p_z, d),", "\tHERALD_FIELD(p_z, n, .required = true));",
      "\tHERALD_FIELD(p_w, n, .required = true));"]),
    # The alternatives are a member of their own, next to the tag: required, or pointers.
    *[({"oneOf": [{"type": "object", "required": ["type", *required], "properties": {
        "type": {"const": value}, "Data": {"type": "object", "properties": {value: {}}}}} for value in "xy"] +
        [{"type": "object", "required": ["type"], "properties": {"type": {"enum": ["z", "w"]}}}]},
       ["\tP_TYPE_W,", *lines, "\t} data;"],
       ["\tHERALD_VARIANT_WITH(p, data, type,", f'\t\t(.key = "Data"{option}),', '\t\tHERALD_CASE("x", x, p_x),',
        '\t\tHERALD_CASE("y", y, p_y)));'])
      for required, lines, option in (
          (["Data"], ["\t\tstruct p_x x;", "\t\tstruct p_y y;"], ", .required = true"),
          ([], ["\t\tconst struct p_x *x;", "\t\tconst struct p_y *y;"], ""))],
    # What a discriminator names, by its mapping or by the names of definitions.
    *[({"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}], "discriminator": discriminator,
        "$defs": {name: {"type": "object", "required": ["pet"], "properties": {"pet": {"type": "string"}, key: {}}}
                  for name, key in (("Cat", "c"), ("Dog", "d"))}},
       ["\tenum p_pet pet;", *lines], cases)
      for discriminator, lines, cases in (
          ({"propertyName": "pet", "mapping": {"cat": "#/$defs/Cat", "dog": "Dog", "puppy": "#/$defs/Dog"}},
           ["\tP_PET_PUPPY,"], ['\t\tHERALD_CASE("cat", cat, p_cat),', '\t\tHERALD_CASE("dog", dog, p_dog),',
                               '\t\tHERALD_CASE("puppy", dog, p_dog)));']),
          ({"propertyName": "pet", "mapping": {"cat": "#/$defs/Cat"}}, [],
           ['\t\tHERALD_CASE("cat", cat, p_cat),', '\t\tHERALD_CASE("Dog", dog, p_dog)));']),
          ({"propertyName": "pet"}, [], ['\t\tHERALD_CASE("Cat", cat, p_cat),']),
          ("pet", [], ['\t\tHERALD_CASE("Dog", dog, p_dog)));']))],
    ({"properties": {"a": {"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]}},
      "$defs": {"Pet": {"type": "object", "required": ["pet"], "discriminator": "pet",
                        "properties": {"pet": {"type": "string"}}},
                "Cat": {"allOf": [{"$ref": "#/$defs/Pet"}, {"properties": {"c": {}}}]},
                "Dog": {"allOf": [{"$ref": "#/$defs/Pet"}, {"properties": {"d": {}}}]}}},
     ["\t\tstruct p_cat cat;", "\t\tstruct p_dog dog;"], ['\t\tHERALD_CASE("Cat", cat, p_cat),']),
    # The one of a base schema, of which no other schema is an alternative.
    ({"$ref": "#/$defs/Pet",
      "$defs": {"Pet": {"type": "object", "required": ["pet"], "discriminator": "pet",
                        "properties": {"pet": {"type": "string"}}},
                "Cat": {"allOf": [{"$ref": "#/$defs/Pet"}, {"properties": {"c": {}}}]}}},
     ["/* Not checked: discriminator. */", "struct p {", "\tconst char *pet;"], []),
    # Required members without a schema; in Herald, what is required is not null.
    ({"properties": {"a": {}}, "required": ["a", "b", "c"]},
     ["/* Not checked: required members without a schema: b, c. */",
      "\t/* Not checked: that it is not missing. */", "\tstruct herald_json a;"], ["\tHERALD_FIELD(p, a));"]),
    ({"properties": {"a": {"type": ["string", "integer"]}}, "required": ["a"]},
     ["\t/* Raw JSON: an integer or a string. */"], ["\tHERALD_FIELD(p, a, .required = true));"]),
    ({"properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
     ["\t/* Not checked: that it is not missing. */", "\tconst char *a;"], ["\tHERALD_FIELD(p, a));"]),
    ({"properties": {"a": {"type": "object", "additionalProperties": {"type": "string"},
                           "required": ["x"], "allOf": [{"required": ["x"]}]}}},
     ["\t/* Not checked: required members without a schema: x. */"], []),
    ({"oneOf": [branch("x", b={}), {**branch("y", c={}), "required": ["kind", "e", "n"]}], "type": "object",
      "properties": {"n": {"type": "boolean"}}, "required": ["c", "d", "kind"]},
     ["/* Not checked: required members without a schema: c, d. */",
      "/* Not checked: required members without a schema: e. */"], []),
    # What is not a tagged union, and why.
    *[({"properties": {"a": {"oneOf": branches}}}, ["\tstruct herald_json a;", f"\t * {why}"], [])
      for branches, why in (
          ([branch("x", b={}), branch("x", c={})],
           "Not a union: no member that all require has different strings or integers in each."),
          ([branch("x", b={}), {"type": "object", "properties": {"kind": {"const": "y"}}}],
           "Not a union: no member that all require has different strings or integers in each."),
          *[([branch(left, b={}), branch(right, c={})],
             "Not a union: no member that all require has different strings or integers in each.")
            for left, right in ((1, 1.0), (1, "1"), (1, 1.5), (True, False), (1, 2 ** 31), (1, None))],
          ([branch("x", b={}), {"type": "string"}],
           "Not a union: not all of them are objects."),
          ([branch("x", b={}), {"oneOf": [branch("x", c={}), branch("z", c={})]}],
           "Not a union: no member that all require has different strings or integers in each."),
          ([branch("x", b={}), {"oneOf": [{"properties": {"c": {}}}, {"properties": {"d": {}}}],
                                "anyOf": [{"properties": {"e": {}}}, {"properties": {"f": {}}}]}],
           "Not a union: there are several lists of them."),
          ([{"type": "object", "required": ["kind"], "properties": {"kind": {"enum": [f"{i}{j}" for j in range(9)]},
                                                                    "b": {}}} for i in range(8)],
           "Not a union: the member that tells them apart has more than 64 values."),
          ([branch(str(i), b={}) for i in range(65)],
           "Not a union: there are more than 64."))],
    ({"properties": {"a": {"properties": {"b": {}}, "oneOf": [branch("x", b={}), branch("y")]}}},
     [" * Members that only the alternatives of oneOf have are not in this struct: members of theirs are",
      " * also outside of them."], ["\tHERALD_POINTER(p, a, p_a));"]),
    ({"oneOf": [branch("x", b={}), branch("y"), {"type": "null"}]},
     ["/* Refused: a payload that is null. */"], []),
    # In a collection of definitions, whose other structs keep their names.
    ({"$defs": {"shape": {"oneOf": [branch("circle", r={}), branch("dot")]}}},
     ["struct p_shape {", "\tenum p_shape_kind kind;", "\t\tstruct p_shape_circle circle;"], []),
    ({"$schema": S7, "definitions": {
        "shape": {"oneOf": [{"$ref": "#/definitions/circle"}, {"$ref": "#/definitions/dot"}]},
        "circle": branch("circle", r={}), "dot": branch("dot", x={})}},
     ["struct p_shape {", "\t\tstruct p_circle_2 circle;", "\t\tstruct p_dot_2 dot;"],
     ['\tHERALD_FIELD(p_circle, kind, .required = true, HERALD_ONE_OF("circle")),',
      '\tHERALD_FIELD(p_dot, kind, .required = true, HERALD_ONE_OF("dot")),']),
    # Other members are refused if any of the schemas does, or a comment says so.
    *[({"properties": {"a": a}, "$defs": {"x": CLOSED}}, [],
       ["HERALD_SCHEMA_DEFINE_WITH(p_x,", "\t(.reject_unknown = true),", "\tHERALD_POINTER(p, a, p_x));"])
      for a in ({"$ref": "#/$defs/x"}, {"$ref": "#/$defs/x", "minProperties": 1},
                {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]})],
    ({"properties": {"a": {"allOf": [{"type": "object", "properties": {"m": {}}}, CLOSED]}}},
     [], ["HERALD_SCHEMA_DEFINE_WITH(p_a,", "\t(.reject_unknown = true),"]),
    ({"properties": {"a": {"minProperties": 1, "allOf": [{**CLOSED, "patternProperties": {"^x": {}}}]}}},
     [" * Other members are not kept."], ["HERALD_SCHEMA_DEFINE(p_a,"]),
    ({"properties": {"a": {"type": "object", "additionalProperties": False}}},
     ["\t/* Not checked: additionalProperties. */", "\tstruct herald_json_map a;"], []),
    # A definition that may be null is the same struct; around an array, null makes a difference.
    ({"properties": {"a": {"$ref": "#/$defs/x"}, "b": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]},
                     "c": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/x"}], "description": "C."}},
      "$defs": {"x": {"properties": {"n": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]}}}}},
     ["\tconst struct p_x *a;", "\tconst struct p_x *b;", "\tconst struct p_x *c;", "\tconst struct p_x *n;"],
     []),
    ({"properties": {"a": {"items": {"$ref": "#/$defs/x"}},
                     "b": {"items": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}]}}},
      "$defs": {"x": {"type": "array", "items": {"type": "integer"}}}},
     ["\tconst struct p_x *a;", "\tconst struct p_x_2 *b;"],
     ["\tHERALD_VALUES(p_x, items, .required = true));", "\tHERALD_VALUES(p_x_2, items));"]),
    # One that contains itself.
    ({"oneOf": [branch("x", b={"$ref": "#"}), branch("y", c={"items": {"$ref": "#"}})]},
     ["\tconst struct p *b;", "\tconst struct p *c;"], ["\tHERALD_POINTER(p_x, b, p));"]),
    # Draft-07: what is next to $ref does not count; items may be a list.
    ({"$schema": S7, "properties": {"a": {"$ref": "#/definitions/b", "type": "string"}},
      "definitions": {"b": {"type": "boolean"}}}, ["\tbool a;"], []),
    ({"$schema": S7, "properties": {"a": {"items": [{"type": "string"}]}}},
     ["\t * An array with a schema for each element.", "\t * Not checked: items [{\"type\": \"string\"}].", "\tstruct herald_json a;"], []),
    # Payloads that are not objects.
    ({"type": "array", "items": {"type": "string"}}, ["\tconst char *const *items;"],
     ["\t(.transparent = true),", "\tHERALD_VALUES(p, items, .required = true));"]),
    # Schemas that contain themselves.
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}},
     ["\tconst struct p *items;"], []),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}], "type": "object",
                                           "properties": {"b": {"$ref": "#/$defs/a"}}}}},
     ["\tconst struct p *b;"], ["\tHERALD_POINTER(p, b, p));"]),
    ({"type": "object", "additionalProperties": {"$ref": "#"}},
     ["\tconst struct p_payload_entry *value;"], []),
]

# Words, and what an element of such a list is named.
SINGULARS = {
    "lines": "line", "statuses": "status", "addresses": "address", "boxes": "box", "branches": "branch",
    "indices": "index", "indexes": "index", "news": "news", "series": "series", "species": "species",
    "entries": "entry", "ties": "tie", "movies": "movie", "cookies": "cookie", "hashes": "hash",
    "matches": "match", "caches": "cache", "taxes": "tax", "axes": "axis", "buses": "bus", "bus": "bus",
    "status": "status", "analysis": "analysis", "analyses": "analysis", "bases": "base", "cases": "case",
    "databases": "database", "aliases": "alias", "alias": "alias", "canvas": "canvas", "viruses": "virus",
    "houses": "house", "causes": "cause", "pauses": "pause", "uses": "use", "responses": "response",
    "licenses": "license", "releases": "release", "purchases": "purchase", "sizes": "size",
    "prizes": "prize", "children": "child", "people": "person", "women": "woman", "data": "data",
    "items": "item", "ids": "id", "skus": "sku", "apis": "api", "menus": "menu", "matrices": "matrix",
    "halves": "half", "shelves": "shelf", "valves": "valve", "lives": "life", "dns": "dns", "aws": "aws",
    "address": "address", "access": "access", "gas": "gas", "lens": "lens", "lenses": "lens",
    "photos": "photo", "heroes": "hero", "shoes": "shoe", "orderLines": "order_line",
    "event_statuses": "event_status", "OldAddresses": "old_address", "is": "is", "s": "s",
}

# (words, status, stderr)
USAGE = [
    ([], 2, "herald: generate: --from is missing\n"),
    (["--from", "a.json"], 2, "herald: generate: --out is missing\n"),
    (["--from", "a.json", "--out", "o", "--name", "1"], 2,
     'herald: --name: expected a name for C: letters, digits, _; not herald, up to 56, found "1"\n'),
    (["--from", "a.json", "--out", "o", "--name", "int"], 2,
     'herald: --name: expected a name for C: letters, digits, _; not herald, up to 56, found "int"\n'),
    (["--from", "int.json", "--out", "o"], 2,
     'herald: generate: --name is missing: "int" cannot be a name in C\n'),
    (["--from", "no.json", "--out", "o"], 1,
     "herald: cannot read no.json: No such file or directory\n"),
    (["--from", "a.json", "--out", "no/o"], 1,
     "herald: cannot make no/o: No such file or directory\n"),
    (["--from", "bad.json", "--out", "o"], 1,
     "herald: bad.json: /a: expected a value, found '}' (byte 5)\n"),
    (["--from", "ref.json", "--out", "o"], 1,
     "herald: ref.json: /$ref: nothing in the files given is other.json; give the file that has it "
     "with another --schema or --from\n"),
    (["--from", "old.json", "--out", "o"], 1,
     'herald: old.json: /$schema: expected draft-07 or 2020-12, found '
     '"http://json-schema.org/draft-04/schema#"; --draft says which one to use instead\n'),
    (["--from", "a.json", "--samples", "--schema", "--out", "o"], 2,
     "herald: generate: --samples and --schema exclude each other\n"),
    (["--from", "list.json", "--schema", "--out", "o"], 1,
     "herald: list.json: expected a schema, which is an object, true or false\n"),
    (["--from", "avro.json", "--out", "o"], 0, ""),
    (["--from", "async.json", "--out", "o"], 1,
     "herald: async.json: /asyncapi: expected version 2 or 3, found 1.2.0\n"),
]


def generate(folder, *words):
    result = subprocess.run([HERALD, "generate", *words], cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=120, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]


def compiles(folder, name, compilers=COMPILERS):
    """What was generated compiles without a warning, and has a newline at its end."""
    for compiler in compilers:
        result = subprocess.run([compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                                 f"-I{ROOT / 'include'}", f"{name}.c"], cwd=folder,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        assert result.returncode == 0, (compiler, result.stdout.decode())


def in_folder(check, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        check(pathlib.Path(folder), *arguments)


def whole(folder, name, files):
    words = [word for file in files for word in ("--from", str(GOLDEN / file))]
    for _ in range(2):
        equal(generate(folder, *words, "--name", name, "--out", "o"), (0, "", ""))
        for end in ("h", "c"):
            text = (folder / "o" / f"{name}.{end}").read_text(encoding="utf-8")
            golden = GOLDEN / f"{name}.{end}.txt"
            if "--update" in sys.argv:
                golden.write_text(text, encoding="utf-8")
            assert text == golden.read_text(encoding="utf-8"), f"{golden.name} differs"
            assert max(len(line.expandtabs(8)) for line in text.splitlines()) <= 100
        compiles(folder / "o", name)


def part(folder, schema, header, source):
    if isinstance(schema, dict):
        schema = json.dumps({"type": "object", **schema} if "properties" in schema else schema)
    (folder / "p.json").write_text(schema, encoding="utf-8")
    equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
    for file, wanted in (("p.h", header), ("p.c", source)):
        lines = (folder / file).read_text(encoding="utf-8").splitlines()
        for line in wanted:
            assert line in lines, (line, lines)
    # Either compiler sees half of them, always the same one.
    compiles(folder, "p", COMPILERS[zlib.crc32(schema.encode()) % len(COMPILERS):][:1])


def usage(folder, words, status, errors):
    avro = {"payload": {}, "schemaFormat": "application/vnd.apache.avro"}
    for name, text in (("a.json", "{}"), ("int.json", "{}"), ("list.json", "[]"), ("bad.json", '{"a":}'),
                       ("ref.json", '{"$ref": "other.json"}'),
                       ("old.json", '{"$schema": "http://json-schema.org/draft-04/schema#"}'),
                       ("async.json", '{"asyncapi": "1.2.0"}'),
                       ("avro.json", json.dumps({"asyncapi": "2.6.0", "components": {
                           "messages": {"a": avro}}}))):
        (folder / name).write_text(text, encoding="utf-8")
    equal(generate(folder, *words), (status, "", errors))


def names_of_elements(folder):
    """The element of a list has the singular of the list's name."""
    for plural, singular in SINGULARS.items():
        items = {"type": "object", "properties": {"x": {}}}
        (folder / "p.json").write_text(json.dumps(
            {"type": "object", "properties": {plural: {"type": "array", "items": items}}}))
        equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
        text = (folder / "p.h").read_text()
        assert f"struct p_{singular} {{\n" in text, (plural, singular, text)


def asyncapi_names(folder):
    """Structs have the names of components; other messages the name of their type."""
    def schema(**members):
        return {"type": "object", "properties": {name: {"type": "string"} for name in members.values()}}

    document = {
        "asyncapi": "3.0.0",
        "channels": {"orders": {"messages": {
            "placed": {"$ref": "#/components/messages/OrderPlaced"},
            "paid": {"$ref": "#/components/messages/OrderPaid"},
            "lost": {"name": "order.lost", "payload": schema(a="d")}}}},
        "components": {
            "messages": {"OrderPlaced": {"name": "order.placed.v1", "payload": schema(a="a")},
                         "OrderPaid": {"name": "order.paid", "payload": {"$ref": "#/components/schemas/Invoice"}},
                         "OrderSent": {"payload": {"$ref": "#/components/schemas/Invoice"}},
                         "a/b~c": {"payload": schema(a="e")}},
            "schemas": {"Invoice": {**schema(a="b"), "properties": {"lines": {
                            "type": "array", "items": {"$ref": "#/components/schemas/Row"}}}},
                        "Row": schema(a="c")}}}
    (folder / "s.json").write_text(json.dumps(document))
    equal(generate(folder, "--from", "s.json", "--out", "."), (0, "", ""))
    lines = (folder / "s.h").read_text().splitlines()
    for line in ("struct s_order_placed {", "struct s_invoice {", "struct s_row {", "struct s_order_lost {",
                 "struct s_a_b_c {",
                 ' *\tHERALD_ROUTE("order.placed.v1", s_order_placed, on_order_placed_v1, NULL),',
                 ' *\tHERALD_ROUTE("order.paid", s_invoice, on_order_paid, NULL),',
                 ' *\tHERALD_ROUTE("OrderSent", s_invoice, on_order_sent, NULL),',
                 ' *\tHERALD_ROUTE("order.lost", s_order_lost, on_order_lost, NULL),',
                 ' *\tHERALD_ROUTE("a/b~c", s_a_b_c, on_a_b_c, NULL),'):
        assert line in lines, (line, lines)
    # In version 2, a message without a name has its messageId; in version 3, there is none.
    messages = {"a": {"messageId": "m.1", "payload": schema(a="f")},
                "b": {"messageId": "m.2", "name": "n.2", "payload": schema(a="g")}}
    for version, types in (("2.6.0", ("m.1", "n.2", "m.3")), ("3.0.0", ("a", "n.2"))):
        (folder / "s.json").write_text(json.dumps({
            "asyncapi": version, "components": {"messages": messages}, "channels": {
                "c": {"publish": {"message": {"messageId": "m.3", "payload": schema(a="h")}}}}
            if version == "2.6.0" else {}}))
        equal(generate(folder, "--from", "s.json", "--out", "."), (0, "", ""))
        text = (folder / "s.h").read_text()
        for name in types:
            assert f'HERALD_ROUTE("{name}", ' in text, (version, name, text)
        assert text.count("HERALD_ROUTE(") == len(types), text
        assert ("struct s_m_3 {" in text) == (version == "2.6.0"), text
    # A payload may be in another file; messages and channels may not.
    document["components"]["messages"]["OrderPaid"]["payload"] = {"$ref": "invoice.json#/$defs/Bill"}
    (folder / "s.json").write_text(json.dumps(document))
    (folder / "invoice.json").write_text(json.dumps({"$defs": {"Bill": schema(a="b")}}))
    equal(generate(folder, "--from", "s.json", "--from", "invoice.json", "--out", "."), (0, "", ""))
    assert "struct s_bill {" in (folder / "s.h").read_text()
    document["channels"]["orders"]["messages"]["far"] = {"$ref": "other.json#/m"}
    (folder / "s.json").write_text(json.dumps(document))
    equal(generate(folder, "--from", "s.json", "--from", "invoice.json", "--out", "."),
          (1, "", "herald: s.json: /channels/orders/messages/far: expected a reference within the document, "
                  "found other.json#/m\n"))


def asyncapi_routes(folder):
    """A route for each event type, a function for each route; other formats are raw JSON."""
    def message(name, key, **more):
        return {"name": name, "payload": {"type": "object", "properties": {key: {"type": "string"}}}, **more}

    messages = {"a": message("a.b", "a"), "b": message("a-b", "b"), "c": message("x/*y*/z*/", "c"),
                "d": message("a.b", "d"), "e": {"$ref": "#/components/messages/a"},
                "raw": {"payload": {"type": ["string", "integer"], "minLength": 1}},
                "avro": message("old", "f", schemaFormat="application/vnd.apache.avro;version=1.9.0")}
    names = {"B/c": "b", "A~d": "d"}
    pets = {name: {"type": "object", "required": ["pet"], "properties": {"pet": {"type": "string"}, key: {}}}
            for name, key in names.items()}
    messages["pet"] = {"name": "pet", "payload": {
        "discriminator": "pet", "oneOf": [{"$ref": "#/components/schemas/B~1c"}, {"$ref": "#/components/schemas/A~0d"}]}}
    (folder / "s.json").write_text(json.dumps({
        "asyncapi": "3.0.0", "channels": {}, "components": {"messages": messages, "schemas": pets}}))
    equal(generate(folder, "--from", "s.json", "--out", "."), (0, "", ""))
    lines = (folder / "s.h").read_text().splitlines()
    for line in (' *\tHERALD_ROUTE("a.b", s_a, on_a_b, NULL),', ' *\tHERALD_ROUTE("a-b", s_b, on_a_b_2, NULL),',
                 ' *\tHERALD_ROUTE("x/\\052y*\\057z*\\057", s_c, on_x_y_z, NULL),',
                 ' *\tHERALD_ROUTE("old", herald_json, on_old, NULL),',
                 ' * Payloads of "raw": Raw JSON: an integer or a string.', ' * Payloads of "raw": Not checked: minLength 1.',
                 ' * Another message of the type "a.b" is a struct s_d.'):
        assert line in lines, (line, lines)
    assert sum('"a.b", ' in line for line in lines) == 1, lines
    assert 'Raw JSON: "old", whose schemaFormat is application/vnd.apache.avro;version=1.9.0:' in \
        " ".join(lines), lines
    source = (folder / "s.c").read_text()
    assert '\t\tHERALD_CASE("B/c", b_c, s_b_c),\n' in source and '"A~d"' in source, source
    compiles(folder, "s")


def schema_or_sample(folder):
    """The header says what it was made from."""
    schemas = ({"type": "object", "required": ["a"]}, {"patternProperties": {"^a": {}}}, {"type": "array", "items": {}},
               {"type": "string", "minLength": 1}, {"enum": ["a", "b"]}, {"const": 1}, {"prefixItems": [{}]},
               {"if": {"type": "string"}, "then": {"minLength": 1}}, {"$id": "http://example.com/a", "type": "string"},
               {"type": ["string", "null"]}, {"title": "T", "description": "D", "not": {}}, True,
               {"$ref": "#/$defs/a", "$defs": {"a": {}}, "example": 1}, {"type": "integer", "maximum": 5, "example": 1},
               {"properties": {"a": {}}, "x-a": 1, "discriminator": "a"}, {"$defs": {}, "a": 1})
    samples = ({}, {"type": "order.placed", "properties": {}}, {"type": "object", "id": 5}, {"items": [{"a": 1}]},
               {"title": "T", "description": "D"}, {"enum": "a"}, {"required": True}, {"minimum": 1, "maximum": 5},
               {"type": "object", "properties": {"a": 1}}, {"const": 1, "id": 2}, [1], 5, None, {"type": ["x"]},
               {"format": "x", "default": 1}, {"event": "Signed Up", "properties": {}},
               {"event": "Signed Up", "properties": {"plan": {"name": "x"}}, "required": []},
               {"oneOf": [{}], "id": 1}, {"definitions": {}, "$x": 1})
    for values, what in ((schemas, "JSON Schema"), (samples, "sample")):
        for value in values:
            (folder / "p.json").write_text(json.dumps(value))
            for words, kind in (([], what), (["--schema"], "JSON Schema"), (["--samples"], "sample")):
                if words == ["--schema"] and what == "sample":
                    continue
                status, _, errors = generate(folder, "--from", "p.json", "--out", ".", *words)
                equal(status, 0)
                text = (folder / "p.h").read_text()
                assert text.startswith(f"/* Payloads of events, made by `herald generate` from the {kind} p.json. */") \
                    or f" made by `herald generate` from the {kind} p.json.\n" in text, (value, words, errors, text)
    # If that is a guess, unknown members of the root are warned of with a remedy.
    for schema, words, remedy in (({}, [], "; if the file is a sample, use --samples"), ({}, ["--schema"], ""),
                                  ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, [], "")):
        schema = {"type": "object", "properties": {"a": {"y": 1}}, "x": 1, **schema}
        (folder / "p.json").write_text(json.dumps(schema))
        equal(generate(folder, "--from", "p.json", "--out", ".", *words),
              (0, "", f'herald: p.json: the keyword "x" is ignored: it is not a keyword of the schema\'s draft{remedy}\n'
                      'herald: p.json: /properties/a: the keyword "y" is ignored: it is not a keyword of the '
                      "schema's draft\n"))
    # By option, {} is a schema.
    (folder / "p.json").write_text("{}")
    equal(generate(folder, "--from", "p.json", "--out", ".", "--schema"), (0, "", ""))
    assert "from the JSON Schema p.json." in (folder / "p.h").read_text()


def keywords_that_allow_everything(folder):
    """Have no comment."""
    schemas = [{"type": "array", "items": {"type": "string"}, "uniqueItems": False}, {"type": "string", "not": False},
               {"type": "object", "additionalProperties": True, "unevaluatedProperties": True, "propertyNames": True},
               {"type": "array", "unevaluatedItems": True, "items": True}]
    (folder / "p.json").write_text(json.dumps({"type": "object", "properties": dict(zip("abcd", schemas))}))
    equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
    assert "checked" not in (folder / "p.h").read_text(), (folder / "p.h").read_text()


def samples_of_odd_members(folder):
    """Names with a NUL are left out; structs are the same only if all of their members are."""
    def generated(*values):
        words = []
        for index, value in enumerate(values):
            (folder / f"{index}.json").write_text(value if isinstance(value, str) else json.dumps(value))
            words += ["--from", f"{index}.json"]
        equal(generate(folder, *words, "--samples", "--name", "p", "--out", "."), (0, "", ""))
        compiles(folder, "p")
        return (folder / "p.h").read_text(), (folder / "p.c").read_text()

    header, source = generated({"a\0b": 1, "a\0c": 2, "q": 3, "r": 4, "s": 5})
    assert "/* Left out: a member whose name has a NUL. */\nstruct p {\n\tint64_t q;\n" in header, header
    assert "\\000" not in source, source
    header, _ = generated({"x": [{"a\0": 1, "b": 2, "c": 3}], "y": {"a\0": 1}})
    assert "\t/* Raw JSON: the name of a member has a NUL. */\n\tstruct herald_json y;\n" in header, header
    header, _ = generated({"a\0": 1})
    assert "\tstruct herald_json value;\n" in header, header
    header, _ = generated({**{f"a{i}": 1 for i in range(1500)}, "b\0": 1})
    assert "\tstruct herald_json value;\n" in header, header
    # Keys that look like the end of one member and the begin of another.
    for key in ("a:3-1000;b", "a:3-1010;b", "a 3  -1  1000;1:b"):
        header, _ = generated({"p": {key: "x"}, "o": {"p": {"a": "y", "b": "z"}}})
        assert header.count("\nstruct p_") == 3, header
    # Names with blanks are members. So are those like data, if several objects have all of them.
    header, source = generated({"First Name": "A", "Last Name": "B"})
    assert "\tconst char *first_name;\n\tconst char *last_name;\n" in header, header
    assert '.key = "First Name"' in source, source
    header, _ = generated({"1st": 1, "2nd": 2}, {"1st": 3, "2nd": 4})
    assert "\tint64_t n_1st;\n\tint64_t n_2nd;\n" in header, header
    for values in (({"1st": 1, "2nd": 2},), ({"1st": 1, "2nd": 2}, {"1st": 3})):
        header, _ = generated(*values)
        assert "\t/* Its names look like data, so it is a map. */\n" \
            "\tconst struct p_payload_entry *value;\n" in header, header
    # Values of a map are merged, whatever they are.
    header, source = generated({"days": {"2024-01-01": {"a": 1, "l": [{"x": 1}]}, "2024-01-02": {"b": "x", "l": [{}]}}})
    assert "struct p_day {\n\tint64_t a;\n\tbool has_a;\n\tconst struct p_l *l;\n\tsize_t l_count;\n" \
        "\tconst char *b;\n};\n" in header, header
    assert "struct p_day_entry {\n\tconst char *key;\n\tstruct p_day value;\n};\n" in header, header
    assert "\tHERALD_OPTIONAL(p_l, x));" in source, source
    assert "\tHERALD_MAP(p, days, p_day_entry, .required = true));" in source, source
    header, _ = generated({"by": {"1": [1], "2": [2.5], "3": None}, "of": {"1": {"1/a": 1}, "2": {"2/b": 2}},
                           "mixed": {"1": [], "2": {}}, "empty": {"1": {}, "2": {}}})
    for line in ("\tconst double *value;\n", "\tconst struct p_of_entry *value;\n",
                 "\tstruct herald_json_map mixed;\n", "\tstruct herald_json_map value;\n"):
        assert line in header, (line, header)
    header, _ = generated("null")
    assert "All samples are null: use herald_json_schema." in header, header
    header, _ = generated('{"n": [0.12345678901234567891, 1]}')
    assert "\t/* Raw JSON: a number that no type in C holds. */\n\tconst struct herald_json *n;\n" in header, header


def references_to_the_file_next_to_it(folder):
    (folder / "a.json").write_text(json.dumps({
        "$schema": S7, "$id": "http://example.com/a.json", "type": "object",
        "properties": {"b": {"$ref": "b.json#/definitions/b"}}}))
    (folder / "b.json").write_text(json.dumps({
        "$schema": S7, "$id": "http://example.com/other", "definitions": {"b": {"type": "boolean"}}}))
    equal(generate(folder, "--from", "a.json", "--from", "b.json", "--out", "."), (0, "", ""))
    assert "\tbool b;\n" in (folder / "a.h").read_text()


def large_and_deep(folder):
    """Hostile schemas end soon, with what can be said."""
    deep = {f"d{i}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/d{i + 1}"}}}
            for i in range(3000)}
    wide = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(60)}
    clash = {"type": "object", "properties": {"é" * i: {} for i in range(1, 160)}}
    # Each has 2 to the power of 64 ways.
    itself = {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}
    pairs = {"$ref": "#/$defs/d0", "$defs": {
        **{f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(30)},
        "d30": {"type": "object", "properties": {"a": {}}}}}
    for schema in (itself, {"anyOf": [itself, itself]}, pairs,
                   {"allOf": [{"$ref": f"#/allOf/{(i + 1) % 3000}"} for i in range(3000)]},
                   {"$ref": "#/$defs/d0", "$defs": {**deep, "d3000": True}},
                   {"$ref": "#/$defs/d0", "$defs": {**wide, "d60": {"type": "null"}}},
                   clash):
        (folder / "p.json").write_text(json.dumps(schema), encoding="utf-8")
        equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))


def too_many_steps(folder):
    """What takes more than --max-steps is refused, and says so."""
    def generated(schema, *words):
        (folder / "p.json").write_text(json.dumps(schema), encoding="utf-8")
        return generate(folder, "--from", "p.json", "--out", ".", *words)

    def refused(steps):
        return (1, "", "herald: p.json: its parts refer to each other in too many ways: it takes more than "
                       f"{steps} steps, which --max-steps can raise\n")

    # Each struct has members of each pair of structs, and so on: 2 to the power of 20 structs.
    sets = {"$ref": "#/$defs/a0", "$defs": {f"a{i}": {"type": "object", "properties": {
        f"m{j}": {"allOf": [{"$ref": f"#/$defs/a{i}"}, {"$ref": f"#/$defs/a{j}"}]} for j in range(20)}}
        for i in range(20)}}
    equal(generated(sets), refused(2000000))
    assert not (folder / "p.h").exists()
    # 300 alternatives, each with the same 300, for many members.
    union = {"type": "object", "properties": {f"p{i}": {"$ref": "#/$defs/a0"} for i in range(50)},
             "$defs": {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{j}"} for j in range(300)]}
                       for i in range(300)}}
    equal(generated(union), refused(2000000))
    # At the limit, and one below.
    small = {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
    least = next(i for i in range(1, 100) if generated(small, "--max-steps", str(i))[0] == 0)
    assert least > 5, least
    equal(generated(small, "--max-steps", str(least - 1)), refused(least - 1))
    message = {"asyncapi": "3.0.0", "components": {"messages": {"m": {"payload": small}}}}
    equal(generated(message, "--max-steps", "5"), refused(5))
    equal(generate(folder, "--from", "p.json", "--out", ".", "--max-steps", "0"),
          (2, "", 'herald: --max-steps: expected a number from 1, found "0"\n'))


def many_of_everything(folder):
    """These took minutes, as each was looked for in a list of all others."""
    def rows(count, make):
        return {f"a{i}": make(i) for i in range(count)}

    def object_of(members):
        return {"type": "object", "properties": members}

    for schema in (object_of({f"o{j}": object_of(rows(900, lambda i, j=j: {"enum": [f"x{i}", f"y{j}"]}))
                              for j in range(30)}),
                   object_of({f"o{j}": object_of(rows(900, lambda _: object_of({"z": {}})))
                              for j in range(30)}),
                   object_of({"a": {"oneOf": [object_of({f"x{i}": {}}) for i in range(20000)]}}),
                   object_of({"a": {"allOf": [{"enum": [f"v{i}" for i in range(50000)]}] * 2}}),
                   {**object_of(rows(900, lambda i: {"$ref": f"http://x/{i}"})),
                    "$defs": rows(50000, lambda i: {"$id": f"http://x/{i}"})},
                   {**object_of(rows(900, lambda i: {"$ref": f"#b{i}"})),
                    "$defs": rows(50000, lambda i: {"$anchor": f"b{i}"})}):
        (folder / "p.json").write_text(json.dumps(schema), encoding="utf-8")
        equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
    # A comment names some of many alternatives.
    (folder / "p.json").write_text(json.dumps(
        {"oneOf": [object_of({f"x{i}": {}}) for i in range(20)]}), encoding="utf-8")
    equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
    assert "struct p_payload_16 and 4 more:" in (folder / "p.h").read_text().replace("\n * ", " ")
    # As deep as a document may be.
    (folder / "p.json").write_text('{"items":' * 10000 + "{}" + "}" * 10000)
    status, _, errors = generate(folder, "--from", "p.json", "--out", ".")
    assert status == 1 and "256" in errors, errors


def values_that_all_lists_have(folder):
    for schema in ({"allOf": [{"enum": ["x", "y", "z"]}, {"enum": ["y", "z", "w"]}]},
                   {"enum": ["x", "y", "z"], "anyOf": [{"const": "y"}, {"enum": ["z", "w"]}]},
                   {"anyOf": [{"const": "x"}, {"enum": ["y", "z"]}],
                    "oneOf": [{"enum": ["y", "z"]}, {"const": "w"}]}):
        (folder / "p.json").write_text(json.dumps({"type": "object", "properties": {"a": schema}}))
        equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
        assert "enum p_a {\n\tP_A_Y,\n\tP_A_Z,\n};\n" in (folder / "p.h").read_text(), schema


def numbers_of_samples(folder):
    """No type is chosen that loses digits of a number."""
    for numbers, line in ((["1", "-2"], "\tint64_t n;"), (["1", str(2 ** 64 - 1)], "\tuint64_t n;"),
                          (["1", "2.5"], "\tdouble n;"), (["1e400"], "\tstruct herald_json n;"),
                          (["-1", str(2 ** 64 - 1)], "\tstruct herald_json n;"),
                          ([str(2 ** 64)], "\tstruct herald_json n;"),
                          ([str(2 ** 53), "0.5"], "\tdouble n;"),
                          ([str(2 ** 53 + 1), "0.5"], "\tstruct herald_json n;"),
                          (["0.5", str(-2 ** 53 - 1)], "\tstruct herald_json n;"),
                          (["0.1", "1.5e300", "-2.50", "0.0", "-0.0", "123456789012345.6"], "\tdouble n;"),
                          (["0.30000000000000004", "5e-324", "1.7976931348623157e308"], "\tdouble n;"),
                          (["0.12345678901234567891"], "\tstruct herald_json n;"),
                          (["0.10000000000000001"], "\tstruct herald_json n;"),
                          (["4.9e-324"], "\tstruct herald_json n;"),
                          (["1e-400"], "\tstruct herald_json n;")):
        words = []
        for index, number in enumerate(numbers):
            (folder / f"{index}.json").write_text(f'{{"n": {number}}}')
            words += ["--from", f"{index}.json"]
        equal(generate(folder, *words, "--samples", "--name", "p", "--out", "."), (0, "", ""))
        lines = (folder / "p.h").read_text().splitlines()
        assert line in lines, (numbers, lines)


def samples_with_many_names(folder):
    """An object with 60,000 names is a map, in a time that does not grow with their square."""
    (folder / "p.json").write_text(json.dumps({f"a{i}": i % 7 for i in range(60000)}))
    equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
    assert "\tint64_t value;\n" in (folder / "p.h").read_text()
    # What comes after the first 1,000 names counts, too.
    (folder / "p.json").write_text(json.dumps({f"a{i}": i if i < 2000 else "x" for i in range(2001)}))
    equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
    assert "struct herald_json_map" in (folder / "p.h").read_text()


def never_crashes(folder, draft, schema):
    (folder / "p.json").write_text(json.dumps(schema), encoding="utf-8")
    status, _, errors = generate(folder, "--from", "p.json", "--out", ".", "--schema", "--draft", draft)
    assert status in (0, 1) and "Sanitizer" not in errors, (status, draft, schema, errors)


def every_keyword_with_every_type(folder):
    for draft, schema in hostile.each():
        never_crashes(folder, draft, schema)


def random_schemas(folder):
    seed = int(os.environ.get("HERALD_TEST_SEED", 0)) or int.from_bytes(os.urandom(4), "little")
    print(f"# HERALD_TEST_SEED={seed}", flush=True)
    grammar = hostile.Grammar(seed)
    for _ in range(200):
        never_crashes(folder, *grammar.file())


def definitions_that_nobody_checked(folder):
    """In draft-07, $defs is not a keyword."""
    never_crashes(folder, "7", {"anyOf": [{"type": "array"}, {"type": "object", "properties": {}}],
                                "$defs": {"a": {"type": [5], "properties": {"x": {}}}}})
    never_crashes(folder, "7", {"anyOf": [{"type": "array"}, {"type": "object"}], "$defs": [1, 2]})
    never_crashes(folder, "7", {"$dynamicRef": "#/x", "type": "object",
                                "x": {"type": [5], "properties": [1]}})


if __name__ == "__main__":
    tap.run([(f"golden {row[0]}", in_folder, whole, *row) for row in WHOLE] +
            [(json.dumps(row[0])[:100].replace("#", "."), in_folder, part, *row) for row in PARTS] +
            [(" ".join(["usage", *row[0]]), in_folder, usage, *row) for row in USAGE] +
            [(check.__name__, in_folder, check)
             for check in (names_of_elements, asyncapi_names, asyncapi_routes, schema_or_sample, keywords_that_allow_everything,
                           samples_of_odd_members, references_to_the_file_next_to_it, large_and_deep, too_many_steps,
                           many_of_everything,
                           values_that_all_lists_have, numbers_of_samples, samples_with_many_names,
                           every_keyword_with_every_type, random_schemas,
                           definitions_that_nobody_checked)])
