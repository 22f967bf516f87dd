"""Schemas that nobody wrote with care: every keyword with every type of value, and random ones.

The keywords, their drafts and the types of their values are read from cmd/herald/schema_keyword.c,
so that a new keyword is tested from its first day.
"""

import pathlib
import random
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRAFTS = {"7": "http://json-schema.org/draft-07/schema#",
          "2020-12": "https://json-schema.org/draft/2020-12/schema"}

# One of each type; what the list and the object hold is not a schema that can be used.
VALUES = [None, True, 1, "a", [{"properties": [1]}, 1], {"a": {"properties": [1]}, "b": [2]}]

TYPES = ["null", "boolean", "integer", "number", "string", "array", "object", "other"]
REFERENCES = ["#", "#/$defs/a", "#/definitions/a", "#/properties/b", "#a", "#%61", "b.json#a",
              "b.json", "#/items", "#/allOf/0", "#/enum/0", "#/no"]


def keywords():
    """(name, what it holds, initials of the types of its value)"""
    text = (ROOT / "cmd" / "herald" / "schema_keyword.c").read_text(encoding="utf-8")
    found = re.findall(r'\{"([^"]+)", \w+, (NONE|ONE|LIST|MAP), (?:"(\w+)"|NULL)\}', text)
    assert len(found) > 50, found
    return [(name, inside, types or "0bnsao") for name, inside, types in found]


def each():
    """A schema for every keyword, value and draft."""
    for draft, uri in DRAFTS.items():
        for name, _, _ in keywords():
            for value in VALUES:
                schema = {"$schema": uri, "$id": "http://example.com/s", name: value}
                yield draft, schema


class Grammar:
    """Draws schemas, most of whose keywords have a value of their type."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keywords = keywords()

    def value(self, depth):
        """Any JSON."""
        kind = self.random.randrange(8 if depth > 0 else 6)
        if kind < 4:
            return self.random.choice([None, True, False, 0, 1, -1, 2.5, 1e3, 10 ** 25])
        if kind < 6:
            return self.random.choice(["", "a", "b", "integer", "^a", "#a", "\x00", "é"])
        inner = [self.value(depth - 1) for _ in range(self.random.randrange(4))]
        return inner if kind == 6 else dict(zip("abc", inner))

    def typed(self, name, inside, types, depth):
        """A value that a keyword may have."""
        draw = self.random
        if name in ("$ref", "$dynamicRef"):
            return draw.choice(REFERENCES)
        if name in ("$id", "$anchor", "$dynamicAnchor"):
            return draw.choice(["a", "b.json", "#a", "http://example.com/b.json"])
        if name == "type":
            return draw.choice(TYPES) if draw.random() < 0.7 else draw.sample(TYPES, 2)
        if inside == "ONE" or (inside == "LIST" and draw.random() < 0.05):
            return self.schema(depth - 1)
        if inside == "LIST":
            return [self.schema(depth - 1) for _ in range(draw.randrange(1, 4))]
        if inside == "MAP":
            return {key: self.schema(depth - 1) for key in draw.sample("abc", draw.randrange(3))}
        examples = {"0": None, "b": True, "n": draw.choice([0, 1, 2.5, -3]), "s": "a",
                    "a": draw.choice([["a"], ["a", "b"], []]), "o": {"a": ["b"]}}
        return examples[draw.choice(types)]

    def schema(self, depth):
        draw = self.random
        if depth <= 0 or draw.random() < 0.1:
            return draw.choice([True, False, {}, {"type": "integer"}, {"$ref": "#"}])
        out = {}
        for name, inside, types in draw.sample(self.keywords, draw.randrange(1, 5)):
            is_typed = draw.random() < 0.93
            out[name] = self.typed(name, inside, types, depth) if is_typed else self.value(2)
        return out

    def file(self):
        """A file with definitions: (draft, schema)"""
        draft = self.random.choice(list(DRAFTS))
        schema = self.schema(3)
        if isinstance(schema, dict):
            schema.pop("$schema", None)
            folder = self.random.choice(["$defs", "definitions"])
            schema.setdefault(folder, {"a": self.schema(3), "b": {
                "$id": "b.json", "$dynamicAnchor": "a", "$anchor": "b"}})
        return draft, schema
