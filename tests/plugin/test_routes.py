"""The routes of a real `tensorboard` process."""

from __future__ import annotations

import gzip
import random
import string
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zstandard
from tensorboard.plugins import base_plugin
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import answers, view_pb2
from tb_llmdebug.plugin.plugin import LLMDebugPlugin
from tb_llmdebug.stats import jensen_shannon_distance
from tb_llmdebug.wire import record_pb2
from tests.data import layers_of, softmax_maps, write_run
from tests.plugin.server import Server, serving

WORDS = [["a", "b", "c", "d", "e", "f"], ["<pad>", "<pad>", "x", "y", "z", "w"]]
MASK = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    logdir = tmp_path_factory.mktemp("logs")
    healthy = {"tokens": WORDS, "mask": MASK, "causal": True}
    for seed, run in enumerate(["a", "b"]):
        write_run(
            str(logdir / run),
            attention=lambda step, seed=seed: tuple(
                softmax_maps(seed + layer, causal=True, mask=MASK, sharpness=1 + step / 10)
                for layer in range(2)
            ),
            **healthy,
        )
    write_run(str(logdir / "mistake"), attention=lambda step: layers_of(causal=True), **healthy)
    write_run(
        str(logdir / "mistake"), steps=range(2), name="large", attention=lambda step: layers_of(queries=600)
    )
    with llmdebug.Writer(logdir / "a"):
        for step in range(3):
            llmdebug.log_attribution(
                "next", [[1.0, step]], tokens=["a", "b"], method="m", target="t", step=step
            )
    # The data server is used; --load_fast=false would import TensorFlow.
    with serving("--logdir", logdir) as running:
        running.index()
        yield running


def series(server: Server, run: str, name: str) -> view_pb2.Series:
    runs = {entry.name: entry for entry in server.index().runs}
    return next(entry for entry in runs[run].series if entry.name == name)


def test_the_tab_is_there_without_any_event_file(server: Server) -> None:
    _, body, _ = server.get("plugins_listing")
    listing = __import__("json").loads(body)["llmdebug"]
    assert listing["enabled"] is True
    assert listing["tab_name"] == "LLM Debugger"


def test_the_index_holds_every_step(server: Server) -> None:
    index = server.index()
    assert [run.name for run in index.runs] == ["a", "b", "mistake"]
    found = series(server, "a", "decoder")
    assert (list(found.steps), found.examples, found.newest) == ([0, 10, 20], 2, True)
    assert list(found.map_states) == [record_pb2.FULL] * 3
    assert list(series(server, "mistake", "decoder").severities) == [record_pb2.ERROR] * 3
    assert not index.problems


def test_an_unchanged_index_is_not_sent_again(server: Server) -> None:
    status, _, headers = server.get("plugin/llmdebug/index", {"Accept-Encoding": "gzip"})
    assert status == 200
    status, body, headers = server.get("plugin/llmdebug/index", {"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")
    assert headers["Content-Type"]  # or TensorBoard warns on its console at every poll


def test_nothing_is_made_for_a_client_that_has_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = LLMDebugPlugin(base_plugin.TBContext(logdir=str(tmp_path)))
    tag = answers.generation(plugin._logdir.index, plugin._scanner.first_scan_is_running)
    monkeypatch.setattr(answers, "generation", lambda *_: tag)
    monkeypatch.setattr(answers, "index", lambda *_: pytest.fail("the index was made"))
    known = EnvironBuilder(path="/index", headers={"If-None-Match": f'"{tag}"'})
    assert plugin._index(Request(known.get_environ())).status_code == 304


def test_an_overview_holds_every_head(server: Server) -> None:
    chosen = series(server, "a", "decoder")
    answer = server.message(view_pb2.MapsResponse, f"maps?at={chosen.id}.2.1")
    (found,) = answer.maps
    assert (found.error, found.step, len(found.layers)) == ("", 20, 2)
    assert list(found.key_tokens.text) == WORDS[1]
    assert list(found.key_mask) == list(MASK[1])
    layer = found.layers[1]
    thumbs = np.frombuffer(layer.thumbs, np.uint8).reshape(3, layer.thumb_rows, layer.thumb_cols)
    expected = softmax_maps(1, causal=True, mask=MASK, sharpness=3)[1]
    assert expected[:, :2].max() > 0.4  # where rows of padding look
    expected[:, :2] = 0
    assert np.allclose(layer.thumb_peak * (thumbs / 255.0) ** 2, expected, atol=0.01)
    assert layer.pooled == 1
    assert len(layer.statistics) == 3 * len(found.statistics) * 4


def test_large_maps_are_pooled_and_say_so(server: Server) -> None:
    chosen = series(server, "mistake", "large")
    for pool, reduce in (("max", np.max), ("mean", np.mean)):
        answer = server.message(view_pb2.MapsResponse, f"maps?at={chosen.id}.0.0&pool={pool}")
        layer = answer.maps[0].layers[0]
        assert layer.pooled > 1 and layer.thumb_rows == -(-600 // layer.pooled)
        thumbs = np.frombuffer(layer.thumbs, np.uint8).reshape(3, layer.thumb_rows, layer.thumb_cols)
        block = layers_of(queries=600)[0][0, 2, : layer.pooled, : layer.pooled]
        value = layer.thumb_peak * (thumbs[2, 0, 0] / 255.0) ** 2
        assert value == pytest.approx(reduce(block), rel=0.1)


def test_one_head_comes_as_its_stored_tiles(server: Server) -> None:
    chosen = series(server, "a", "decoder")
    answer = server.message(view_pb2.MapsResponse, f"maps?at={chosen.id}.0.0.1.2")
    head = answer.maps[0].head
    assert (head.layer, head.head, head.frame_heads, head.frame_slot) == (1, 2, 3, 2)
    raw = zstandard.ZstdDecompressor().decompress(head.tiles[0])
    weights = np.frombuffer(raw, "<f2").reshape(3, 6, 6)[head.frame_slot]
    expected = softmax_maps(1, causal=True, mask=MASK, sharpness=1)[0, 2]
    assert np.array_equal(weights, expected.astype(np.float16))
    assert np.allclose(np.frombuffer(head.row_sums, "<f2"), 1, atol=1e-3)


def test_two_records_are_compared_head_by_head(server: Server) -> None:
    chosen = series(server, "a", "decoder")
    answer = server.message(
        view_pb2.MapsResponse, f"maps?at={chosen.id}.0.1&at={chosen.id}.2.1&compare=0.1&compare=1.1"
    )
    between, same = answer.comparisons
    a, b = (softmax_maps(0, causal=True, mask=MASK, sharpness=s)[1, 2] for s in (1, 3))
    expected = jensen_shannon_distance(a, b, MASK[1].astype(bool))
    assert between.layers[0].distance[2] == pytest.approx(expected, abs=1e-3)
    assert set(same.layers[0].distance) == {0.0}
    assert between.layers[0].floor > 0


def test_what_cannot_be_compared_says_why(server: Server) -> None:
    a, large = series(server, "a", "decoder"), series(server, "mistake", "large")
    answer = server.message(view_pb2.MapsResponse, f"maps?at={a.id}.0.0&at={large.id}.0.0&compare=0.1")
    assert answer.comparisons[0].error.startswith("The two are of different inputs")


def test_attributions_of_all_steps_come_at_once(server: Server) -> None:
    chosen = series(server, "a", "next")
    answer = server.message(view_pb2.AttributionsResponse, f"attributions?series={chosen.id}&example=0")
    assert [np.frombuffer(step.scores, "<f4").tolist() for step in answer.steps] == [[1, 0], [1, 1], [1, 2]]
    assert [step.tokens for step in answer.steps] == [1, 1, 1]
    assert list(answer.tokens[0].text) == ["a", "b"]


def test_anomalies_are_one_group_per_cause(server: Server) -> None:
    groups = server.message(view_pb2.AnomaliesResponse, "anomalies").groups
    (group,) = groups
    assert (group.run, group.name, group.first.rule) == ("mistake", "decoder", "attention.padding_attended")
    assert (group.first_step, group.last_step, list(group.ordinals)) == (0, 20, [0, 1, 2])


def test_a_run_without_scalars_has_no_curve(server: Server) -> None:
    answer = server.message(view_pb2.ScalarsResponse, "scalars?run=a")
    assert (list(answer.tags), list(answer.values)) == ([], [])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("maps", 400),
        ("maps?at=1", 400),
        ("maps?at=" + "0" * 16 + ".0.0&pool=median", 400),
        ("maps?" + "&".join(["at=" + "0" * 16 + ".0.0"] * 65), 400),
        ("maps?at=" + "0" * 16 + ".0.0&compare=0.1", 400),
        ("attributions?series=x", 404),
        ("attributions?series=../../etc/passwd", 404),
        ("scalars", 400),
        ("static/../../../../etc/passwd", 404),
        ("static/%2e%2e/%2e%2e/setup.py", 404),
        ("nothing", 404),
    ],
)
def test_malformed_requests_get_one_sentence(path: str, status: int, server: Server) -> None:
    found, body, headers = server.get("plugin/llmdebug/" + path)
    assert found == status
    assert len(body) < 300 and b"Traceback" not in body
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_series_is_a_sentence_in_its_place(server: Server) -> None:
    chosen = series(server, "a", "decoder")
    answer = server.message(
        view_pb2.MapsResponse, f"maps?at={'0' * 16}.0.0&at={chosen.id}.0.0&at={chosen.id}.0.99"
    )
    assert answer.maps[0].error == "There is no such series: reload the page."
    assert answer.maps[1].error == ""
    assert answer.maps[2].error == "Example 99 of 2."


def test_noise_gives_an_answer_never_a_traceback(server: Server) -> None:
    generator = random.Random(0)
    routes = ["index", "maps", "attributions", "anomalies", "scalars", "static/x", "index.js"]
    chosen = series(server, "a", "decoder").id
    for _ in range(300):
        noise = "".join(generator.choices(string.printable, k=generator.randint(0, 40)))
        value = generator.choice([noise, f"{chosen}.{noise}", f"{chosen}.0.0.{generator.getrandbits(40)}.0"])
        key = generator.choice(["at", "series", "example", "run", "tag", "pool", "compare", "x"])
        query = urllib.parse.urlencode({key: value, "at": f"{chosen}.0.0"} if key != "at" else {key: value})
        status, body, _ = server.get(f"plugin/llmdebug/{generator.choice(routes)}?{query}")
        assert status in (200, 304, 400, 404)
        assert b"Traceback" not in body and b"/site-packages" not in body
        assert len(body) < 5_000_000


def test_only_answers_without_an_error_are_kept_by_browsers(server: Server) -> None:
    chosen = series(server, "a", "decoder")
    for path, kept in [
        (f"maps?at={chosen.id}.0.0", True),
        (f"maps?at={chosen.id}.0.0&at={'0' * 16}.0.0", False),
    ]:
        _, _, headers = server.get("plugin/llmdebug/" + path)
        assert ("immutable" in headers["Cache-Control"]) is kept


def test_only_get_is_answered(server: Server) -> None:
    request = urllib.request.Request(server.address + "data/plugin/llmdebug/index", data=b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    raised.value.close()
    assert raised.value.code == 405


def test_the_page_is_served_whole(server: Server) -> None:
    status, body, headers = server.get("plugin/llmdebug/index.js", {"Accept-Encoding": "identity"})
    assert status == 200 and headers["Content-Type"].startswith("text/javascript")
    assert b"render" in body
    _, packed, headers = server.get("plugin/llmdebug/index.js", {"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip" and headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed) == body


def test_a_growing_run_is_followed(server: Server, tmp_path: Path) -> None:
    run = tmp_path / "growing"
    with llmdebug.Writer(run) as writer:
        llmdebug.log_attention("decoder", layers_of(), step=0)
        writer.flush()
        with serving("--logdir", tmp_path) as live:
            before = live.index()
            llmdebug.log_attention("decoder", layers_of(), step=1)
            writer.flush()
            after = live.until(lambda index: index.generation != before.generation)
            assert list(after.runs[0].series[0].steps) == [0, 1]
