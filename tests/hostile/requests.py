"""Requests that no browser of ours would send, drawn at random from a seed."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

SAFE = "/?&=%:;,#[]{}$'~*!@+"
ROUTES = (
    "index",
    "maps",
    "heads",
    "changes",
    "lens",
    "multiples",
    "similar",
    "vectors",
    "attributions",
    "anomalies",
    "scalars",
    "index.js",
    "standalone.page",
    "static/",
    "nothing",
    "",
)
PARAMETERS = (
    "at", "compare", "pool", "series", "example", "run", "tag", "a", "b", "match", "lens", "from", "to",
    "statistic", "layer", "head", "sinks", "__proto__", "", "at[]",
)  # fmt: skip
NUMBERS = (
    "0",
    "1",
    "-1",
    "00",
    "1e9",
    "0x10",
    "9" * 9,
    "9" * 30,
    "1" * 5000,
    "٣",
    "½",
    "NaN",
    "1.5",
    " 1",
    "1_0",
)
TEXTS = (
    "", "null", "max", "mean", "median", "../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd",
    "%00", "a%00b", "%", "%zz", "%ff%fe", "%ed%a0%80", "%c0%ae%c0%ae/", "%u0041", "\u202egnp.exe", "中文",
    "<script>alert(1)</script>", "' OR 1=1 --", "{{7*7}}", "${7*7}", "a" * 20_000, "%0d%0aX-Injected: yes",
    "é" * 1000, "constructor", "file:///etc/passwd", "//evil.example/", "a;b", "a&b", "a=b", "#", "?",
)  # fmt: skip
PATHS = (
    "../../../../etc/passwd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cboot.ini", ".%00.", "%00",
    "static/../static/../index", "./index", "//index", "static//etc/passwd", "static/%2fetc%2fpasswd",
    "static/" + "a/" * 500, "static/" + "a" * 5000, "~root", "index.js/", "index.js%00.png", "\u202esj.xedni",
    ".git/config", "..;/index", "static/..%c0%af..%c0%afetc/passwd", "index?", "index#x", "*", "static/*",
)  # fmt: skip
METHODS = ("POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 100)
HEADERS = (
    ("If-None-Match", '"'), ("If-None-Match", "*" * 5000), ("If-None-Match", 'W/"x", "y'),
    ("Range", "bytes=0-1"), ("Range", "bytes=-"), ("Accept-Encoding", "gzip;q=nan"),
    ("Accept-Encoding", ";;;,,,"), ("Accept-Encoding", ""), ("Accept", "\xff"), ("Cookie", "a=" + "b" * 5000),
    ("Content-Type", "multipart/form-data"), ("X-HTTP-Method-Override", "DELETE"), ("Origin", "null"),
    ("If-Modified-Since", "yesterday"), ("Content-Length", "0"), ("Referer", "javascript:alert(1)"),
)  # fmt: skip


@dataclass
class Request:
    """One request, its target percent-encoded only where the sender cared to."""

    method: str
    target: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)

    def send(self, url: str) -> tuple[int, bytes]:
        """Send it as it is; returns the status and the body."""
        host = urlsplit(url)
        lines = [f"Host: {host.netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        head = self.method.encode() + b" " + self.target + b" HTTP/1.1\r\n"
        with socket.create_connection((host.hostname, host.port), timeout=60) as connection:
            connection.sendall(head + "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n")
            answer = b""
            while data := connection.recv(1 << 16):
                answer += data
        first, _, rest = answer.partition(b"\r\n")
        return int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]


def draw(generator: random.Random, base: str, series: Sequence[str]) -> Request:
    """Return a request that is wrong in one place or in several.

    Args:
        generator: where chance comes from.
        base: path of the plugin's routes.
        series: ids that exist.
    """
    route = generator.choice(ROUTES) if generator.random() < 0.85 else generator.choice(PATHS)
    parameters = [_parameter(generator, series) for _ in range(generator.choice((0, 1, 1, 2, 3, 5, 90)))]
    raw = generator.random() < 0.15
    query = "&".join(f"{name}={value}" for name, value in parameters)
    target = f"{base}{route}" + (f"?{query}" if parameters else "")
    method = generator.choice(METHODS) if generator.random() < 0.1 else "GET"
    headers = [generator.choice(HEADERS)] if generator.random() < 0.2 else []
    # Spaces would end the target; everything else may go out as the bytes it is.
    encoded = target.replace(" ", "%20").encode() if raw else quote(target, safe=SAFE).encode()
    return Request(method, encoded[:60_000], headers)


def good_requests(attention: str, attributions: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return a request of each route that reads logs, as route and parameters."""
    return [
        ("attributions", [("series", attributions), ("example", "0")]),
        ("scalars", [("run", "run"), ("tag", "epoch_loss")]),
        (
            "maps",
            [("at", f"{attention}.0.0"), ("at", f"{attention}.1.0"), ("compare", "0.1"), ("pool", "max")],
        ),
        ("maps", [("at", f"{attention}.0.0.0.0")]),
        ("vectors", [("at", f"{attention}.0.0.0.0.0")]),
        ("similar", [("at", f"{attention}.0.0")]),
        ("lens", [("at", f"{attention}.0.0.0.0"), ("lens", "rollout")]),
        ("changes", [("a", f"{attention}.0"), ("b", f"{attention}.1"), ("match", "1")]),
        (
            "heads",
            [("series", attention), ("example", "0"), ("from", "0"), ("to", "2"), ("statistic", "entropy")],
        ),
        (
            "multiples",
            [
                *(("series", attention), ("from", "0"), ("to", "2"), ("example", "0")),
                *(("layer", "0"), ("head", "0"), ("pool", "max"), ("sinks", "shown")),
            ],
        ),
    ]


def one_value_wrong(base: str, attention: str, attributions: str) -> Iterator[Request]:
    """Yield good requests of which one number or text is another, each by each."""
    for route, parameters in good_requests(attention, attributions):
        for place, (name, value) in enumerate(parameters):
            parts = value.split(".")
            for part, wrong in itertools.product(range(len(parts)), (*NUMBERS, *TEXTS)):
                changed = ".".join([*parts[:part], wrong, *parts[part + 1 :]])
                query = [*parameters[:place], (name, changed), *parameters[place + 1 :]]
                target = f"{base}{route}?" + "&".join(f"{key}={text}" for key, text in query)
                yield Request("GET", quote(target, safe=SAFE).encode()[:60_000])


def _parameter(generator: random.Random, series: Sequence[str]) -> tuple[str, str]:
    name = generator.choice(PARAMETERS)
    if name == "at" and generator.random() < 0.7:
        places = [
            generator.choice((*series, "0" * 16)),
            *_numbers(generator, generator.choice((1, 2, 3, 4, 5))),
        ]
        return name, ".".join(places)
    if name == "compare" and generator.random() < 0.7:
        return name, ".".join(_numbers(generator, generator.choice((1, 2, 3))))
    if name in ("a", "b") and generator.random() < 0.7:
        return name, ".".join([generator.choice((*series, "0" * 16)), *_numbers(generator, 1)])
    if name == "series" and generator.random() < 0.5:
        return name, generator.choice(series)
    return name, generator.choice(TEXTS) if generator.random() < 0.7 else _numbers(generator, 1)[0]


def _numbers(generator: random.Random, count: int) -> list[str]:
    return [generator.choice(NUMBERS) if generator.random() < 0.3 else "0" for _ in range(count)]
