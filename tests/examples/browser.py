"""Drives Chromium without a window, over the two pipes of its option --remote-debugging-pipe.

    with Browser() as browser:
        page = browser.page("http://127.0.0.1:8080/admin/")
        page.click("#pause")
        page.wait("document.title === 'Overview'")

It notes every request of a page and every message of its console. Nothing but 127.0.0.1 can be
reached: other names are not resolved, and addresses go to a proxy that is not there.
"""

import base64
import collections
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

WAIT_S = 60
KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, ""), " ": (32, " ")}


def find():
    """The program, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)


def high(number):
    """The same file with a number that is neither 3 nor 4."""
    moved = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(number)
    return moved


class Browser:
    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        its_input, self.output = map(high, os.pipe())
        self.input, its_output = map(high, os.pipe())

        def move():
            os.dup2(its_input, 3)
            os.dup2(its_output, 4)

        self.process = subprocess.Popen(
            [find(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
             "--proxy-server=127.0.0.1:9", "--proxy-bypass-list=127.0.0.1",
             "--user-data-dir=" + self.folder.name, "about:blank"],
            preexec_fn=move, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(its_input)
        os.close(its_output)
        self.rest = b""
        self.last_id = 0
        self.events = collections.defaultdict(list)  # by session
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        os.close(self.input)
        os.close(self.output)
        self.folder.cleanup()

    def receive(self, deadline):
        """The next message."""
        while b"\0" not in self.rest:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.input], [], [], left)[0], "no answer in time"
            data = os.read(self.input, 1 << 20)
            assert data, "the browser has ended"
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.output, data):]
        deadline = time.monotonic() + WAIT_S
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.last_id:
                assert "error" not in answer, (method, answer.get("error"))
                return answer["result"]
            self.events[answer.get("sessionId")].append(answer)

    def page(self, url, width=1280, height=900, scheme="light"):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(domain + ".enable")
        page.look(width, height, scheme)
        page.call("Page.navigate", url=url)
        page.wait("document.readyState === 'complete'")
        return page


class Page:
    def __init__(self, browser, session):
        self.browser = browser
        self.session = session

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def look(self, width, height, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def run(self, expression):
        """The value of an expression; a promise is waited for."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                           returnByValue=True)
        assert "exceptionDetails" not in result, (expression, result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, condition):
        self.run("new Promise((resolve) => { const look = () => (" + condition +
                 ") ? resolve(true) : setTimeout(look, 10); look(); })")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.textContent")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})]"
                        ".map((one) => one.textContent)")

    def is_shown(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})"
                        "?.checkVisibility() ?? false")

    def click(self, selector):
        """With the mouse, in the middle of the element, which must be on top there."""
        one = json.dumps(selector)
        self.wait(f"document.querySelector({one})?.checkVisibility() && "
                  f"!document.querySelector({one}).disabled")
        x, y, is_top = self.run(
            f"(() => {{ const one = document.querySelector({one});"
            "one.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const box = one.getBoundingClientRect();"
            "const x = box.x + box.width / 2, y = box.y + box.height / 2;"
            "return [x, y, one.contains(document.elementFromPoint(x, y))]; })()")
        assert is_top, selector + " is covered"
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def press(self, key):
        code, text = KEYS[key]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code, text=text if kind == "keyDown" else "")

    def events(self, method):
        self.run("0")  # All that happened before has been reported then.
        return [event["params"] for event in self.browser.events[self.session]
                if event["method"] == method]

    def requests(self):
        return [event["request"]["url"] for event in self.events("Network.requestWillBeSent")]

    def problems(self):
        """Warnings and errors of the console."""
        return ([event["entry"]["text"] for event in self.events("Log.entryAdded")
                 if event["entry"]["level"] in ("warning", "error")] +
                [event["exceptionDetails"]["text"]
                 for event in self.events("Runtime.exceptionThrown")] +
                [str(event["args"]) for event in self.events("Runtime.consoleAPICalled")])

    def picture(self, path):
        height = self.run("Math.ceil(document.documentElement.scrollHeight)")
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "scale": 1, "height": height,
                               "width": self.run("innerWidth")})["data"]
        with open(path, "wb") as image:
            image.write(base64.b64decode(data))
