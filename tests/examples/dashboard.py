#!/usr/bin/env python3
"""The dashboard in a browser: every view and every action, with the mouse and with the keyboard.

    tests/examples/dashboard.py DURABLE [AXE]

It drives Chromium without a window on the durable example, and clicks as an operator would: pages
of dead letters, 100,000 of them, and markup in all of their texts. At the end of each case, nothing
was requested from elsewhere, and the console is empty. With AXE, the file axe.min.js of axe-core,
it also checks the accessibility of each view, in light and dark, wide and narrow. Every
case is one line of TAP.
"""

import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

import browser
import tap
from ports import free_port, listens
from programs import WAIT_S, equal

TOKEN = "0123456789abcdef0123"
VIEWS = ("overview", "pipeline", "queues", "dead-letters")
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
HOSTILE = "<script>window.hit=1</script><img src=x onerror=window.hit=2>\"'&{{7*7}}"

durable, axe = (sys.argv[1:] + [None])[:2]
cases = []


def case(function):
    cases.append(function)
    return function


class Shop:
    """The durable example with its dashboard, on a database of its own."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "shop.db")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/admin/"
        self.process = subprocess.Popen(
            [durable, "--port", str(self.port), "--db", self.path, "--admin", TOKEN],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + WAIT_S
        while not listens(self.port):
            assert time.monotonic() < end and self.process.poll() is None, "does not listen"
            time.sleep(0.002)

    def send(self, event_id, username):
        event = {"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
                 "payload": {"user_id": "1", "username": username}, "metadata": {"id": event_id}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        with contextlib.closing(connection):
            connection.request("POST", "/event", json.dumps(event),
                               {"Content-Type": "application/json"})
            equal(connection.getresponse().status, 202)

    def run(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.path, timeout=WAIT_S)) as db, db:
            return db.execute(sql, values).fetchall()

    def dead(self):
        return [row[0] for row in self.run("SELECT event_id FROM herald_dead ORDER BY id")]

    def fail(self, count):
        """As many dead letters "e-1", "e-2", ..."""
        for number in range(1, count + 1):
            self.send(f"e-{number}", "fail")
        self.wait_dead(count)

    def wait_dead(self, count):
        end = time.monotonic() + WAIT_S
        while len(self.dead()) < count:
            assert time.monotonic() < end, "events do not fail"
            time.sleep(0.01)


@contextlib.contextmanager
def signed_in(shop, page):
    """On a view of the page; at the end it has requested nothing from elsewhere."""
    page.type("#token", TOKEN)
    page.press("Enter")
    page.wait("document.querySelector('#figures dd')")
    yield page
    check_quiet(shop, page)


def check_quiet(shop, page):
    equal([url for url in page.requests() if not url.startswith(shop.url)], [])
    equal(page.problems(), [])
    equal(page.run("window.hit ?? null"), None)


@contextlib.contextmanager
def dashboard(count=0):
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        shop = Shop(folder)
        try:
            shop.fail(count)
            with signed_in(shop, chromium.page(shop.url)) as page:
                yield shop, page
        finally:
            shop.process.kill()
            shop.process.wait()


def show(page, view):
    page.click(f"nav a[href='#{view}']")
    page.wait(f"document.querySelector('#{view}').checkVisibility()")


def rows(page):
    return page.texts("#letters tbody td:nth-child(2)")


def wait_rows(page, count):
    page.wait(f"document.querySelectorAll('#letters tbody tr').length === {count}")


def message(page, text):
    page.wait(f"document.querySelector('#message').textContent === {json.dumps(text)}")


@case
def a_wrong_token_is_refused_and_the_right_one_kept_in_the_tab():
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        shop = Shop(folder)
        try:
            page = chromium.page(shop.url)
            equal(page.is_shown("nav"), False)
            page.type("#token", "wrong")
            page.click("#token-form button")
            page.wait("document.querySelector('#token-error').textContent")
            equal(page.text("#token-error"), "the token is wrong")
            # The browser says so, too.
            equal(len(page.problems()), 1)
            page = chromium.page(shop.url)
            with signed_in(shop, page):
                equal(page.is_shown("#sign-in"), False)
                equal(page.run("document.cookie + localStorage.length"), "0")
                equal(TOKEN in page.run("location.href + document.documentElement.innerHTML"),
                      False)
                page.call("Page.reload")
                page.wait("document.querySelector('#figures dd')")
                page.click("#leave")
                page.wait("document.querySelector('#sign-in').checkVisibility()")
                equal(page.run("sessionStorage.length"), 0)
                equal(page.is_shown("#overview"), False)
        finally:
            shop.process.kill()
            shop.process.wait()


@case
def every_view_shows_what_it_should():
    with dashboard(3) as (shop, page):
        page.wait("document.querySelector('#routes tbody td:nth-child(9)').textContent === '3'")
        equal(page.texts("#routes tbody th"), ["user_created", "order_placed 2", "(no route)"])
        shop.send("ok-1", "ann")
        page.wait("document.querySelector('#routes tbody td:nth-child(7)').textContent === '1'")
        page.click("#pause")
        equal(page.run("document.querySelector('#pause').ariaPressed"), "true")
        page.click("#pause")
        show(page, "pipeline")
        equal(page.texts("#ways h3"),
              ["user_created", "order_placed, version 2", "order_placed, version 1"])
        equal("transaction join" in page.text("#ways"), True)
        show(page, "queues")
        page.wait("document.querySelector('#rows tbody tr')")
        equal(page.texts("#rows tbody tr > *")[:5], ["user_created", "event", "default", "dead", "3"])
        show(page, "overview")
        equal(page.is_shown("#queues"), False)


@case
def one_dead_letter_is_shown_replayed_and_dropped():
    with dashboard(3) as (shop, page):
        show(page, "dead-letters")
        wait_rows(page, 3)
        equal(rows(page), ["e-1", "e-2", "e-3"])
        page.click("#letters tbody tr:nth-child(2) button")
        page.wait("document.querySelector('#letter').open")
        equal("nobody may be called fail" in page.text("#letter-content"), True)
        equal(json.loads(page.text("#letter pre"))["metadata"]["id"], "e-2")
        page.click("#letter-replay")
        page.wait("document.querySelector('#confirm').open")
        equal(page.text("#confirm-text"), "1 dead letter would be replayed.")
        page.click("#confirm-no")
        page.wait("!document.querySelector('#confirm').open")
        equal(shop.run("SELECT sum(replays) FROM herald_dead"), [(0,)])
        page.click("#letter-replay")
        page.click("#confirm-yes")
        message(page, "Replayed 1 dead letter.")
        page.wait("!document.querySelector('#letter').open")
        show(page, "overview")
        show(page, "dead-letters")
        wait_rows(page, 3)
        page.click("#letters tbody tr:nth-child(1) button")
        page.click("#letter-drop")
        page.wait("document.querySelector('#confirm').open")
        equal(page.text("#confirm-text"),
              "1 dead letter would be dropped. They cannot be brought back.")
        page.click("#confirm-yes")
        message(page, "Dropped 1 dead letter.")
        wait_rows(page, 2)
        equal(sorted(shop.dead()), ["e-2", "e-3"])


@case
def all_that_a_filter_selects_are_replayed_and_dropped():
    with dashboard(4) as (shop, page):
        show(page, "dead-letters")
        wait_rows(page, 4)
        page.type("#f-event", "e-3")
        page.click("#filter button[type=submit]")
        wait_rows(page, 1)
        equal(rows(page), ["e-3"])
        page.click("#drop-all")
        page.wait("document.querySelector('#confirm').open")
        equal(page.text("#confirm-title"), "Drop?")
        page.click("#confirm-yes")
        message(page, "Dropped 1 dead letter.")
        page.wait("document.querySelector('#letters .empty')")
        equal(page.run("document.querySelector('#drop-all').disabled"), True)
        page.click("#filter button[type=reset]")
        wait_rows(page, 3)
        page.click("#replay-all")
        page.click("#confirm-yes")
        message(page, "Replayed 3 dead letters.")
        end = time.monotonic() + WAIT_S
        while shop.run("SELECT count(*), sum(replays) FROM herald_dead") != [(3, 3)]:
            assert time.monotonic() < end, "they do not fail again"
            time.sleep(0.01)


# Answers wait for window.release(), or are changed, before the page gets them.
INTERCEPT = """(() => {
    const send = window.fetch;
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    window.release = release;
    window.sent = [];
    window.fetch = async (url, options) => {
        const body = options.body ? JSON.parse(options.body) : null;
        const number = window.sent.push(body ?? url);
        return (window.change ?? (() => null))({url, body, number, held,
            go: () => send(url, options)}) ?? send(url, options);
    };
})()"""


def change(page, function):
    """Answer requests of the page by a function of one, which returns null or a promise."""
    page.run(INTERCEPT)
    page.run(f"window.change = {function}; 0")


@case
def the_clock_of_the_browser_does_not_matter():
    with dashboard(2) as (shop, page):
        page.run("Date.now = () => 1000; 0")
        show(page, "dead-letters")
        wait_rows(page, 2)
        change(page, "() => null")
        page.click("#replay-all")
        page.click("#confirm-yes")
        message(page, "Replayed 2 dead letters.")
        bodies = [body for body in page.run("window.sent") if isinstance(body, dict)]
        equal([body.get("dry_run") for body in bodies], [True, None])
        assert abs(bodies[1]["to_ms"] - time.time() * 1000) < WAIT_S * 1000, bodies


@case
def an_action_does_not_turn_into_another_one():
    with dashboard(1) as (shop, page):
        show(page, "dead-letters")
        wait_rows(page, 1)
        change(page, "({body, held, go}) => body ? held.then(go) : null")
        page.click("#replay-all")
        page.click("#drop-all")
        page.run("window.release()")
        page.wait("document.querySelector('#confirm').open")
        equal(page.text("#confirm-title"), "Replay?")
        page.click("#confirm-yes")
        message(page, "Replayed 1 dead letter.")
        equal(len([body for body in page.run("window.sent") if isinstance(body, dict)]), 2)
        page.wait("!document.querySelector('#confirm').open")
        # Replayed, it fails again. Escape ends it, too.
        shop.wait_dead(1)
        page.click("#filter button[type=submit]")
        wait_rows(page, 1)
        page.click("#drop-all")
        page.wait("document.querySelector('#confirm').open")
        page.press("Escape")
        page.wait("!document.querySelector('#confirm').open")
        page.click("#replay-all")
        page.wait("document.querySelector('#confirm').open")
        equal(page.text("#confirm-title"), "Replay?")


# The first answers of an action say that there is more; the second one is a refusal.
REFUSING = """(() => { let count = 0; return ({body, go}) => {
    if (!body || body.dry_run)
        return null;
    if (++count === 2)
        return Promise.resolve(new Response('{"error":"there were too many"}',
            {status: STATUS, headers: {"Retry-After": "WAIT"}}));
    return go().then((answer) => answer.json()).then((answer) =>
        new Response(JSON.stringify({...answer, more: count < 3})));
}; })()"""


@case
def a_refusal_does_not_hide_what_was_done():
    with dashboard(2) as (shop, page):
        show(page, "dead-letters")
        wait_rows(page, 2)
        change(page, REFUSING.replace("STATUS", "429").replace("WAIT", "1"))
        page.click("#drop-all")
        page.click("#confirm-yes")
        page.wait("document.querySelector('#confirm-progress').textContent")
        message(page, "Dropped 2 dead letters.")
        equal(len([body for body in page.run("window.sent") if isinstance(body, dict)]), 4)
    with dashboard(2) as (shop, page):
        show(page, "dead-letters")
        wait_rows(page, 2)
        change(page, REFUSING.replace("STATUS", "503").replace("WAIT", ""))
        page.click("#replay-all")
        page.click("#confirm-yes")
        message(page, "Replayed 2 dead letters, then: there were too many")
        page.wait("!document.querySelector('#confirm').open")
    with dashboard(2) as (shop, page):
        show(page, "dead-letters")
        wait_rows(page, 2)
        change(page, REFUSING.replace("STATUS", "429").replace("WAIT", "3600"))
        page.click("#drop-all")
        page.click("#confirm-yes")
        page.wait("document.querySelector('#confirm-progress').textContent ==="
                  "'2 so far, waiting for 3600 s: there were too many'")
        page.click("#confirm-no")
        message(page, "Dropped 2 dead letters.")


# An answer is made at once, and comes after window.release(). Then hasCome is set.
LATE = """({url, number, held, go}) => CONDITION ? go().then((answer) => answer.json()).then((body) =>
    ({ok: true, json: () => held.then(() => {
        setTimeout(() => { window.hasCome = true; });
        return body;
    })})) : null"""


@case
def late_answers_are_dropped():
    with dashboard(2) as (shop, page):
        show(page, "dead-letters")
        wait_rows(page, 2)
        change(page, LATE.replace("CONDITION", "/event_id=e-1/.test(url)"))
        page.type("#f-event", "e-1")
        page.click("#filter button[type=submit]")
        equal(page.run("document.querySelector('#drop-all').disabled"), True)
        page.run("document.querySelector('#f-event').value = 'e-2'; 0")
        page.click("#filter button[type=submit]")
        wait_rows(page, 1)
        page.run("window.release()")
        page.wait("window.hasCome")
        equal(rows(page), ["e-2"])
        page.click("#drop-all")
        page.click("#confirm-yes")
        message(page, "Dropped 1 dead letter.")
        equal(shop.dead(), ["e-1"])


@case
def late_polls_are_dropped():
    with dashboard(0) as (shop, page):
        change(page, LATE.replace("CONDITION", "/state$/.test(url) && number === 1"))
        page.wait("window.sent.length >= 1")
        shop.send("ok-1", "ann")
        page.click("#pause")
        page.click("#pause")
        page.wait("document.querySelector('#routes tbody td:nth-child(7)').textContent === '1'")
        page.click("#pause")
        page.run("window.release()")
        page.wait("window.hasCome")
        equal(page.text("#routes tbody td:nth-child(7)"), "1")


@case
def a_sign_out_ends_what_was_asked():
    for condition, question in (("/dead-letters.[0-9]+$/.test(url)", "#letters tbody button"),
                                ("/dead-letters[?]/.test(url)", "#filter button[type=submit]"),
                                ("/drop$/.test(url)", "#drop-all")):
        with dashboard(2) as (shop, page):
            show(page, "dead-letters")
            wait_rows(page, 2)
            change(page, LATE.replace("CONDITION", condition))
            page.click(question)
            page.wait("window.sent.length >= 1")
            page.click("#leave")
            page.run("window.release()")
            page.wait("window.hasCome")
            equal((question, page.run("document.querySelectorAll('dialog[open], #letters tr, "
                                      "#letter-content *').length")), (question, 0))
            equal(shop.dead(), ["e-1", "e-2"])


@case
def the_keyboard_is_enough():
    def press_until(page, selector):
        for _ in range(40):
            if page.run(f"document.activeElement.matches({json.dumps(selector)})"):
                return
            page.press("Tab")
        raise AssertionError(selector + " is not reached by the keyboard")

    with dashboard(1) as (shop, page):
        press_until(page, "nav a[href='#dead-letters']")
        page.press("Enter")
        wait_rows(page, 1)
        equal(page.run("document.activeElement.id"), "main")
        press_until(page, "#letters tbody button")
        page.press("Enter")
        page.wait("document.querySelector('#letter').open")
        equal(page.run("document.activeElement.id"), "letter-title")
        page.press("Escape")
        page.wait("!document.querySelector('#letter').open")
        equal(page.run("document.activeElement.dataset.id !== undefined"), True)
        page.press("Enter")
        page.wait("document.querySelector('#letter').open")
        press_until(page, "#letter-drop")
        page.press("Enter")
        page.wait("document.querySelector('#confirm').open")
        page.press("Escape")
        page.wait("!document.querySelector('#confirm').open")
        equal(shop.dead(), ["e-1"])
        press_until(page, "#letter-drop")
        page.press("Enter")
        page.wait("document.querySelector('#confirm').open")
        press_until(page, "#confirm-yes")
        page.press("Enter")
        message(page, "Dropped 1 dead letter.")
        equal(shop.dead(), [])


@case
def hostile_texts_are_shown_as_text():
    with dashboard(2) as (shop, page):
        data = json.dumps({"payload": {"a": HOSTILE, "b": 17}})
        shop.run("UPDATE herald_dead SET queue = ?1, event_type = ?1, source = ?1, event_id = ?1,"
                 "reason = ?1, path = ?1, content_type = ?1, attributes = ?2, data = ?3,"
                 "offset = ?4 WHERE event_id = 'e-1'",
                 HOSTILE, f"{HOSTILE}\0{HOSTILE}\0".encode(), data.encode(), data.index("17"))
        shop.run("UPDATE herald_dead SET kind = 1, url = ?1, reason = ?1, data = x'00ff3c'"
                 "WHERE event_id = 'e-2'", HOSTILE)
        show(page, "queues")
        page.wait("[...document.querySelectorAll('#rows th')]"
                  f".some((one) => one.textContent === {json.dumps(HOSTILE)})")
        show(page, "dead-letters")
        wait_rows(page, 2)
        equal(page.texts("#letters tbody th"), [HOSTILE, HOSTILE])
        page.click("#letters tbody button")
        page.wait("document.querySelector('#letter').open")
        equal(page.texts("#letter-content dd").count(HOSTILE), 8)
        equal(page.text("#letter pre"), data)
        equal(page.text("#letter mark"), "17")
        equal(page.run("document.querySelectorAll('main script, main img, dialog script,"
                       "dialog img').length"), 0)
        page.click("#letter-close")
        page.wait("!document.querySelector('#letter').open")
        page.type("#f-event", HOSTILE)
        page.click("#filter button[type=submit]")
        wait_rows(page, 1)


@case
def the_place_is_marked():
    values = [('{"a":"x\\"y","b":1}', '"x\\"y"'), ('{"ä":"ö","b":-1.5e3}', "-1.5e3"),
              ('{"a":[1,2]}', "["), ('{"a":tru', "tru"), ('{"a":', "(the end)")]
    with dashboard(1) as (shop, page):
        show(page, "dead-letters")
        for data, marked in values:
            offset = len(data if marked == "(the end)" else data[:data.index(marked)])
            offset = len(data[:offset].encode())
            shop.run("UPDATE herald_dead SET data = ?, offset = ?, why = 'undecodable'",
                     data.encode(), offset)
            page.click("#letters tbody button")
            page.wait("document.querySelector('#letter').open")
            equal(page.text("#letter mark"), marked)
            equal(page.text("#letter pre").replace("(the end)", ""), data)
            page.press("Escape")
            page.wait("!document.querySelector('#letter').open")
        shop.run("UPDATE herald_dead SET data = ?, offset = 290000", b"x" * 300000)
        page.click("#letters tbody button")
        page.wait("document.querySelector('#letter').open")
        equal("The place, byte 290,000, is behind what is shown." in page.text("#letter"), True)
        equal(page.run("document.querySelector('#letter mark')"), None)
        equal(page.text("#letter pre"), "x" * 262144)


# The answer to one path is changed by an expression of its JSON.
CHANGED = """({url, go}) => url.endsWith("PATH") ? go().then((answer) => answer.json()).then((body) =>
    new Response(JSON.stringify(EXPRESSION))) : null"""


@case
def a_program_that_does_not_count_has_figures():
    with dashboard(3) as (shop, page):
        change(page, CHANGED.replace("PATH", "api/state").replace(
            "EXPRESSION", "{...body, store: {...body.store, is_counted: false}}"))
        page.wait("window.sent.includes('api/queues')")
        page.wait("[...document.querySelectorAll('#figures div')]"
                  ".some((one) => one.textContent === 'Dead letters3')")


@case
def ages_of_an_old_count_go_on():
    with dashboard(1) as (shop, page):
        change(page, CHANGED.replace("PATH", "api/queues").replace(
            "EXPRESSION", "{time: new Date(Date.parse(body.time) - 3660000), rows: body.rows.map("
            "(row) => ({...row, oldest: new Date(Date.parse(body.time) - 3720000)}))}"))
        show(page, "queues")
        page.wait("document.querySelector('#rows tbody tr')")
        equal(page.texts("#rows tbody tr > *")[5:], ["1 h"])
        equal(page.text("#counted"), "Counted 1 h ago.")


@case
def a_hundred_thousand_dead_letters():
    with dashboard(1) as (shop, page):
        shop.run("INSERT INTO herald_dead WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL "
                 "SELECT i + 1 FROM n WHERE i < 99999) SELECT id + i, kind, queue, event_type,"
                 "source, 'n-' || i, why, reason, path, offset, attempts, interrupted, replays,"
                 "key_hash, holds_key, is_held, created_ms, dead_ms, delivery_id, url, origin,"
                 "expires_ms, last_http_status, content_type, attributes, data "
                 "FROM herald_dead, n")
        show(page, "dead-letters")
        wait_rows(page, 50)
        page.click("#next-page")
        page.wait("document.querySelector('#letters tbody td:nth-child(2)').textContent === 'n-50'")
        page.click("#first-page")
        page.wait("document.querySelector('#letters tbody td:nth-child(2)').textContent === 'e-1'")
        page.type("#f-event", "n-99999")
        page.click("#filter button[type=submit]")
        wait_rows(page, 1)
        page.click("#filter button[type=reset]")
        wait_rows(page, 50)
        page.click("#drop-all")
        page.wait("document.querySelector('#confirm').open")
        equal(page.text("#confirm-text"),
              "1,000 or more dead letters would be dropped. They cannot be brought back.")
        page.click("#confirm-yes")
        message(page, "Dropped 100,000 dead letters.")
        equal(shop.dead(), [])


def check_accessibility(page):
    with open(axe, encoding="utf-8") as source:
        page.run(source.read() + "; 0")
    found = page.run("axe.run().then((all) => all.violations.map((one) => one.id + ': ' + "
                     "one.nodes.map((node) => node.target.join(' ')).join(', ')))")
    equal(found, [])


def check_looks(page, view):
    for width, scheme in LOOKS:
        page.look(width, 900, scheme)
        wide = page.run("document.documentElement.scrollWidth")
        assert wide <= width, f"{view} is {wide} wide on {width}"
        if axe:
            check_accessibility(page)
    page.look(1280, 900, "light")


@case
def every_look_fits_and_is_accessible():
    with dashboard(2) as (shop, page):
        shop.run("UPDATE herald_dead SET reason = ? WHERE event_id = 'e-1'", "x" * 300)
        for view in (*VIEWS, "letter", "confirm"):
            if view in VIEWS:
                show(page, view)
            else:
                page.click("#letter-drop" if view == "confirm" else "#letters tbody button")
                page.wait(f"document.querySelector('#{view}').open")
            check_looks(page, view)


# What a program says that has a deliverer and brokers.
OUTSIDE = {
    "deliverer": {
        "pending": 3, "in_flight": 1, "delivered": 5, "failed": 1, "attempts": 9, "retries": 3,
        "refused": 0,
        "classes": {"other": {"delivered": 5, "refused": 1, "exhausted": 0, "expired": 0, "left": 0,
                              "attempts": {"ok": 5, "3xx": 0, "4xx": 1, "5xx": 3, "none": 0}}},
        "hosts": [{"origin": "http://bad.example:80", "attempts": 4, "delivered": 0, "failing": 4,
                   "error": HOSTILE, "elapsed_ms": 1500, "ended": "2026-01-02T03:04:05Z"},
                  {"origin": "https://good.example:443", "attempts": 5, "delivered": 5,
                   "failing": 0, "error": "", "elapsed_ms": 12, "ended": "2026-01-02T03:04:05Z"}]},
    "consumers": [{"name": HOSTILE, "state": "waiting", "problem": "refused " + "x" * 200,
                   "received": 12, "done": 10, "retries": 1, "dead": 1, "in_flight": 0,
                   "failures": 7}],
    "producers": [{"name": "orders", "problem": None, "submitted": 1234567, "confirmed": 1234560,
                   "failed": 0, "pending": 7}],
}
ADD_OUTSIDE = """({url, go}) => !/(service|state)$/.test(url) ? null
    : go().then((answer) => answer.json()).then((body) => new Response(JSON.stringify(
        /service$/.test(url) ? {...body, parts: [...body.parts, "deliverer", "consumers"]}
            : {...body, ...OUTSIDE})))"""


def cells(page, part):
    rows_of = f"[...document.querySelectorAll('#{part} tbody tr')]"
    return page.run(f"{rows_of}.map((row) => [...row.children].map((one) => one.textContent))")


@case
def deliveries_and_brokers_are_shown():
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        shop = Shop(folder)
        try:
            page = chromium.page(shop.url)
            change(page, ADD_OUTSIDE.replace("OUTSIDE", json.dumps(OUTSIDE)))
            with signed_in(shop, page):
                show(page, "deliveries")
                page.wait("document.querySelectorAll('#hosts tbody tr').length === 2")
                bad, good = cells(page, "hosts")
                equal(bad[:2], ["http://bad.example:80", "failed 4 times: " + HOSTILE])
                equal((good[:2], good[3:]), (["https://good.example:443", "works"],
                                             ["12 ms", "5", "5"]))
                assert good[2].endswith(" d ago"), good
                equal(cells(page, "classes"),
                      [["other", "5", "1", "0", "0", "0", "5", "0", "1", "3", "0"]])
                check_looks(page, "deliveries")
                show(page, "brokers")
                equal(cells(page, "consumers"),
                      [[HOSTILE, "waiting: refused " + "x" * 200, "12", "10", "1", "1", "0", "7"]])
                equal(cells(page, "producers"),
                      [["orders", "connected", "1,234,567", "1,234,560", "0", "7"]])
                check_looks(page, "brokers")
        finally:
            shop.process.kill()
            shop.process.wait()


def main():
    if not browser.find():
        print("1..0 # SKIP chromium is not installed")
        return
    tap.run([(function.__name__.replace("_", " "), function) for function in cases])


if __name__ == "__main__":
    main()
