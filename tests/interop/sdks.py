#!/usr/bin/env python3
"""Reads what Herald writes with the CloudEvents SDKs for Python, JavaScript, Go, Rust and Java.

    tests/interop/sdks.py WRITE_EVENTS [SDK...]

WRITE_EVENTS is the program of write_events.c. The SDKs are installed from their registries into
build/interop/, in fixed versions; one whose toolchain or registry is not here is skipped, by name.

Each reader gets requests as lines of JSON, {"case", "mode", "headers", "body_base64"}, and answers
each with {"case", "mode", "events": [{"attributes": {...}, "data": ...}]} or "error". Data is null,
{"value": JSON} or {"base64": ...}: what the SDK gives.

What an SDK gets wrong with an event that is exactly as the specification says is in
known_faults.json, member by member; nothing else may differ.
"""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = ROOT / "tests" / "data" / "interop"
BUILD = ROOT / "build" / "interop"
sys.path.insert(0, str(ROOT / "tests" / "cmd"))
sys.path.insert(0, str(ROOT / "tests" / "examples"))

# pylint: disable=wrong-import-position
import tap  # noqa: E402
from listening import instant  # noqa: E402

def rows(name):
    with open(DATA / name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


with open(DATA / "cases.json", encoding="utf-8") as file:
    KNOWN = json.load(file)
CASES = {case["case"]: case for case in KNOWN["cases"]}
BATCHES = {batch["case"]: batch["members"] for batch in KNOWN["batches"]}


# Installing.

def install(command, folder):
    """Run a command; tap.Skip if its tool is missing, or it fails, as without a registry."""
    if not shutil.which(command[0]):
        raise tap.Skip(f"{command[0]} is not here")
    result = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=600, check=False)
    if result.returncode != 0:
        last = result.stdout.decode(errors="replace").strip().splitlines()[-1:] or ["?"]
        raise tap.Skip(f"{command[0]} failed: {last[0]}")


def folder_of(name):
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def python():
    folder = folder_of("python")
    program = folder / "bin" / "python3"
    if not program.exists():
        install(["python3", "-m", "venv", str(folder)], ROOT)
    install([str(program), "-m", "pip", "install", "--quiet", "cloudevents==2.2.0"], ROOT)
    return [str(program), str(HERE / "read_python.py")], folder


def javascript():
    folder = folder_of("javascript")
    install(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder),
             "cloudevents@10.0.0"], folder)
    return ["node", str(HERE / "read_javascript.mjs")], folder


def go():
    folder = folder_of("go")
    install(["go", "build", "-o", str(folder / "reader"), "."], HERE / "go")
    return [str(folder / "reader")], folder


def rust():
    folder = folder_of("rust")
    install(["cargo", "build", "--quiet", "--locked", "--release", "--target-dir", str(folder)],
            HERE / "rust")
    return [str(folder / "release" / "interop")], folder


def java():
    folder = folder_of("java")
    classes = folder / "classpath"
    install(["mvn", "-q", "-B", "dependency:build-classpath", f"-Dmdep.outputFile={classes}"],
            HERE / "java")
    path = classes.read_text(encoding="utf-8").strip()
    install(["javac", "-encoding", "UTF-8", "-cp", path, "-d", str(folder), "ReadJava.java"],
            HERE / "java")
    return ["java", "-cp", f"{path}:{folder}", "ReadJava"], folder


# Comparing.

def bytes_of(case):
    """The data of a case as bytes, or None if it is JSON or missing."""
    data = case["data"]
    if data is None or data["kind"].startswith("json"):
        return None
    return data["value"].encode() if data["kind"] == "text" else base64.b64decode(data["base64"])


def json_of(case):
    data = case["data"]
    return json.loads(data["value"]) if data["kind"] == "json_text" else data["value"]


def same_data(found, case, mode):
    wanted = bytes_of(case)
    if case["data"] is None or (mode == "binary" and wanted == b""):
        return found is None or found.get("base64") == ""
    if found is None:
        return wanted == b""
    if wanted is None:
        value = json.loads(base64.b64decode(found["base64"])) if "base64" in found \
            else found["value"]
        # JSON text in a string is what some SDKs give for JSON.
        return value == json_of(case)
    if "base64" in found:
        return base64.b64decode(found["base64"]) == wanted
    value = found["value"]
    return value == wanted.decode(errors="replace") or \
        (not isinstance(value, str) and value == json.loads(wanted))


def text_of(value):
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) \
        else str(value)


def microseconds(time):
    """All that some SDKs keep. One leaves out seconds that are zero."""
    time = time.replace(" ", "T")
    if re.fullmatch(r"[0-9-]+T\d\d:\d\d(Z|[+-]\d\d:\d\d)", time):
        time = time[:16] + ":00" + time[16:]
    return instant(time) // 1000


def differences(event, case, mode, decodes_percent):
    wanted = {"specversion": "1.0", **case["attrs"],
              **{name: value["v"] for name, value in case["ext"].items()}}
    found = dict(event["attributes"])
    different = []
    times = [found.pop("time", None), wanted.pop("time", None)]
    # Without a time, some SDKs take now.
    if times[1] and (not times[0] or microseconds(times[0]) != microseconds(times[1])):
        different.append(f"time {times[1]} became {times[0]}")
    for name in sorted(set(found) | set(wanted)):
        if name == "datacontenttype" and name not in wanted:
            continue
        if name.startswith("ext") or mode == "binary":
            if name in found and name in wanted and text_of(found[name]) == text_of(wanted[name]):
                continue
        if mode == "binary" and not decodes_percent and name in found and name in wanted and \
                urllib.parse.unquote(found[name]) == wanted[name]:
            continue
        if found.get(name) != wanted.get(name):
            different.append(f"{name} {wanted.get(name)!r} became {found.get(name)!r}")
    if not same_data(event["data"], case, mode):
        different.append(f"data {case['data']} became {event['data']}")
    return different


def compare(answer, decodes_percent):
    """What is wrong in an answer."""
    if "error" in answer:
        return [answer["error"]]
    names = BATCHES.get(answer["case"], [answer["case"]])
    if len(answer["events"]) != len(names):
        return [f"{len(answer['events'])} events instead of {len(names)}"]
    return [f"{name}: {text}" for name, event in zip(names, answer["events"])
            for text in differences(event, CASES[name], answer["mode"], decodes_percent)]


def known_faults(sdk):
    """What an SDK gets wrong: pairs of case and mode, and the member that differs."""
    with open(HERE / "known_faults.json", encoding="utf-8") as known:
        return {(fault["case"], fault["mode"]): fault["differs"]
                for fault in json.load(known).get(sdk, [])}


# The others give an attribute in a header as it was sent.
DECODES_PERCENT = ("sdk-python",)

SDKS = {
    "sdk-python": (python, "2.2.0", ("structured", "binary")),
    "sdk-javascript": (javascript, "10.0.0", ("structured", "binary", "batch")),
    "sdk-go": (go, "v2.16.2", ("structured", "binary", "batch")),
    "sdk-rust": (rust, "0.9.0", ("structured", "binary", "batch")),
    "sdk-java": (java, "4.0.1", ("structured", "binary")),
}


def check(sdk, requests):
    build, version, modes = SDKS[sdk]
    command, folder = build()
    lines = [line for line in requests if json.loads(line)["mode"] in modes]
    result = subprocess.run(command, cwd=folder, input="\n".join(lines) + "\n", text=True,
                            encoding="utf-8", stdout=subprocess.PIPE, timeout=300, check=True)
    answers = [json.loads(line) for line in result.stdout.rstrip("\n").split("\n")]
    assert len(answers) == len(lines), f"{len(answers)} answers to {len(lines)} requests"
    known = known_faults(sdk)
    wrong = [f"{case} {mode}: is not wrong any more" for case, mode in known
             if not any(compare(answer, sdk in DECODES_PERCENT) for answer in answers
                        if (answer["case"], answer["mode"]) == (case, mode))]
    for answer in answers:
        allowed = known.get((answer["case"], answer["mode"]), [])
        wrong += [f"{answer['case']} {answer['mode']}: {text}" for text in compare(answer, sdk in DECODES_PERCENT)
                  if not any(re.match(f"({re.escape(answer['case'])}|\\w+): {word} ", text) or
                             (word == "refused" and "error" in answer) for word in allowed)]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(lines)}:", *wrong])
    print(f"# {sdk} {version}: {len(lines)} requests, {len(known)} with known faults of the SDK")


def main():
    result = subprocess.run([sys.argv[1], str(DATA)], stdout=subprocess.PIPE, check=True,
                            timeout=60)
    requests = result.stdout.decode().rstrip("\n").split("\n")
    assert len(requests) == 2 * len(CASES) + len(BATCHES), len(requests)
    tap.run([(sdk, check, sdk, requests) for sdk in sys.argv[2:] or SDKS])


if __name__ == "__main__":
    main()
