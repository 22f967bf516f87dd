#!/usr/bin/env python3
"""Runs the official JSON Schema test suite with `herald validate`.

    tests/interop/schema_suite.py HERALD

The suite is in the sources of PyPI's jsonschema, which are downloaded into build/interop/, in a
fixed version; the meta-schemas are in jsonschema-specifications. Without a registry it is named as
left out. Every file of the suite is one line of TAP.

KNOWN lists what differs, and why; everything else must be as the suite says.
"""

import json
import pathlib
import subprocess
import sys
import tarfile
import urllib.parse
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "interop" / "schema_suite"
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402

HERALD = sys.argv[1]
SUITE, META = "jsonschema-4.23.0", "jsonschema_specifications-2025.9.1"
DRAFTS = {"draft7": "7", "draft2020-12": "2020-12"}
REMOTE = "http://localhost:1234/"
# Of the folder "optional": what is not about formats, other drafts or old keywords.
OPTIONAL = ("bignum", "float-overflow", "non-bmp-regex", "ecmascript-regex", "id", "anchor",
            "dynamicRef", "unknownKeyword", "refOfUnknownKeyword", "no-schema")
# Formats that --formats asserts.
FORMATS = ("date-time", "uuid", "uri", "email")
# (file, description of the group, description of the test), and why it differs.
KNOWN = {
    # Other meta-schemas are refused by name, unless --draft says how to read them, as here.
    ("draft2020-12/vocabulary",
     "schema that uses custom metaschema with with no validation vocabulary",
     "no validation: invalid number, but it still validates"),
    # The format "regex" is an annotation.
    ("draft2020-12/ecmascript-regex", "\\a is not an ECMA 262 control escape",
     "when used as a pattern"),
}


def download():
    """The folders of the suite and of the meta-schemas; tap.Skip without a registry."""
    BUILD.mkdir(parents=True, exist_ok=True)
    archive, wheel = BUILD / f"{SUITE}.tar.gz", BUILD / f"{META}-py3-none-any.whl"
    for path, options in ((archive, ["--no-binary", "jsonschema"]), (wheel, [])):
        if not path.exists():
            name = "==".join(path.name.split("-")[:2]).replace(".tar.gz", "").replace("_", "-")
            result = subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest",
                 str(BUILD), *options, name],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300)
            if not path.exists():
                last = result.stdout.decode(errors="replace").strip().splitlines()[-1:]
                raise tap.Skip(f"{name} could not be downloaded: {last}")
    with tarfile.open(archive) as files:
        members = [file for file in files if f"{SUITE}/json/" in file.name and ".." not in file.name]
        files.extractall(BUILD, members)
    with zipfile.ZipFile(wheel) as files:
        files.extractall(BUILD / "meta")
    return (BUILD / SUITE / "json",
            BUILD / "meta" / "jsonschema_specifications" / "schemas")


def with_id(schema, uri):
    """A remote schema is known by the URI it would be fetched from; a file is not."""
    if isinstance(schema, dict) and "$ref" not in schema:
        return {**schema, "$id": urllib.parse.urljoin(uri, schema.get("$id", ""))}
    return {"$id": uri, "allOf": [schema]}


def remotes(suite, draft):
    """Copies of the suite's remote schemas, with their URIs."""
    folder = BUILD / f"remotes-{draft}"
    paths = []
    for file in sorted((suite / "remotes").rglob("*.json")):
        name = file.relative_to(suite / "remotes").as_posix()
        if name.startswith("draft") and not name.startswith(draft + "/"):
            continue
        out = folder / name
        out.parent.mkdir(parents=True, exist_ok=True)
        schema = json.loads(file.read_text(encoding="utf-8"))
        out.write_text(json.dumps(with_id(schema, REMOTE + name)), encoding="utf-8")
        paths.append(out)
    return paths


def meta_schemas(meta, draft):
    folder = meta / draft.replace("-", "")
    return [folder / "metaschema.json", *sorted((folder / "vocabularies").glob("*"))]


def extra_files(text, draft, found):
    """The files that a schema may refer to."""
    paths = []
    if REMOTE in text:
        paths += found[draft][0]
    if "json-schema.org/draft" in text:
        paths += found[draft][1]
    return [word for path in paths for word in ("--schema", str(path))]


def check_group(group, draft, formats, found, differing, file):
    folder = BUILD / "cases"
    folder.mkdir(exist_ok=True)
    text = json.dumps(group["schema"])
    (folder / "schema.json").write_text(text, encoding="utf-8")
    events = []
    for index, test in enumerate(group["tests"]):
        events.append(folder / f"{index}.json")
        events[-1].write_text(json.dumps(test["data"]), encoding="utf-8")
    result = subprocess.run(
        [HERALD, "validate", "--draft", DRAFTS[draft], *formats, "--schema",
         str(folder / "schema.json"), *extra_files(text, draft, found), *map(str, events)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    invalid = {line.split(":", 1)[0] for line in result.stdout.decode().splitlines()}
    for event, test in zip(events, group["tests"]):
        valid = str(event) not in invalid and result.returncode in (0, 1)
        name = (file, group["description"], test["description"])
        if valid != test["valid"]:
            differing[name] = result.stderr.decode().strip() or result.stdout.decode().strip()


def check_file(path, draft, formats, found):
    differing = {}
    name = f"{draft}/{path.stem}"
    for group in json.loads(path.read_text(encoding="utf-8")):
        check_group(group, draft, formats, found, differing, name)
    known = {key for key in KNOWN if key[0] == name}
    unknown = [f"{key}: {differing[key]}" for key in differing if key not in known]
    assert not unknown, "\n".join(unknown)
    assert not known - set(differing), f"no longer differs: {known - set(differing)}"


def cases():
    try:
        suite, meta = download()
    except tap.Skip as reason:
        def skip(reason=reason):
            raise reason
        return [("the JSON Schema test suite", skip)]
    found = {draft: (remotes(suite, draft), meta_schemas(meta, draft)) for draft in DRAFTS}
    out = []
    for draft in DRAFTS:
        folder = suite / "tests" / draft
        for path in sorted(folder.glob("*.json")):
            out.append((f"{draft}/{path.stem}", check_file, path, draft, [], found))
        for name in OPTIONAL:
            path = folder / "optional" / f"{name}.json"
            if path.exists():
                out.append((f"{draft}/optional/{name}", check_file, path, draft, [], found))
        for name in FORMATS:
            path = folder / "optional" / "format" / f"{name}.json"
            if path.exists():
                out.append((f"{draft}/format/{name}", check_file, path, draft, ["--formats"],
                            found))
    return out


if __name__ == "__main__":
    tap.run(cases())
