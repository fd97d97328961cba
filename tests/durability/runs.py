"""A run in which every kind of record stands, small and large, and everything that can be read of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import answers, vectors
from tb_llmdebug.plugin.http import NotFoundError
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.reading.scan import FileScan
from tb_llmdebug.wire import record_pb2, tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tests.data import layers_of
from tests.tapped import log_tapped, tapped_layer

LAYOUTS = ("own", "inline", "tensorflow")
MASK = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])
WORDS = [["a", "b", "c", "d", "e", "f"], ["<pad>", "<pad>", "x", "中", "z", "w"]]
LONG_WORDS = [[f"token {place} of a long input " * 8 for place in range(160)]]


def write_layout(root: Path, layout: str) -> Path:
    """Write the run as a Writer does, inline, or as TensorFlow's writer does; returns its one file."""
    with llmdebug.Writer(root, inline=layout != "own"):
        for step in (3, 1 << 40):
            maps = layers_of(mask=MASK)
            llmdebug.log_attention("small", maps, tokens=WORDS, mask=MASK, causal=True, step=step)
            large = layers_of(2, batch=1, queries=160)
            llmdebug.log_attention("large", large, tokens=LONG_WORDS, step=step)
            bias = np.arange(6.0) / 8
            taught = tapped_layer(bias=bias, softcap=3.0, sinks=np.ones(4, np.float32))
            log_tapped("vectors", [taught, tapped_layer(1, dtype=np.float16)], step)
            scores = [[0.5, -step, 2.0, 0.0, 1.0, 3.0]]
            llmdebug.log_attribution(
                "next", scores, tokens=WORDS[:1], target=["t"], method="m", output=[2.5], step=step
            )
            llmdebug.log_anomaly("loss", "It jumped.", why="w", advice="a", rule="r", step=step)
    (file,) = [path for path in root.rglob("*") if path.is_file()]
    if layout == "tensorflow":
        # Its writer puts the fields of an event in the order of their numbers, metadata after the payload.
        file.write_bytes(
            b"".join(tfrecord.frame(Event.FromString(event).SerializeToString()) for event in events_of(file))
        )
    return file


def events_of(file: Path) -> Iterator[bytes]:
    """Yield the payload of each record of `file`, another plugin's too."""
    data = file.read_bytes()
    place = 0
    while place < len(data):
        length = tfrecord.payload_length(data[place : place + tfrecord.HEADER_BYTES])
        assert length is not None
        place += tfrecord.HEADER_BYTES
        yield data[place : place + length]
        place += length + tfrecord.FOOTER_BYTES


def starts_of(file: Path) -> list[tuple[int, int]]:
    """Return (start of the header, end of the footer) of each record of this plugin in `file`."""
    return [
        (found.offset - tfrecord.HEADER_BYTES, found.offset + found.length + tfrecord.FOOTER_BYTES)
        for found in FileScan(str(file)).advance()
    ]


@dataclass
class Readable:
    """All that can be read of a log directory."""

    values: dict[tuple[object, ...], object] = field(default_factory=dict)
    """by kind, name and step, and what of it"""
    refused: set[tuple[object, ...]] = field(default_factory=set)
    """what said that it is damaged when it was asked for"""
    problems: list[str] = field(default_factory=list)


def read_everything(root: Path) -> Readable:
    """Read all records in full, as a notebook and as the page does; nothing may raise but damage."""
    logdir = llmdebug.open_logdir(root)
    found = Readable(problems=logdir.problems)
    page = answers.index(logdir.index, scanning=False)
    assert [problem.message for problem in page.problems] == [p.message for p in logdir.index.problems()]
    for series in page.runs[0].series if page.runs else ():
        for ordinal, step in enumerate(series.steps):
            key = (series.kind, series.name, step)
            shown = series.wall_times[ordinal], series.map_states[ordinal], series.severities[ordinal]
            found.values[(*key, "shown")] = shown
            try:
                found.values[(*key, "record")] = _record(logdir, series.id, ordinal)
            except DamagedRecordError:
                found.refused.add((*key, "record"))
            if series.kind == record_pb2.ATTENTION:
                _pictures(logdir, f"{series.id}.{ordinal}.0", key, found)
    for group in answers.anomalies(logdir.index).groups:
        for step in group.steps:
            found.values[group.name, step, "anomaly"] = group.first.SerializeToString()
    return found


def _record(logdir: Logdir, series_id: str, ordinal: int) -> object:
    series = logdir.index.series(series_id)
    assert series is not None
    entry = series.entries[ordinal]
    if series.kind == record_pb2.ATTENTION:
        return comparable(logdir.stored_attention(series, entry).record())
    if series.kind == record_pb2.ATTRIBUTION:
        return comparable(logdir.stored_attribution(series, entry))
    return None


def _pictures(logdir: Logdir, at: str, key: tuple[object, ...], found: Readable) -> None:
    """Ask for what the page shows of a record: all heads, and one head's stored tiles."""
    from werkzeug.datastructures import MultiDict

    maps = MapsAnswer(logdir).answer(MultiDict([("at", at), ("at", f"{at}.1.2")]))
    try:
        row = vectors.answer(logdir, MultiDict([("at", f"{at}.1.2.3")]))
        if row.error:
            found.refused.add((*key, "vectors"))
        else:
            found.values[(*key, "vectors")] = row.SerializeToString(deterministic=True)
    except NotFoundError:
        pass  # the record itself has it not, damaged or whole
    for what, answer in zip(("overview", "head"), maps.maps, strict=True):
        if answer.error:
            found.refused.add((*key, what))
        else:
            answer.at = ""  # holds a random id
            found.values[(*key, what)] = answer.SerializeToString(deterministic=True)


def comparable(value: object) -> object:
    """Return `value` such that == compares it whole: arrays by their bytes, NaN equal to itself."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if is_dataclass(value):
        return type(value).__name__, *(comparable(getattr(value, each.name)) for each in fields(value))
    if isinstance(value, list | tuple):
        return tuple(comparable(each) for each in value)
    return repr(value)
