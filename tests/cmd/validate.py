#!/usr/bin/env python3
"""Checks events by schemas with `herald validate`, and compares all that it prints.

    tests/cmd/validate.py HERALD

Whether values are valid is tested by JSON Schema's own test suite (tests/interop/schema_suite.py);
here it is what the tool says, and what it refuses. Every case is one line of TAP.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

# pylint: disable=wrong-import-position
import hostile  # noqa: E402
import tap  # noqa: E402
from programs import equal  # noqa: E402

HERALD = str(pathlib.Path(sys.argv[1]).resolve())
S7 = "http://json-schema.org/draft-07/schema#"



def exported(kind, **members):
    """A case of a tagged union, as herald_schema_json() writes it."""
    return {"allOf": [{"properties": {"kind": {"enum": [kind]}}}],
            "properties": {"kind": {"enum": ["a", "b", "c"]}, "on": {"enum": [False, True]}, **members},
            "required": ["kind", *members]}


UNION = {"$defs": {"item": {"anyOf": [exported("a"), exported("b", x={"type": "integer"}),
                                      exported("c", data={"properties": {"x": {"maximum": 5}}})]}},
         "$ref": "#/$defs/item"}
OTHER = {"not": {"properties": {"kind": {"enum": ["a"]}}, "required": ["kind"]}, "required": ["z"]}
TAGGED = [
    # The alternative whose constants fit is what was meant, whether or not another fails deeper.
    (UNION, {"kind": "b"}, 'the member "x" is required, but missing (the nearest of 3 in anyOf) (byte 0)'),
    (UNION, {"kind": "b", "x": "1", "data": {"x": 9}},
     '/x: expected an integer, found "1" (the nearest of 3 in anyOf) (byte 19)'),
    (UNION, {"kind": "c", "data": {"x": 6}, "x": 1},
     "/data/x: expected at most 5, found 6 (the nearest of 3 in anyOf) (byte 28)"),
    # None fits: the tag is wrong, or another member that all of them have.
    (UNION, {"x": 1, "kind": "d"}, '/kind: expected one of "a", "b", "c", found "d" (byte 17)'),
    (UNION, {"kind": "b", "x": 1, "on": 1}, "/on: expected one of false, true, found 1 (byte 28)"),
    ({"oneOf": [{"properties": {"v": {"const": 1}}}, {"properties": {"v": {"$ref": "#/$defs/two"}}}],
      "$defs": {"two": {"const": 2}}}, {"v": 3}, "/v: expected one of 1, 2, found 3 (byte 6)"),
    # All other values of a tag.
    ({"anyOf": [exported("a", x=True), OTHER]}, {"kind": "a", "z": 1},
     'the member "x" is required, but missing (the nearest of 2 in anyOf) (byte 0)'),
    ({"anyOf": [exported("a", x=True), OTHER]}, {"kind": "q"},
     'the member "z" is required, but missing (the nearest of 2 in anyOf) (byte 0)'),
    # A union in an alternative: the reason says "nearest" once.
    ({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/item"}], "$defs": UNION["$defs"]}, {"kind": "b"},
     'the member "x" is required, but missing (the nearest of 3 in anyOf) (byte 0)'),
    # Schemas that refer to each other.
    ({"anyOf": [{"$ref": "#"}, {"properties": {"a": {"const": 1}}}]}, {"a": 2},
     "not checked: schemas refer to each other without end"),
    # Draft-07: what is next to $ref does not count, and nobody checked it.
    *[({"$schema": S7, "definitions": {"a": {"required": ["b"], "properties": {"v": {"const": 1}}}},
        "anyOf": [{"$ref": "#/definitions/a", **hidden}, {"properties": {"v": {"const": 3}}, "required": ["z"]}]},
       {"v": 1}, 'the member "b" is required, but missing (the nearest of 2 in anyOf) (byte 0)')
      for hidden in ({"type": "string"}, {"not": True}, {"properties": {"v": {"const": 2}}},
                     {"allOf": [{"type": "string"}]}, {"allOf": {"a": 1, "b": 2}}, {"type": [5]},
                     {"properties": {"v": {"enum": {"a": 1, "b": 2}}}})],
    ({"$schema": S7, "definitions": {"b": {"$ref": "#/definitions/c", "enum": {"a": 1, "b": 2}}, "c": {"const": 1}},
      "anyOf": [{"properties": {"v": {"$ref": "#/definitions/b", "const": 2}}, "required": ["q"]}, False]},
     {"v": 1}, 'the member "q" is required, but missing (the nearest of 2 in anyOf) (byte 0)'),
    # In 2020-12 it counts: a tag may be of a list that all alternatives refer to.
    ({"$defs": {"kind": {"enum": ["a", "b"]}},
      "anyOf": [{"properties": {"kind": {"$ref": "#/$defs/kind", "const": name}}, "required": [name]}
                for name in ("a", "b")]},
     {"kind": "b"}, 'the member "b" is required, but missing (the nearest of 2 in anyOf) (byte 0)'),
]

# (schema, event, what is printed of it; None: it is valid)
REASONS = [
    (True, {}, None),
    (False, 1, "expected nothing here, found 1 (byte 0)"),
    ({"type": "string"}, 5, "expected a string, found 5 (byte 0)"),
    ({"type": "integer"}, "x", 'expected an integer, found "x" (byte 0)'),
    ({"type": "integer"}, 1.0, None),
    ({"type": ["string", "integer", "null"]}, True,
     "expected a string, an integer or null, found true (byte 0)"),
    ({"properties": {"a": {"type": "array"}}}, {"b": 1, "a": {}},
     "/a: expected an array, found {} (byte 14)"),
    ({"properties": {"a/b~c": {"items": {"type": "null"}}}}, {"a/b~c": [None, 7]},
     "/a~1b~0c/1: expected null, found 7 (byte 17)"),
    ({"enum": ["a", 1, {}]}, "b", 'expected one of "a", 1, {}, found "b" (byte 0)'),
    ({"enum": list(range(9))}, 10, "expected one of 0, 1, 2, 3, 4, 5, 6, 7, ..., found 10 (byte 0)"),
    ({"enum": ["a"]}, "b", 'expected "a", found "b" (byte 0)'),
    # Of arrays and objects, the text says what is wrong.
    ({"enum": [[1, 2], {"a": [" b "]}]}, [3], 'expected one of [1,2], {"a":[" b "]}, found [3] (byte 0)'),
    ({"const": {"a": 1}}, {"a": "\"\\ ,"}, 'expected {"a":1}, found {"a":"\\"\\\\ ,"} (byte 0)'),
    ({"const": ["é" * 40]}, [], 'expected ["' + "é" * 29 + "..., found [] (byte 0)"),
    ({"const": ["x" + "é" * 40]}, [], 'expected ["x' + "é" * 28 + "..., found [] (byte 0)"),
    ({"maxItems": 2.0, "minLength": 1e0}, [1, 2], None),
    ({"propertyNames": {"pattern": "^x"}}, {'a"b': 1},
     'the name of a member is not valid: expected a string that matches "^x", found "a\\"b" (byte 0)'),
    ({"const": 2}, 2.0, None),
    ({"const": 2}, 3, "expected 2, found 3 (byte 0)"),
    ({"const": 0.1}, 0.10000000000000001, None),
    ({"multipleOf": 0.1}, 0.3, None),
    ({"multipleOf": 3}, 10, "expected a multiple of 3, found 10 (byte 0)"),
    ({"minimum": 1}, 0, "expected at least 1, found 0 (byte 0)"),
    ({"maximum": 1}, 2, "expected at most 1, found 2 (byte 0)"),
    ({"exclusiveMinimum": 1}, 1, "expected a number above 1, found 1 (byte 0)"),
    ({"exclusiveMaximum": 1}, 1, "expected a number below 1, found 1 (byte 0)"),
    *[({"minimum": 1, "maximum": 1.0}, value, f"expected exactly {bound}, found {value} (byte 0)")
      for value, bound in ((0, "1"), (2, "1.0"))],
    *[({"minLength": 2, "maxLength": 2}, "x" * count,
       f"expected a string of exactly 2 characters, found {count} (byte 0)") for count in (1, 3)],
    *[({"minProperties": 1, "maxProperties": 1}, {name: 1 for name in names},
       f"expected exactly 1 member, found {len(names)} (byte 0)") for names in ("", "ab")],
    *[({"minItems": 2, "maxItems": 2}, [1] * count,
       f"expected exactly 2 elements, found {count} (byte 0)") for count in (1, 3)],
    ({"minLength": 2}, "ä", "expected a string of at least 2 characters, found 1 (byte 0)"),
    ({"maxLength": 1}, "ab", "expected a string of at most 1 character, found 2 (byte 0)"),
    ({"pattern": "^a\\d$"}, "a1", None),
    ({"pattern": "^a\\d$"}, "a1\n", 'expected a string that matches "^a\\\\d$", found "a1\\n" (byte 0)'),
    *[({"pattern": f"^[\\s\\S]{{{len(text)}}}$"}, text, None)
      for text in ("", "a b", "\t\u00a0\u1680\u2028\u3000\ufeff", "\ud7ff\ue000\U0001f600\x01")],
    *[({"pattern": "[\\S]"}, text, f'expected a string that matches "[\\\\S]", found {shown} (byte 0)')
      for text, shown in ((" ", '" "'), ("\u3000", '"\u3000"'))],
    ({"pattern": "^[^\\S]$"}, " ", None),
    ({"pattern": "^[\\Sa]+$"}, "xyz\u00e9", None),
    # A dot does not match line terminators of ECMA-262, unless it is in brackets or escaped.
    *[({"pattern": "a.b"}, f"a{text}b", f'expected a string that matches "a.b", found "a{shown}b" (byte 0)')
      for text, shown in (("\n", "\\n"), ("\r", "\\r"))],
    *[({"not": {"pattern": "a.b"}}, f"a{text}b", None) for text in ("\u2028", "\u2029")],
    *[({"pattern": "a.b"}, f"a{text}b", None) for text in ("x", "\u0085", "\U0001f600", "\v")],
    ({"pattern": "a[.]b\\.c"}, "a.b.c", None),
    ({"pattern": "a[.]b"}, "axb", 'expected a string that matches "a[.]b", found "axb" (byte 0)'),
    ({"pattern": "^\\ud83d\\ude00[\\uD83D\\uDE01]$"}, "\U0001f600\U0001f601", None),
    ({"enum": []}, 1, "expected nothing: the enum is empty, found 1 (byte 0)"),
    ({"required": ["a", "b"]}, {"a": 1}, 'the member "b" is required, but missing (byte 0)'),
    ({"minProperties": 2}, {"a": 1}, "expected at least 2 members, found 1 (byte 0)"),
    ({"maxProperties": 0}, {"a": 1}, "expected at most 0 members, found 1 (byte 0)"),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1},
     'the member "b" is required with a, but missing (byte 0)'),
    ({"$schema": S7, "dependencies": {"a": ["b"]}}, {"a": 1},
     'the member "b" is required with a, but missing (byte 0)'),
    ({"propertyNames": {"maxLength": 1}}, {"ab": 1},
     "the name of a member is not valid: expected a string of at most 1 character, found 2 (byte 0)"),
    ({"additionalProperties": False, "properties": {"a": True}}, {"a": 1, "b": 2},
     'unknown member "b" (byte 0)'),
    ({"unevaluatedProperties": False, "allOf": [{"properties": {"a": True}}]}, {"a": 1, "b": 2},
     'unknown member "b" (byte 0)'),
    ({"additionalProperties": False}, {"b" * 1010: 2}, f'unknown member "{"b" * 1004}... (byte 0)'),
    ({"minItems": 1}, [], "expected at least 1 element, found 0 (byte 0)"),
    ({"maxItems": 1}, [1, 2], "expected at most 1 element, found 2 (byte 0)"),
    ({"uniqueItems": True}, [1, 2, 1.0],
     "expected different elements, but 0 and 2 are equal (byte 0)"),
    ({"prefixItems": [{"type": "null"}], "items": False}, [None, 2],
     "expected at most 1 element, found 2 (byte 0)"),
    ({"contains": {"type": "null"}}, [1],
     'expected at least 1 element that "contains" describes, found 0 (byte 0)'),
    ({"contains": True, "maxContains": 1}, [1, 2],
     'expected at most 1 element that "contains" describes, found 2 (byte 0)'),
    ({"unevaluatedItems": False, "prefixItems": [True]}, [1, 2], "unexpected element 1 (byte 0)"),
    ({"not": {"type": "null"}}, None, 'null is what "not" excludes (byte 0)'),
    # The alternative that came nearest is probably what was meant.
    ({"anyOf": [{"type": "null"}, {"properties": {"a": {"type": "null"}}}]}, {"a": 1},
     "/a: expected null, found 1 (the nearest of 2 in anyOf) (byte 6)"),
    ({"oneOf": [{"type": "null"}, {"minimum": 5}]}, 1,
     "expected at least 5, found 1 (the nearest of 2 in oneOf) (byte 0)"),
    *TAGGED,
    ({"oneOf": [True, {"minimum": 5}]}, 7,
     "expected exactly one schema of oneOf to be valid, but two are (byte 0)"),
    ({"if": {"type": "object"}, "then": {"required": ["a"]}}, {},
     'the member "a" is required, but missing (byte 0)'),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}, 1,
     "expected null, found 1 (byte 0)"),
    # The anchor's resource is not in the dynamic scope: the reference means what it names.
    ({"$defs": {"b": {"$id": "b.json", "$dynamicAnchor": "node", "type": "string"}},
      "$dynamicRef": "b.json#node"}, 5, "expected a string, found 5 (byte 0)"),
    ({"$dynamicAnchor": "m", "properties": {"a": {"$dynamicRef": "#%6d"}}, "type": "object"},
     {"a": 1}, "/a: expected an object, found 1 (byte 6)"),
    ({"format": "date-time"}, "yesterday", None),
    ({"type": "string"}, ["x" * 70], "expected a string, found an array (byte 0)"),
    ({"type": "null"}, "x" * 70, 'expected null, found "' + "x" * 59 + "... (byte 0)"),
    # A terminal would obey it.
    ({"type": "null"}, "\u009b31m", 'expected null, found "\\u009b31m" (byte 0)'),
]

# (value of --formats, valid, not valid, what was expected)
FORMATS = [
    ("date-time", "2026-01-31T12:00:00Z", "2026-02-30T12:00:00Z", "an RFC 3339 timestamp"),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000", "a UUID"),
    ("uri", "https://example.com/a?b#c", "//example.com", "a URI with its scheme"),
    ("email", "ann@example.com", "ann@", "an email address"),
]

# (schema, what is printed to stderr after the file's name)
BAD_SCHEMAS = [
    ([], "expected a schema, which is an object, true or false"),
    ({"type": "strng"}, "/type: expected the name of a type"),
    ({"type": {}}, "/type: expected a string"),
    ({"minimum": "1"}, "/minimum: expected a number"),
    ({"properties": {"a": {"required": True}}}, "/properties/a/required: expected an array"),
    ({"required": [1]}, "/required: expected names of members"),
    ({"required": ["a", "b", "a"]}, "/required: expected each name once"),
    ({"dependentRequired": {"a": ["b", "b"]}}, "/dependentRequired: expected each name once"),
    ({"$schema": S7, "dependencies": {"a": ["b", "b"]}}, "/dependencies: expected each name once"),
    ({"type": []}, "/type: expected the name of a type, found []"),
    ({"type": ["string", "null", "string"]}, "/type: expected each type once"),
    *[({keyword: value}, f"/{keyword}: expected a whole number from 0")
      for keyword in ("maxContains", "maxItems", "maxLength", "maxProperties", "minContains", "minItems",
                      "minLength", "minProperties") for value in (-1, 1.5, -0.5)],
    ({"$schema": S7, "items": []}, "/items: expected one schema or more, found []"),
    *[({keyword: []}, f"/{keyword}: expected one schema or more, found []")
      for keyword in ("allOf", "anyOf", "oneOf", "prefixItems")],
    ({"properties": {"a": 1}}, "/properties: expected schemas, which are objects, true or false"),
    ({"allOf": [1]}, "/allOf: expected schemas, which are objects, true or false"),
    ({"multipleOf": 0}, "/multipleOf: expected a number above 0 of up to 18 digits"),
    ({"pattern": "("}, "/pattern: missing closing parenthesis"),
    ({"pattern": "\\Z"}, "/pattern: the escape \\Z is not supported"),
    ({"patternProperties": {"[\\Z]": True}},
     "/patternProperties: the escape \\Z is not supported"),
    ({"dependentRequired": {"a": {}}}, "/dependentRequired: expected lists of names"),
    ({"$schema": S7, "dependencies": {"a": 1}},
     "/dependencies: expected schemas or lists of names"),
    ({"$ref": "#/$defs/a"}, "/$ref: nothing in the files given is #/$defs/a; give the file that "
                            "has it with another --schema or --from"),
    ({"$ref": "#/x", "x": 5}, "/$ref: #/x is not a schema, which is an object, true or false"),
    ({"$ref": "#/x", "x": [1]}, "/$ref: #/x is not a schema, which is an object, true or false"),
    ({"$ref": "#/enum/0", "enum": [None]},
     "/$ref: #/enum/0 is not a schema, which is an object, true or false"),
    ({"$dynamicRef": "#/x", "x": "a"},
     "/$dynamicRef: #/x is not a schema, which is an object, true or false"),
    # A list is not taken for an object, or the reverse.
    ({"properties": [1, 2]}, "/properties: expected an object"),
    ({"allOf": {"a": 1}}, "/allOf: expected an array"),
    ({"$schema": S7, "$ref": "#/definitions/a", "definitions": [1]},
     "/$ref: nothing in the files given is #/definitions/a; give the file that has it with another "
     "--schema or --from"),
    ({"$ref": "#/x-a", "x-a": {"properties": [1]}}, "/x-a/properties: expected an object"),
    ({"$ref": "http://example.com/s"},
     "/$ref: nothing in the files given is http://example.com/s; give the file that has it with "
     "another --schema or --from"),
    ({"$schema": "http://json-schema.org/draft-04/schema#"},
     '/$schema: expected draft-07 or 2020-12, found "http://json-schema.org/draft-04/schema#"; '
     "--draft says which one to use instead"),
]


class Folder:
    """Files of one case."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def write(self, name, value):
        text = value if isinstance(value, str) and not name.endswith(".json") else \
            json.dumps(value, ensure_ascii=False)
        (self.path / name).write_text(text, encoding="utf-8")

    def run(self, *words, data=b""):
        """Status, output and errors."""
        result = subprocess.run([HERALD, "validate", *words], cwd=self.path, input=data,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                                check=False)
        return result.returncode, result.stdout.decode(), result.stderr.decode()


def in_folder(check, *arguments):
    with tempfile.TemporaryDirectory() as path:
        check(Folder(path), *arguments)


def reason(folder, schema, event, expected):
    folder.write("s.json", schema)
    folder.write("e.json", event)
    equal(folder.run("--schema", "s.json", "e.json"),
          (0, "", "") if expected is None else (1, f"e.json: {expected}\n", ""))


def formats(folder, name, valid, invalid, expected):
    folder.write("s.json", {"format": name})
    folder.write("good.json", valid)
    folder.write("bad.json", invalid)
    equal(folder.run("--formats", "--schema", "s.json", "good.json", "bad.json"),
          (1, f'bad.json: expected {expected}, found "{invalid}" (byte 0)\n', ""))
    equal(folder.run("--schema", "s.json", "good.json", "bad.json"), (0, "", ""))


def bad_schema(folder, schema, expected):
    folder.write("s.json", schema)
    folder.write("e.json", 1)
    equal(folder.run("--schema", "s.json", "e.json"), (2, "", f"herald: s.json: {expected}\n"))


def usage(folder):
    folder.write("s.json", True)
    equal(folder.run("--schema", "s.json"), (2, "", "herald: validate: a file with an event is missing\n"))
    equal(folder.run("e.json"), (2, "", "herald: validate: --schema is missing\n"))
    equal(folder.run("--schema", "s.json", "--draft", "4", "e.json"),
          (2, "", 'herald: --draft: expected 7 or 2020-12, found "4"\n'))
    equal(folder.run("--schema", "no.json", "e.json"),
          (2, "", "herald: cannot read no.json: No such file or directory\n"))
    equal(folder.run("--schema", "s.json", "e.json"),
          (1, "", "herald: cannot read e.json: No such file or directory\n"))


def events_that_are_not_json(folder):
    folder.write("s.json", True)
    folder.write("a.json", {})
    (folder.path / "b.json").write_text('{"a": 01}')
    (folder.path / "c.json").write_text('{"x": {"a": 1, "a": 2}}')
    (folder.path / "d.json").write_text('{"x": [{}, [0, {"a": 1, "a": 2}]]}')
    # Of several duplicates, the first one in the file.
    (folder.path / "e.json").write_text('{"z": 1, "a": 2, "z": 3, "a": 4, "z": 5}')
    status, output, errors = folder.run("--schema", "s.json", "a.json", "b.json", "c.json", "d.json", "e.json",
                                        "-", data=b"[")
    equal((status, errors), (1, ""))
    equal(output, "b.json: /a: expected a number without leading zeros, found 01 (byte 6)\n"
                  "c.json: /x/a: duplicate member (byte 20)\n"
                  "d.json: /x/1/1/a: duplicate member (byte 29)\n"
                  "e.json: /z: duplicate member (byte 22)\n"
                  "-: /0: expected a value, found the end of the input (byte 1)\n")


def unknown_keywords_are_named_once(folder):
    folder.write("s.json", {"minimun": 1, "properties": {"a": {"minimun": 2, "x-mine": 3}}})
    folder.write("e.json", {})
    equal(folder.run("--schema", "s.json", "e.json"),
          (0, "", 'herald: s.json: the keyword "minimun" is ignored: it is not a keyword of the '
                  "schema's draft\n"))
    folder.write("s.json", {"dependencies": {"a": ["b"]}})
    folder.write("e.json", {"a": 1})
    equal(folder.run("--schema", "s.json", "--draft", "7", "e.json")[0], 1)
    status, _, errors = folder.run("--schema", "s.json", "e.json")
    assert status == 0 and '"dependencies" is ignored' in errors, errors


def references_to_other_files(folder):
    folder.write("s.json", {"properties": {"a": {"$ref": "common.json#/$defs/name"},
                                           "b": {"$ref": "https://example.com/b"}}})
    folder.write("common.json", {"$defs": {"name": {"type": "string"}}})
    folder.write("b.json", {"$id": "https://example.com/b", "type": "null"})
    folder.write("e.json", {"a": "x", "b": None})
    folder.write("f.json", {"b": 1})
    words = ("--schema", "s.json", "--schema", "common.json", "--schema", "b.json")
    equal(folder.run(*words, "e.json", "f.json"),
          (1, "f.json: /b: expected null, found 1 (byte 6)\n", ""))


def schemas_without_end(folder):
    folder.write("e.json", [0])
    folder.write("s.json", {"$ref": "#"})
    equal(folder.run("--schema", "s.json", "e.json"),
          (1, "e.json: not checked: schemas refer to each other without end\n", ""))
    # 2 to the power of 40 ways.
    deep = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}
    folder.write("s.json", {"$ref": "#/$defs/d0", "$defs": {**deep, "d40": {"type": "null"}}})
    equal(folder.run("--schema", "s.json", "--max-steps", "10000", "e.json"),
          (1, "e.json: not checked: the check takes too many steps\n", ""))
    folder.write("s.json", {"uniqueItems": True})
    folder.write("e.json", list(range(100)))
    equal(folder.run("--schema", "s.json", "--max-steps", "4962", "e.json")[0], 1)
    equal(folder.run("--schema", "s.json", "--max-steps", "4963", "e.json"), (0, "", ""))
    folder.write("s.json", {"pattern": "^(a+)+$"})
    folder.write("e.json", "a" * 40 + "b")
    equal(folder.run("--schema", "s.json", "e.json"),
          (1, "e.json: not checked: the pattern ^(a+)+$ takes too many steps\n", ""))
    (folder.path / "e.json").write_text("[" * 300 + "]" * 300)
    status, output, _ = folder.run("--schema", "s.json", "e.json")
    assert status == 1 and "256" in output, output


def nearest_without_end(folder):
    """Schemas that refuse a value at once, but refer to each other in many ways, or far: the search
    for the one that was meant must end."""
    def string(*references):
        return {"type": "string", "allOf": [{"$ref": f"#/$defs/{name}"} for name in references]}

    folder.write("e.json", {"x": 1})
    last = {"type": "integer"}
    for definitions in ({"a0": string("a0", "a0")},
                        {"a0": string(*["a0"] * 3000)},
                        {"a0": string("a1", "a1"), "a1": string("a0", "a0")},
                        {**{f"a{i}": string(f"a{i + 1}") for i in range(5000)}, "a5000": last},
                        {**{f"a{i}": string(*[f"a{i + 1}"] * 2) for i in range(5000)}, "a5000": last}):
        folder.write("s.json", {"anyOf": [{"$ref": "#/$defs/a0"}, last], "$defs": definitions})
        equal(folder.run("--schema", "s.json", "e.json"),
              (1, "e.json: expected a string, found an object (the nearest of 2 in anyOf) (byte 0)\n", ""))
    # Within schemas that are as deep as they may be.
    outer = {f"o{i}": {"anyOf": [{"$ref": f"#/$defs/o{i + 1}"}]} for i in range(495)}
    folder.write("s.json", {"$ref": "#/$defs/o0", "$defs": {
        **outer, "o495": {"anyOf": [{"$ref": "#/$defs/a"}, last]}, "a": string("a", "a")}})
    equal(folder.run("--schema", "s.json", "e.json"),
          (1, "e.json: expected a string, found an object (the nearest of 2 in anyOf) (byte 0)\n", ""))


def work_that_grows(folder):
    """Steps count what is done for each, so that the limit is one of time, too."""
    def doubling(last):
        return {"$ref": "#/$defs/a0", "$defs": {
            **{f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)}, "a40": last}}

    many = {f"m{i}": 1 for i in range(5000)}
    for schema, event in (
            (doubling({"const": [0] * 100000 + [1]}), [0] * 100000 + [2]),
            (doubling({"maximum": 2}), "1" + "0" * 100000),
            (doubling({"maxLength": 1}), "x" * 100000),
            (doubling({"required": [*many, "z"]}), many),
            (doubling({"patternProperties": {"^m": False}}), many),
            (doubling({"pattern": "^(a+)+$"}), "a" * 14 + "b"),
            (doubling({"enum": [[i] for i in range(5000)]}), [5001]),
            ({**doubling(False), "unevaluatedProperties": False}, many),
            # A message of each alternative that failed.
            ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "additionalProperties": {
                "anyOf": [{"$ref": "#/$defs/a"}] * 2}}}}, json.loads('{"x":' * 200 + "1" + "}" * 200)),
            # The dynamic scope is looked through each time.
            ({"$ref": "#/$defs/a0", "$defs": {
                **{f"a{i}": {"$dynamicAnchor": f"q{i}", "anyOf": [{"$dynamicRef": f"#q{i + 1}"}] * 2}
                   for i in range(40)}, "a40": {"$dynamicAnchor": "q40", "type": "null"}}}, 1)):
        folder.write("s.json", schema)
        folder.write("e.json", event)
        if isinstance(event, str) and event.isdigit():
            (folder.path / "e.json").write_text(event)
        started = time.process_time() + sum(os.times()[2:4])
        equal(folder.run("--schema", "s.json", "--max-steps", "1000000", "e.json"),
              (1, "e.json: not checked: the check takes too many steps\n", ""))
        used = time.process_time() + sum(os.times()[2:4]) - started
        assert used < 30, (used, json.dumps(schema)[:200])
    # Values of a long enum are not compared one by one.
    names = [f"v{i}" for i in range(50000)]
    folder.write("s.json", {"items": {"enum": [*names, 1]}})
    folder.write("e.json", [*names, 1])
    folder.write("f.json", ["w"])
    equal(folder.run("--schema", "s.json", "e.json", "f.json"),
          (1, 'f.json: /0: expected one of "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", ..., found "w" '
              "(byte 1)\n", ""))


ASYNCAPI = """
asyncapi: 3.0.0
info: {title: Shop, version: "1"}
channels:
  orders:
    messages:
      placed: {$ref: '#/components/messages/order.placed'}
      plain: {}
components:
  messages:
    order.placed:
      payload: &payload
        type: object
        required: [id]
        properties:
          id: {$ref: '#/components/schemas/id'}
  schemas:
    id: {type: string, minLength: 0x2}
"""


def asyncapi(folder):
    folder.write("shop.yaml", ASYNCAPI)
    folder.write("good.yaml", "id: \"12\" # a string\nmore: [&a 1, *a]\n")
    folder.write("e.json", {"id": "1"})
    words = ("--schema", "shop.yaml", "--message")
    equal(folder.run(*words, "order.placed", "good.yaml", "e.json"),
          (1, "e.json: /id: expected a string of at least 2 characters, found 1 (byte 7)\n", ""))
    equal(folder.run(*words, "plain", "e.json"), (0, "", ""))
    expected = "herald: validate: --message: expected one of order.placed, plain"
    equal(folder.run(*words, "x", "e.json"), (2, "", f'{expected}, found "x"\n'))
    equal(folder.run("--schema", "shop.yaml", "e.json"), (2, "", f"{expected}\n"))
    folder.write("e.yaml", "a: {<<: {b: 1}}\n")
    equal(folder.run(*words, "plain", "e.yaml"),
          (1, "e.yaml: line 1: merge keys (<<) are not supported\n", ""))


def messages_of_one_type(folder):
    """Versions of one event type have names of their own in `components`."""
    folder.write("shop.json", {"asyncapi": "3.0.0", "components": {"messages": {
        "order_2": {"name": "order", "payload": {"type": "integer"}},
        "order_1": {"name": "order", "payload": {"type": "string"}},
        "paid": {"name": "order_1x", "payload": {"type": "boolean"}},
        "order_1x": {"name": "paid", "payload": {"type": "null"}}}}})
    for name, value in (("order", 1), ("order_2", 1), ("order_1", "a"), ("paid", None),
                        ("order_1x", True)):
        folder.write("e.json", value)
        equal((name, *folder.run("--schema", "shop.json", "--message", name, "e.json")),
              (name, 0, "", ""))
    equal(folder.run("--schema", "shop.json", "--message", "x", "e.json"),
          (2, "", "herald: validate: --message: expected one of order_2, order_1, order_1x, paid, "
                  'found "x"\n'))


# (document, what is printed to stderr after the file's name)
BAD_ASYNCAPI = [
    ({"channels": [1, 2]}, "/channels: expected an object"),
    ({"channels": {"c": 1}}, "/channels/c: expected an object"),
    ({"channels": {"c": {"messages": [1, 2]}}}, "/channels/c/messages: expected an object"),
    ({"channels": {"c": {"publish": [1]}}}, "/channels/c/publish: expected an object"),
    ({"channels": {"c": {"publish": {"message": 1}}}},
     "/channels/c/publish/message: expected an object"),
    ({"channels": {"c": {"publish": {"message": {"oneOf": {"a": 1}}}}}},
     "/channels/c/publish/message/oneOf: expected an array"),
    ({"channels": {"c": {"publish": {"message": {"oneOf": [[1]]}}}}},
     "/channels/c/publish/message/oneOf/0: expected an object"),
    ({"components": [1]}, "/components: expected an object"),
    ({"components": {"messages": [{}]}}, "/components/messages: expected an object"),
    ({"components": {"messages": {"m": None}}}, "/components/messages/m: expected an object"),
    ({"components": {"messages": {"m": {"payload": 5}}}},
     "/components/messages/m/payload: expected a schema, which is an object, true or false"),
    ({"components": {"messages": {"m": {"payload": [1]}}}},
     "/components/messages/m/payload: expected a schema, which is an object, true or false"),
    ({"components": {"messages": {"m": {"payload": {}, "schemaFormat": "application/vnd.apache.avro"}}}},
     "the message m: only JSON Schema is supported, not the schemaFormat application/vnd.apache.avro"),
    ({"channels": {}}, "there are no messages in channels or components"),
    ({}, "there are no messages in channels or components"),
]


def bad_asyncapi(folder, document, expected):
    bad_schema(folder, {"asyncapi": "3.0.0", **document}, expected)


def never_crashes(folder, draft, schema):
    folder.write("s.json", schema)
    folder.write("e.json", {"a": 1, "b": ["a", {"c": None}]})
    status, _, errors = folder.run("--schema", "s.json", "--draft", draft, "--max-steps", "10000",
                                   "e.json")
    assert status in (0, 1, 2) and "Sanitizer" not in errors, (status, draft, schema, errors)
    if status == 2:
        assert errors.count("\n") >= 1, schema


def every_keyword_with_every_type(folder):
    for draft, schema in hostile.each():
        never_crashes(folder, draft, schema)


def random_schemas(folder):
    seed = int(os.environ.get("HERALD_TEST_SEED", 0)) or int.from_bytes(os.urandom(4), "little")
    print(f"# HERALD_TEST_SEED={seed}", flush=True)
    grammar = hostile.Grammar(seed)
    for _ in range(200):
        never_crashes(folder, *grammar.file())


if __name__ == "__main__":
    tap.run([(f"{expected}", in_folder, reason, schema, event, expected)
             for schema, event, expected in REASONS] +
            [(f"format {row[0]}", in_folder, formats, *row) for row in FORMATS] +
            [(f"refuses {expected}", in_folder, bad_schema, schema, expected)
             for schema, expected in BAD_SCHEMAS] +
            [(f"AsyncAPI: refuses {document}", in_folder, bad_asyncapi, document, expected)
             for document, expected in BAD_ASYNCAPI] +
            [(check.__name__, in_folder, check)
             for check in (every_keyword_with_every_type, random_schemas, usage,
                           events_that_are_not_json, unknown_keywords_are_named_once,
                           references_to_other_files, schemas_without_end,
                           nearest_without_end, work_that_grows, asyncapi,
                           messages_of_one_type)])
