"""Malformed requests against a real `tensorboard` process."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins import base_plugin

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.plugin import LLMDebugPlugin
from tb_llmdebug.wire import record_pb2, tfrecord
from tests.data import write_run
from tests.durability.counts import count
from tests.hostile.requests import ROUTES, SAFE, Request, draw, good_requests, one_value_wrong

BASE = "/data/plugin/llmdebug/"
LARGEST_ANSWER = 1 << 20
LARGEST_ERROR = 1000


class Served(NamedTuple):
    """A TensorBoard, what it said, and the directory that nobody is to learn of."""

    url: str
    said: Path
    logdir: Path
    series: list[str]
    process: subprocess.Popen[bytes]

    def index(self) -> view_pb2.IndexResponse:
        with urllib.request.urlopen(f"{self.url}{BASE[1:]}index", timeout=60) as answer:
            return view_pb2.IndexResponse.FromString(answer.read())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    logdir = tmp_path_factory.mktemp("secret-logs")
    write_run(str(logdir / "run"), tokens=[["a", "b", "c", "d", "e", "f"]] * 2)
    with llmdebug.Writer(logdir / "run"):
        llmdebug.log_attribution("next", [1.0], tokens=["a"], target="t", method="m", step=0)
        llmdebug.log_anomaly("loss", "It jumped.", rule="r", step=0)
    (damaged,) = [path for path in (logdir / "run").rglob("records.*") if path.stat().st_size > 2000][:1]
    (logdir / "damaged" / "plugins" / "llmdebug").mkdir(parents=True)
    torn = logdir / "damaged" / "plugins" / "llmdebug" / "records.1.a.1"
    torn.write_bytes(b"\x01" * 50 + damaged.read_bytes()[:-9])
    scalars = [Event(step=step) for step in range(3)]
    for event in scalars:
        event.summary.value.add(tag="epoch_loss", simple_value=event.step)
    events = b"".join(tfrecord.frame(event.SerializeToString()) for event in scalars)
    (logdir / "run" / "events.out.tfevents.1.host").write_bytes(events)

    said = tmp_path_factory.mktemp("said") / "stderr"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", "0"]
    with said.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr)
    try:
        yield ready(process, said, logdir)
    finally:
        process.terminate()
        process.wait(30)


def ready(process: subprocess.Popen[bytes], said: Path, logdir: Path) -> Served:
    for _ in range(3000):  # a loaded machine takes minutes to import TensorFlow
        text = said.read_text()
        if " at http://" in text:
            break
        assert process.poll() is None, text
        time.sleep(0.1)
    found = Served(text.split(" at ")[1].split()[0], said, logdir, [], process)
    for _ in range(100):
        index = found.index()
        if not index.scanning and len(index.runs) == 2:
            break
        time.sleep(0.1)
    found.series.extend(series.id for run in index.runs for series in run.series)
    assert len(found.series) == 4
    return found


def check(request: Request, served: Served) -> int:
    status, body = request.send(served.url)
    allowed = {200, 400, 404} if request.method == "GET" else {200, 400, 404, 405, 501}
    assert status in allowed, (status, request, body[:300])
    assert len(body) <= (LARGEST_ANSWER if status == 200 else LARGEST_ERROR), (len(body), request)
    folders = [served.logdir.parent, Path(llmdebug.__file__).parent, Path(sys.prefix)]
    for secret in ("Traceback", 'File "', "site-packages", "root:x:", *map(str, folders)):
        assert secret.encode() not in body, (secret, request, body[:300])
    return status


def test_the_requests_below_are_for_every_route_that_there_is() -> None:
    routes = LLMDebugPlugin(base_plugin.TBContext(logdir="")).get_plugin_apps()
    assert {route[1:].removesuffix("*") for route in routes} == set(ROUTES) - {"", "nothing"}


def test_what_is_made_wrong_below_is_right(served: Served) -> None:
    kinds = {series.kind: series.id for run in served.index().runs for series in run.series}
    for route, parameters in good_requests(kinds[record_pb2.ATTENTION], kinds[record_pb2.ATTRIBUTION]):
        query = "&".join(f"{name}={value}" for name, value in parameters)
        assert check(Request("GET", quote(f"{BASE}{route}?{query}", safe=SAFE).encode()), served) == 200


def test_malformed_requests_are_answered_shortly_and_without_a_traceback(served: Served) -> None:
    generator = random.Random(5000)
    statuses = Counter(check(draw(generator, BASE, served.series), served) for _ in range(count(150, 5000)))
    # The requests reach all that can be answered, not only one early refusal.
    assert all(statuses[status] > count(5, 100) for status in (200, 400, 404)), statuses
    assert_unharmed(served)


def test_a_good_request_with_one_value_wrong(served: Served) -> None:
    kinds = {series.kind: series.id for run in served.index().runs for series in run.series}
    wrong = one_value_wrong(BASE, kinds[record_pb2.ATTENTION], kinds[record_pb2.ATTRIBUTION])
    for request in wrong:
        check(request, served)
    assert_unharmed(served)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_get_is_answered_on_every_route(route: str, method: str, served: Served) -> None:
    target = f"{BASE}{route}x" if route == "static/" else f"{BASE}{route}"
    status = check(Request(method, target.encode()), served)
    assert status == (404 if route in ("", "nothing") else 405)


def test_every_prefix_of_a_good_request(served: Served) -> None:
    at = f"maps?at={served.series[0]}.0.0.0.0&compare=0.0&pool=mean"
    for end in range(len(at)):
        check(Request("GET", f"{BASE}{at[:end]}".encode()), served)
    assert_unharmed(served)


def assert_unharmed(served: Served) -> None:
    assert served.process.poll() is None
    text = served.said.read_text(errors="replace")
    assert "Traceback" not in text, text[text.index("Traceback") :][:3000]
    assert {series.id for run in served.index().runs for series in run.series} == set(served.series)
    with urllib.request.urlopen(f"{served.url}data/plugins_listing", timeout=60) as answer:
        assert json.load(answer)["llmdebug"]["enabled"]


def test_the_curve_of_a_run_is_what_tensorboard_has(served: Served) -> None:
    for _ in range(60):  # TensorBoard reads scalars in its own time
        with urllib.request.urlopen(f"{served.url}{BASE[1:]}scalars?run=run", timeout=60) as answer:
            found = view_pb2.ScalarsResponse.FromString(answer.read())
        if found.steps:
            break
        time.sleep(0.5)
    assert (found.tag, list(found.steps), list(found.values)) == ("epoch_loss", [0, 1, 2], [0.0, 1.0, 2.0])
