#!/usr/bin/env python3
"""Signatures of Herald and of the senders' own libraries, verified by each other.

    tests/interop/signatures.py PEER [FOLDER]

PEER is the program signature_peer. The libraries come from PyPI and npm into FOLDER (default:
build/interop), once. What cannot be installed is named and left out. Every case is one line of TAP.
"""

import base64
import datetime
import importlib
import json
import os
import subprocess
import sys
import time
import urllib.parse

PYPI = {"standardwebhooks": "1.1.0", "svix": "2.9.1", "stripe": "16.1.0", "slack_sdk": "3.48.0",
        "twilio": "9.13.0"}
NPM = {"@octokit/webhooks-methods": "6.0.0"}
BODIES = [b'{"test": 2432232314}', '{"n":"Zürich \U0001f600"}'.encode(), b'{"a":1}\n', b"{}"]
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
URL = "https://example.com/hook?a=1"
FORM = "application/x-www-form-urlencoded"
NOW = int(time.time())


class Peer:
    """Herald, as a program that signs and verifies: one JSON object a line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, question, scheme, key, body, **more):
        line = {"do": question, "scheme": scheme, "key": key, "now": NOW,
                "body": base64.b64encode(body).decode(), **more}
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def sign(self, scheme, key, body, **more):
        return self.ask("sign", scheme, key, body, **more)["headers"]

    def verifies(self, scheme, key, body, headers, **more):
        return self.ask("verify", scheme, key, body, headers=headers, **more)["result"] == "valid"


def install(folder):
    """What is installed: a dictionary of modules, and what is not, with the reason."""
    python, node = os.path.join(folder, "pypi"), os.path.join(folder, "npm")
    missing = {}
    for name, version in PYPI.items():
        if not os.path.exists(os.path.join(python, name)):
            run([sys.executable, "-m", "pip", "install", "--quiet", "--retries", "0", "--timeout", "15",
                 "--target", python,
                 f"{name}=={version}"], missing, name)
    sys.path.insert(0, python)
    os.makedirs(node, exist_ok=True)
    for name, version in NPM.items():
        if not os.path.exists(os.path.join(node, "node_modules", name)):
            run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--fetch-retries=0",
                  f"{name}@{version}"],
                missing, name, cwd=node)
    return node, missing


def run(command, missing, name, **options):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=200, text=True, check=False, **options)
        if done.returncode != 0:
            missing[name] = (done.stdout.strip().split("\n") or ["failed"])[-1]
    except (OSError, subprocess.TimeoutExpired) as error:
        missing[name] = str(error)


def raises(call, *arguments):
    try:
        return not call(*arguments)
    except Exception:  # each library has its own
        return True


def standard(peer, module, prefix):
    """standardwebhooks and svix have the same interface."""
    webhook = importlib.import_module(module).Webhook(KEY)
    moment = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    for body in BODIES:
        theirs = {f"{prefix}-id": ID, f"{prefix}-timestamp": str(NOW),
                  f"{prefix}-signature": webhook.sign(ID, moment, body.decode())}
        assert peer.verifies("standard-webhooks", KEY, body, theirs), theirs
        ours = peer.sign("standard-webhooks", KEY, body, id=ID)
        webhook.verify(body, ours)
        assert raises(webhook.verify, body + b" ", ours)
        assert not peer.verifies("standard-webhooks", KEY, body + b" ", theirs)


def stripe(peer):
    signatures = importlib.import_module("stripe").WebhookSignature
    for body in BODIES:
        text = body.decode()
        code = signatures._compute_signature(f"{NOW}.{text}", KEY)
        theirs = {"Stripe-Signature": f"t={NOW},v1={code},v0=00"}
        assert peer.verifies("stripe", KEY, body, theirs)
        ours = peer.sign("stripe", KEY, body)["Stripe-Signature"]
        assert signatures.verify_header(text, ours, KEY, 300)
        assert raises(signatures.verify_header, text + " ", ours, KEY, 300)


def slack(peer):
    verifier = importlib.import_module("slack_sdk.signature").SignatureVerifier("secret")
    for body in BODIES:
        theirs = {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature":
                  verifier.generate_signature(timestamp=str(NOW), body=body)}
        assert peer.verifies("slack", "secret", body, theirs)
        ours = peer.sign("slack", "secret", body)
        assert verifier.is_valid_request(body, ours)
        assert not verifier.is_valid_request(body + b" ", ours)


class MultiDict(dict):
    """Pairs of a form as frameworks have them."""

    def getlist(self, name):
        return self[name]


def twilio(peer):
    validator = importlib.import_module("twilio.request_validator").RequestValidator("12345")
    for form in ("CallSid=CA1&From=%2B1234&To=%2B1800&Digits=1234", "b=2&a=1&a=0&c=", "a=x+y%26z"):
        pairs = MultiDict()
        for name, value in urllib.parse.parse_qsl(form, keep_blank_values=True):
            pairs.setdefault(name, []).append(value)
        theirs = {"X-Twilio-Signature": validator.compute_signature(URL, pairs),
                  "Content-Type": FORM}
        assert peer.verifies("twilio", "12345", form.encode(), theirs, url=URL), form
        ours = peer.sign("twilio", "12345", form.encode(), url=URL, content_type=FORM)
        assert validator.validate(URL, pairs, ours["X-Twilio-Signature"])
    for body in BODIES:
        url = f"{URL}&bodySHA256={validator.compute_hash(body.decode())}"
        theirs = {"X-Twilio-Signature": validator.compute_signature(url, {})}
        assert peer.verifies("twilio", "12345", body, theirs, url=url)
        ours = peer.sign("twilio", "12345", body, url=url)["X-Twilio-Signature"]
        assert validator.validate(url, body.decode(), ours)


OCTOKIT = """
import { sign, verify } from "@octokit/webhooks-methods";
const out = [];
for (const [body, ours] of JSON.parse(process.argv[1]))
    out.push([await sign("secret", body), await verify("secret", body, ours),
              await verify("secret", body + " ", ours)]);
console.log(JSON.stringify(out));
"""


def octokit(peer, folder):
    ours = [(body.decode(), peer.sign("github", "secret", body)["X-Hub-Signature-256"])
            for body in BODIES]
    out = subprocess.run(["node", "--input-type=module", "-e", OCTOKIT, json.dumps(ours)],
                         cwd=folder, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    for body, (theirs, right, wrong) in zip(BODIES, json.loads(out)):
        assert right and not wrong
        assert peer.verifies("github", "secret", body, {"X-Hub-Signature-256": theirs})


def main():
    peer = Peer(sys.argv[1])
    node, missing = install(os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else "build/interop"))
    cases = {
        "standardwebhooks": lambda: standard(peer, "standardwebhooks.webhooks", "webhook"),
        "svix": lambda: standard(peer, "svix.webhooks", "svix"),
        "stripe": lambda: stripe(peer),
        "slack_sdk": lambda: slack(peer),
        "twilio": lambda: twilio(peer),
        "@octokit/webhooks-methods": lambda: octokit(peer, node),
    }
    failed = False
    print(f"1..{len(cases)}")
    for number, (name, case) in enumerate(cases.items(), 1):
        if name in missing:
            print(f"ok {number} - {name} # SKIP not installed: {missing[name]}")
            continue
        try:
            case()
            print(f"ok {number} - {name}")
        except Exception as error:
            failed = True
            print(f"not ok {number} - {name}\n# {type(error).__name__}: {error}")
    peer.process.stdin.close()
    peer.process.wait()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
