#!/usr/bin/env python3
"""Compares values in forms of their own (quoted, numeric, lenient, since an epoch, unknown names)
with what Python's integers and dates make of them: random values, valid and nearly valid, are
decoded and encoded again.

    tests/codec/forms_against_python.py DECODE_FORMS

DECODE_FORMS is the program of decode_forms.c. HERALD_TEST_SEED repeats a run, HERALD_TEST_VALUES
is their number, default 20,000. With HERALD_TEST_ALL=1, all differences are printed, not only the
first. Prints TAP.
"""

import datetime
import json
import os
import random
import re
import subprocess
import sys

SEED = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(1 << 32))
VALUES = int(os.environ.get("HERALD_TEST_VALUES") or 20000)
RANDOM = random.Random(SEED)

NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)
MARKS = {"zero": 0, "one": 1, "low": -3, "lowest": -3}
ABOVE = {"one": 1, "low": -3}
FIRST, LAST = -62167219200, 253402300799
HUGE = 10 ** 60


class Refused(Exception):
    """The statuses that the decoder may give."""

    def __init__(self, *statuses):
        super().__init__(*statuses)
        self.statuses = statuses


class Number:
    """A JSON number, exactly: numerator / 10^places."""

    def __init__(self, text):
        match = NUMBER.fullmatch(text)
        sign, whole, fraction, exponent = match.groups()
        digits = int(whole + (fraction or "")) * (-1 if sign else 1)
        places = len(fraction or "") - int(exponent or 0)
        self.negative = bool(sign)
        self.plain = fraction is None and exponent is None
        self.has_exponent = exponent is not None
        self.numerator = digits
        self.places = places if digits else 0

    def times(self, power):
        """The value times 10^power towards zero, and whether that is exact."""
        places = self.places - power
        if places <= 0:
            return (self.numerator * 10 ** -places if places > -60 else
                    HUGE * (1 if self.numerator > 0 else -1)), True
        if places > 5000:
            return 0, self.numerator == 0
        unit = 10 ** places
        quotient, rest = divmod(abs(self.numerator), unit)
        return quotient * (-1 if self.numerator < 0 else 1), rest == 0


class Field:
    """A member: `quoted` and `lenient` as in its schema, and what its number means."""

    def __init__(self, quoted=False, lenient=False, words=None):
        self.quoted, self.lenient, self.words = quoted, lenient, words or {}

    def decode(self, text):
        """The value of JSON text, which is one value; raises Refused."""
        if text.startswith('"'):
            if not self.quoted:
                raise Refused("HERALD_BAD_TYPE")
            text = json.loads(text, strict=False)
            if text in self.words:
                return self.words[text]
            if not NUMBER.fullmatch(text):
                raise Refused("HERALD_BAD_VALUE")
            try:
                return self.of_number(Number(text), text)
            except Refused as refused:
                raise Refused(*("HERALD_BAD_VALUE" if status == "HERALD_BAD_TYPE" else status
                                for status in refused.statuses)) from None
        if text in ("true", "false", "null"):
            if text in self.words and (self.lenient or not self.quoted):
                return self.words[text]
            raise Refused("HERALD_BAD_TYPE")
        if self.quoted and not self.lenient:
            raise Refused("HERALD_BAD_TYPE" if text[0] in "-0123456789" else "HERALD_BAD_JSON")
        if not NUMBER.fullmatch(text):
            # A number may also be refused for what it has before the damage.
            raise Refused("HERALD_BAD_JSON", "HERALD_BAD_TYPE", "HERALD_BAD_VALUE",
                          "HERALD_BAD_TIME", "HERALD_OUT_OF_RANGE")
        return self.of_number(Number(text), text)

    def encode(self, value):
        text = self.text(value)
        return f'"{text}"' if self.quoted else text

    def text(self, value):
        return str(value)

    @staticmethod
    def show(value):
        return str(value)


class Integer(Field):
    def __init__(self, least, most, **options):
        super().__init__(**options)
        self.least, self.most = least, most

    def of_number(self, number, _):
        value, whole = number.times(0)
        fits = self.least <= value <= self.most
        if not number.plain and not self.lenient:
            raise Refused("HERALD_BAD_TYPE")
        if not whole:
            raise Refused("HERALD_BAD_TYPE", *([] if fits else ["HERALD_OUT_OF_RANGE"]))
        if not fits:
            raise Refused("HERALD_OUT_OF_RANGE")
        return value

    def draw(self):
        return RANDOM.choice([self.least, self.most, self.least - 1, self.most + 1, 0, 1, -1, 7,
                              RANDOM.randint(self.least, self.most)])


class Real(Field):
    def __init__(self, least, most, **options):
        super().__init__(**options)
        self.least, self.most = least, most

    def of_number(self, _, text):
        value = float(text)
        if value in (float("inf"), float("-inf")) or not self.least <= value <= self.most:
            raise Refused("HERALD_OUT_OF_RANGE")
        return value

    def encode(self, value):
        return None

    @staticmethod
    def show(value):
        return "%.17g" % value

    def draw(self):
        return RANDOM.choice([0, 1, -1, RANDOM.randrange(1 << 60), 10 ** 300])


class Bool(Field):
    def __init__(self, numeric=False, **options):
        words = {"true": 1, "false": 0}
        super().__init__(words=words if not numeric or options.get("lenient") else {}, **options)
        self.numeric = numeric

    def of_number(self, number, _):
        if not number.plain:
            raise Refused("HERALD_BAD_TYPE")
        if not 0 <= number.numerator <= 1:  # -0 is 0
            raise Refused("HERALD_BAD_VALUE")
        return number.numerator

    def text(self, value):
        return str(value) if self.numeric else ["false", "true"][value]

    def draw(self):
        return RANDOM.choice([0, 0, 1, 1, 2, -1, 10])


class Marks(Field):
    """An enum by its numbers."""

    def __init__(self, names, unknown=None, **options):
        super().__init__(**options)
        self.names, self.unknown = names, unknown

    def of_number(self, number, _):
        if not number.plain:
            raise Refused("HERALD_BAD_TYPE")
        if number.numerator in self.names.values():
            return number.numerator
        if self.unknown is None:
            raise Refused("HERALD_BAD_VALUE")
        return self.unknown

    def encode(self, value):
        if value not in self.names.values():
            return "" if value == 0 else "HERALD_BAD_VALUE"
        return super().encode(value)

    def draw(self):
        return RANDOM.choice([0, 1, -3, 5, 2, 3, 2 ** 32 + 1, 2 ** 64 + 1, -2 ** 63, 2 ** 63 - 3])


class Names(Marks):
    """An enum by its names."""

    def decode(self, text):
        if not text.startswith('"'):
            raise Refused("HERALD_BAD_TYPE" if text[0] in "-0123456789" or
                          text in ("true", "false", "null") else "HERALD_BAD_JSON")
        name = json.loads(text, strict=False)
        if name not in self.names and self.unknown is None:
            raise Refused("HERALD_BAD_VALUE")
        return self.names.get(name, self.unknown)

    def text(self, value):
        return '"' + [name for name in self.names if self.names[name] == value][0] + '"'


class Epoch(Field):
    def __init__(self, power, **options):
        super().__init__(**options)
        self.power = power  # of ten: from the unit to nanoseconds

    def of_number(self, number, _):
        nanoseconds, exact = number.times(self.power)
        if not self.lenient and (number.has_exponent or not exact):
            raise Refused("HERALD_BAD_TIME")
        if not FIRST * 10 ** 9 <= nanoseconds < (LAST + 1) * 10 ** 9:
            raise Refused("HERALD_BAD_TIME")
        return nanoseconds, 0

    def text(self, value):
        whole, rest = divmod(abs(value[0]), 10 ** self.power)
        text = f"{whole}.{rest:0{self.power}d}".rstrip("0").rstrip(".")
        return ("-" if value[0] < 0 else "") + text

    @staticmethod
    def show(value):
        return f"{value[0] // 10 ** 9}/{value[0] % 10 ** 9}/{value[1]}"

    def draw(self):
        unit = 10 ** (9 - self.power)
        return RANDOM.choice([0, -1, FIRST * unit, FIRST * unit - 1, LAST * unit,
                              LAST * unit + unit - 1, LAST * unit + unit,
                              RANDOM.randrange(FIRST * unit, LAST * unit),
                              1700000000 * unit + RANDOM.randrange(unit * 10)])


class Time(Field):
    STRICT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
                        r"(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
    LENIENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
                         r"(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)", re.ASCII)

    def decode(self, text):
        if not text.startswith('"'):
            raise Refused("HERALD_BAD_TYPE" if text[0] in "-0123456789" or
                          text in ("true", "false", "null") else "HERALD_BAD_JSON")
        text = json.loads(text, strict=False)
        match = (self.LENIENT if self.lenient else self.STRICT).fullmatch(text)
        if not match:
            raise Refused("HERALD_BAD_TIME")
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        fraction, sign, hours, minutes = match.groups()[6:]
        try:
            # The calendar repeats after 400 years; Python has no year 0.
            date = datetime.date(year + 400 if year < 400 else year, month, day)
        except ValueError:
            raise Refused("HERALD_BAD_TIME") from None
        offset = int(hours or 0) * 60 + int(minutes or 0)
        if hour > 23 or minute > 59 or second > 59 + self.lenient or offset > 1439 or \
                int(minutes or 0) > 59:
            raise Refused("HERALD_BAD_TIME")
        days = (date - datetime.date(1970, 1, 1)).days - (146097 if year < 400 else 0)
        offset = -offset if sign == "-" else offset
        local = days * 86400 + hour * 3600 + minute * 60 + second
        if local > LAST:
            raise Refused("HERALD_BAD_TIME")
        nanoseconds = int((fraction or "").ljust(9, "0")[:9])
        return (local - offset * 60) * 10 ** 9 + nanoseconds, offset

    def encode(self, value):
        local, nanoseconds = divmod(value[0] + value[1] * 60 * 10 ** 9, 10 ** 9)
        days, second = divmod(local, 86400)
        eras = 400 if days < 0 else 0
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days + (146097 if eras else 0))
        year = date.year - eras
        fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
        sign, offset = "-" if value[1] < 0 else "+", abs(value[1])
        zone = f"{sign}{offset // 60:02d}:{offset % 60:02d}" if offset else "Z"
        return (f'"{year:04d}-{date.month:02d}-{date.day:02d}T{second // 3600:02d}:'
                f'{second // 60 % 60:02d}:{second % 60:02d}{fraction}{zone}"')

    show = staticmethod(Epoch.show)


class List(Field):
    def __init__(self, item):
        super().__init__()
        self.item = item


def fields():
    out = {}
    for width in (8, 16, 32, 64):
        for sign in ("", "u"):
            limits = (0, 2 ** width - 1) if sign else (-2 ** (width - 1), 2 ** (width - 1) - 1)
            for form in ("q", "l", "ql"):
                out[f"{form}_{sign}int{width}"] = Integer(*limits, quoted="q" in form,
                                                          lenient="l" in form)
    out["bounded"] = Integer(-100, 1000, quoted=True, lenient=True)
    infinity = float("inf")
    out["q_real"] = Real(-infinity, infinity, quoted=True)
    out["ql_real"] = Real(-1, 1e300, quoted=True, lenient=True)
    for form in ("n", "l", "nl", "qn", "qnl"):
        out[form + "_bool"] = Bool(numeric="n" in form, quoted="q" in form, lenient="l" in form)
    for form in ("n", "qn", "qnl"):
        out[form + "_mark"] = Marks(MARKS, quoted="q" in form, lenient="l" in form)
    out.update(name=Names(MARKS), u_name=Names(MARKS, 5), u_above=Names(ABOVE, 0),
               nu_mark=Marks(MARKS, 5), nu_above=Marks(ABOVE, 0),
               qnu_mark=Marks(MARKS, 1, quoted=True), time=Time(), l_time=Time(lenient=True))
    for form in ("", "l", "q", "ql"):
        for unit, power in (("s", 9), ("ms", 6)):
            out[form + unit] = Epoch(power, quoted="q" in form, lenient="l" in form)
    out.update(names=List(Names(MARKS)), u_names=List(Names(MARKS, 1)),
               nu_marks=List(Marks(MARKS, 5)), q_list=List(Integer(0, 65535, quoted=True)),
               l_list=List(Integer(-2 ** 63, 2 ** 63 - 1, lenient=True)), ms_list=List(Epoch(6)),
               l_times=List(Time(lenient=True)), nl_bools=List(Bool(numeric=True, lenient=True)))
    out.update(o_int=Integer(-2 ** 31, 2 ** 31 - 1, quoted=True, lenient=True), o_time=Epoch(9),
               o_mark=Marks(MARKS))
    return out


def write_number(value):
    """An integer in one of the ways that JSON has, or the same divided by some power of ten."""
    sign, digits = "-" if value < 0 else RANDOM.choice(["", "", "", "-"]), str(abs(value))
    way = RANDOM.random()
    if way < 0.4:
        return sign + digits
    if way < 0.55:
        return sign + digits + "." + "0" * RANDOM.randrange(1, 12)
    if way < 0.65:
        return sign + digits + "." + "0" * RANDOM.randrange(13) + str(RANDOM.randrange(1, 1000))
    digits += "0" * RANDOM.randrange(4)
    point = RANDOM.randrange(len(digits))
    zeros = len(digits) - len(str(abs(value)))
    exponent = len(digits) - point - zeros + RANDOM.choice([0, 0, 0, 1, -1, 400, -400])
    whole = digits[:point] or "0"
    return sign + (whole.lstrip("0") or "0") + "." + digits[point:] + RANDOM.choice("eE") + \
        (RANDOM.choice(["", "+"]) if exponent >= 0 else "") + str(exponent)


ODD = ["-0", "+1", "1e3", "10.0", "1e-0", "1e400", "-1e400", "1" + "0" * 400, "0e400", "01", "-01",
       "00", "1.", ".5", "-", "", " 1", "1 ", "1x", "300x", "99999999999999999999x", "1\u0000",
       "0x1", "NaN", "Infinity", "1e", "1e+", "--1", "1,5", "1_0", "\u0661",
       "1e99999999999999999999", "0e-99999999999999999999", "1e-99999999999999999999", "true",
       "false", "null", "True", "0." + "0" * 400 + "1", "99999999999999999999.5", "1.0000000001",
       "-0.0000000001"]
WORDS = ["zero", "one", "low", "lowest", "Zero", "", "zer", "zeros", "0", "\u0000", "\u20ac"]


def write_time():
    year = RANDOM.choice([0, 0, 1, 400, 1900, 1970, 2000, 2023, 2024, 9999, 9999])
    month, day, hour, minute, second = RANDOM.choice(
        [(1, 1, 0, 0, 0), (12, 31, 23, 59, 59), (12, 31, 23, 59, 60), (6, 30, 12, 34, 60),
         (2, 29, 1, 2, 3), (2, 28, 24, 0, 0), (13, 1, 0, 0, 0), (4, 31, 0, 0, 0), (1, 0, 0, 0, 0),
         (RANDOM.randint(1, 12), RANDOM.randint(1, 28), RANDOM.randrange(24),
          RANDOM.randrange(60), RANDOM.randrange(62))])
    digits = "".join(RANDOM.choice("0123456789") for _ in range(RANDOM.randrange(1, 24)))
    fraction = RANDOM.choice(["", "", ".0", "." + digits, "." + digits[:9], "." + digits[:9]] +
                             ["." + digits + ":", ",5", "."] * RANDOM.choice([0, 0, 1]))
    zone = RANDOM.choice(["Z", "z", "+00:00", "-00:00", "+0000", "+23:59", "-23:59", "+2359", "+01",
                          "-0130", "+24:00", "+2400", "+24", "+00:60", "+0060", "", "+1", "+1:30",
                          "+01:3", "+013", "+01:300", "+00000", "UTC", " Z", "Z ", "+ 1:00",
                          "+01:"])
    return (f"{year:04d}-{month:02d}-{day:02d}" + RANDOM.choice("TTt _") +
            f"{hour:02d}:{minute:02d}:{second:02d}{fraction}{zone}")


def damage(text):
    at = RANDOM.randrange(len(text) + 1)
    return text[:at] + RANDOM.choice(["", "0", ".", "-", " ", "e", "x", ":", "T"]) + \
        text[at + RANDOM.randrange(2):]


def string(text):
    """A JSON string; characters are escaped at random."""
    return '"' + "".join(f"\\u{ord(char):04x}" if char < " " or RANDOM.random() < 0.05 else char
                         for char in text) + '"'


def content(field):
    if isinstance(field, Time):
        text = write_time()
    elif isinstance(field, Names):
        text = RANDOM.choice(WORDS)
    else:
        text = write_number(field.draw()) if RANDOM.random() < 0.75 else RANDOM.choice(ODD)
    return damage(text) if RANDOM.random() < 0.08 else text


def value(field):
    """The JSON of a value: usually with quotes as it should, and without control characters."""
    text = content(field)
    in_quotes = field.quoted or isinstance(field, (Time, Names))
    if RANDOM.random() < 0.1:
        in_quotes = not in_quotes
    if in_quotes:
        return string(text)
    bare = text.strip()
    return bare if re.fullmatch("-?[0-9][-+.eE0-9]*|true|false|null|NaN|True", bare, re.ASCII) \
        else RANDOM.choice(["0", "[]", "{}", "true"])


def decode_item(field, text):
    if text in ("[]", "{}"):
        raise Refused("HERALD_BAD_TYPE")
    if text in ("NaN", "True"):
        raise Refused("HERALD_BAD_JSON")
    return field.decode(text)


def expected_of(field, texts):
    """VALUE and ENCODED of a value, or of a list's values; the index that is refused, and why."""
    shown, encoded = [], []
    for i, text in enumerate(texts):
        try:
            found = decode_item(field, text)
        except Refused as refused:
            return i, refused.statuses
        shown.append(field.show(found))
        encoded.append(field.encode(found))
    return None, (shown, encoded)


def check_refused(name, index, statuses, starts, columns):
    kind, status, offset, path, message = columns
    begin = starts[index or 0]
    assert kind == "refused" and status in statuses, f"expected {statuses}"
    if "HERALD_BAD_JSON" in statuses:
        assert begin <= int(offset), "an offset before the value"
    else:
        assert path == f"/{name}" + ("" if index is None else f"/{index}"), "another path"
        assert int(offset) == begin, f"expected offset {begin}"
    assert "expected" in message or "not an RFC 3339 timestamp: " in message, "what is expected?"
    assert ("found" in message or "does not exist" in message or "second 60" in message or
            "years 0000 to 9999" in message), "what is found?"


def check(program, name, field):
    is_list = isinstance(field, List)
    item = field.item if is_list else field
    texts = [value(item) for _ in range(RANDOM.randrange(4))] if is_list else [value(item)]
    if not is_list and texts == ["null"]:
        texts = ["0"] if not isinstance(item, (Time, Names)) else ['"zero"']
    text, starts = "[" if is_list else "", []
    for i, one in enumerate(texts):
        text += "," if i > 0 else ""
        starts.append(len(text.encode()))
        text += one
    text += "]" if is_list else ""
    data = text.encode()
    for block in (name.encode(), data):
        program.stdin.write(b"%d\n%s" % (len(block), block))
    program.stdin.flush()
    line = program.stdout.readline().decode().rstrip("\n")
    columns = line.split("\t")
    index, outcome = expected_of(item, texts)
    try:
        if index is not None:
            check_refused(name, index if is_list else None, outcome,
                          starts if is_list else [0], columns)
            return outcome[0]
        shown, encoded = outcome
        assert columns[0] == "decoded", "is valid"
        assert columns[1] == " ".join(shown), f"expected {' '.join(shown)}"
        wrong = "HERALD_BAD_VALUE" in encoded or (is_list and "" in encoded)
        expected = "HERALD_BAD_VALUE" if wrong else \
            "[" + ",".join(encoded) + "]" if is_list else encoded[0]
        if is_list and not texts:
            expected = "[]"
        assert expected is None or columns[2] == expected, f"expected {expected}"
        return "decoded"
    except AssertionError as error:
        raise AssertionError(f"{name}: {text!r}: {line!r}: {error}") from None


def main():
    counts, members = {}, sorted(fields().items())
    keep_going = os.environ.get("HERALD_TEST_ALL")
    print(f"# HERALD_TEST_SEED={SEED}\n1..1", flush=True)
    with subprocess.Popen(sys.argv[1:2], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        for i in range(VALUES):
            try:
                kind = check(program, *members[i % len(members)])
            except AssertionError as error:
                if keep_going:
                    print("#", error)
                    continue
                print(f"not ok 1 - {error}")
                program.stdin.close()
                return 1
            counts[kind] = counts.get(kind, 0) + 1
        program.stdin.close()
    print("# " + ", ".join(f"{kind}: {count}" for kind, count in sorted(counts.items())))
    few = [kind for kind in ("decoded", "HERALD_BAD_TYPE", "HERALD_BAD_VALUE", "HERALD_BAD_TIME",
                             "HERALD_OUT_OF_RANGE") if counts.get(kind, 0) < VALUES / 50]
    print(f"not ok 1 - few of {few}" if few else "ok 1 - as Python has it")
    return 1 if few else 0


sys.exit(main())
