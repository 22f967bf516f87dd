#!/usr/bin/env python3
"""Generates code with `herald generate`, and compares it with tests/cmd/golden/.

    tests/cmd/generate.py HERALD [--update]

--update writes the golden files anew; read what changes. Every case is one line of TAP. Real
schemas and payloads are tested by ./dev interop, which downloads them.
"""

import json
import os
import pathlib
import re
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
from generate_parts import PARTS, S7  # noqa: E402
from programs import equal  # noqa: E402

HERALD = str(pathlib.Path(sys.argv[1]).resolve())
GOLDEN = ROOT / "tests" / "cmd" / "golden"

# (name, files)
WHOLE = [("order", ["order.json"]), ("shop", ["shop.yaml"]), ("user", ["user-1.json", "user-2.json"])]

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


def names_with_marks(folder):
    """Letters of Latin-1 lose their marks; a name of other letters is "member"."""
    names = {"größe": "groesse", "Ünïque": "uenique", "señorÁñejo": "senor_anejo", "straßeNr": "strasse_nr",
             "Þing": "thing", "ÆØÅ": "aeoa", "a×b÷c": "a_b_c", "ÿ": "member", "ключ": "member_2",
             "éclairÉ": "eclair_e", "GRÖSSE": "groesse_2", "STRAßE": "strasse", "ÖLpreis": "oe_lpreis",
             "Öl": "oel", "ÜBER_uns": "ueber_uns", "maxÖl": "max_oel", "DÖ": "doe", "ßen": "ssen"}
    (folder / "p.json").write_text(json.dumps(
        {"type": "object", "properties": {name: {"type": "string"} for name in names}}))
    equal(generate(folder, "--from", "p.json", "--out", "."), (0, "", ""))
    found = re.findall(r"const char \*(\w+);", (folder / "p.h").read_text())
    equal(found, list(names.values()))
    compiles(folder, "p")


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


def asyncapi_routes_of_envelopes(folder):
    """Messages of a service's own document are whole events; a route takes their payload."""
    def event(payload):
        return {"payload": {"type": "object", "properties": {
            "event_type": {"const": "x"}, "timestamp": {"type": "string"}, "payload": payload}}}

    messages = {"order": event({"type": "object", "title": "order_placed", "properties": {"id": {"type": "string"}}}),
                "list": event({"type": "array", "items": {"type": "integer"}}),
                "plain": {"payload": {"type": "object", "properties": {"payload": {"type": "string"}}}}}
    (folder / "s.json").write_text(json.dumps({"asyncapi": "3.0.0", "channels": {}, "components": {"messages": messages}}))
    equal(generate(folder, "--from", "s.json", "--out", "."), (0, "", ""))
    text = (folder / "s.h").read_text()
    lines = dict(re.findall(r'\tHERALD_ROUTE\("(\w+)", (\w+),', text))
    payload = re.search(r"struct (\w+) \{\n\tconst char \*id;", text)[1]
    equal(lines, {"order": payload, "list": "herald_json", "plain": "s_plain"})
    assert "A route takes the payload alone" in " ".join(text.replace(" * ", " ").split()), text
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
             for check in (names_of_elements, names_with_marks, asyncapi_names, asyncapi_routes,
                           asyncapi_routes_of_envelopes, schema_or_sample,
                           keywords_that_allow_everything, samples_of_odd_members, references_to_the_file_next_to_it, large_and_deep, too_many_steps,
                           many_of_everything,
                           values_that_all_lists_have, numbers_of_samples, samples_with_many_names,
                           every_keyword_with_every_type, random_schemas,
                           definitions_that_nobody_checked)])
