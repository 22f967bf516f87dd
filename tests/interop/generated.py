#!/usr/bin/env python3
"""Decodes real payloads with tables that `herald generate` has made, and compares what comes back.

    tests/interop/generated.py HERALD INCLUDE LIBRARY [SENDER | schemas | unions]...

INCLUDE is the folder of Herald's headers, LIBRARY the one of libherald.so. The payloads are in
packages of registries, which are downloaded into build/interop/, in fixed versions; what cannot be
downloaded is named and left out. Of each sender, the payloads of each event type become one table:
generated, compiled with -Wall -Wextra -Wpedantic -Werror, and used to decode and encode them.

Random schemas with tagged unions, whose seed is printed (HERALD_TEST_SEED): their code must
compile, hold each alternative as a struct, and export a schema that accepts what it does.

Then schemas of other packages: their generated code must compile, and decode the samples that the
packages have.

What comes back must be the same JSON, except that null members are missing, as Herald does not
distinguish them, and that times are the same time in another form ("...00.000Z", "...00Z").
"""

import concurrent.futures
import datetime
import decimal
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "interop" / "generated"
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402

HERALD, INCLUDE, LIBRARY = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:4])
ONLY = sys.argv[4:]
DEPTH = 64


def run(words, what, **more):
    """Run a tool that downloads; tap.Skip if it is missing or fails, as without a registry."""
    if not shutil.which(words[0]):
        raise tap.Skip(f"{words[0]} is not here")
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                            timeout=300, **more)
    if result.returncode != 0:
        last = result.stdout.decode(errors="replace").strip().splitlines()[-1:] or ["?"]
        raise tap.Skip(f"{what}: {last[0]}")
    return result.stdout.decode()


def go_module(module):
    """The folder of a Go module, MODULE@VERSION."""
    cache = BUILD / "go"
    out = run(["go", "mod", "download", "-json", module], module, cwd="/",
              env={**os.environ, "GOPATH": str(cache), "GOFLAGS": "-mod=mod -modcacherw"})
    return pathlib.Path(json.loads(out[out.index("{"):])["Dir"])


def npm_package(package):
    """The folder of an npm package, NAME@VERSION."""
    folder = BUILD / "npm" / re.sub(r"[^a-z0-9.@-]", "-", package)
    if not (folder / "package").exists():
        folder.mkdir(parents=True, exist_ok=True)
        run(["npm", "pack", "--silent", "--fetch-retries=0", package], package, cwd=folder)
        with tarfile.open(next(folder.glob("*.tgz"))) as files:
            files.extractall(folder, [file for file in files if ".." not in file.name and
                                      (file.isfile() or file.isdir())])
    if not (folder / "package").exists():  # some have another name for it
        next(path for path in folder.iterdir() if path.is_dir()).rename(folder / "package")
    return folder / "package"


# Numbers as they are written: a double has not all of their digits.

REAL = "\0real "


def load(text):
    """JSON, whose numbers with a fraction or an exponent are strings that begin with REAL."""
    return json.loads(text, parse_float=lambda number: REAL + number)


def dump(value):
    return re.sub(r'"\\u0000real ([^"]*)"', r"\1", json.dumps(value, ensure_ascii=False))


def number_of(value):
    """A number, exactly; None if it is something else."""
    if isinstance(value, str) and value.startswith(REAL):
        return decimal.Decimal(value[len(REAL):])
    return decimal.Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


# Senders: each yields pairs of an event type and a payload.

def github():
    folder = npm_package("@octokit/webhooks-examples@7.6.1")
    for file in sorted(folder.glob("*/index.json")):
        for event in load(file.read_text(encoding="utf-8")):
            for example in event["examples"]:
                yield event["name"], example


def github_api():
    """Answers of GitHub's API: those that its description has as examples, and recorded ones."""
    folder = npm_package("@octokit/openapi@23.0.2")
    text = (folder / "generated" / "api.github.com.json").read_text(encoding="utf-8")
    for name, example in sorted(load(text)["components"]["examples"].items()):
        yield re.split(r"[-_.]", name)[0], example.get("value")
    folder = npm_package("@octokit/fixtures@23.1.2")
    for path in sorted(folder.glob("scenarios/**/normalized-fixture.json")):
        for request in load(path.read_text(encoding="utf-8")):
            if isinstance(request.get("response"), (dict, list)):
                yield "recorded " + path.parent.name, request["response"]


def files_of(module, pattern, group=lambda path: re.split(r"[-_.]", path.stem)[0]):
    """Payloads of files in a Go module; those with the same first word are of one type."""
    def payloads():
        folder = go_module(module)
        for path in sorted(folder.glob(pattern)):
            try:
                value = load(path.read_text(encoding="utf-8-sig"))
            except (UnicodeDecodeError, json.JSONDecodeError):
                continue  # packages have broken files, to test with
            yield group(path), value
    return payloads


def stripe():
    folder = go_module("github.com/stripe/stripe-mock@v0.190.0")
    fixtures = load((folder / "embedded" / "openapi" / "fixtures3.json").read_text())
    for name, value in sorted(fixtures["resources"].items()):
        yield name, value


SCM = "github.com/drone/go-scm@v1.38.4"
PLAYGROUND = "github.com/go-playground/webhooks/v6@v6.4.0"


def forge(name, playground=None):
    """Webhooks and answers of a git server, from two modules."""
    sources = [files_of(SCM, f"scm/driver/{name}/testdata/webhooks/*.json"),
               files_of(SCM, f"scm/driver/{name}/testdata/*.json",
                        lambda path: "api " + re.split(r"[-_.]", path.stem)[0])]
    return sources + [files_of(PLAYGROUND, f"testdata/{playground}/*.json")] if playground \
        else sources


SENDERS = {
    "GitHub": [github, github_api, *forge("github", "github")],
    "GitLab": [files_of("gitlab.com/gitlab-org/api/client-go@v1.46.0", "testdata/**/*.json"),
               *forge("gitlab", "gitlab")],
    "Bitbucket": forge("bitbucket", "bitbucket"),
    "Bitbucket Server": forge("stash", "bitbucket-server"),
    "Gitea": forge("gitea", "gitea"),
    "Gogs": forge("gogs", "gogs"),
    "Gitee": forge("gitee"),
    "Harness": forge("harness"),
    "Azure DevOps": forge("azure", "azuredevops"),
    "AWS": [files_of("github.com/aws/aws-lambda-go@v1.47.0", "events/testdata/*.json")],
    "Shopify": [files_of("github.com/bold-commerce/go-shopify/v4@v4.6.0", "fixtures/**/*.json")],
    "Stripe": [stripe],
    "Jira": [files_of("github.com/andygrunwald/go-jira@v1.16.0", "mocks/*.json")],
    "Trello": [files_of("github.com/adlio/trello@v1.12.0", "testdata/**/*.json")],
    "Kubernetes": [files_of("k8s.io/api@v0.31.2", "testdata/*/*.json",
                            lambda path: ".".join(path.name.split(".")[:2]))],
}


# Comparing.

def time_of(text):
    """A time with its offset; None if it is not RFC 3339."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)",
                         text)
    if not match:
        return None
    date, clock, fraction, offset = match.groups()
    offset = "+00:00" if offset in "Zz" else offset
    try:
        moment = datetime.datetime.fromisoformat(f"{date}T{clock}{offset}")
    except ValueError:
        return None
    return moment.isoformat(), (fraction or "").rstrip("0")


def difference(sent, found, path=""):
    """The first place where two values differ; None if they are the same."""
    if isinstance(sent, dict) and isinstance(found, dict):
        sent = {key: value for key, value in sent.items() if value is not None}
        found = {key: value for key, value in found.items() if value is not None}
        for key in sorted(set(sent) | set(found)):
            if key not in sent or key not in found:
                return f"{path}/{key} is {'missing' if key in sent else 'new'}"
            place = difference(sent[key], found[key], f"{path}/{key}")
            if place:
                return place
        return None
    if isinstance(sent, list) and isinstance(found, list):
        if len(sent) != len(found):
            return f"{path} has {len(found)} elements instead of {len(sent)}"
        for index, (left, right) in enumerate(zip(sent, found)):
            place = difference(left, right, f"{path}/{index}")
            if place:
                return place
        return None
    if isinstance(sent, bool) != isinstance(found, bool):
        return f"{path} has another type"
    if number_of(sent) is not None and number_of(sent) == number_of(found):
        return None
    if sent == found:
        return None
    if isinstance(sent, str) and isinstance(found, str) and time_of(sent) and \
            time_of(sent) == time_of(found):
        return None
    return f"{path} is {found!r} instead of {sent!r}"


# Generating.

def generate(folder, name, words):
    """Generate and compile. Returns the program."""
    result = subprocess.run([HERALD, "generate", "--name", name, "--out", str(folder), *words],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                            timeout=120)
    assert result.returncode == 0, result.stderr.decode()
    header = (folder / f"{name}.h").read_text(encoding="utf-8")
    assert "\t\t\t\t" not in header
    schema = f"{name}_schema" if f"HERALD_SCHEMA_DECLARE({name});" in header else "herald_json_schema"
    command = ["gcc", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}",
               f"-I{folder}", f'-DHEADER="{name}.h"', f"-DSCHEMA={schema}", "-o",
               str(folder / name), str(HERE / "generated.c"), str(folder / f"{name}.c"),
               f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lherald"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                            timeout=300)
    assert result.returncode == 0, result.stdout.decode()
    return folder / name


def decode(program, paths):
    result = subprocess.run([str(program), *map(str, paths)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=False, timeout=300)
    assert result.returncode == 0, result.stderr.decode() or result.returncode
    return result.stdout.decode().splitlines()


def check_type(sender, event_type, payloads):
    """All payloads of one event type. Returns what differs."""
    folder = BUILD / "tables" / re.sub(r"\W+", "_", f"{sender}_{event_type}").lower()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths = []
    for index, payload in enumerate(payloads):
        paths.append(folder / f"{index}.json")
        paths[-1].write_text(dump(payload), encoding="utf-8")
    words = [word for path in paths for word in ("--from", str(path))]
    name = "p_" + re.sub(r"\W+", "_", event_type).lower()
    lines = decode(generate(folder, name[:50], ["--samples", *words]), paths)
    wrong = []
    for payload, line, path in zip(payloads, lines, paths):
        place = line if line.startswith("error: ") else difference(payload, load(line))
        if place:
            wrong.append(f"{event_type} {path.name}: {place}")
    assert len(lines) == len(paths)
    return wrong


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


TOTALS = {}


def check_sender(sender):
    """The payloads of a sender, without those that are the same."""
    types, seen = {}, set()
    for source in SENDERS[sender]:
        for event_type, payload in source():
            text = json.dumps(payload, sort_keys=True)
            if text not in seen and depth(payload) <= DEPTH:
                seen.add(text)
                types.setdefault(event_type, []).append(payload)
    assert types
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [line for lines in pool.map(lambda item: check_type(sender, *item),
                                            sorted(types.items())) for line in lines]
    TOTALS[sender] = (len(seen), len(types))
    print(f"# {sender}: {len(seen)} payloads, {len(types)} tables")
    assert not wrong, "\n".join(wrong)


def total():
    """The figures of the issue, if everything could be downloaded."""
    count = sum(payloads for payloads, _ in TOTALS.values())
    print(f"# {count} payloads of {len(TOTALS)} senders")
    if len(TOTALS) < len(SENDERS):
        raise tap.Skip("not all senders were there")
    assert count >= 2000 and len(TOTALS) >= 10, count


# Schemas.

CYCLONEDX = "@cyclonedx/cyclonedx-library@10.3.0"
CYCLONEDX_ALL = [f"res/schema/{name}.SNAPSHOT.schema.json" for name in
                 ("spdx", "jsf-0.82", "cryptography-defs")]
# (package, pattern of its schemas, other files that they refer to, samples)
SCHEMAS = [
    ("@octokit/webhooks-schemas@7.6.1", "schema.json", [], None),
    ("@asyncapi/specs@6.11.1", "schemas/[23].[0-9].0.json", [], None),
    ("@schematics/angular@21.2.28", "**/schema.json", [], None),
    ("@jsonresume/schema@1.3.1", "schema.json", [], "{sample.resume,examples/*}.json"),
    ("@jsonresume/schema@1.3.1", "job-schema.json", [], None),
    ("vega-lite@6.4.3", "build/vega-lite-schema.json", [], None),
    (CYCLONEDX, "res/schema/bom-1.*.json", CYCLONEDX_ALL, None),
    (CYCLONEDX, "res/schema/cryptography-defs*.json", [], None),
    (CYCLONEDX, "res/schema/jsf*.json", [], None),
    (CYCLONEDX, "res/schema/spdx*.json", [], None),
]
DRAWS = 40
UNIONS = 40


class Drawing:
    """Documents drawn from a schema: most are valid; `herald validate` says which."""

    def __init__(self, root, seed):
        self.root, self.random = root, random.Random(seed)

    def resolve(self, schema):
        for _ in range(20):
            ref = schema.get("$ref", "") if isinstance(schema, dict) else ""
            named = self.root.get("definitions", {}).get(ref)
            if named:
                schema = named
                continue
            if not ref.startswith("#/"):
                return schema if isinstance(schema, dict) and not ref else {}
            schema = self.root
            for name in ref[2:].split("/"):
                name = urllib.parse.unquote(name).replace("~1", "/").replace("~0", "~")
                schema = schema.get(name, {}) if isinstance(schema, dict) else {}
        return {}

    def value(self, schema, depth=0):
        schema = self.resolve(schema)
        for name in ("oneOf", "anyOf"):
            if name in schema and "properties" not in schema:
                return self.value(self.random.choice(schema[name]), depth + 1) if depth < 12 \
                    else None
            if name in schema and depth < 12:  # members that are outside of the alternatives
                inner = self.value(self.random.choice(schema[name]), depth + 1)
                outer = self.value({key: value for key, value in schema.items() if key != name}, depth + 1)
                return {**outer, **inner} if isinstance(inner, dict) and isinstance(outer, dict) else outer
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        types = schema.get("type", "object" if "properties" in schema or "allOf" in schema
                           else "string")
        kind = self.random.choice(types) if isinstance(types, list) else types
        return getattr(self, kind)(schema, depth)

    def object(self, schema, depth):
        out = {}
        for part in schema.get("allOf", []):
            inner = self.value(part, depth + 1) if depth < 8 else {}
            out.update(inner if isinstance(inner, dict) else {})
        required = schema.get("required", [])
        for name, inner in schema.get("properties", {}).items():
            if inner is not False and (name in required or
                                       (depth < 4 and self.random.random() < 0.4)):
                out[name] = self.value(inner, depth + 1)
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and not out and depth < 5:
            out = {f"key {i}": self.value(more, depth + 1) for i in range(self.random.randrange(3))}
        return out

    def array(self, schema, depth):
        count = max(schema.get("minItems", 0), self.random.randrange(3) if depth < 6 else 0)
        items = schema.get("items", {})
        return [self.value(items, depth + 1) for _ in range(count)] \
            if isinstance(items, dict) else []

    def string(self, schema, _):
        return {"date-time": "2026-01-31T12:00:00Z", "uri": "https://example.com/a",
                "uuid": "123e4567-e89b-12d3-a456-426614174000", "date": "2026-01-31",
                "email": "ann@example.com"}.get(schema.get("format"),
                                                "x" * max(3, schema.get("minLength", 0)))

    def integer(self, schema, _):
        return int(schema.get("minimum", 0)) + self.random.randrange(3)

    def number(self, schema, _):
        return schema.get("minimum", 0) + self.random.choice([0, 1, 0.5])

    def boolean(self, *_):
        return self.random.random() < 0.5

    def null(self, *_):
        return None


def valid_draws(folder, schema, words):
    """Files with documents that the schema allows."""
    root = json.loads(schema.read_text(encoding="utf-8"))
    paths = []
    for index in range(DRAWS):
        paths.append(folder / f"{index}.json")
        paths[-1].write_text(json.dumps(Drawing(root, index).value(root)), encoding="utf-8")
    result = subprocess.run([HERALD, "validate", *words, *map(str, paths)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=False, timeout=120)
    assert result.returncode in (0, 1), result.stderr.decode()
    refused = {line.split(":", 1)[0] for line in result.stdout.decode().splitlines()}
    return [path for path in paths if str(path) not in refused]


def check_schema(package, schema, others, samples):
    """Generate, compile, and decode samples and what was drawn. Returns how many documents."""
    name = "s_" + re.sub(r"\W+", "_", f"{package}_{schema.parent.name}_{schema.stem}").lower()[-40:]
    folder = BUILD / "schemas" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = [schema, *(path for path in others if path != schema)]
    program = generate(folder, name, [word for path in files for word in ("--from", str(path))])
    drawn = valid_draws(folder, schema,
                        [word for path in files for word in ("--schema", str(path))])
    lines = decode(program, [*samples, *drawn])
    wrong = [f"{path}: {line}" for path, line in zip([*samples, *drawn], lines)
             if line.startswith("error: ")]
    assert not wrong, "\n".join(wrong)
    return len(samples) + len(drawn)


# Unions.

class Unions:
    """Schemas whose alternatives a member tells apart, in all places and ways of writing them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.definitions = {}

    def scalar(self):
        return self.random.choice([
            {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 0, "maximum": 300},
            {"type": "number"}, {"enum": ["red", "green"]}, {"enum": [3, -1, 0]}, {"const": 5},
            {"type": ["integer", "null"], "enum": [1, 2, None]}, {"oneOf": [{"const": 7}, {"const": 9}]}, {"type": "array", "items": {"type": "integer"}},
            {"type": ["string", "null"]}, {"type": "string", "format": "date-time"}])

    def value(self, depth):
        """Any schema; a union in one of three."""
        if depth > 0 and self.random.random() < 0.35:
            union = self.union(depth - 1)
            return self.random.choice([
                union, union, {"type": "array", "items": union},
                {"type": "object", "additionalProperties": union}])
        return self.scalar()

    def branch(self, tag, values, depth, body):
        """An alternative; `body` is the name of its only other member, or None."""
        kind = "string" if isinstance(values[0], str) else "integer"
        fixed = {"enum": values} if len(values) > 1 else self.random.choice(
            [{"const": values[0]}, {"enum": values}, {"type": kind, "const": values[0]}])
        names = self.random.sample(["a", "b", "cD", "int", "e_f", "body", "x"], self.random.randrange(4))
        members = {name: self.value(depth) for name in names}
        if body:
            names = [body]
            members = {body: {"type": "object", "properties": members or {"z": self.scalar()}}}
        required = [name for name in names if body or self.random.random() < 0.5]
        if body == "maybe":
            required = []
        if self.random.random() < 0.3:
            out = {"allOf": [{"type": "object", "properties": {tag: fixed}, "required": [tag]},
                             {"type": "object", "properties": members, "required": required}]}
        else:
            out = {"type": "object", "properties": {**members, tag: fixed}, "required": [tag, *required]}
            if self.random.random() < 0.3:
                out["additionalProperties"] = False
        if self.random.random() < 0.4:
            name = f"d{len(self.definitions)}"
            self.definitions[name] = out
            return {"$ref": f"#/$defs/{name}"}
        return out

    def union(self, depth):
        tag = self.random.choice(["kind", "type", "@type", "event.name", "default"])
        last = self.random.choice(["last", 100])
        values = self.random.sample(["circle", "two words", "class", "9", "Ü", "A", "a"] if last == "last"
                                    else [1, -1, 0, 2 ** 31 - 1, -2 ** 31, 9, 12], self.random.randrange(2, 6))
        body = self.random.choice([None, None, "data", "maybe"])
        branches = []
        while values:
            count = self.random.choice([1, 1, 1, 2, 3])
            branches.append(self.branch(tag, values[:count], depth, body))
            del values[:count]
        if len(branches) == 1:
            branches.append(self.branch(tag, [last], depth, body))
        if len(branches) > 2 and self.random.random() < 0.3:  # alternatives within an alternative
            outside = {} if body or self.random.random() < 0.5 else \
                {"properties": {"outside": self.scalar()}, "required": ["outside"]}
            branches[-2:] = [{**outside, self.random.choice(["oneOf", "anyOf"]): branches[-2:]}]
        if self.random.random() < 0.3:
            branches.append({"type": "null"})
        return {self.random.choice(["oneOf", "anyOf"]): branches}

    def payload(self):
        """A payload that is null is refused, which a comment says."""
        return {key: [branch for branch in branches if branch != {"type": "null"}]
                for key, branches in self.union(2).items()}

    def schema(self):
        self.definitions.clear()
        out = self.payload() if self.random.random() < 0.4 else {
            "type": "object", "required": ["u"], "properties": {"u": self.union(2), "v": self.value(2)}}
        return {**out, "$defs": dict(self.definitions)}


def check_union(folder, index, schema):
    """Generated code for a schema with unions: no raw JSON, and each valid document comes back."""
    name = f"u{index}"
    path = folder / f"{name}.json"
    path.write_text(json.dumps(schema), encoding="utf-8")
    program = generate(folder, name, ["--from", str(path)])
    header = (folder / f"{name}.h").read_text(encoding="utf-8")
    assert "Not a union" not in header, header
    draws = folder / name.replace("u", "d")
    draws.mkdir()
    paths = valid_draws(draws, path, ["--schema", str(path)])
    exported = json.loads(subprocess.run([str(program), "--schema"], stdout=subprocess.PIPE, check=True,
                                         timeout=60).stdout)
    (folder / "exported.json").write_text(json.dumps(exported), encoding="utf-8")
    result = subprocess.run([HERALD, "validate", "--schema", str(folder / "exported.json"),
                             *map(str, paths)], stdout=subprocess.PIPE, check=False, timeout=120)
    wrong = result.stdout.decode().splitlines()
    for document, line in zip(paths, decode(program, paths)):
        value = load(document.read_text(encoding="utf-8"))
        place = line if line.startswith("error: ") else difference(value, load(line))
        if place:
            wrong.append(f"{document}: {place}")
    assert not wrong, "\n".join([json.dumps(schema), *wrong[:5]])
    return len(paths)


def random_unions():
    seed = int(os.environ.get("HERALD_TEST_SEED", 0)) or int.from_bytes(os.urandom(4), "little")
    print(f"# HERALD_TEST_SEED={seed}", flush=True)
    folder = BUILD / "unions"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unions = Unions(seed)
    count = sum(check_union(folder, index, unions.schema()) for index in range(UNIONS))
    print(f"# {UNIONS} schemas, {count} documents")
    assert count >= UNIONS * DRAWS // 4, count


SCHEMA_TOTALS = {}


def check_schemas(package, pattern, others, samples):
    folder = npm_package(package)
    schemas = sorted(folder.glob(pattern))
    assert schemas, pattern
    samples = [path for part in re.findall(r"[^{},]+(?=[,}])", samples or "")
               for path in sorted(folder.glob(part + ".json"))]
    counts = {}
    for schema in schemas:
        try:
            counts[schema] = check_schema(package, schema, [folder / name for name in others],
                                          samples)
        except AssertionError as error:
            raise AssertionError(f"{schema}: {error}") from error
    SCHEMA_TOTALS[(package, pattern)] = counts
    assert all(counts.values()), [str(path) for path, count in counts.items() if count == 0]
    print(f"# {package} {pattern}: {len(counts)} schemas, {sum(counts.values())} documents")


def schema_total():
    if len(SCHEMA_TOTALS) < len(SCHEMAS):
        raise tap.Skip("not all packages were there")
    count = sum(map(len, SCHEMA_TOTALS.values()))
    print(f"# {count} schemas")
    assert count >= 50, count


if __name__ == "__main__":
    senders = [name for name in SENDERS if not ONLY or name in ONLY]
    cases = [(f"payloads of {name}", check_sender, name) for name in senders]
    if not ONLY:
        cases.append(("2,000 payloads of ten senders", total))
    if not ONLY or "unions" in ONLY:
        cases.append(("random schemas with unions", random_unions))
    if not ONLY or "schemas" in ONLY:
        cases += [(f"schemas of {row[0]}, {row[1]}", check_schemas, *row) for row in SCHEMAS]
        cases.append(("50 schemas", schema_total))
    tap.run(cases)
