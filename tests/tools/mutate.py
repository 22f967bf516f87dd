#!/usr/bin/env python3
"""Runs tools/mutate on a project of one source file, half of which is tested.

    tests/tools/mutate.py
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WAIT_S = 300
TOOL = Path(__file__).resolve().parents[2] / "tools" / "mutate"

# Line 9 is tested, line 15 runs untested, and a change of line 4 or 16 makes the same code.
SOURCE = """\
#include <assert.h>
/* One comment: 1 < 2 */

#define TWICE(A) ((A) * 2)

int
larger(int a, int b)
{
	return a > b;
}

int
untested(int a)
{
	int unused = a + 10;
	(void)(TWICE(unused) == 1);
	assert(a < 3);
	return unused;
}

int
order(int a, int b)
{
	return a < b ? -1 : 1;
}
"""

TEST = """\
int larger(int a, int b);
int untested(int a);
int order(int a, int b);

int
main(void)
{
	untested(1);
	if (order(1, 2) >= 0 || order(2, 1) <= 0 || order(1, 1) <= 0)
		return 1;
	return !larger(1, 2) && larger(2, 1) == 1 && !larger(-1, -1) ? 0 : 1;
}
"""

ENDLESS = """\
int
larger(int a, int b)
{
	volatile unsigned left = 3;
	while (left > 0)
		left--;
	return a > b;
}

int
untested(int a)
{
	return a;
}

int
order(int a, int b)
{
	return a < b ? -1 : 1;
}
"""

MESON = """\
project('small', 'c', version: '1', default_options: ['c_std=c17', 'warning_level=2'])
core = static_library('core', 'src/core.c')
test('larger', executable('test_larger', 'tests/test_larger.c', link_with: core))
test('nothing built', find_program('false'))
"""

OPTIONS = """\
option('tests', type: 'boolean', value: false)
option('examples', type: 'boolean', value: false)
"""


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def contains(text, part):
    assert part in text, f"no {part!r} in:\n{text}"


def write_project(root, source=SOURCE, test=TEST):
    for path, text in (("src/core.c", source), ("tests/test_larger.c", test),
                       ("meson.build", MESON), ("meson_options.txt", OPTIONS)):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def mutate(root, *arguments):
    """The exit status of a run, and all that it printed."""
    result = subprocess.run([sys.executable, TOOL, "--root", root, *arguments], timeout=WAIT_S,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return result.returncode, result.stdout.decode()


def lists_what_was_not_noticed(root):
    status, output = mutate(root, "100", "--seed", "1")
    equal(status, 1)
    missed = {int(line) for line in re.findall(r"^not noticed: src/core.c:(\d+) ", output, re.M)}
    assert {15} <= missed <= {15, 18}, missed  # Of 18 the deletion may be drawn, which warns
    contains(output, "\n-\tint unused = a + 10;\n+\tint unused = a ")
    contains(output, "\nran: larger\n")
    noticed = re.findall(r"noticed by larger \(.*\): src/core.c:(\d+)", output)
    equal(set(noticed), {"9", "24"})
    sums = re.search(r"^(\d+) of (\d+) noticed \((.*) %\)$", output, re.M)
    equal(int(sums.group(1)), len(noticed))
    equal(float(sums.group(3)), round(100 * int(sums.group(1)) / int(sums.group(2)), 1))
    contains(output, " make the same code, 0 are known to have no effect\n")


def does_not_touch_the_sources(root):
    equal((root / "src/core.c").read_text(encoding="utf-8"), SOURCE)
    equal(sorted(os.listdir(root)), ["build", "meson.build", "meson_options.txt", "src", "tests"])


def fails_below_the_least(root):
    status, output = mutate(root, "100", "--seed", "1", "--least", "10")
    equal(status, 0)
    assert "to time them" not in output, output  # The sources are unchanged


def repeats_a_draw(root):
    _, output = mutate(root, "100", "--seed", "1")
    drawn = re.search(r"--replay (\d+)", output).group(1)
    status, output = mutate(root, "--seed", "1", "--replay", drawn)
    equal(status, 1)
    contains(output, "not noticed; ran: larger\n")


def draws_by_seed(root):
    _, first = mutate(root, "100", "--seed", "1", "--list-only")
    _, again = mutate(root, "100", "--seed", "1", "--list-only")
    _, other = mutate(root, "100", "--seed", "2", "--list-only")
    equal(first, again)
    assert first != other, "another seed, the same draws"
    lines = {int(line) for line in re.findall(r"src/core.c:(\d+): ", first)}
    equal(lines, {4, 9, 15, 16, 18, 24})  # No comment, no assertion, no #include, no declaration
    assert not re.search(r"core.c:24: 1 -> ", first), "only the sign of what order() returns counts"
    equal(mutate(root, "--list-only", "--file", "elsewhere"), (0, ""))


def notices_what_does_not_end(root):
    write_project(root, ENDLESS)
    _, output = mutate(root, "100", "--seed", "1")
    contains(output, "noticed by larger (timeout)")


def needs_tests_that_pass(root):
    write_project(root, test="int main(void) { return 1; }\n")
    status, output = mutate(root, "5", "--seed", "1")
    equal(status, 1)
    contains(output, "./dev mutate: fails without a change: larger\nThe last one says:\n")


def leaves_out_what_has_no_effect(root):
    write_project(root)
    file = root / "tools/mutate/no-effect.txt"
    file.parent.mkdir(parents=True)
    file.write_text("# Why\n\nsrc/core.c: 10 -> 11\n\tint unused = a + 10;\n\tnobody reads it\n\n"
                    "src/core.c: 10 -> 9\nint unused = a + 10;\nnobody reads it\neither\n",
                    encoding="utf-8")
    _, output = mutate(root, "100", "--seed", "1")
    line = re.search(r"^no effect: src/core.c:15: 10 -> (?:11: nobody reads it|"
                     r"9: nobody reads it either)$", output, re.M)
    assert line, output
    contains(output, ", 1 are known to have no effect\n")
    equal(mutate(root, "--check"), (0, ""))


def refuses_entries_that_are_out_of_date(root):
    file = root / "tools/mutate/no-effect.txt"
    for text, message in (
            ("src/core.c: 10 -> 11\nint used = a + 10;\nwhy\n", "src/core.c has no line: int used = a"),
            ("src/gone.c: 10 -> 11\nint unused = a + 10;\nwhy\n", "src/gone.c has no line: "),
            ("src/core.c: 10 -> 11\nint unused = a + 10;\n", "line 1: expected PATH: OLD -> NEW"),
            ("\nsrc/core.c 10 -> 11\na\nb\n", "line 2: expected PATH: OLD -> NEW"),
    ):
        file.write_text(text, encoding="utf-8")
        for arguments in (["--check"], ["1", "--seed", "1"]):
            status, output = mutate(root, *arguments)
            equal(status, 1)
            contains(output, f"./dev mutate: tools/mutate/no-effect.txt: {message}")
    file.unlink()


CASES = [lists_what_was_not_noticed, does_not_touch_the_sources, fails_below_the_least,
         repeats_a_draw, draws_by_seed, notices_what_does_not_end, needs_tests_that_pass,
         leaves_out_what_has_no_effect, refuses_entries_that_are_out_of_date]

print(f"1..{len(CASES)}")
failed = False
with tempfile.TemporaryDirectory() as folder:
    write_project(Path(folder))
    for index, check in enumerate(CASES, 1):
        title = f"mutate {check.__name__.replace('_', ' ')}"
        try:
            check(Path(folder))
            print(f"ok {index} - {title}")
        except Exception as error:  # pylint: disable=broad-except
            failed = True
            print(f"not ok {index} - {title}")
            message = f"{type(error).__name__}: {error}"
            print("\n".join("# " + line for line in message.split("\n")))
sys.exit(1 if failed else 0)
