"""Records whose headers claim what is not so."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

import tb_llmdebug as llmdebug
from tb_llmdebug.wire import record_pb2, tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import EncodedRecord, event_bytes


def declare(root: Path, message: record_pb2.Attention, body: bytes = b"", *more: bytes) -> None:
    """Write a record whose header is whatever a hostile writer wants."""
    folder = root / "plugins" / "llmdebug"
    folder.mkdir(parents=True, exist_ok=True)
    head = record_pb2.RecordHead(version=1, kind="ATTENTION", map_state="FULL", examples=1)
    blobs = (message.SerializeToString(), body, *more)
    event = event_bytes(EncodedRecord("decoder", 0, 1.0, head.SerializeToString(), blobs))
    (folder / "records.1.a.1").write_bytes(tfrecord.frame(event))


HUGE = record_pb2.Layer(heads=[0], queries=1 << 31, keys=1 << 31, codec="F16")
LIARS = {
    "shape overflow": record_pb2.Attention(
        layers=[HUGE], examples=[record_pb2.Example()], tile=256, frame_bytes=[1, 1]
    ),
    "no tile edge": record_pb2.Attention(
        layers=[record_pb2.Layer(heads=[0], queries=4, keys=4)],
        examples=[record_pb2.Example()],
        frame_bytes=[1, 1],
    ),
    "frames beyond the body": record_pb2.Attention(
        layers=[record_pb2.Layer(heads=[0], queries=4, keys=4, heads_together=True)],
        examples=[record_pb2.Example()],
        tile=256,
        frame_bytes=[1 << 30, 1 << 30],
    ),
    "too few frames": record_pb2.Attention(
        layers=[record_pb2.Layer(heads=[0, 1], queries=4, keys=4)],
        examples=[record_pb2.Example()],
        tile=256,
        frame_bytes=[1],
    ),
}


@pytest.mark.parametrize("name", LIARS)
def test_a_header_that_lies_is_refused(tmp_path: Path, name: str) -> None:
    declare(tmp_path, LIARS[name], b"xx")
    logdir = llmdebug.open_logdir(tmp_path)
    with pytest.raises(DamagedRecordError):
        logdir.attention(".", "decoder", 0).record()


def with_vectors(**settings: object) -> record_pb2.Attention:
    """Return a record that declares vectors of 1 head x 4 x 4, and whatever else."""
    fits = {"size": 2, "value_size": 2, "key_value_heads": 1, "groups": [0], "codec": "F32", "scale": 1.0}
    sizes = {name: settings.pop(name) for name in ("queries", "keys", "vector_bytes") if name in settings}
    layer = record_pb2.Layer(
        heads=[0],
        queries=sizes.get("queries", 4),
        keys=sizes.get("keys", 4),
        vectors=record_pb2.Vectors(**{**fits, **settings}),
    )
    planes = bool(settings.get("masked_planes")) + bool(settings.get("bias_planes"))
    frames = sizes.get("vector_bytes", [0] * (3 + planes))
    return record_pb2.Attention(layers=[layer], examples=[record_pb2.Example()], vector_bytes=frames)


TOO_LARGE, MISFIT = "larger than any that can be shown", "do not fit its heads"
# Frames of no bytes are zeros, of whatever size is declared: only the look at the shape is in between.
VECTOR_LIARS = {
    "huge vectors": ({"size": 1 << 31}, TOO_LARGE),
    "huge values": ({"value_size": 1 << 31}, TOO_LARGE),
    "huge queries": ({"queries": 1 << 31}, TOO_LARGE),
    "huge planes": (
        {"queries": 1 << 16, "keys": 1 << 16, "masked_planes": 1, "size": 1, "value_size": 1},
        TOO_LARGE,
    ),
    "many keys and values": ({"key_value_heads": 1 << 31}, MISFIT),
    "groups beyond them": ({"groups": [1]}, MISFIT),
    "groups of other heads": ({"groups": [0, 0]}, MISFIT),
    "planes of other heads": ({"masked_planes": 7}, MISFIT),
    "bias of other heads": ({"bias_planes": 3}, MISFIT),
    "sinks of other heads": ({"sinks": bytes(12)}, MISFIT),
    "no scale": ({"scale": float("nan")}, MISFIT),
    "no soft cap": ({"softcap": float("inf")}, MISFIT),
    "unknown codec": ({"codec": "SQRT_U8"}, "codec 3"),
    "fewer frames": ({"vector_bytes": [0, 0]}, "another number of vectors"),
    "more bytes than there are": ({"vector_bytes": [1 << 30, 1, 0]}, "another size"),
    "frames that are none": ({"vector_bytes": [1, 1, 0]}, "does not decompress"),
}


@pytest.mark.parametrize("name", VECTOR_LIARS)
def test_vectors_that_lie_are_refused_and_take_nothing_else_along(tmp_path: Path, name: str) -> None:
    settings, said = VECTOR_LIARS[name]
    declared = with_vectors(**settings)
    body = b"xx" if sum(declared.vector_bytes) else b""
    declare(tmp_path, declared, b"", body, b"head")
    stored = llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0)
    assert stored.has_vectors(0) and not stored.has_weights(0)
    with pytest.raises(DamagedRecordError, match=said):
        stored.vectors(0, 0)


def test_a_bomb_of_vectors_is_not_unpacked(tmp_path: Path) -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    declare(tmp_path, with_vectors(vector_bytes=[len(bomb), 0, 0]), b"", bomb, b"head")
    with pytest.raises(DamagedRecordError, match="268435456 bytes where 32 were expected"):
        llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0).vectors(0, 0)


def test_statistics_of_another_size_are_refused(tmp_path: Path) -> None:
    layer = record_pb2.Layer(heads=[0], queries=4, keys=4, statistics=b"\0" * 7)
    declare(tmp_path, record_pb2.Attention(layers=[layer], examples=[record_pb2.Example()], statistics=["a"]))
    with pytest.raises(DamagedRecordError, match="statistics"):
        llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0).statistics(0)
