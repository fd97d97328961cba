"""What comes back from the tiles, and what damaged tiles do."""

from __future__ import annotations

import numpy as np
import pytest
import zstandard

from tb_llmdebug.wire import record_pb2, tiles
from tb_llmdebug.wire.errors import DamagedRecordError
from tests.data import softmax_maps


def round_trip(weights: np.ndarray, codec: int) -> tuple[np.ndarray, tiles.EncodedPlane]:
    maps = tiles.encode_maps(weights, codec)
    plane = maps.weights.plane
    decoded = np.empty(weights.shape, np.float32)
    for example, (sums, frames) in enumerate(zip(maps.row_sums, maps.weights.frames, strict=True)):
        assert len(frames) == plane.frames(tiles.TILE)
        for slot in range(weights.shape[1]):
            chosen = [frames[place] for place in plane.frames_of(slot, tiles.TILE)]
            decoded[example, slot] = tiles.decode_head(plane, slot, tiles.TILE, chosen, sums)
    return decoded, maps.weights


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 7), (24, 24), (256, 256), (257, 255), (100, 700)],
    ids=lambda shape: "x".join(map(str, shape)),
)
@pytest.mark.parametrize("codec", [record_pb2.F32, record_pb2.F16, record_pb2.SQRT_U8])
def test_every_shape_comes_back(shape: tuple[int, int], codec: int) -> None:
    weights = softmax_maps(heads=2, queries=shape[0], keys=shape[1])
    decoded, encoded = round_trip(weights, codec)
    assert encoded.plane.codec == codec
    if codec == record_pb2.F32:
        assert np.array_equal(decoded, weights)
    elif codec == record_pb2.F16:
        assert np.array_equal(decoded, weights.astype(np.float16).astype(np.float32))
    else:
        assert np.abs(decoded - weights).sum(axis=-1).mean() < 0.02 * max(1.0, shape[1] / 128)


def test_u8_rows_sum_to_what_they_summed_to() -> None:
    weights = softmax_maps(queries=300) * np.linspace(0.5, 1.2, 300, dtype=np.float32)[:, None]
    decoded, _ = round_trip(weights, record_pb2.SQRT_U8)
    assert np.allclose(decoded.sum(axis=-1), weights.sum(axis=-1), atol=1e-3)


def test_u8_keeps_the_uniform_row_that_linear_bytes_lose() -> None:
    weights = np.full((1, 1, 2, 511), 1 / 511, np.float32)
    decoded, _ = round_trip(weights, record_pb2.SQRT_U8)
    assert np.allclose(decoded, weights, rtol=1e-3)


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf, -0.25])
def test_what_u8_cannot_hold_is_stored_as_f16(fault: float) -> None:
    weights = softmax_maps()
    weights[0, 1, 2, 3] = fault
    decoded, encoded = round_trip(weights, record_pb2.SQRT_U8)
    assert encoded.plane.codec == record_pb2.F16
    assert np.array_equal(decoded, weights.astype(np.float16).astype(np.float32), equal_nan=True)


def test_what_f16_cannot_hold_is_stored_as_f32() -> None:
    weights = softmax_maps()
    weights[0, 0, 0, 0], weights[0, 0, 0, 1] = 1e6, np.nan
    decoded, encoded = round_trip(weights, record_pb2.F16)
    assert encoded.plane.codec == record_pb2.F32
    assert np.array_equal(decoded, weights, equal_nan=True)


def test_weights_above_one_are_not_clipped() -> None:
    weights = softmax_maps()
    weights[0, 0, 0] = [3, 0.5, 0.25, 0, 0, 0]
    decoded, encoded = round_trip(weights, record_pb2.SQRT_U8)
    assert encoded.plane.codec == record_pb2.SQRT_U8
    assert decoded[0, 0, 0, 0] == pytest.approx(3, rel=0.02)


def test_rows_whose_sum_f16_cannot_hold_are_not_stored_as_u8() -> None:
    weights = np.full((1, 1, 2, 4), 40_000, np.float32)
    decoded, _ = round_trip(weights, record_pb2.SQRT_U8)
    assert np.array_equal(decoded, weights)


def test_zero_tiles_take_no_bytes() -> None:
    weights = np.zeros((1, 1, 512, 512), np.float32)
    weights[..., :256, :256] = 1 / 256
    _, encoded = round_trip(weights, record_pb2.F16)
    assert [len(frame) > 0 for frame in encoded.frames[0]] == [True, False, False, False]


def test_small_maps_share_a_frame_and_large_ones_do_not() -> None:
    assert tiles.encode_maps(softmax_maps(heads=4, queries=24), record_pb2.F16).weights.plane.together
    assert not tiles.encode_maps(softmax_maps(heads=4, queries=256), record_pb2.F16).weights.plane.together


def test_auto_is_f16_until_the_maps_of_a_step_are_large() -> None:
    assert tiles.codec_for("auto", (4 << 20) // 2 - 1) == record_pb2.F16
    assert tiles.codec_for("auto", (4 << 20) // 2) == record_pb2.SQRT_U8
    assert tiles.codec_for("f32", 1 << 30) == record_pb2.F32


def test_a_frame_that_declares_more_than_it_may_is_refused_before_it_is_decompressed() -> None:
    weights = softmax_maps(batch=1, heads=1)
    encoded = tiles.encode_maps(weights, record_pb2.F16)
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 24))
    with pytest.raises(DamagedRecordError, match="holds 16777216 bytes where 72 were expected"):
        tiles.decode_head(encoded.weights.plane, 0, tiles.TILE, [bomb], encoded.row_sums[0])


@pytest.mark.parametrize("damage", [b"\x00\x01\x02", b"\x28\xb5\x2f\xfd"])
def test_what_is_no_frame_is_damage(damage: bytes) -> None:
    weights = softmax_maps(batch=1, heads=1)
    encoded = tiles.encode_maps(weights, record_pb2.F16)
    with pytest.raises(DamagedRecordError):
        tiles.decode_head(encoded.weights.plane, 0, tiles.TILE, [damage], encoded.row_sums[0])


def test_a_codec_of_a_later_version_says_what_to_do() -> None:
    plane = tiles.Plane(1, 1, 1, codec=9, peak=0, together=True)
    with pytest.raises(DamagedRecordError, match="update tb-llmdebug"):
        tiles.decode_head(plane, 0, tiles.TILE, [b""])


@pytest.mark.parametrize("codec", [record_pb2.F16, record_pb2.SQRT_U8])
def test_a_pooled_plane_is_not_renormalised(codec: int) -> None:
    values = np.random.default_rng(0).uniform(0, 0.01, (1, 2, 300, 40)).astype(np.float32)
    encoded = tiles.encode_plane(values, codec)
    assert encoded.plane.codec == codec
    for slot in range(2):
        frames = [encoded.frames[0][place] for place in encoded.plane.frames_of(slot, tiles.TILE)]
        decoded = tiles.decode_head(encoded.plane, slot, tiles.TILE, frames)
        assert np.abs(decoded - values[0, slot]).max() <= 0.01 / 200


def test_what_u8_cannot_hold_is_stored_with_a_codec_that_can() -> None:
    values = np.array([[[[0.5, np.nan], [np.inf, -1e6]]]], np.float32)
    encoded = tiles.encode_plane(values, record_pb2.SQRT_U8)
    assert encoded.plane.codec == record_pb2.F32
    frames = list(encoded.frames[0])
    assert np.array_equal(
        tiles.decode_head(encoded.plane, 0, tiles.TILE, frames), values[0, 0], equal_nan=True
    )
