"""Records to messages and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import google_crc32c
import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError, Message

from tb_llmdebug.records import (
    Anomaly,
    AnomalyRecord,
    AttentionRecord,
    Attribution,
    AttributionRecord,
    Check,
    CheckState,
    LayerAttention,
    MapState,
    Severity,
    Tokens,
)
from tb_llmdebug.wire import names, record_pb2, tiles, vectors
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import EncodedRecord
from tb_llmdebug.wire.seal import sealed

M = TypeVar("M", bound=Message)

VERSION = 1
"""of the format; a reader refuses what is newer"""
MAX_ANOMALIES = 32
"""in a RecordHead, the worst first, so that an index stays small"""

MAX_SENTENCE = 2000
"""characters of each text of an anomaly"""

_PLACES = ("observed", "threshold", "example", "layer", "head", "query", "key")


def encode(record: AttentionRecord | AttributionRecord | AnomalyRecord, worker: int = 0) -> EncodedRecord:
    """Encode one record of one worker; the tokens it refers to are records of their own (`encode_tokens`)."""
    if isinstance(record, AttentionRecord):
        return _encode_attention(record, worker)
    if isinstance(record, AttributionRecord):
        return _encode_attribution(record, worker)
    head = _head(record_pb2.ANOMALY, anomalies=[record.anomaly], worker=worker)
    return _sealed(clean(record.name), record.step, record.wall_time, head, (b"",))


def encode_tokens(tokens: Tokens, step: int, wall_time: float) -> EncodedRecord:
    """Encode tokens as the record that others refer to by hash."""
    tag = names.tokens_tag(tokens.digest())
    blob = tokens_message(tokens).SerializeToString()
    return _sealed(tag, step, wall_time, _head(record_pb2.TOKENS), (blob,))


def tokens_message(tokens: Tokens) -> record_pb2.Tokens:
    """Return the message that holds `tokens`."""
    return record_pb2.Tokens(
        text=[clean(text) for text in tokens.text],
        ids=[token & 0xFFFFFFFF for token in tokens.ids],
        special=bytes(tokens.special),
        part=bytes(tokens.part),
        parts=bytes(tokens.parts),
        offsets=[edge for span in tokens.offsets for edge in span],
    )


def decode_tokens(message: record_pb2.Tokens) -> Tokens:
    """Return the tokens that a stored message holds."""
    edges = list(message.offsets)
    return Tokens(
        text=tuple(message.text),
        ids=tuple(message.ids),
        special=tuple(bool(flag) for flag in message.special),
        part=tuple(message.part),
        parts=tuple(message.parts),
        offsets=tuple(zip(edges[::2], edges[1::2], strict=True)),
    )


def parse_head(content: bytes) -> record_pb2.RecordHead:
    """Parse the plugin data of a record.

    Raises:
        DamagedRecordError: it is none, or of a newer version of the format.
    """
    head = parse(record_pb2.RecordHead, content)
    if head.version > VERSION:
        raise DamagedRecordError(
            f"a record has format version {head.version}, this library reads up to {VERSION}: "
            "update tb-llmdebug."
        )
    return head


def parse(kind: type[M], data: bytes) -> M:
    """Parse `data` as a message of class `kind`.

    Raises:
        DamagedRecordError: it is none.
    """
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise DamagedRecordError("a record does not parse.") from error


def anomaly_from(message: record_pb2.Anomaly) -> Anomaly:
    """Return the anomaly that a message holds."""
    places = {place: getattr(message, place) for place in _PLACES if message.HasField(place)}
    return Anomaly(
        rule=message.rule,
        severity=Severity(min(max(message.severity, Severity.NONE), Severity.ERROR)),
        message=message.message,
        why=message.why,
        advice=message.advice,
        heads_affected=message.heads_affected,
        heads_checked=message.heads_checked,
        **places,
    )


def check_from(message: record_pb2.Check) -> Check:
    """Return the check that a message holds."""
    return Check(
        message.rule,
        CheckState(min(max(message.state, CheckState.NOT_CHECKED), CheckState.FAILED)),
        message.reason,
    )


def clean(text: str) -> str:
    """Return `text` as valid UTF-8 can hold it: a lone surrogate becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _encode_attention(record: AttentionRecord, worker: int) -> EncodedRecord:
    codec = tiles.codec_for(record.precision, sum(map(_stored_weights, record.layers)))
    message = record_pb2.Attention(
        statistics=record.statistic_names,
        tile=tiles.TILE,
        batch=record.batch,
        reduction=clean(record.reduction),
        continues=record.continues,
        vectors_left_out=clean(record.vectors_left_out),
    )
    for other in record.without_map:
        message.without_map.add(
            layer=other.layer, label=clean(other.label), mixer=clean(other.mixer), linear=other.linear
        )
    if record.causal is not None:
        message.causal = record.causal
    encoded = [_add_layer(message, layer, codec) for layer in record.layers]
    frames = [
        frame
        for place in range(len(record.examples))
        for frames_by_example in encoded
        for frame in frames_by_example[place]
    ]
    message.frame_bytes.extend(len(frame) for frame in frames)
    vector_frames = vectors.encode(message, record)
    message.vector_bytes.extend(map(len, vector_frames))
    for example in record.examples:
        message.examples.add(
            query_tokens=_reference(example.query_tokens),
            key_tokens=_reference(example.key_tokens),
            query_mask=_mask(example.query_mask),
            key_mask=_mask(example.key_mask),
            label=clean(example.label),
            index=example.index,
        )
    for check in record.checks:
        message.checks.add(rule=check.rule, state=check.state, reason=clean(check.reason))
    head = _head(
        record_pb2.ATTENTION,
        map_state=record.map_state,
        examples=len(record.examples),
        anomalies=record.anomalies,
        worker=worker,
    )
    blobs: tuple[bytes, ...] = (message.SerializeToString(), b"".join(frames))
    if vector_frames:
        blobs = (*blobs, b"".join(vector_frames))
    return _sealed(clean(record.name), record.step, record.wall_time, head, blobs)


def _stored_weights(layer: LayerAttention) -> int:
    pooled = sum(level.max.size + level.mean.size for level in layer.pooled)
    return pooled + (0 if layer.weights is None else layer.weights.size)


def _add_layer(message: record_pb2.Attention, layer: LayerAttention, codec: int) -> list[list[bytes]]:
    """Add `layer` to `message`; returns its frames by example, in the order of the file."""
    entry = message.layers.add(
        layer=layer.layer,
        label=clean(layer.label),
        heads=layer.heads,
        queries=layer.queries,
        keys=layer.keys,
        key_value_heads=layer.key_value_heads,
        rows=layer.rows or (),
        statistics=layer.statistics.astype("<f4").tobytes(),
        window=layer.window,
        of_heads=layer.of_heads,
    )
    if layer.value_norms is not None:
        entry.value_norms = layer.value_norms.astype("<f4").tobytes()
    frames: list[list[bytes]] = [[] for _ in layer.statistics]
    if layer.weights is not None:
        maps = tiles.encode_maps(layer.weights, codec)
        plane = maps.weights.plane
        entry.codec = record_pb2.Codec.Name(plane.codec)  # type: ignore[assignment]
        entry.peak, entry.heads_together = plane.peak, plane.together
        for found, sums, tiles_of_example in zip(frames, maps.row_sums, maps.weights.frames, strict=True):
            found += [sums, *tiles_of_example]
    for level in layer.pooled:
        largest, mean = tiles.encode_plane(level.max, codec), tiles.encode_plane(level.mean, codec)
        entry.pooled.add(
            rows=level.factors[0],
            keys=level.factors[1],
            heads_together=largest.plane.together,
            max_codec=record_pb2.Codec.Name(largest.plane.codec),
            max_peak=largest.plane.peak,
            mean_codec=record_pb2.Codec.Name(mean.plane.codec),
            mean_peak=mean.plane.peak,
        )
        for found, *both in zip(frames, largest.frames, mean.frames, strict=True):
            found += [frame for half in both for frame in half]
    return frames


def _encode_attribution(record: AttributionRecord, worker: int) -> EncodedRecord:
    message = record_pb2.Attribution(
        method=clean(record.method),
        rule=clean(record.rule),
        steps=record.steps,
        baseline=clean(record.baseline),
    )
    for item in record.items:
        message.items.add(
            tokens=_reference(item.tokens),
            scores=item.scores.astype("<f4").tobytes(),
            target=clean(item.target),
            output=item.output,
            baseline_output=item.baseline_output,
            delta=item.delta,
            index=item.index,
        )
    head = _head(record_pb2.ATTRIBUTION, examples=len(record.items), worker=worker)
    blobs = (message.SerializeToString(),)
    return _sealed(clean(record.name), record.step, record.wall_time, head, blobs)


def attribution_from(
    message: record_pb2.Attribution,
    name: str,
    step: int,
    wall_time: float,
    tokens: dict[bytes, Tokens],
) -> AttributionRecord:
    """Return the record that a message holds, its tokens looked up by hash."""

    def item(entry: record_pb2.Attribution.Item) -> Attribution:
        scores = np.frombuffer(entry.scores, "<f4")
        known = tokens.get(entry.tokens)
        return Attribution(
            index=entry.index,
            scores=scores,
            tokens=known if known is not None and len(known) == len(scores) else None,
            target=entry.target,
            output=entry.output if entry.HasField("output") else None,
            baseline_output=entry.baseline_output if entry.HasField("baseline_output") else None,
            delta=entry.delta if entry.HasField("delta") else None,
        )

    items = tuple(item(entry) for entry in message.items)
    return AttributionRecord(
        name, step, wall_time, message.method, items, message.rule, message.steps, message.baseline
    )


def _head(
    kind: int,
    map_state: MapState = MapState.NO_MAP,
    examples: int = 0,
    anomalies: Iterable[Anomaly] = (),
    worker: int = 0,
) -> record_pb2.RecordHead:
    head = record_pb2.RecordHead(
        version=VERSION,
        kind=record_pb2.Kind.Name(kind),
        map_state=map_state.name,
        examples=examples,
        worker=worker,
    )
    worst_first = sorted(anomalies, key=lambda anomaly: -anomaly.severity)
    head.anomalies.extend(_anomaly(anomaly) for anomaly in worst_first[:MAX_ANOMALIES])
    return head


def _sealed(
    tag: str, step: int, wall_time: float, head: record_pb2.RecordHead, blobs: tuple[bytes, ...]
) -> EncodedRecord:
    head.wall_time = wall_time
    if len(blobs) > 1:
        head.first_blob = google_crc32c.value(blobs[0])
    data = head.SerializeToString()
    return EncodedRecord(tag, step, wall_time, sealed(data, tag, step), (*blobs, data))


def _anomaly(anomaly: Anomaly) -> record_pb2.Anomaly:
    message = record_pb2.Anomaly(
        rule=clean(anomaly.rule),
        severity=anomaly.severity.name,
        message=_short(anomaly.message),
        why=_short(anomaly.why),
        advice=_short(anomaly.advice),
        heads_affected=anomaly.heads_affected,
        heads_checked=anomaly.heads_checked,
    )
    for place in _PLACES:
        value = getattr(anomaly, place)
        if value is not None:
            setattr(message, place, value)
    return message


def _short(text: str) -> str:
    """Return `text` cut to what an index can hold for every record."""
    return clean(text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…")


def _reference(tokens: Tokens | None) -> bytes:
    return b"" if tokens is None else tokens.digest()


def _mask(mask: npt.NDArray[np.bool_] | None) -> bytes:
    return b"" if mask is None else mask.astype(np.uint8).tobytes()
