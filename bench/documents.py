"""The documents of the decode and encode cases, and what every peer must find in them.

It owns the shape of the payloads (TYPES; the peers have the same as structs of their language), the
deterministic making of the documents, and the two proofs: dump() writes the values of a document as
each peer writes what it decoded, and known() is what an encoder's output must be equal to. Both go
through Python's own JSON reader.
"""

import json
import os
import random
import re
import struct
import sys
from dataclasses import dataclass
from datetime import datetime, timezone

# A member's type: string, integer, double, boolean, time; {...} an object; [...] a list of that;
# Map and Union.
STRING, INTEGER, DOUBLE, BOOLEAN, TIME = "string", "integer", "double", "boolean", "time"


@dataclass(frozen=True)
class Map:
    """An object with any names; the values have one type."""

    of_type: object


@dataclass(frozen=True)
class Union:
    """An object of two members: the first one, a string, says what type the second one has."""

    tag: str
    member: str
    types: dict

    def members(self, value):
        return {self.tag: STRING, self.member: self.types[value[self.tag]]}


TYPES = {
    "user_created": {"user_id": STRING, "username": STRING},
    "order_placed": {
        "order_id": STRING,
        "placed_at": TIME,
        "currency": STRING,
        "total_cents": INTEGER,
        "paid": BOOLEAN,
        "customer": {"id": INTEGER, "name": STRING, "email": STRING},
        "ship_to": {"street": STRING, "city": STRING, "postcode": STRING, "country": STRING},
        "lines": [
            {
                "sku": STRING,
                "title": STRING,
                "quantity": INTEGER,
                "unit_cents": INTEGER,
                "gift": BOOLEAN,
            }
        ],
        "note": STRING,
    },
    "telemetry": {
        "device": STRING,
        "sequence": INTEGER,
        "uptime_ms": INTEGER,
        "battery": DOUBLE,
        "position": {"latitude": DOUBLE, "longitude": DOUBLE, "altitude": DOUBLE},
        "readings": [DOUBLE],
        "counters": [INTEGER],
    },
    "article": {
        "article_id": STRING,
        "title": STRING,
        "author": STRING,
        "body": STRING,
        "tags": [STRING],
        "comments": [{"author": STRING, "text": STRING}],
    },
    "batch": {
        "batch_id": STRING,
        "items": [
            {
                "id": INTEGER,
                "sku": STRING,
                "quantity": INTEGER,
                "price": DOUBLE,
                "weight": DOUBLE,
                "active": BOOLEAN,
            }
        ],
    },
    "mixed_orders": {
        "list_id": STRING,
        "orders": [
            Union("kind", "order", {
                "goods": {
                    "order_id": STRING,
                    "total_cents": INTEGER,
                    "sku": STRING,
                    "quantity": INTEGER,
                    "gift": BOOLEAN,
                    "city": STRING,
                    "country": STRING,
                },
                "download": {
                    "order_id": STRING,
                    "total_cents": INTEGER,
                    "title": STRING,
                    "licences": INTEGER,
                    "url": STRING,
                },
                "subscription": {
                    "order_id": STRING,
                    "total_cents": INTEGER,
                    "plan": STRING,
                    "starts_at": TIME,
                    "months": INTEGER,
                    "renews": BOOLEAN,
                },
                "refund": {
                    "order_id": STRING,
                    "total_cents": INTEGER,
                    "share": DOUBLE,
                    "reason": STRING,
                },
            })
        ],
    },
    "catalog": {
        "catalog_id": STRING,
        "articles": Map({
            "title": STRING,
            "unit_cents": INTEGER,
            "weight": DOUBLE,
            "active": BOOLEAN,
        }),
        "stock": Map(INTEGER),
        "rates": Map(DOUBLE),
    },
    "integers": {"series_id": STRING, "values": [INTEGER]},
    "doubles": {"series_id": STRING, "values": [DOUBLE]},
    "strings": {"list_id": STRING, "texts": [STRING]},
    "pull_request_event": {
        "action": STRING,
        "number": INTEGER,
        "pull_request": {
            "id": INTEGER,
            "title": STRING,
            "body": STRING,
            "draft": BOOLEAN,
            "created_at": TIME,
            "user": {"login": STRING, "id": INTEGER},
            "head": {"ref": STRING, "sha": STRING},
            "base": {"ref": STRING, "sha": STRING},
            "additions": INTEGER,
            "deletions": INTEGER,
        },
        "repository": {"id": INTEGER, "full_name": STRING, "private": BOOLEAN},
        "sender": {"login": STRING, "id": INTEGER},
    },
    "mixture": {
        "integers": [INTEGER],
        "doubles": [DOUBLE],
        "strings": [STRING],
        "records": [{"id": INTEGER, "name": STRING, "score": DOUBLE, "active": BOOLEAN}],
    },
}

# The payload's type of each case.
CASES = {
    "user_created": "user_created",
    "order": "order_placed",
    "telemetry": "telemetry",
    "text": "article",
    "shuffled": "order_placed",
    "large": "batch",
    "envelope_last": "order_placed",
    "orders_union": "mixed_orders",
    "maps": "catalog",
    "webhook": "pull_request_event",
    "webhook_pretty": "pull_request_event",
    "integers": "integers",
    "integers_pretty": "integers",
    "doubles_short": "doubles",
    "doubles_full": "doubles",
    "short_strings": "strings",
    "cjk": "strings",
    "escapes": "strings",
    "base64": "strings",
    "random": "mixture",
}


class Raw(str):
    """JSON text that represents itself, where the way of writing a value matters."""


def write(value):
    """JSON without white space, non-ASCII characters as they are."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(write(k) + ":" + write(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def event(event_type, payload):
    return {
        "event_type": event_type,
        "timestamp": "2024-08-20T05:21:19.143357839Z",
        "payload": payload,
        "metadata": {"source": "user_service", "version": "1.0"},
    }


def user_created():
    return event("user_created", {"user_id": "12345", "username": "johndoe"})


def order():
    titles = ["Espresso cups, set of four", "Hand grinder", "Paper filters (100)", "Kettle 0.9 l",
              "Scale with timer", "Beans, washed, 1 kg", "Cleaning brush"]
    lines = [
        {"sku": f"SKU-{4100 + 37 * i}", "title": title, "quantity": 1 + i % 3,
         "unit_cents": 450 + 1375 * i, "gift": i == 3}
        for i, title in enumerate(titles)
    ]
    return event("order_placed", {
        "order_id": "2f1d6c1e-7c55-4f0e-9c3a-5b8a4d1e9f00",
        "placed_at": "2024-08-20T07:21:18.9+02:00",
        "currency": "EUR",
        "total_cents": sum(line["quantity"] * line["unit_cents"] for line in lines),
        "paid": True,
        "customer": {"id": 9007199254740993, "name": "Ada Lovelace", "email": "ada@example.com"},
        "ship_to": {"street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH",
                    "country": "GB"},
        "lines": lines,
        "note": "Please ring twice and leave it with the neighbour if nobody is at home.",
    })


def telemetry():
    chance = random.Random(1)

    def double(digits):
        value = chance.uniform(0.1, 1) * 10.0 ** chance.choice([0, 0, 1, 1, 2, 3, -3])
        return float(f"{-value if chance.random() < 0.3 else value:.{digits}g}")

    readings = [double(3 + i % 15) for i in range(96)] + [6.02214076e23, -1.6e-19, 0.0, 1e-7]
    counters = [chance.randrange(10 ** (1 + i % 15)) * (-1 if i % 7 == 6 else 1) for i in range(48)]
    return event("telemetry", {
        "device": "sensor-0042",
        "sequence": 18014398509481985,
        "uptime_ms": 86400123,
        "battery": 0.83,
        "position": {"latitude": 48.858370, "longitude": 2.2944813, "altitude": 324.5},
        "readings": readings,
        "counters": counters,
    })


def text():
    paragraph = (
        'She said "it\'s only a test",\nand wrote C:\\temp\\new on the board.\r\n\t'
        "Grüße aus Köln — Καλημέρα κόσμε, こんにちは世界! Ça coûte 5 €, naïve façade. 🎉 "
    )
    escaped = Raw(json.dumps("Zwölf Boxkämpfer — 日本語 \U0001f600 / done").replace("/", "\\/"))
    comments = [
        {"author": "Łukasz", "text": "Świetny artykuł!\nDziękuję."},
        {"author": "Zoë \"Z\" O'Neil", "text": escaped},
        {"author": "王小明", "text": "写得很好，谢谢分享。\t\\o/"},
        {"author": "plain", "text": "No escapes here at all, just a sentence of ordinary ASCII text."},
    ]
    return event("article", {
        "article_id": "a-77",
        "title": "On \"quoting\" and escaping: a café's menu",
        "author": "José Ñandú",
        "body": paragraph * 5 + "The end, in ASCII, with nothing that needs an escape. " * 4,
        "tags": ["json", "utf-8", "naïve", "tab\there", "日本"],
        "comments": comments,
    })


def shuffled():
    """The order, every object's members in another order, and half as many unknown ones."""
    chance = random.Random(2)
    unknown_values = [
        "a string that nobody reads", 1234567, -0.25, True, None,
        {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "sampled": False, "hops": [1, 2, 3]},
        ["x", {"y": [None, "\u00e9\n"]}],
    ]
    count = 0

    def shuffle(value, is_map=False):
        nonlocal count
        if isinstance(value, list):
            return [shuffle(element) for element in value]
        if not isinstance(value, dict):
            return value
        members = [(key, shuffle(member, key == "metadata")) for key, member in value.items()]
        for _ in range(0 if is_map else max(1, len(members) // 2)):
            members.append((f"x_{count}_unknown", unknown_values[count % len(unknown_values)]))
            count += 1
        if not is_map:
            chance.shuffle(members)
        return dict(members)

    return shuffle(order())


def batch(items_count):
    chance = random.Random(3)
    return event("batch", {
        "batch_id": "nightly-2024-08-20",
        "items": [
            {
                "id": 100000 + i,
                "sku": f"SKU-{chance.randrange(10**6):06d}",
                "quantity": chance.randrange(1, 1000),
                "price": chance.randrange(100, 100000) / 100,
                "weight": round(chance.uniform(0.001, 40), 6),
                "active": chance.random() < 0.8,
            }
            for i in range(items_count)
        ],
    })


def envelope_last():
    message = order()
    return {key: message[key] for key in ("payload", "metadata", "timestamp", "event_type")}


def mixed_orders():
    """100 orders of four kinds. The kind comes first, as most senders write it."""
    chance = random.Random(4)

    def goods(order):
        order |= {"sku": f"SKU-{chance.randrange(10**6):06d}", "quantity": chance.randrange(1, 10),
                  "gift": chance.random() < 0.2, "city": chance.choice(["London", "Köln", "Oslo"]),
                  "country": chance.choice(["GB", "DE", "NO"])}

    def download(order):
        order |= {"title": chance.choice(["Hand grinder, manual", "Roasting at home"]),
                  "licences": chance.randrange(1, 20),
                  "url": f"https://example.com/d/{chance.getrandbits(64):016x}"}

    def subscription(order):
        order |= {"plan": chance.choice(["monthly", "weekly, 250 g"]),
                  "starts_at": f"2024-09-{chance.randrange(1, 31):02d}T06:00:00Z",
                  "months": chance.choice([3, 6, 12]), "renews": chance.random() < 0.5}

    def refund(order):
        order |= {"total_cents": -order["total_cents"], "share": chance.randrange(1, 101) / 100,
                  "reason": chance.choice(["damaged", "late", "ordered twice"])}

    def one(i):
        fill = chance.choice([goods, goods, download, subscription, refund])
        order = {"order_id": f"o-{70000 + i}", "total_cents": chance.randrange(100, 100000)}
        fill(order)
        return {"kind": fill.__name__, "order": order}

    return event("mixed_orders", {"list_id": "hour-2024-08-20T05",
                                  "orders": [one(i) for i in range(100)]})


def catalog():
    """Maps of 100 structs, 100 integers and 100 doubles, in no order."""
    chance = random.Random(5)
    skus = [f"SKU-{number:06d}" for number in chance.sample(range(10**6), 100)]
    return event("catalog", {
        "catalog_id": "spring-2024",
        "articles": {
            sku: {"title": f"Article no. {chance.randrange(10**4)}",
                  "unit_cents": chance.randrange(100, 100000),
                  "weight": round(chance.uniform(0.001, 40), 3), "active": chance.random() < 0.8}
            for sku in skus
        },
        "stock": {sku: chance.randrange(10**5) for sku in skus},
        "rates": {f"{sku}/kg": round(chance.uniform(0.1, 200), 4) for sku in skus},
    })


def pretty(message):
    """JSON with a member or an element a line, indented by two."""
    return json.dumps(message, ensure_ascii=False, indent=2)


def person(login, number):
    """A user as GitHub's webhooks have it: what is typed, and many links."""
    base = f"https://api.github.example/users/{login}"
    links = ["followers", "following", "gists", "starred", "subscriptions", "orgs", "repos",
             "events", "received_events"]
    return {
        "login": login, "id": number, "node_id": f"U_kgDO{number:08X}",
        "avatar_url": f"https://avatars.github.example/u/{number}?v=4", "gravatar_id": "",
        "url": base, "html_url": f"https://github.example/{login}",
        **{f"{link}_url": f"{base}/{link}" for link in links},
        "type": "User", "site_admin": False,
    }


def repository(owner, name, number):
    base = f"https://api.github.example/repos/{owner['login']}/{name}"
    links = ["forks", "keys{/key_id}", "collaborators{/collaborator}", "teams", "hooks",
             "issues/events{/number}", "events", "assignees{/user}", "branches{/branch}", "tags",
             "git/blobs{/sha}", "git/tags{/sha}", "git/refs{/sha}", "git/trees{/sha}",
             "statuses/{sha}", "languages", "stargazers", "contributors", "subscribers",
             "subscription", "commits{/sha}", "git/commits{/sha}", "comments{/number}",
             "issues/comments{/number}", "contents/{+path}", "compare/{base}...{head}", "merges",
             "{archive_format}{/ref}", "downloads", "issues{/number}", "pulls{/number}",
             "milestones{/number}", "notifications{?since,all}", "labels{/name}", "releases{/id}"]
    return {
        "id": number, "node_id": f"R_kgDO{number:08X}", "name": name,
        "full_name": f"{owner['login']}/{name}", "private": False, "owner": owner,
        "html_url": f"https://github.example/{owner['login']}/{name}",
        "description": "Events in, events out", "fork": False, "url": base,
        **{(link.split("{")[0] or "archive").replace("/", "_") + "_url": f"{base}/{link}"
           for link in links},
        "created_at": "2023-01-09T08:41:11Z", "updated_at": "2024-08-19T17:03:52Z",
        "pushed_at": "2024-08-20T05:20:58Z", "homepage": None, "size": 48211,
        "stargazers_count": 1204, "watchers_count": 1204, "language": "C", "has_issues": True,
        "has_projects": False, "has_downloads": True, "has_wiki": False, "has_pages": True,
        "forks_count": 87, "mirror_url": None, "archived": False, "disabled": False,
        "open_issues_count": 17, "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
        "topics": ["events", "json", "webhooks"], "visibility": "public", "default_branch": "main",
    }


def pull_request_event():
    """A webhook of the shape of GitHub's: 450 members, of which a program wants 20."""
    owner, author = person("example-org", 99120), person("adalove", 1815121)
    repo = repository(owner, "herald-example", 602214)
    fork = repository(author, "herald-example", 602300)
    url = "https://api.github.example/repos/example-org/herald-example/pulls/731"
    return event("pull_request_event", {
        "action": "opened",
        "number": 731,
        "pull_request": {
            "url": url, "id": 1987654321, "node_id": "PR_kwDOABCD1234", "number": 731,
            "state": "open", "locked": False, "title": "Retry deliveries after a 429",
            "user": author, "created_at": "2024-08-20T05:21:18Z",
            "body": "Honours `Retry-After`.\r\n\r\n- [x] tests\r\n- [x] documentation\r\n",
            "updated_at": "2024-08-20T05:21:18Z", "closed_at": None, "merged_at": None,
            "merge_commit_sha": None, "assignee": None, "assignees": [],
            "requested_reviewers": [person("grace", 1906129)], "requested_teams": [],
            "labels": [{"id": 11, "name": "enhancement", "color": "a2eeef", "default": True}],
            "milestone": None, "draft": False,
            "head": {"label": "adalove:retry-after", "ref": "retry-after",
                     "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "user": author, "repo": fork},
            "base": {"label": "example-org:main", "ref": "main",
                     "sha": "c2f0d1a7e9b85c6f4d3a2b1c0e9f8d7c6b5a4938", "user": owner, "repo": repo},
            "_links": {rel: {"href": f"{url}/{rel}"} for rel in
                       ["self", "html", "issue", "comments", "review_comments", "commits", "statuses"]},
            "author_association": "CONTRIBUTOR", "auto_merge": None, "merged": False,
            "mergeable": None, "comments": 0, "review_comments": 0, "maintainer_can_modify": True,
            "commits": 3, "additions": 214, "deletions": 37, "changed_files": 9,
        },
        "repository": repo,
        "sender": author,
    })


def integers():
    """1,000 of 1 to 7 digits."""
    chance = random.Random(6)
    return event("integers", {"series_id": "s-6", "values": [
        chance.randrange(10 ** chance.randrange(1, 8)) for _ in range(1000)]})


def doubles(draw):
    chance = random.Random(7)
    return event("doubles", {"series_id": "s-7", "values": [draw(chance) for _ in range(1000)]})


def short_double(chance):
    """Two decimals."""
    return chance.randrange(-100000, 1000000) / 100


def full_double(chance):
    """17 digits, as most results of a computation have."""
    while True:
        value = chance.uniform(-1, 1) * 10.0 ** chance.randrange(4)
        if len(repr(value).replace(".", "").lstrip("-0")) == 17:
            return value


def strings(count, draw):
    chance = random.Random(8)
    return event("strings", {"list_id": "l-8", "texts": [draw(chance) for _ in range(count)]})


def draw_text(chance, alphabet, least, most):
    return "".join(chance.choices(alphabet, k=chance.randrange(least, most + 1)))


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ "
CJK = [chr(code) for code in range(0x4E00, 0x5E00)]
ESCAPED = "\"\\\n\t\r\b\f/" + "abc"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

# --- The case `random`: a mixture drawn from a grammar --------------------------------------------


class Drawer:
    """Draws a payload and how it is written, so that no library can be tuned to the document."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        chance = self.chance
        step = chance.choice(["  ", "    ", "\t", " "])
        self.newline = chance.choice(["\n", "\n", "\r\n"])
        self.step = chance.choice([None, None, step])  # None: all in one line
        self.blank = chance.choice(["", " "])
        self.unknown = chance.choice([0, 0, 0.2])  # the share of unknown members
        self.alphabets = chance.sample(
            [LETTERS, LETTERS, CJK, "äöüßéèñçøåłżšč", ESCAPED + LETTERS, "абвгдежзик ", BASE64], 3)

    def message(self):
        chance = self.chance
        digits, decimals = chance.randrange(1, 19), chance.choice([1, 2, 6, 14, 17])
        most = chance.choice([8, 16, 60, 300])
        return event("mixture", {
            "integers": self.many(lambda: self.integer(digits)),
            "doubles": self.many(lambda: self.double(decimals)),
            "strings": self.many(lambda: self.text(most)),
            "records": self.many(lambda: {
                "id": self.integer(digits), "name": self.text(most),
                "score": self.double(decimals), "active": chance.random() < 0.5}),
        })

    def many(self, draw):
        return [draw() for _ in range(self.chance.choice([5, 50, 200]))]

    def integer(self, digits):
        value = self.chance.randrange(10 ** self.chance.randrange(1, digits + 1))
        return -value if self.chance.random() < 0.1 else value

    def double(self, decimals):
        exponent = self.chance.choice([0, 1, 2, 5, -4, 20])
        return float(f"{self.chance.uniform(-1, 1) * 10.0 ** exponent:.{decimals}g}")

    def text(self, most):
        return draw_text(self.chance, self.chance.choice(self.alphabets), 0, most)

    def write(self, value, depth=0, is_map=False):
        """The text of a value, laid out and with unknown members as drawn."""
        if isinstance(value, dict):
            members = list(value.items())
            if not is_map and self.chance.random() < self.unknown:
                members.insert(self.chance.randrange(len(members) + 1),
                               ("x_unknown", [None, self.text(20), {"y": self.integer(9)}]))
            return self.items("{}", depth, [
                json.dumps(key) + ":" + self.blank + self.write(member, depth + 1, key == "metadata")
                for key, member in members])
        if isinstance(value, list):
            return self.items("[]", depth, [self.write(element, depth + 1) for element in value])
        return json.dumps(value, ensure_ascii=self.chance.random() < 0.1)

    def items(self, brackets, depth, items):
        if self.step is None or not items:
            return brackets[0] + ("," + self.blank).join(items) + brackets[1]
        inner, outer = self.newline + self.step * (depth + 1), self.newline + self.step * depth
        return brackets[0] + inner + ("," + inner).join(items) + outer + brackets[1]


def random_document():
    """HERALD_TEST_SEED repeats it."""
    seed = int(os.environ.get("HERALD_TEST_SEED") or random.randrange(2**32))
    print(f"the case random: HERALD_TEST_SEED={seed}", file=sys.stderr)
    drawer = Drawer(seed)
    return drawer.write(drawer.message())


def documents():
    """The text of each case."""
    messages = {
        "user_created": user_created(),
        "order": order(),
        "telemetry": telemetry(),
        "text": text(),
        "shuffled": shuffled(),
        "large": batch(1000),
        "envelope_last": envelope_last(),
        "orders_union": mixed_orders(),
        "maps": catalog(),
        "webhook": pull_request_event(),
        "integers": integers(),
        "doubles_short": doubles(short_double),
        "doubles_full": doubles(full_double),
        "short_strings": strings(1500, lambda chance: draw_text(chance, LETTERS, 1, 11)),
        "cjk": strings(200, lambda chance: draw_text(chance, CJK, 60, 60)),
        "escapes": strings(300, lambda chance: draw_text(chance, ESCAPED, 20, 60)),
        "base64": strings(1, lambda chance: draw_text(chance, BASE64, 200000, 200000)),
    }
    texts = {case: write(message) for case, message in messages.items()}
    texts["webhook_pretty"] = pretty(messages["webhook"])
    texts["integers_pretty"] = pretty(messages["integers"])
    texts["random"] = random_document()
    return texts


def route_type(index):
    """The event type of route `index` of the scaling cases; herald.c makes the same."""
    return f"user_created_{index:05d}"


def routed_documents(routes_count):
    """64 documents, one a line, for types spread over all of the routes."""
    message = user_created()
    lines = []
    for i in range(64):
        message["event_type"] = route_type(i * 7919 % routes_count)
        lines.append(write(message))
    return "\n".join(lines)


# --- What is right --------------------------------------------------------------------------------


def message_type(payload_type):
    return {
        "event_type": STRING,
        "timestamp": TIME,
        "payload": TYPES[payload_type],
        "metadata": Map(STRING),
    }


def known(document, payload_type):
    """The document's value without the members that the type does not have."""
    return typed(json.loads(document), message_type(payload_type), dict.keys)


def encoded(text, payload_type):
    """The value of what a peer wrote, with all members."""
    return typed(json.loads(text), message_type(payload_type), lambda _: None)


def typed(value, of_type, wanted):
    """A value whose doubles are doubles, however they are written: Python reads 1e20 and the same
    number in digits as different types, and compares them exactly. `wanted` says which members of
    an object to keep, by its type; None: all."""
    if isinstance(of_type, dict):
        return {key: typed(value[key], of_type.get(key), wanted) for key in wanted(of_type) or value}
    if isinstance(of_type, list):
        return [typed(element, of_type[0], wanted) for element in value]
    if isinstance(of_type, Map):
        return {key: typed(member, of_type.of_type, wanted) for key, member in value.items()}
    if isinstance(of_type, Union):
        return typed(value, of_type.members(value), wanted)
    return float(value) if of_type == DOUBLE else value


def dump(document, payload_type):
    """All values in the order of the types, one a line. The values of a map are sorted by
    name, as not every peer keeps the order of the document."""
    return list(dump_value(json.loads(document), message_type(payload_type)))


def dump_value(value, of_type):
    if isinstance(of_type, Map):
        yield f"n{len(value)}"
        for key in sorted(value, key=lambda text: text.encode()):
            yield from dump_value(key, STRING)
            yield from dump_value(value[key], of_type.of_type)
    elif isinstance(of_type, Union):
        yield from dump_value(value, of_type.members(value))
    elif isinstance(of_type, dict):
        for key, member in of_type.items():
            yield from dump_value(value[key], member)
    elif isinstance(of_type, list):
        yield f"n{len(value)}"
        for element in value:
            yield from dump_value(element, of_type[0])
    elif of_type == STRING:
        yield "s" + value.encode().hex()
    elif of_type == INTEGER:
        yield f"i{value}"
    elif of_type == DOUBLE:
        yield "d" + struct.pack(">d", value).hex()
    elif of_type == BOOLEAN:
        yield f"b{int(value)}"
    elif of_type == TIME:
        yield dump_time(value)


def dump_time(text):
    whole, fraction, zone = re.fullmatch(r"([^.Z+]{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text).groups()
    offset = 0
    if zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    local = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc)
    seconds = int(local.timestamp()) - 60 * offset
    return f"t{seconds} {int((fraction or '0').ljust(9, '0'))} {offset}"
