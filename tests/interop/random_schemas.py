#!/usr/bin/env python3
"""Random schemas: what `herald generate` and `herald validate` make of them.

    tests/interop/random_schemas.py HERALD INCLUDE LIBRARY [COUNT [FIRST]]

COUNT schemas (default 200) are drawn: JSON Schema 2020-12 and draft-07, and AsyncAPI 2 and 3,
with odd names, bounds, enums, references, combinations and texts. Of each:

- The generated code is the same when it is generated again. It compiles with gcc and clang, and
  -std=c11 -Wall -Wextra -Wpedantic -Werror; its header compiles as C++.
- `herald validate` accepts the documents that PyPI's jsonschema accepts, and no others.
- The decoder accepts the same, or a comment of the generated code, or docs/tool.md (REFUSED,
  UNTYPED), explains why not. What it accepts comes back as it was, except for unknown
  and null members.

HERALD_TEST_SEED repeats a run; schema N of it is the same for all COUNTs. What fails is left in
build/interop/random/SEED/.
"""

import copy
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import warnings

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import json_schema as peer  # noqa: E402
import tap  # noqa: E402

HERALD, INCLUDE, LIBRARY = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:4])
COUNT = int(sys.argv[4]) if len(sys.argv) > 4 else 200
FIRST = int(sys.argv[5]) if len(sys.argv) > 5 else 0
SEED = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(2 ** 31))
BUILD = ROOT / "build" / "interop" / "random" / str(SEED)
BATCH = 50
DIALECTS = {"2020-12": "https://json-schema.org/draft/2020-12/schema",
            "draft-07": "http://json-schema.org/draft-07/schema#"}

# Drawing schemas.

NAMES = ["a", "b", "id", "kind", "type", "value", "key", "items", "count"]
ODD_NAMES = [
    "int", "class", "default", "NULL", "true", "new", "linux", "errno", "bool", "_Bool", "inline", "and", "EOF",
    "a-b", "a_b", "a b", "A B", "aB", "AB", "a.b", "a__b", "has_a", "a_count", "body", "data", "value_2", "1", "1a",
    "2024", "-", "_", "__a", "", " ", "é", "日本", "ß", "😀", "a\"b", "a\\b", "*/", "/*", "//", "??/", "%s", "a\nb",
    "a\tb", "$ref", "@type", "~", "~0", "a/b", "herald", "herald_json", "HERALD_FIELD", "struct", "int32_t", "size_t",
    "x" * 60, "x" * 60 + "y", "toString", "__proto__", "\u007f", "\u2028", "names", "schema", "entry", "a_item"]
TEXTS = ["plain", "*/ int x; /*", "ends with a backslash\\", "??/", "two\nlines\n\n\nand more", "tab\there", "é 日本 😀",
         "%s%n", "\"quotes\"", "// comment", "w" * 300, "many words " * 30, "", " ", "\r\n", "@param", "\u0001", "\\n",
         "1. list\n  - x"]
BOUNDS = [-2 ** 63, -2 ** 63 - 1, 2 ** 63 - 1, 2 ** 63, 2 ** 64 - 1, 2 ** 64, 1e30, -1e30, 10 ** 40, -1.5, 2.5, 0, 0.0, -0.0, 5,
          7.0, 1e2, 255, 256, -128, -129, 65535, 2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 53 + 1, 0.1, 1e-7, 5e-324, 1.7e308]
STRINGS = ["", "a", "b", "ab", "A", "a-b", "a_b", "a b", "int", "class", "é", "日本", "*/", "??/", "\"", "\\", "\n", "1", "-1",
           "true", "null", "NULL", "2024-01-01T00:00:00Z", "2024-01-01", "123e4567-e89b-12d3-a456-426614174000", "x" * 70,
           "%s", "😀", "a,b", "UNKNOWN", "unknown", "_", "-"]
NUMBERS = [0, 1, -1, 2, 3, 5, 100, 1.0, 1.5, -2.5, 0.1, 1e2, 2 ** 31 - 1, -2 ** 31, 2 ** 31, 2 ** 53 + 1, 2 ** 63 - 1, 2 ** 63,
           -2 ** 63, 2 ** 64, 1e300, 300, 256]
OTHERS = [None, True, False, [], {}, [1], ["a"], {"a": 1}, [None], {"a": None}, [[1]], {"kind": "a"}, {"kind": "a", "b": 1}]
VALUES = STRINGS + NUMBERS + OTHERS
FORMATS = ["date-time", "uuid", "uri", "email", "date", "int32", "int64", "uint8", "int8", "float", "", "byte", "x*/y"]
PATTERNS = ["^a", "a$", "^[a-z]+$", ".", "^$", "é", "\\d", "^x-", "(?:)", "*/"[:0] + "^(a|b)$"]


def pointer(*names):
    """A reference to a place in the document."""
    out = "#"
    for name in names:
        escaped = str(name).replace("~", "~0").replace("/", "~1")
        out += "/" + "".join(c if c.isascii() and (c.isalnum() or c in "-._~!$&'()*+,;=:@/?") else
                             "".join(f"%{byte:02X}" for byte in c.encode()) for c in escaped)
    return out


class Schemas:
    """Draws one schema, with its definitions, and a second file."""

    def __init__(self, seed, draft, folder):
        self.random = random.Random(seed)
        self.is_7 = draft == "draft-07"
        self.folder = folder  # of definitions: a list of names
        self.names = self.random.sample(["node", "Item", "a/b", "x~y", "100%", "Ü", "", "0", "properties", "a b", "int", "*/",
                                         "Order.Line", "$defs"], self.random.randrange(4))
        self.anchors = []
        self.size = self.random.choice([1, 1, 2, 3])

    def pick(self, items):
        return self.random.choice(items)

    def chance(self, share):
        return self.random.random() < share

    def name(self):
        return self.pick(ODD_NAMES) if self.chance(0.4) else self.pick(NAMES)

    def some_names(self, most):
        return list(dict.fromkeys(self.name() for _ in range(self.random.randint(1, most))))

    # Values of one type.

    def integer(self, _):
        out = {"type": "integer"}
        for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if self.chance(0.2):
                out[word] = self.pick(BOUNDS)
        if self.chance(0.1):
            out["multipleOf"] = self.pick([1, 2, 0.5, 3.0, 10])
        if self.chance(0.15):
            out["format"] = self.pick(FORMATS)
        return out

    def number(self, depth):
        return {**self.integer(depth), "type": "number"}

    def string(self, _):
        out = {"type": "string"}
        if self.chance(0.2):
            out["minLength"] = self.pick([0, 1, 2, 3.0, 5, 2 ** 40])
        if self.chance(0.2):
            out["maxLength"] = self.pick([0, 1, 2, 5, 36, 2 ** 63, 2 ** 64])
        if self.chance(0.15):
            out["pattern"] = self.pick(PATTERNS)
        if self.chance(0.25):
            out["format"] = self.pick(FORMATS)
        if self.chance(0.1):
            out["contentEncoding"] = self.pick(["base64", "base16", "*/"])
            out["contentMediaType"] = self.pick(["text/plain", "*/*"])
        return out

    def boolean(self, _):
        return self.pick([{"type": "boolean"}, {"type": "boolean"}, {"type": "boolean", "const": True},
                          {"type": "boolean", "enum": [False]}, {"enum": [True, False]}, {"const": False}])

    def null(self, _):
        return self.pick([{"type": "null"}, {"const": None}, {"enum": [None]}])

    def anything(self, _):
        return self.pick([{}, True, False, {"type": ["string", "integer"]}, {"type": ["object", "array"]},
                          {"type": ["integer", "null"]}, {"type": ["null", "string", "boolean"]}, {"not": {}},
                          {"type": ["number", "integer"]}, {"type": ["array", "null"], "items": {"type": "integer"}},
                          {"minimum": 5}, {"maxLength": 2}, {"required": ["a"]}, {"format": "date-time"}, {"minItems": 1},
                          {"exclusiveMaximum": 3}, {"uniqueItems": True}, {"maxProperties": 1}])

    def enum(self, _):
        kind = self.pick(["strings", "strings", "integers", "numbers", "any"])
        values = {"strings": STRINGS, "integers": [n for n in NUMBERS if n == int(n)], "numbers": NUMBERS, "any": VALUES}[kind]
        found = []
        for value in self.random.sample(values, self.random.randint(1, 6)):
            if not any(equal(value, other) for other in found):
                found.append(value)
        if self.chance(0.15) and not any(value is None for value in found):
            found.append(None)
        out = {"enum": found}
        if self.chance(0.5):
            out["type"] = {"strings": "string", "integers": "integer", "numbers": "number"}.get(kind, "string")
            if self.chance(0.3):
                out["type"] = [out["type"], "null"]
        if self.chance(0.1):
            out.update(self.pick([{"minLength": 2}, {"maximum": 3}, {"pattern": "^a"}, {"format": "date-time"}]))
        return out

    def const(self, _):
        return {"const": self.pick(VALUES), **self.pick([{}, {}, {"type": "string"}, {"type": "integer"}, {"type": ["number", "null"]}])}

    # Arrays and objects.

    def array(self, depth):
        out = {"type": "array"}
        kind = self.pick(["items", "items", "items", "items", "tuple", "tuple", "none", "both"])
        if kind in ("items", "both"):
            out["items"] = self.value(depth - 1)
        if kind in ("tuple", "both"):
            schemas = [self.value(depth - 1) for _ in range(self.random.randint(1, 3))]
            if self.is_7:
                if kind == "both":
                    out["additionalItems"] = out.pop("items")
                out["items"] = schemas if self.chance(0.9) else []
            else:
                out["prefixItems"] = schemas
        for word, share, values in (("minItems", 0.2, [0, 1, 2, 2.0, 16, 17, 2 ** 63]), ("maxItems", 0.2, [0, 1, 2, 3, 16, 2 ** 64]),
                                    ("uniqueItems", 0.1, [True, False])):
            if self.chance(share):
                out[word] = self.pick(values)
        if self.chance(0.1):
            out["minItems"] = out["maxItems"] = self.random.randint(1, 4)
        if self.chance(0.08):
            out["contains"] = self.value(0)
        if self.chance(0.05) and not self.is_7:
            out["unevaluatedItems"] = self.pick([False, True, {"type": "string"}])
        if self.chance(0.1):
            del out["type"]
        return out

    def object(self, depth, most=4):
        names = self.some_names(most)
        out = {"type": "object", "properties": {name: self.value(depth - 1) for name in names}}
        if self.chance(0.6):
            out["required"] = [name for name in names if self.chance(0.5)]
            if self.chance(0.1):
                out["required"] = list(dict.fromkeys([*out["required"], self.name()]))
        if self.chance(0.3):
            out["additionalProperties"] = self.pick([False, False, True, {}, {"type": "integer"}, self.value(0)])
        if self.chance(0.1):
            out["patternProperties"] = {self.pick(PATTERNS): self.value(0)}
        for word, share, values in (("minProperties", 0.06, [0, 1, 2]), ("maxProperties", 0.06, [0, 1, 3, 2 ** 64])):
            if self.chance(share):
                out[word] = self.pick(values)
        if self.chance(0.06):
            out["dependencies" if self.is_7 else "dependentRequired"] = {self.name(): self.some_names(2)}
        if self.chance(0.04):
            out["dependencies" if self.is_7 else "dependentSchemas"] = {self.name(): self.value(0)}
        if self.chance(0.04):
            out["propertyNames"] = self.pick([{"maxLength": 3}, {"pattern": "^a"}, False, {"enum": ["a", "b"]}])
        if self.chance(0.05) and not self.is_7:
            out["unevaluatedProperties"] = self.pick([False, True, {"type": "string"}])
        if self.chance(0.15):
            del out["type"]
        elif self.chance(0.1):
            out["type"] = ["object", "null"]
        return out

    def map(self, depth):
        out = {"type": "object"}
        if self.chance(0.75):
            out["additionalProperties"] = self.value(depth - 1)
        else:
            out["patternProperties"] = {self.pick(PATTERNS): self.value(depth - 1)}
            if self.chance(0.5):
                out["additionalProperties"] = False
        for word, share in (("minProperties", 0.15), ("maxProperties", 0.15)):
            if self.chance(share):
                out[word] = self.pick([0, 1, 2, 3])
        return out

    # Combinations.

    def union(self, depth):
        """Objects that a member tells apart, mostly."""
        tag = self.pick(["kind", "type", "@type", "int", "a.b", ""])
        values = self.random.sample(STRINGS, 6) if self.chance(0.7) else self.random.sample([-5, 0, 1, 7, 2 ** 31 - 1, 100], 6)
        branches = []
        for _ in range(self.random.randint(1, 3)):
            branch = self.object(depth - 1, 2) if self.chance(0.85) else {"type": "object"}
            some = [values.pop() for _ in range(self.pick([1, 1, 2]))]
            fixed = {"const": some[0]} if len(some) == 1 else {"enum": some}
            if self.chance(0.3):
                fixed["type"] = "string" if isinstance(some[0], str) else "integer"
            if self.chance(0.08):
                fixed = self.value(0)
            branch["properties"] = {**branch.get("properties", {}), tag: fixed}
            if self.chance(0.93):
                branch["required"] = list(dict.fromkeys([*branch.get("required", []), tag]))
            if self.chance(0.2):
                branch["title"] = self.pick(TEXTS + ODD_NAMES)
            branches.append(branch)
        if self.chance(0.15):
            branches.append({"type": "null"})
        if self.chance(0.08):
            branches.append(self.value(0))
        out = {self.pick(["oneOf", "anyOf"]): branches}
        if self.chance(0.2):
            outer = self.object(0, 2)
            out = {**outer, **out}
        if self.chance(0.1):
            out["required"] = [tag]
        if self.chance(0.15):
            out["discriminator"] = self.pick([{"propertyName": tag}, tag, {"propertyName": "nothing"}])
        return out

    def alternatives(self, depth):
        return {self.pick(["oneOf", "anyOf"]): [self.value(depth - 1) for _ in range(self.random.randint(1, 3))]}

    def or_null(self, depth):
        branches = [self.value(depth - 1), self.null(0)]
        self.random.shuffle(branches)
        return {self.pick(["oneOf", "anyOf"]): branches}

    def all_of(self, depth):
        out = {"allOf": [self.pick([self.object, self.value])(depth - 1) for _ in range(self.random.randint(1, 3))]}
        if self.chance(0.3):
            out = {**self.object(depth - 1, 2), **out}
        return out

    def conditional(self, depth):
        out = self.pick([self.object, self.value])(depth - 1)
        if not isinstance(out, dict):
            return out
        out = dict(out)
        if self.chance(0.5):
            out["not"] = self.value(0)
        else:
            out["if"] = self.value(0)
            for word in ("then", "else"):
                if self.chance(0.6):
                    out[word] = self.value(0)
        return out

    def reference(self, _):
        targets = ["#"] + [pointer(*self.folder, name) for name in self.names] * 4
        targets += ["other.json", "other.json" + pointer(*(["definitions" if self.is_7 else "$defs"]), "far")] * 1
        targets += [f"#{anchor}" for anchor in self.anchors]
        out = {"$ref": self.pick(targets)}
        if self.chance(0.15):
            out.update(self.pick([{"description": "next to it"}, {"type": "object"}, {"minProperties": 1}, {"maxLength": 3}]))
        return out

    def value(self, depth):
        simple = [self.integer, self.integer, self.number, self.string, self.string, self.boolean, self.null, self.anything,
                  self.enum, self.enum, self.const, self.reference]
        nested = [self.array, self.array, self.object, self.object, self.map, self.union, self.alternatives, self.or_null,
                  self.all_of, self.conditional]
        out = self.pick(simple + nested * 2 if depth > 0 else simple)(depth)
        if isinstance(out, dict) and self.chance(0.1):
            out = {**out, **self.pick([
                {"description": self.pick(TEXTS)}, {"title": self.pick(TEXTS + ODD_NAMES)}, {"default": self.pick(VALUES)},
                {"examples": [self.pick(VALUES)]}, {"$comment": self.pick(TEXTS)}, {"readOnly": True}, {"deprecated": True}])}
        return out

    def definitions(self):
        out = {}
        for name in self.names:
            made = self.pick([self.value, self.object, self.union])(2)
            if isinstance(made, dict) and self.chance(0.15) and not self.is_7 and "$ref" not in made:
                self.anchors.append(f"anchor{len(self.anchors)}")
                made = {**made, "$anchor": self.anchors[-1]}
            out[name] = made
        return out

    def whole(self):
        """The schema and the other file."""
        word = "definitions" if self.is_7 else "$defs"
        definitions = self.definitions()
        root = self.pick([self.object] * 5 + [self.value, self.union, self.array, self.map, self.all_of])(self.size)
        if not isinstance(root, dict) or "$ref" in root:
            root = {"type": "object", "properties": {"a": root}}
        if self.folder == [word]:
            root = {"$schema": DIALECTS["draft-07" if self.is_7 else "2020-12"], **root, word: definitions}
        names, self.names, self.anchors = self.names, [], []
        other = {"$schema": DIALECTS["draft-07" if self.is_7 else "2020-12"], "type": "object",
                 "properties": {"x": {"type": "integer"}, "y": {"$ref": "#"}}, word: {"far": self.value(1)}}
        self.names = names
        return root, definitions, other


def equal(one, other):
    """Equality of JSON Schema: true is not 1, but 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return type(one) in (int, float) and type(other) in (int, float) and one == other or \
        (type(one) is type(other) and one == other)


# Drawing documents.

class Documents:
    """Documents that a schema may allow."""

    def __init__(self, generator, lookup):
        self.random, self.lookup = generator, lookup

    def number(self, schema):
        near = [schema[word] + step for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if word in schema
                for step in (0, 1, -1)]
        return self.random.choice(near + NUMBERS[:8] if near else NUMBERS)

    def value(self, schema, base, depth=0):
        if not isinstance(schema, dict) or depth > 8 or self.random.random() < 0.04:
            return copy.deepcopy(self.random.choice(VALUES))
        if "$ref" in schema:
            found = self.lookup(base, schema["$ref"])
            return self.value(*found, depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        out = None
        parts = list(schema.get("allOf", []))
        for word in ("oneOf", "anyOf"):
            if schema.get(word):
                parts.append(self.random.choice(schema[word]))
        for part in parts:
            inner = self.value(part, base, depth + 1)
            if isinstance(out, dict) and isinstance(inner, dict):
                out = {**out, **inner}
            elif out is None:
                out = inner
        if parts and not (isinstance(out, dict) and "properties" in schema):
            return out
        kinds = schema.get("type")
        if kinds is None:
            kinds = "object" if any(word in schema for word in ("properties", "patternProperties", "additionalProperties",
                                                               "required")) else \
                "array" if any(word in schema for word in ("items", "prefixItems", "minItems", "uniqueItems")) else \
                self.random.choice(["string", "integer", "object", "array", "number"])
        kind = self.random.choice(kinds) if isinstance(kinds, list) else kinds
        made = getattr(self, "make_" + kind)(schema, base, depth)
        return {**made, **out} if isinstance(made, dict) and isinstance(out, dict) else made

    def make_null(self, *_):
        return None

    def make_boolean(self, *_):
        return self.random.random() < 0.5

    def make_integer(self, schema, *_):
        number = self.number(schema)
        return int(number) if abs(number) < 1e20 and self.random.random() < 0.95 else number

    def make_number(self, schema, *_):
        return self.number(schema)

    def make_string(self, schema, *_):
        if schema.get("format") == "date-time" and self.random.random() < 0.7:
            return "2024-01-01T00:00:00Z"
        length = self.random.choice([schema.get("minLength", 1), schema.get("maxLength", 3), 1])
        return self.random.choice(STRINGS) if length > 100 or self.random.random() < 0.6 else "é" * int(length)

    def make_array(self, schema, base, depth):
        least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
        count = min(int(self.random.choice([least, most, self.random.randint(0, 3)])), 20) if depth < 5 else 0
        items = schema.get("prefixItems", schema.get("items", True))
        first = items if isinstance(items, list) else []
        rest = schema.get("additionalItems", True) if isinstance(schema.get("items"), list) else \
            schema.get("items", True)
        return [self.value(first[i] if i < len(first) else rest, base, depth + 1) for i in range(count)]

    def make_object(self, schema, base, depth):
        out = {}
        required = schema.get("required", [])
        for name, inner in schema.get("properties", {}).items():
            if name in required or (depth < 5 and self.random.random() < 0.5):
                out[name] = self.value(inner, base, depth + 1)
        for name in required:
            if self.random.random() < 0.9:
                out.setdefault(name, 1)
        inner = schema.get("additionalProperties", next(iter(schema.get("patternProperties", {}).values()), None))
        if inner is not None and depth < 5 and self.random.random() < 0.6:
            for _ in range(self.random.randrange(3)):
                out[self.random.choice(["a", "ab", "x-1", "new", "é", ""])] = self.value(inner, base, depth + 1)
        elif self.random.random() < 0.1:
            out[self.random.choice(["unknown", "a", "zz"])] = 1
        if out and self.random.random() < 0.08:
            del out[self.random.choice(list(out))]
        names = list(out)
        self.random.shuffle(names)
        return {name: out[name] for name in names}


# One case: the files, and what a document is checked with.

class Case:
    """One schema; `number` says which."""

    def __init__(self, number):
        self.number, self.name = number, f"s{number}"
        self.random = random.Random(f"{SEED}/{number}")
        self.folder = BUILD / str(number)
        self.kind = self.random.choice(["2020-12"] * 4 + ["draft-07"] * 3 + ["AsyncAPI 2.6.0", "AsyncAPI 3.0.0"])
        self.is_asyncapi = self.kind.startswith("AsyncAPI")
        self.draft = "2020-12" if self.kind == "2020-12" else "draft-07"
        self.wrong, self.is_bad = [], False
        draw = self.draw_asyncapi if self.is_asyncapi else self.draw_schema
        self.files, self.place = draw()
        self.documents, self.valid, self.errors = [], [], []

    def draw_schema(self):
        schemas = Schemas(self.random.random(), self.draft, ["definitions" if self.draft == "draft-07" else "$defs"])
        root, _, other = schemas.whole()
        return {"s.json": root, "other.json": other}, ["s.json"]

    def draw_asyncapi(self):
        schemas = Schemas(self.random.random(), self.draft, ["components", "schemas"])
        payload, definitions, other = schemas.whole()
        payload = refer_elsewhere(payload)
        messages = {self.random.choice(["m", "order.placed", "class", "*/", "é"]):
                    {"payload": payload, **self.random.choice([{}, {"description": "*/ a"}, {"summary": "one\ntwo"},
                                                               {"name": "a \"name\"*/"}, {"name": "int"}])}}
        messages[self.random.choice(["n", "order-placed", "1"])] = self.random.choice(
            [{}, {"payload": True}, {"payload": {"type": "string"}}, {"payload": {"properties": {"n": {}}}}])
        document = {"asyncapi": self.kind.split()[1], "info": {"title": "t", "version": "1"},
                    "components": {"schemas": {name: refer_elsewhere(inner) for name, inner in definitions.items()},
                                   "messages": messages}}
        first = next(iter(messages))
        if self.random.random() < 0.5:
            refs = [{"$ref": pointer("components", "messages", name)} for name in messages]
            document["channels"] = {"a/b": {"publish": {"message": {"oneOf": refs}}}} if "2.6" in self.kind else \
                {"a": {"address": "a/b", "messages": {f"m{i}": ref for i, ref in enumerate(refs)}}}
        self.message = messages[first].get("name", first)
        return {"s.json": document, "other.json": other}, ["s.json", "components", "messages", first, "payload"]

    def lookup(self, base, ref):
        """What a reference refers to, and the file it is in."""
        file, _, fragment = ref.partition("#")
        base = file or base
        at = self.files[base]
        if fragment and not fragment.startswith("/"):
            for inner in at.get("$defs", {}).values():
                if isinstance(inner, dict) and inner.get("$anchor") == fragment:
                    return inner, base
        for word in fragment.split("/")[1:]:
            word = peer_unquote(word).replace("~1", "/").replace("~0", "~")
            at = at[word]
        return at, base

    def schema(self):
        at = self.files
        for word in self.place:
            at = at[word]
        return at

    def draw_documents(self):
        drawing = Documents(self.random, self.lookup)
        for _ in range(12):
            value = drawing.value(self.schema(), "s.json")
            if not any(equal(value, other) for other in self.documents):
                self.documents.append(value)
        self.documents += [copy.deepcopy(value) for value in self.random.sample(VALUES, 3)]

    def write(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name, value in self.files.items():
            (self.folder / name).write_text(json.dumps(value, ensure_ascii=self.number % 2 == 0), encoding="utf-8")
        for index, value in enumerate(self.documents):
            (self.folder / f"d{index}.json").write_text(json.dumps(value), encoding="utf-8")


def refer_elsewhere(value):
    """AsyncAPI documents are not schemas: "#" does not refer to one."""
    if isinstance(value, list):
        return [refer_elsewhere(item) for item in value]
    if isinstance(value, dict):
        return {name: "other.json" if name == "$ref" and inner == "#" else refer_elsewhere(inner)
                for name, inner in value.items()}
    return value


def peer_unquote(word):
    import urllib.parse  # pylint: disable=import-outside-toplevel
    return urllib.parse.unquote(word)


# Checking.

def validator_of(case, jsonschema):
    """The validator of jsonschema; None if it refuses the schemas."""
    import referencing  # pylint: disable=import-outside-toplevel
    import referencing.jsonschema as dialects  # pylint: disable=import-outside-toplevel
    is_7 = case.draft == "draft-07"
    base = jsonschema.Draft7Validator if is_7 else jsonschema.Draft202012Validator
    for name, value in case.files.items():
        for inner in ([*value["components"]["schemas"].values(),
                       *(message.get("payload", {}) for message in value["components"]["messages"].values())]
                      if case.is_asyncapi and name == "s.json" else [value]):
            try:
                base.check_schema(inner)
            except jsonschema.SchemaError:
                case.is_bad = not case.is_asyncapi and name == "s.json"  # others are read if they are referred to
                return None
    specification = dialects.DRAFT7 if is_7 else dialects.DRAFT202012
    registry = referencing.Registry().with_resources(
        [(f"file:///{name}", referencing.Resource(contents=value, specification=specification))
         for name, value in case.files.items()])
    made = jsonschema.validators.extend(base, {"pattern": peer.pattern})
    return made({"$ref": "file:///" + case.place[0] + pointer(*case.place[1:])}, registry=registry)


# What applies schemas to the value itself: a schema, a list of them, or a map.
IN_PLACE = {"not": "one", "if": "one", "then": "one", "else": "one", "allOf": "list", "anyOf": "list", "oneOf": "list",
            "dependencies": "map", "dependentSchemas": "map"}


def has_cycle(case):
    """Whether a schema is applied to what it applies to: jsonschema recurses without end."""
    open_schemas, done = set(), set()

    def apply(schema, base):
        if not isinstance(schema, dict) or id(schema) in done:
            return False
        if id(schema) in open_schemas:
            return True
        open_schemas.add(id(schema))
        inner = [value for word, kind in IN_PLACE.items() if word in schema for value in
                 ([schema[word]] if kind == "one" else schema[word] if kind == "list" else schema[word].values())]
        found = any(apply(value, base) for value in inner)
        if isinstance(schema.get("$ref"), str):
            found = apply(*case.lookup(base, schema["$ref"])) or found
        open_schemas.remove(id(schema))
        done.add(id(schema))
        return found

    def walk(value, base):
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return apply(value, base) or any(walk(part, base) for part in inner)

    return any(walk(value, name) for name, value in case.files.items())


def run(*words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=300, **more)


def check_validate(case, jsonschema):
    """Compare `herald validate` with jsonschema. Returns whether the schema can be used."""
    checker = validator_of(case, jsonschema)
    words = [word for name in case.files for word in ("--schema", name)]
    if case.is_asyncapi:
        words += ["--message", case.message]
    names = [f"d{index}.json" for index in range(len(case.documents))]
    result = run(HERALD, "validate", *words, *names, cwd=case.folder)
    text = result.stdout.decode() + result.stderr.decode()
    if result.returncode == 2 or (result.returncode in (0, 1) and not checker):
        if checker or (case.is_bad and result.returncode != 2):
            case.wrong.append(f"validate: {'unusable' if checker else 'not refused'}: {text[:300]}")
        return False
    if result.returncode not in (0, 1):
        case.wrong.append(f"validate: status {result.returncode}: {text[:300]}")
    is_endless = has_cycle(case)
    refused = {}
    for line in result.stdout.decode().splitlines():
        refused.setdefault(line.split(":")[0], line)
    for name, value in zip(names, case.documents):
        line = refused.get(name, "")
        errors = [] if is_endless else list(checker.iter_errors(value))
        case.errors.append(errors)
        case.valid.append(not errors)
        if is_endless:
            case.valid[-1] = None
            continue
        if errors and "unevaluatedProperties" in str([(error.validator, error.schema) for error in errors]):
            case.valid[-1] = None  # jsonschema 4.23 forgets additionalProperties; see schema_suite.py
            continue
        if (not errors) != (line == "") and not is_known(case, value, errors, line):
            case.wrong.append(f"validate: {json.dumps(value)}: jsonschema {[error.message for error in errors][:2]}, "
                              f"herald {line!r}")
    return True


def is_known(case, value, errors, line):
    """Whether jsonschema is wrong: it divides doubles, and forgets peer.pattern at $schema."""
    return "multiple" in line or "multipleOf" in words_of(errors) or \
        "multipleOf" in str([error.schema for error in errors]) or \
        ("\\n" in json.dumps(value) and "pattern" in json.dumps(case.files))


def generate(case):
    """Generate twice. Returns whether there is code."""
    words = [word for name in case.files for word in ("--from", name)]
    texts = []
    for out in ("o1", "o2"):
        result = run(HERALD, "generate", *words, *([] if case.is_asyncapi else ["--schema"]), "--out", out,
                     "--name", case.name, cwd=case.folder)
        if result.returncode != 0:
            case.wrong.append(f"generate: status {result.returncode}: {result.stderr.decode()[:300]}")
            return False
        texts.append([(case.folder / out / f"{case.name}.{end}").read_text(encoding="utf-8") for end in "hc"])
    if texts[0] != texts[1]:
        case.wrong.append("generate: not the same again")
    case.header, case.source = texts[0]
    for line in case.header.splitlines() + case.source.splitlines():
        if len(line.expandtabs(8)) > 100 and not re.search(r"(?i)\"|x{40}|w{60}|123e4567", line):
            case.wrong.append(f"generate: a line of {len(line.expandtabs(8))} columns: {line[:120]}")
    return True


FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}"]


def compile_alone(cases):
    """Find those that do not compile. Returns the others."""
    good = []
    for case in cases:
        for compiler in ("gcc", "clang"):
            result = run(compiler, *FLAGS, "-fsyntax-only", f"{case.name}.c", cwd=case.folder / "o1")
            if result.returncode != 0:
                case.wrong.append(f"{compiler}: {result.stderr.decode()[:1500]}")
                break
        else:
            good.append(case)
    return good


def unescape(literal):
    """The text of a literal of C."""
    return re.sub(rb'\\([0-7]{3}|.)', lambda found: bytes([int(found[1], 8)]) if len(found[1]) == 3 else found[1],
                  literal.encode()).decode()


def root_of(case):
    """The schema of the payload that is tested; None: there is none."""
    if not case.is_asyncapi:
        return f"{case.name}_schema" if f"HERALD_SCHEMA_DECLARE({case.name});" in case.header else "herald_json_schema"
    for line in case.header.splitlines():
        match = re.match(r' \*\tHERALD_ROUTE\("(.*)", ([a-z0-9_]+), on_[a-z0-9_]+, NULL\),$', line)
        if match and unescape(match[1]) == case.message:
            return match[2] + "_schema"
    case.wrong.append(f"generate: there is no route of {case.message}")
    return None


def build(cases, folder):
    """Compile all of them into one program. Returns those that are in it."""
    while True:
        rows = [(case, root_of(case)) for case in cases]
        cases = [case for case, root in rows if root]
        (folder / "sources.h").write_text(
            "".join(f'#include "{case.folder}/o1/{case.name}.c"\n' for case in cases) + "#define SCHEMAS(X) \\\n" +
            "".join(f"\tX({case.number}, {root}) \\\n" for case, root in rows if root) + "\n", encoding="utf-8")
        gcc = run("gcc", *FLAGS, f'-DSOURCES="{folder}/sources.h"', "-o", folder / "program", HERE / "random_schemas.c",
                  f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lherald")
        clang = run("clang", *FLAGS, "-fsyntax-only", f'-DSOURCES="{folder}/sources.h"', HERE / "random_schemas.c")
        if gcc.returncode == 0 and clang.returncode == 0:
            break
        good = compile_alone(cases)
        if len(good) == len(cases):
            cases[0].wrong.append(f"compiles only alone: {(gcc.stderr + clang.stderr).decode()[:1500]}")
            return []
        cases = good
    headers = "".join(f'#include "{case.folder}/o1/{case.name}.h"\n' for case in cases)
    for standard in ("-std=c++17", "-std=c++20"):
        result = run("g++", standard, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{INCLUDE}", "-x", "c++", "-",
                     input=headers.encode())
        if result.returncode != 0:
            cases[0].wrong.append(f"g++ {standard}: {result.stderr.decode()[:1500]}")
    return cases


def decode(cases, folder):
    """What the generated code makes of the documents, line by line."""
    lines = [f"{case.number}\t{json.dumps(value)}" for case in cases for value in case.documents]
    result = run(folder / "program", input=("\n".join(lines) + "\n").encode())
    found = result.stdout.decode().splitlines()
    refused = [line for line in found if line.startswith("refused")]
    found = [line for line in found if not line.startswith("refused")]
    if result.returncode != 0 or len(found) != len(lines) or refused:
        cases[0].wrong.append(f"the program: status {result.returncode}, {len(found)} of {len(lines)} lines, {refused} "
                              f"{result.stderr.decode()[:500]}")
        return
    at = 0
    for case in cases:
        compare(case, found[at:at + len(case.documents)])
        at += len(case.documents)


# Why the decoder refuses what the schema allows: docs/tool.md.
REFUSED = [
    r"expected an integer, found a number with (a fraction|an exponent)",
    r"expected (an integer .*|-?\d+), found -?\d{10,}",  # a comment, or the type of an integer without bounds
    r"not an RFC 3339 timestamp",  # format: date-time
    r"expected a (string of exactly 36 bytes|non-empty string)",  # format: uuid
]
# If a schema has no "type", other keywords tell it.
UNTYPED = [r"expected (an object|an array|a string|a number|an integer), found", r"is required, but null"]
HINTS = {"properties", "additionalProperties", "patternProperties", "items", "prefixItems", "minItems", "pattern", "minLength",
         "maxLength", "contentEncoding", "multipleOf", "minimum", "maximum"}


def is_untyped(value):
    """Whether keywords of some schema tell the type that it means."""
    if isinstance(value, list):
        return any(map(is_untyped, value))
    if not isinstance(value, dict):
        return False
    return bool(HINTS & value.keys() and not {"type", "enum", "const"} & value.keys()) or any(map(is_untyped, value.values()))


APPLIED = {"additionalProperties", "additionalItems", "anyOf", "contains", "dependencies", "dependentSchemas", "else", "if",
           "items", "not", "oneOf", "patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems",
           "unevaluatedProperties"}


def words_of(errors):
    """The keywords that refuse a document, also in alternatives; null is missing in Herald."""
    out = set()
    for error in errors:
        inner = words_of(error.context) if error.context else set()
        out |= inner | {error.validator or "false"} | APPLIED.intersection(map(str, error.schema_path))
        if error.instance is None:
            out.add("null")
    return out


def is_rounded(error):
    """Whether a bound holds for doubles."""
    if error.context:
        return any(map(is_rounded, error.context))
    return error.validator in ("minimum", "maximum") and float(error.instance) == float(error.validator_value)


def is_refusal_explained(case, line):
    """Whether docs/tool.md or a comment says why the decoder refuses a document."""
    reasons = REFUSED + (UNTYPED if is_untyped(case.files) else [])
    if "expected an integer from" in line and '"format": "' in json.dumps(case.files):
        return True  # int32 and others
    if "found null" in line and "Refused: a payload that is null" in case.header:
        return True
    return any(re.search(reason, line) for reason in reasons) or "Refused: members of other types" in case.header


def is_explained(case, errors):
    """Whether comments say why the decoder accepts a document."""
    words = words_of(errors)
    if "null" in words or all(map(is_rounded, errors)):
        return True
    synonyms = {"minLength": ["character"], "maxLength": ["character"], "enum": ["that it is one of", "always the same"],
                "const": ["always the same", "that it is one of"], "oneOf": ["lternative", "One of"], "anyOf": ["lternative", "One of"],
                "additionalProperties": ["Other members are not kept"], "patternProperties": ["Other members are not kept"],
                "required": ["not missing"], "minProperties": ["number of members"], "maxProperties": ["number of members"],
                "then": ["if"], "else": ["if"], "type": ["An array", "One of", "Raw JSON", "raw JSON", "Always null"]}
    comments = re.sub(r"\s+\*? *", " ", " ".join(inner[2:-2] for inner in re.findall(r"/\*.*?\*/", case.header, re.S)))
    return any(word in comments or any(other in comments for other in synonyms.get(word, [])) for word in words) or \
        re.search("Never valid|never valid|Always null|No element is valid", comments) is not None


def difference(sent, found, path=""):
    """What came back differently; members may be missing."""
    if isinstance(sent, dict) and isinstance(found, dict):
        for name, value in found.items():
            if name not in sent:
                return f"{path}/{name} is new"
            inner = difference(sent[name], value, f"{path}/{name}")
            if inner:
                return inner
        return None
    if isinstance(sent, list) and isinstance(found, list) and len(sent) == len(found):
        return next(filter(None, (difference(one, other, f"{path}/{index}")
                                  for index, (one, other) in enumerate(zip(sent, found)))), None)
    if {type(sent), type(found)} <= {int, float} and float(sent) == float(found):
        return None  # a double
    return None if equal(sent, found) else f"{path} is {found!r} instead of {sent!r}"


def compare(case, lines):
    """Compare what the decoder makes of the documents with their schema."""
    for value, is_valid, errors, line in zip(case.documents, case.valid, case.errors, lines):
        is_refused = line.startswith("error: ")
        if is_valid and is_refused and not is_refusal_explained(case, line):
            case.wrong.append(f"decoder refuses {json.dumps(value)}: {line}")
        if is_valid is False and not is_refused and not is_explained(case, errors):
            case.wrong.append(f"decoder accepts {json.dumps(value)}, but {[error.message[:200] for error in errors][:2]}")
        if is_valid and not is_refused:
            place = difference(value, json.loads(line))
            if place:
                case.wrong.append(f"comes back differently: {json.dumps(value)}: {place}")


def check_batch(first, count, jsonschema):
    """Returns what is wrong, as lines."""
    cases = [Case(number) for number in range(first, first + count)]
    usable = []
    for case in cases:
        case.draw_documents()
        case.write()
        if check_validate(case, jsonschema) and generate(case):
            usable.append(case)
    folder = BUILD / f"batch{first}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    built = build(usable, folder) if usable else []
    if built:
        decode(built, folder)
    for case in cases:
        if not case.wrong:
            shutil.rmtree(case.folder)
    return [f"{case.number} {case.kind} {line}" for case in cases for line in case.wrong], len(usable), \
        sum(len(case.documents) for case in usable)


def check_some(first, count, jsonschema):
    wrong, usable, documents = check_batch(first, count, jsonschema)
    print(f"# {usable} schemas, {documents} documents")
    assert not wrong, "\n".join(wrong)


def main():
    warnings.simplefilter("ignore")
    try:
        jsonschema = peer.install(ROOT / "build" / "interop" / "schemas")
    except tap.Skip as reason:
        print(f"1..1\nok 1 - jsonschema # SKIP {reason}")
        return
    print(f"# HERALD_TEST_SEED={SEED}", flush=True)
    tap.run([(f"random schemas {first} to {min(first + BATCH, FIRST + COUNT) - 1}", check_some, first,
              min(BATCH, FIRST + COUNT - first), jsonschema) for first in range(FIRST, FIRST + COUNT, BATCH)])


if __name__ == "__main__":
    main()
