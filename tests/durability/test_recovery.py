"""What cannot be read now may be readable later, and what a later version wrote is passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.wire import record_pb2, tfrecord
from tb_llmdebug.wire.event import EncodedRecord, event_bytes
from tb_llmdebug.wire.seal import sealed
from tests.data import layers_of, softmax_maps, write_run


def test_a_file_that_could_not_be_read_is_read_once_it_can(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(2))
    (file,) = tmp_path.rglob("records.*")
    hidden = tmp_path / "hidden"
    file.rename(hidden)
    file.symlink_to(file)  # whoever follows it goes in a circle, root too
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.runs in ([], ["."]) and len(logdir.problems) == 1
    file.unlink()
    hidden.rename(file)
    logdir.refresh()
    assert logdir.problems == []
    assert logdir.steps(".", "decoder") == [0, 1]


def test_a_kind_of_a_later_version_is_passed_over(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(2))
    (file,) = tmp_path.rglob("records.*")
    head = record_pb2.RecordHead(version=1, examples=1)
    head.kind = 99  # type: ignore[assignment]
    content = sealed(head.SerializeToString(), "decoder", 7)
    for size in (10, 100_000):
        event = event_bytes(EncodedRecord("decoder", 7, 1.0, content, (bytes(size),)))
        file.write_bytes(tfrecord.frame(event) + file.read_bytes())
    logdir = llmdebug.open_logdir(tmp_path)
    assert len(logdir.index.runs()[0].all_series()) == 1
    assert logdir.steps(".", "decoder") == [0, 1]


def test_chosen_heads_keep_their_place_in_a_shared_frame(tmp_path: Path) -> None:
    maps = (softmax_maps(3, heads=4),)
    with llmdebug.Writer(tmp_path):
        llmdebug.log_attention("decoder", maps, heads=[2, 0], step=0)
    logdir = llmdebug.open_logdir(tmp_path)
    (series,) = logdir.index.runs()[0].all_series()
    asked = [("at", f"{series.id}.0.1.0.{head}") for head in (2, 0)]
    answers = MapsAnswer(logdir).answer(MultiDict(asked)).maps
    stored = logdir.attention(".", "decoder", 0)
    for head, answer in zip((2, 0), answers, strict=True):
        assert answer.error == ""
        assert answer.head.frame_slot == list(stored.message.layers[0].heads).index(head)
        expected = maps[0][1, head].astype(np.float16).astype(np.float32)
        assert np.array_equal(stored.weights(0, head, 1), expected)


def test_an_anomaly_of_one_example_is_not_shown_with_another(tmp_path: Path) -> None:
    broken = layers_of(1, causal=True)
    broken[0][1, 0, 3, 2] = np.nan
    with llmdebug.Writer(tmp_path):
        llmdebug.log_attention("decoder", broken, causal=True, step=0)
    logdir = llmdebug.open_logdir(tmp_path)
    (series,) = [s for s in logdir.index.runs()[0].all_series() if s.kind == record_pb2.ATTENTION]
    asked = [("at", f"{series.id}.0.{example}") for example in (0, 1)]
    healthy, sick = MapsAnswer(logdir).answer(MultiDict(asked)).maps
    assert [anomaly.example for anomaly in sick.anomalies if anomaly.HasField("example")]
    assert not [anomaly for anomaly in healthy.anomalies if anomaly.HasField("example")]
