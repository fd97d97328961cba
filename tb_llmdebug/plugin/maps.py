"""The one route for maps: overviews of all heads, stored tiles of one head, comparisons."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple, get_args

from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.compare import comparison
from tb_llmdebug.plugin.http import BadRequestError, sentence
from tb_llmdebug.plugin.thumbnails import Thumbnails, edge_for, thumbnails
from tb_llmdebug.reading.attention import Pool, StoredAttention
from tb_llmdebug.reading.cache import ByteCache
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.wire import messages, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.tiles import weights_plane

MAX_MAPS = 64
MAX_COMPARISONS = 64
MAX_OVERVIEW_WEIGHTS = 1 << 28
"""that all heads of an overview may have together: seconds of work"""
CACHE_BYTES = 32 << 20
_AT = re.compile(
    r"(?P<series>[0-9a-f]{16})\.(?P<ordinal>\d{1,9})\.(?P<example>\d{1,6})"
    r"(?:\.(?P<layer>\d{1,9})\.(?P<head>\d{1,9}))?",
    re.ASCII,
)
_PAIR = re.compile(r"(\d{1,3})\.(\d{1,3})", re.ASCII)


class At(NamedTuple):
    """One `at` of a request."""

    text: str
    series: str
    ordinal: int
    example: int
    head: tuple[int, int] | None
    """layer and head, or None for an overview"""


class MapsAnswer:
    """Answers requests for maps; keeps what it made."""

    def __init__(self, logdir: Logdir) -> None:
        self._logdir = logdir
        self._made: ByteCache[tuple[str, str], view_pb2.Map] = ByteCache(
            CACHE_BYTES, lambda made: made.ByteSize()
        )

    def answer(self, args: MultiDict[str, str]) -> view_pb2.MapsResponse:
        """Return one map per `at` and one comparison per `compare`.

        What cannot be shown is answered with a sentence in its place, so that the rest still is.

        Raises:
            BadRequestError: the request is malformed.
        """
        places = _parse_places(args.getlist("at"))
        pool = _parse_pool(args.get("pool", "max"))
        response = view_pb2.MapsResponse()
        response.maps.extend(self._map(at, pool) for at in places)
        for first, second in _parse_pairs(args.getlist("compare"), len(places)):
            response.comparisons.append(self._comparison(places, first, second))
        return response

    def _map(self, at: At, pool: Pool) -> view_pb2.Map:
        try:
            return self._made.get((at.text, pool), partial(self._make, at, pool))
        except (DamagedRecordError, KeyError, ValueError) as error:
            return view_pb2.Map(at=at.text, error=sentence(error))

    def _make(self, at: At, pool: Pool) -> view_pb2.Map:
        answer = view_pb2.Map(at=at.text)
        _fill(answer, self._open(at), at, pool)
        return answer

    def _comparison(self, places: list[At], first: int, second: int) -> view_pb2.Comparison:
        try:
            a, b = self._open(places[first]), self._open(places[second])
            result = comparison(a, b, places[first].example, places[second].example)
        except (DamagedRecordError, KeyError, ValueError) as error:
            result = view_pb2.Comparison(error=sentence(error))
        result.a, result.b = first, second
        return result

    def _open(self, at: At) -> StoredAttention:
        series = self._logdir.index.series(at.series)
        if series is None or series.kind != record_pb2.ATTENTION:
            raise KeyError("There is no such series: reload the page.")
        if at.ordinal >= len(series.entries):
            raise KeyError("There is no such record: reload the page.")
        return self._logdir.stored_attention(series, series.entries[at.ordinal])


def _fill(answer: view_pb2.Map, stored: StoredAttention, at: At, pool: Pool) -> None:
    message = stored.message
    example = stored.example(at.example)
    answer.step = stored.step
    answer.map_state = stored.head.map_state
    answer.statistics.extend(message.statistics)
    answer.reduction = message.reduction
    answer.batch = message.batch
    answer.checks.extend(message.checks)
    if message.HasField("causal"):
        answer.causal = message.causal
    answer.anomalies.extend(
        anomaly
        for anomaly in stored.head.anomalies
        if not anomaly.HasField("example") or anomaly.example == at.example
    )
    if example.query_tokens is not None:
        answer.query_tokens.CopyFrom(messages.tokens_message(example.query_tokens))
    if example.key_tokens is not None:
        answer.key_tokens.CopyFrom(messages.tokens_message(example.key_tokens))
    answer.query_mask = message.examples[at.example].query_mask
    answer.key_mask = message.examples[at.example].key_mask
    if at.head is None:
        _fill_layers(answer, stored, at.example, pool)
    else:
        _fill_head(answer.head, stored, *at.head, at.example, pool)


def _fill_layers(answer: view_pb2.Map, stored: StoredAttention, example: int, pool: Pool) -> None:
    layers = stored.message.layers
    unpooled = sum(len(layer.heads) * layer.queries * layer.keys for layer in layers if not layer.pooled)
    if stored.has_map and unpooled > MAX_OVERVIEW_WEIGHTS:
        raise DamagedRecordError("the maps of this step are too large to be drawn all at once.")
    edge = edge_for(sum(len(layer.heads) for layer in layers))
    for layer in layers:
        entry = answer.layers.add(
            layer=layer.layer,
            label=layer.label,
            heads=layer.heads,
            queries=layer.queries,
            keys=layer.keys,
            key_value_heads=layer.key_value_heads,
            statistics=stored.statistics(layer.layer, example).tobytes(),
            rows=layer.rows,
            has_values=bool(layer.value_norms),
        )
        if stored.has_map and layer.heads:
            entry.kept_rows, entry.kept_keys = _kept(stored, layer)
            made, blocks = _thumbnails(stored, layer, example, edge, pool)
            entry.thumb_rows, entry.thumb_cols = made.rows, made.columns
            entry.pooled_rows, entry.pooled = blocks
            entry.thumbs, entry.thumb_peak = made.data, made.peak
            entry.not_finite = made.not_finite


def _kept(stored: StoredAttention, layer: record_pb2.Layer) -> tuple[int, int]:
    """Return how many query rows and keys stand in one cell of what is kept; 0 = nothing was kept."""
    if stored.has_weights(layer.layer):
        return 1, 1
    return next(iter(stored.pooled_factors(layer.layer)), (0, 0))


def _thumbnails(
    stored: StoredAttention, layer: record_pb2.Layer, example: int, edge: int, pool: Pool
) -> tuple[Thumbnails, tuple[int, int]]:
    """Return pictures of all heads, from the coarsest stored level that is fine enough, and their blocks.

    Blocks at the end of a map may be smaller than the others; a mean over stored means counts them alike.
    """
    rows, number = len(layer.rows) or layer.queries, layer.layer
    factors = stored.pooled_factors(number)
    fine = [level for level, factor in enumerate(factors) if -(-layer.keys // factor[1]) >= edge]
    if factors and (fine or not stored.has_weights(number)):
        level = fine[-1] if fine else 0
        row, key = factors[level]
        shape = -(-rows // row), -(-layer.keys // key)
        heads = [[(0, stored.pooled(number, head, example, pool, level))] for head in layer.heads]
        made = thumbnails(heads, shape, edge, pool)
        return made, (made.blocks[0] * row, made.blocks[1] * key)
    # With a correct mask the rows of padding look anywhere; they would be most of the picture.
    real = stored.real_rows(number, example)
    made = thumbnails(stored.all_strips(number, example), (rows, layer.keys), edge, pool, real)
    return made, made.blocks


def _fill_head(
    answer: view_pb2.HeadTiles,
    stored: StoredAttention,
    layer: int,
    head: int,
    example: int,
    pool: Pool,
) -> None:
    entry = stored.message.layers[stored.layer_slot(layer)]
    answer.layer, answer.head = layer, head
    answer.queries, answer.keys, answer.tile = entry.queries, entry.keys, stored.message.tile
    answer.rows.extend(entry.rows)
    if entry.pooled and not stored.has_weights(layer):
        plane, frames = stored.pooled_frames(layer, head, example, pool, level=0)
        answer.pooled_rows, answer.pooled_keys = stored.pooled_factors(layer)[0]
    else:
        _, frames = stored.head_frames(layer, head, example)
        plane = weights_plane(entry)
        answer.row_sums = stored.row_sums(layer, head, example).tobytes()
        answer.pooled_rows = answer.pooled_keys = 1
    answer.codec, answer.peak = record_pb2.Codec.Name(plane.codec), plane.peak  # type: ignore[assignment]
    slot = list(entry.heads).index(head)
    answer.frame_heads, answer.frame_slot = (plane.heads, slot) if plane.together else (1, 0)
    answer.tiles.extend(frames)
    norms = stored.value_norms(layer, example)
    if norms is not None:
        answer.value_norms = norms[slot].tobytes()


def _parse_places(texts: list[str]) -> list[At]:
    if not 1 <= len(texts) <= MAX_MAPS:
        raise BadRequestError(f"Ask for 1 to {MAX_MAPS} maps at once with at=.")
    places = []
    for text in texts:
        match = _AT.fullmatch(text)
        if match is None:
            raise BadRequestError("at must read series.ordinal.example or series.ordinal.example.layer.head.")
        head = None if match["layer"] is None else (int(match["layer"]), int(match["head"]))
        places.append(At(text, match["series"], int(match["ordinal"]), int(match["example"]), head))
    return places


def _parse_pairs(texts: list[str], maps: int) -> list[tuple[int, int]]:
    matches = [_PAIR.fullmatch(text) for text in texts[: MAX_COMPARISONS + 1]]
    pairs = [(int(match[1]), int(match[2])) for match in matches if match]
    if len(pairs) != len(texts) or any(max(pair) >= maps for pair in pairs):
        raise BadRequestError("compare must read i.j, places of two maps of the same request.")
    return pairs


def _parse_pool(text: str) -> Pool:
    for pool in get_args(Pool):
        if text == pool:
            return pool  # type: ignore[no-any-return]  # get_args knows no types
    raise BadRequestError("pool must be max or mean.")
