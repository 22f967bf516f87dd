"""Runs checks and reports them by the Test Anything Protocol (TAP), which Meson reads."""

import os
import sys
import traceback


class Skip(Exception):
    """A case that cannot run here."""


def describe(error):
    """What went wrong, and the lines of the tests that led there, the last one first."""
    lines = [f"{os.path.basename(frame.filename)}:{frame.lineno}"
             for frame in reversed(traceback.extract_tb(error.__traceback__))
             if os.path.dirname(frame.filename) == os.path.dirname(os.path.abspath(__file__))]
    return f"{type(error).__name__}: {error} (at {', '.join(lines[:-1])})"


def run(cases):
    """Run (title, function, arguments) one after the other; ends the process."""
    print(f"1..{len(cases)}")
    failed = False
    for index, (title, check, *arguments) in enumerate(cases, 1):
        try:
            check(*arguments)
            print(f"ok {index} - {title}")
        except Skip as reason:
            print(f"ok {index} - {title} # SKIP {reason}")
        except Exception as error:  # pylint: disable=broad-except
            failed = True
            print(f"not ok {index} - {title}")
            print("\n".join("# " + line for line in describe(error).split("\n")))
    sys.exit(1 if failed else 0)
