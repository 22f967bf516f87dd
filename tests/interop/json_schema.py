#!/usr/bin/env python3
"""Exported schemas, checked by the validator of PyPI's jsonschema.

    tests/interop/json_schema.py PEER EXAMPLE [FOLDER]

PEER is the program of schema_peer.c, EXAMPLE the program of examples/schemas.c. The validator comes
from PyPI, and the schema of AsyncAPI 3.0 from npm, into FOLDER (default: build/interop/schemas),
once. Every case is one line of TAP.

Each schema is valid against its meta-schema, and accepts exactly what the decoder accepts, on
10,000 documents that are drawn at random: values of all types, those at the limits of C's types,
and those that the schema's own keywords suggest, with some members missing, unknown or twice. Where
the two disagree, one of EXCEPTIONS must explain it: the list in herald/json_schema.h. Each of them
must occur, and each member must be accepted and refused. So it is with HERALD_TEST_TABLES tables
that are drawn at random, as tests/codec/test_random_tables.c draws them. HERALD_TEST_SEED repeats a
run, and HERALD_TEST_DOCUMENTS sets the number of documents.
"""

import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402

PYPI = "jsonschema==4.23.0"
NPM = "@asyncapi/specs@6.11.1"
SEED = int(os.environ.get("HERALD_TEST_SEED") or 20261129)
DOCUMENTS = int(os.environ.get("HERALD_TEST_DOCUMENTS", "10000"))
MOST_BATCHES = 20
DRAFTS = ("2020-12", "draft-07")
TABLES = int(os.environ.get("HERALD_TEST_TABLES", "100"))


def run_installer(command):
    if not shutil.which(command[0]):
        raise tap.Skip(f"{command[0]} is not here")
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                            text=True, check=False)
    if result.returncode != 0:
        raise tap.Skip(f"{command[0]}: " + (result.stdout.strip().split("\n") or ["failed"])[-1])


def install(folder):
    """Returns the module jsonschema."""
    if not (folder / "jsonschema").exists():
        run_installer([sys.executable, "-m", "pip", "install", "--quiet", "--timeout", "15",
                       "--target", str(folder), PYPI])
    sys.path.insert(0, str(folder))
    import jsonschema  # pylint: disable=import-outside-toplevel
    return jsonschema


def asyncapi_schema(folder):
    """The schema of AsyncAPI 3.0."""
    file = folder / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run_installer(["npm", "install", "--silent", "--no-audit", "--no-fund",
                       "--fetch-retries=0", "--prefix", str(folder), NPM])
    return json.loads(file.read_text(encoding="utf-8"))


# Validating.

class Real(float):
    """A number of a document that has a fraction or an exponent."""


class Twice(dict):
    """An object in which a member is duplicated."""


def make_object(pairs):
    made = dict(pairs)
    return made if len(made) == len(pairs) else Twice(made)


def parse(document):
    return json.loads(document, parse_float=Real, object_pairs_hook=make_object)


def has_duplicates(value):
    if isinstance(value, dict):
        return isinstance(value, Twice) or any(has_duplicates(item) for item in value.values())
    return isinstance(value, list) and any(has_duplicates(item) for item in value)


def is_date_time(text):
    """RFC 3339 section 5.6, without leap seconds; validators need not know when there were any."""
    match = isinstance(text, str) and re.fullmatch(
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
        r"([Zz]|[+-]([0-9]{2}):([0-9]{2}))", text)
    if not match:
        return not isinstance(text, str)
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 28 + is_leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return 1 <= month <= 12 and 1 <= day <= days[month - 1] and hour < 24 and minute < 60 and \
        second < 60 and int(match[9] or 0) < 24 and int(match[10] or 0) < 60


def pattern(_validator, expression, instance, _schema):
    """ECMA-262: Python's "$" also matches before a newline at the end."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", expression), instance):
        yield sys.modules["jsonschema"].ValidationError(f"does not match {expression}")


def validator(jsonschema, schema, draft):
    base = jsonschema.Draft7Validator if draft == "draft-07" else jsonschema.Draft202012Validator
    base.check_schema(schema)
    checker = jsonschema.FormatChecker(formats=())
    checker.checks("date-time")(is_date_time)
    # With "$schema", a reference to the root would go back to the class without our pattern.
    return jsonschema.validators.extend(base, {"pattern": pattern})(
        {key: value for key, value in schema.items() if key != "$schema"}, format_checker=checker)


# Drawing documents: text, because a document may say what a value of Python cannot.

STRINGS = ["", "a", "ab", "abc", "abcd", "fifteen bytes..", "sixteen bytes...", "x" * 40, "x" * 41,
           "ä", "äö", "äöü", "äöüß", "€", "€€€", "\U0001f600", "\U0001f600" * 3, "ab\U0001f600",
           "\0", "a\0b", "a\n", "\n", "true", "false", "null", "0", "1", "2", "01", "-0", "+1", "-1",
           "12", "255", "256", "-1000", "-1001", "1.0", "1.5", "1.5e1", "1e3", "1e400", "0.1", ".1",
           "1.", "0x1", " 1", "1 ", "1\n", "", "-7", "200", "9223372036854775807",
           "9223372036854775808", "18446744073709551615", "18446744073709551616", "1.000000000",
           "1.0000000001", "1.0000000000", "1.0000001", "1.0000000", "253402300799.999999999",
           "253402300800", "-62167219200", "-62167219201", "253402300799999.9", "253402300800000"]
DATES = ["2024-08-20", "2024-02-29", "2023-02-29", "2024-02-30", "1900-02-29", "2000-02-29",
         "2024-04-31", "2024-13-01", "2024-00-01", "2024-01-00", "2024-1-01", "0000-01-01",
         "9999-12-31", "02024-08-20"]
CLOCKS = ["05:21:19", "00:00:00", "23:59:59", "23:59:60", "24:00:00", "12:60:00", "12:00:61",
          "05:21", "05:21:19.1", "05:21:19.123456789", "05:21:19.1234567891", "05:21:19.",
          "23:59:60.5"]
ZONES = ["Z", "z", "+00:00", "-00:00", "+23:59", "+24:00", "+01:60", "+0130", "+01", "-12", "+1", "",
         "+01:3", "Z ", "+01:30:00"]
NUMBERS = ["0", "-0", "1", "-1", "2", "3", "5", "6", "-5", "-6", "-7", "10", "11", "-10", "100",
           "101", "200", "-1000", "-1001", "1000000", "1000001", "0.0", "-0.0", "1.0", "10.0", "1.5",
           "1e0", "1e1", "1E+2", "15e-1", "1.5e1", "0.1", "0.10000000001", "0.11", "-273.15",
           "-273.16", "1e6", "16777217", "16777218", "3.4028235e38", "3.40282351e38", "3.4028236e38",
           "-3.4028236e38", "1.7976931348623157e308", "1e309", "-1e309", "1e400", "5e-324", "1e-400",
           "-1e-400", "1700000000", "1700000000.25", "1700000000.1234567891", "1.7e9",
           "253402300799", "253402300800", "-62167219200", "-62167219201", "253402300799999",
           "253402300800000", "-62167219200000", "-62167219200001"]
for bits in (7, 8, 15, 16, 31, 32, 53, 63, 64):
    NUMBERS += [str(sign * 2 ** bits + more) for sign in (1, -1) for more in (-2, -1, 0, 1)]
WORDS = ["null", "true", "false"]
EMPTY = ["[]", "{}", "[null]", "[[]]", '{"a": null}']


class Draw:
    """Documents for a schema, drawn at random."""

    def __init__(self, schema, seed):
        self.random = random.Random(seed)
        self.schema = schema
        self.is_clean = False  # only draw what the schema accepts, if that is easy
        self.turn = 0  # the member that this document has in any case

    def quote(self, text):
        return json.dumps(text, ensure_ascii=self.random.random() < 0.3)

    def time(self):
        choose = self.random.choice
        good = self.is_clean or self.random.random() < 0.5
        date, clock, zone = (DATES[:2], CLOCKS[:3], ZONES[:5]) if good else (DATES, CLOCKS, ZONES)
        if self.random.random() < 0.2 and not self.is_clean:
            date, clock, zone = ["2023-02-29", "2024-04-31"], CLOCKS[:3], ZONES[:5]
        return choose(date) + choose("TTTt" if good else "TTt ") + choose(clock) + choose(zone)

    def string(self):
        return self.time() if self.random.random() < 0.1 else self.random.choice(STRINGS)

    def any_value(self, depth=0):
        """Any JSON."""
        at = self.random.random()
        if at < 0.4:
            return self.random.choice(NUMBERS)
        if at < 0.8:
            return self.quote(self.string())
        if at < 0.9 or depth > 2:
            return self.random.choice(WORDS + EMPTY)
        if at < 0.95:
            return "[" + ", ".join(self.any_value(depth + 1)
                                   for _ in range(self.random.randrange(4))) + "]"
        return self.object([(self.string(), self.any_value(depth + 1))
                            for _ in range(self.random.randrange(4))])

    def object(self, members):
        return "{" + ", ".join(f"{self.quote(name)}: {value}" for name, value in members) + "}"

    def resolve(self, schema):
        while "$ref" in schema:
            at = self.schema
            for name in schema["$ref"].split("/")[1:]:
                at = at[name]
            schema = at
        return schema

    def number(self, schema, kind):
        """A number near what the schema says."""
        ends = [schema[key] for key in ("minimum", "maximum", "exclusiveMaximum") if key in schema]
        at = self.random.random()
        if self.is_clean and len(ends) == 2:
            good = [text for text in NUMBERS if ends[0] <= float(text) < ends[1]]
            if kind == "integer":
                good = [text for text in good if text.lstrip("-").isdigit()]
            return self.random.choice(good or [str(ends[0])])
        if at < 0.3 and ends:
            end = self.random.choice(ends)
            if self.random.random() < 0.3 and kind == "number" and abs(end) < 1e300:
                return repr(end * (1 + 2 ** -26))
            return str(end + self.random.choice((-1, 0, 0, 1))) if isinstance(end, int) else repr(end)
        if at < 0.6 and len(ends) == 2 and all(isinstance(end, int) for end in ends):
            return str(self.random.randint(*ends))
        return self.random.choice(NUMBERS)

    def text(self, schema):
        """A string near what the schema says."""
        if "T" in schema.get("pattern", "") or "date-time" in schema.get("format", ""):
            return self.time()
        if "pattern" in schema and "0-9" in schema["pattern"]:
            return self.random.choice(["0", "1", "1.0", "12"] if self.is_clean
                                      else STRINGS + NUMBERS)
        least, most = schema.get("minLength", 0), schema.get("maxLength", 20)
        if self.is_clean:
            return "x" * self.random.randint(min(least * 4, most) if least > 1 else least, most)
        length = self.random.choice([least, most, self.random.randrange(20)]) + \
            self.random.choice((-1, 0, 0, 1))
        letters = self.random.choice(("x", "abc", "xyzä", "€\U0001f600", "x\0", 'x"\\\n'))
        return "".join(self.random.choice(letters) for _ in range(max(length, 0)))

    def count(self, schema, kind):
        least = schema.get("min" + kind, 0)
        most = schema.get("max" + kind, least + 3)
        if self.is_clean:
            return self.random.randint(least, min(most, least + 3))
        wanted = self.random.choice([least, most, least + 1, least + 2])
        return max(wanted + self.random.choice((-1, 0, 0, 0, 0, 0, 1)), 0)

    def value(self, schema, depth=0):
        """A value that the schema suggests, or any."""
        if not self.is_clean and self.random.random() < 0.07:
            return self.any_value(1)
        for key in ("anyOf", "allOf"):
            if key in schema:
                return self.value(self.random.choice(schema[key]), depth)
        schema = self.resolve(schema)
        for key in ("anyOf", "allOf"):
            if key in schema and "type" not in schema:
                return self.value(self.random.choice(schema[key]), depth)
        if "oneOf" in schema:  # a tagged union
            schema = {"type": schema["type"], **self.random.choice(schema["oneOf"])}
        if 0 in schema.get("enum", []) and not self.is_clean and self.random.random() < 0.2:
            return "-0"
        for key in ("enum", "examples"):
            if key in schema and "not" not in schema and \
                    (self.is_clean or self.random.random() < 0.8):
                return json.dumps(self.random.choice(schema[key]))
        if "const" in schema:
            return json.dumps(schema["const"])
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        kind = self.random.choice([kind for kind in kinds if kind != "null"] or ["any"])
        if "null" in kinds and (self.random.random() < 0.1 or kinds == ["null"]):
            return "null"
        if kind in ("number", "integer"):
            return self.number(schema, kind)
        if kind == "string":
            return self.quote(self.text(schema))
        if kind == "boolean":
            return self.random.choice(("true", "false"))
        if kind == "array":
            if depth > 5:
                return "[]"
            return "[" + ", ".join(self.value(self.item(schema, i), depth + 1)
                                   for i in range(self.count(schema, "Items"))) + "]"
        if kind == "object" and "properties" in schema:
            return self.record(schema, depth + 1)
        if kind == "object":
            inner = schema.get("additionalProperties") or {}
            names = [self.text({"maxLength": 5}) for _ in range(self.count(schema, "Properties"))]
            if self.is_clean:
                names = [f"{i}{name}" for i, name in enumerate(names)]
            return self.object([(name, self.value(inner, depth + 1)) for name in names])
        return self.any_value(1)

    @staticmethod
    def item(schema, _index):
        return schema.get("items", {})

    def record(self, schema, depth):
        """An object: few of the members, now and then without what is required."""
        required = schema.get("required", [])
        others = [name for name in schema["properties"] if name not in required]
        few = self.random.randrange(5 if self.is_clean else 3) if depth < 6 else 0
        names = [name for name in required if self.is_clean or self.random.random() > 0.02]
        names += self.random.sample(others, min(few, len(others)))
        if depth == 1 and others:
            self.turn = (self.turn + 1) % len(others)
            names += [others[self.turn]] if others[self.turn] not in names else []
        self.random.shuffle(names)
        members = [(name, self.value(schema["properties"][name], depth)) for name in names]
        if not (self.is_clean and "additionalProperties" in schema) and self.random.random() < 0.05:
            members.append(("unknown", self.any_value(1)))
        if not self.is_clean and members and self.random.random() < 0.01:
            members.append(members[0])
        return self.object(members)

    def document(self):
        at = self.random.random()
        self.is_clean = at > 0.5
        if at < 0.01:
            return self.any_value()
        text = self.record(self.schema, 1) if "properties" in self.schema else \
            self.value(self.schema)
        if at < 0.02:  # half a surrogate pair, which Python reads
            text = text.replace('": "', '": "\\ud83d', 1)
        if 0.02 < at < 0.022 and text.startswith('{"'):
            text = '{"unknown": ' + "[" * 70 + "]" * 70 + ", " + text[1:]
        return text


# Comparing.

Disagreement = collections.namedtuple("Disagreement", "status value root message document")


def find(document, path):
    """The value at a JSON Pointer, which the decoder writes escaped as in JSON, or None."""
    try:
        path = json.loads(f'"{path}"')
    except ValueError:
        return None
    for token in path.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(token) if isinstance(document, list) else token]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return document


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def reals_in(value):
    if isinstance(value, (list, tuple)):
        return [real for item in value for real in reals_in(item)]
    if isinstance(value, dict):
        return reals_in(list(value.values()))
    return [value] if is_number(value) else []


# What JSON Schema cannot say: whether it explains that the decoder refuses what the schema accepts.
EXCEPTIONS = {
    "duplicate members": lambda d: has_duplicates(d.root),
    "surrogates": lambda d: d.status == "HERALD_BAD_JSON" and "\\ud83d" in d.document,
    "limits": lambda d: d.status == "HERALD_LIMIT",
    "integers that are written as reals": lambda d: isinstance(d.value, Real) and
        d.value.is_integer() and d.status == "HERALD_BAD_TYPE",
    "exponents and digits of epochs": lambda d: isinstance(d.value, Real) and
        d.status == "HERALD_BAD_TIME",
    "lengths in bytes": lambda d: d.status == "HERALD_BAD_LENGTH" and isinstance(d.value, str) and
        (not d.value.isascii() or re.search("at least|exactly", d.message)),
    "numbers in quotes": lambda d: isinstance(d.value, str) and
        d.status in ("HERALD_OUT_OF_RANGE", "HERALD_BAD_VALUE", "HERALD_BAD_TIME") and
        re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", d.value),
    "days of lenient times": lambda d: d.status == "HERALD_BAD_TIME" and
        re.match(r"....-..-.*(\+0130|\+01| |[Zz:0-9])", str(d.value)) and
        ("does not exist" in d.message or "in the years" in d.message),
    "checks": lambda d: d.status == "HERALD_BAD_VALUE" and
        ("expected at least" in d.message or "refused by the check" in d.message),
}
ROUNDED = "numbers that are rounded"


def is_near(error):
    """Whether a number rounds to the bound of a float, or the last nanosecond of an epoch: also in
    one of the cases of a union."""
    if error.validator == "anyOf":
        cases = collections.defaultdict(list)
        for inner in error.context:
            cases[inner.schema_path[0]].append(inner)
        return any(all(map(is_near, inner)) for inner in cases.values())
    return error.validator in ("minimum", "maximum", "exclusiveMaximum") and \
        is_number(error.instance) and \
        abs(error.instance - error.validator_value) <= abs(error.validator_value) * 2 ** -24


def explain(answer, document, value, errors):
    """The exception that explains a disagreement, or None."""
    if answer[0] == "HERALD_OK":
        return ROUNDED if all(map(is_near, errors)) else None
    status, path, message = answer
    case = Disagreement(status, find(value, path), value, message, document)
    return next((name for name, holds in EXCEPTIONS.items() if holds(case)), None)


def run_peer(peer, arguments, documents=""):
    result = subprocess.run([peer, *arguments], input=documents, stdout=subprocess.PIPE, text=True,
                            timeout=120, check=True)
    return result.stdout


class Comparison:
    """What the two say about the documents of one schema."""

    def __init__(self):
        self.accepted = 0
        self.refused = 0
        self.explained = collections.Counter()
        self.members = collections.defaultdict(set)
        self.wrong = []

    def add(self, document, answer, check):
        value = parse(document)
        errors = list(check.iter_errors(value))
        is_accepted = answer[0] == "HERALD_OK"
        if is_accepted == (not errors):
            self.accepted += is_accepted
            self.refused += not is_accepted
            self.note(value, answer)
            return
        name = explain(answer, document, value, errors)
        self.explained[name] += 1
        if not name:
            self.wrong.append((document, answer, [error.message[:200] for error in errors[:2]]))

    def note(self, value, answer):
        if answer[0] == "HERALD_OK" and isinstance(value, dict):
            for name, member in value.items():
                self.members[name].add(True)
        elif len(answer) > 1 and answer[1]:
            self.members[answer[1].split("/")[1].replace("~1", "/").replace("~0", "~")].add(False)


def accepts_anything(schema):
    return not set(schema) - {"description"}


def unmet(schema, found):
    """The members that were not yet both accepted and refused."""
    return {name: found.members[name] for name, wanted in schema.get("properties", {}).items()
            if not found.members[name] >= ({True} if accepts_anything(wanted) else {True, False})}


def compare(peer, name, documents, check, found):
    answers = run_peer(peer, ["decode", name], "".join(text + "\n" for text in documents))
    answers = [line.split("\t") for line in answers.splitlines()]
    assert len(answers) == len(documents), f"{len(answers)} answers to {len(documents)} documents"
    for document, answer in zip(documents, answers):
        found.add(document, answer, check)


def agrees(jsonschema, peer, name, count, draft, totals):
    schema = json.loads(run_peer(peer, ["schema", name, draft]))
    check = validator(jsonschema, schema, draft)
    draw = Draw(schema, f"{SEED} {name}")
    found = Comparison()
    # What is seldom drawn, such as a number that is too large for a float, may need more documents.
    for batch in range(MOST_BATCHES):
        if batch > 0 and (DOCUMENTS < 10000 or not unmet(schema, found)):
            break
        compare(peer, name, [draw.document() for _ in range(count)], check, found)
    totals.update(found.explained)
    print(f"# {name} {draft}, seed {SEED}: {found.accepted} accepted, {found.refused} refused, "
          f"{sum(found.explained.values())} explained")
    for document, answer, errors in found.wrong[:5]:
        print(f"# decoder: {answer}, validator: {errors}\n#   {document[:1000]}")
    assert not found.wrong, f"{len(found.wrong)} documents on which the two disagree"
    drawn = found.accepted + found.refused + sum(found.explained.values())
    share = 5 if "properties" in schema else 20  # of a single value there is less that can be wrong
    assert min(found.accepted, found.refused) > drawn / share, "too few are accepted or refused"
    assert DOCUMENTS < 10000 or not unmet(schema, found), f"only: {unmet(schema, found)}"


def random_tables_agree(jsonschema, peer, draft, totals):
    """A few documents for each of many schemas."""
    total, wrong = Comparison(), 0
    for seed in range(SEED, SEED + TABLES):
        name = f"random_{seed}"
        schema = json.loads(run_peer(peer, ["schema", name, draft]))
        draw, found = Draw(schema, name), Comparison()
        compare(peer, name, [draw.document() for _ in range(60)],
                validator(jsonschema, schema, draft), found)
        for document, answer, errors in found.wrong[:2]:
            print(f"# {name}: decoder: {answer}, validator: {errors}\n#   {document[:1000]}")
        wrong += bool(found.wrong)
        total.accepted += found.accepted
        total.refused += found.refused
        totals.update(found.explained)
    print(f"# {TABLES} tables {draft}, seed {SEED}: {total.accepted} accepted, "
          f"{total.refused} refused")
    assert not wrong, f"{wrong} tables on which the two disagree"
    assert min(total.accepted, total.refused) > 60 * TABLES / 5, "too few are accepted or refused"


def every_exception_occurs(totals):
    for name in [*EXCEPTIONS, ROUNDED]:
        print(f"# {totals[name]} documents: {name}")
    missing = [name for name in [*EXCEPTIONS, ROUNDED] if not totals[name]]
    assert DOCUMENTS < 10000 or not missing, f"never: {missing}"


# AsyncAPI.

def service_is_valid(jsonschema, folder, command):
    check = jsonschema.Draft7Validator(asyncapi_schema(folder))
    document = json.loads(run_peer(command, ["asyncapi"]))
    errors = [f"{list(error.absolute_path)}: {error.message[:300]}"
              for error in check.iter_errors(document)]
    assert not errors, errors[:3]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)
    # The schema of AsyncAPI refuses what is wrong, also within schemas.
    for path in (("operations", "receive", "action"), ("info", "title"),
                 ("components", "schemas", "herald_message", "type")):
        at = document
        for name in path[:-1]:
            at = at[name]
        kept, at[path[-1]] = at[path[-1]], 5
        assert not check.is_valid(document), path
        at[path[-1]] = kept


USER = {"user_id": "12345", "username": "johndoe"}
ORDER = {"order_id": "o-1", "total_cents": 1998, "lines": [{"sku": "tea", "quantity": 2}]}
EVENTS = [
    (None, {}),
    ("user_created", {"event_type": "user_created", "payload": USER}),
    ("user_created", {"event_type": "user_created", "payload": USER, "metadata": {"version": "9"}}),
    (None, {"event_type": "user_created", "payload": {"user_id": "12345"}}),
    (None, {"event_type": "user_created"}),
    (None, {"event_type": "user_deleted", "payload": USER}),
    ("order_placed_2", {"event_type": "order_placed", "payload": ORDER,
                        "metadata": {"version": "2"}}),
    ("order_placed_2", {"event_type": "order_placed", "payload": ORDER, "metadata": {"version": 2}}),
    (None, {"event_type": "order_placed", "payload": ORDER, "metadata": {"version": "3"}}),
    (None, {"event_type": "order_placed", "payload": ORDER}),
    (None, {"event_type": "order_placed", "payload": {**ORDER, "lines": []},
            "metadata": {"version": "2"}}),
]


def messages_are_what_routes_take(jsonschema, example):
    """Which message an event is."""
    document = json.loads(run_peer(example, ["asyncapi"]))
    for wanted, event in EVENTS:
        event = {"timestamp": "2024-08-20T05:21:19Z", **event}
        found = [key for key in document["components"]["messages"] if jsonschema.Draft7Validator(
            {**document, "$ref": f"#/components/messages/{key}/payload"}).is_valid(event)]
        assert found == ([wanted] if wanted else []), f"{event}: {found}"


# Payloads that are not objects, and a map.
ROOTS = ["level", "word", "grid", "prices"]


def main():
    peer, example = sys.argv[1:3]
    folder = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else ROOT / "build" / "interop" / "schemas")
    try:
        jsonschema = install(folder)
    except tap.Skip as reason:
        print(f"1..1\nok 1 - jsonschema # SKIP {reason}")
        return
    totals = collections.Counter()
    names = {"every_kind": DOCUMENTS, "demanding": DOCUMENTS // 4, **dict.fromkeys(ROOTS, DOCUMENTS // 10)}
    tap.run([(f"{name} in {draft} agrees with the decoder", agrees, jsonschema, peer, name, count,
              draft, totals)
             for name, count in names.items() for draft in DRAFTS] +
            [(f"random tables in {draft} agree with the decoder", random_tables_agree, jsonschema,
              peer, draft, totals) for draft in DRAFTS] +
            [("every exception occurs", every_exception_occurs, totals),
             ("a service is valid AsyncAPI", service_is_valid, jsonschema, folder, peer),
             ("the example is valid AsyncAPI", service_is_valid, jsonschema, folder, example),
             ("messages are what routes take", messages_are_what_routes_take, jsonschema,
              example)])


if __name__ == "__main__":
    main()
