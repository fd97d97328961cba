"""The one route for maps: overviews of all heads, stored tiles of one head, comparisons."""

from __future__ import annotations

import re
from functools import partial
from typing import Literal, NamedTuple, get_args

from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.compare import comparison
from tb_llmdebug.plugin.http import BadRequestError, sentence
from tb_llmdebug.plugin.opened import may_be_mended, opened
from tb_llmdebug.plugin.thumbnails import Thumbnails, edge_for, thumbnails
from tb_llmdebug.reading.attention import Pool, StoredAttention
from tb_llmdebug.reading.cache import ByteCache
from tb_llmdebug.reading.grown import GrownAttention
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.reading.strips import stored_heads
from tb_llmdebug.stats.sinks import Keys, first_is_sink, sink_keys
from tb_llmdebug.wire import messages, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.tiles import Strip, weights_plane

MAX_MAPS = 64
MAX_COMPARISONS = 64
MAX_OVERVIEW_WEIGHTS = 1 << 28
"""that all heads of an overview may have together: seconds of work"""
MAX_ASIDE_WEIGHTS = 1 << 26
"""up to so many are decoded to set sinks aside where a stored overview would do without: half a second"""
_AT = re.compile(
    r"(?P<series>[0-9a-f]{16})\.(?P<ordinal>\d{1,9})\.(?P<example>\d{1,6})"
    r"(?:\.(?P<layer>\d{1,9})\.(?P<head>\d{1,9}))?",
    re.ASCII,
)
_PAIR = re.compile(r"(\d{1,3})\.(\d{1,3})", re.ASCII)


Sinks = Literal["shown", "aside"]


class Look(NamedTuple):
    """How the thumbnails of a request are made."""

    pool: Pool
    sinks: Sinks


class At(NamedTuple):
    """One `at` of a request."""

    series: str
    ordinal: int
    example: int
    head: tuple[int, int] | None
    """layer and head, or None for an overview"""

    @property
    def text(self) -> str:
        """The same for all ways to write it."""
        return ".".join(map(str, (self.series, self.ordinal, self.example, *(self.head or ()))))


class _PartlyError(Exception):
    """Carries a map of which rows could not be read, and which is not to be kept."""

    def __init__(self, found: view_pb2.Map) -> None:
        super().__init__()
        self.map = found


class MapsAnswer:
    """Answers requests for maps; keeps what it made."""

    def __init__(self, logdir: Logdir) -> None:
        self._logdir = logdir
        self._made: ByteCache[tuple[At, Look], view_pb2.Map] = ByteCache(
            logdir.budget, lambda made: made.ByteSize()
        )
        self._compared: ByteCache[tuple[At, At], view_pb2.Comparison] = ByteCache(
            logdir.budget, lambda made: made.ByteSize()
        )

    def answer(self, args: MultiDict[str, str]) -> view_pb2.MapsResponse:
        """Return one map per `at` and one comparison per `compare`.

        What cannot be shown is answered with a sentence in its place, so that the rest still is.

        Raises:
            BadRequestError: the request is malformed.
        """
        places = _parse_places(args.getlist("at"))
        look = Look(parse_pool(args.get("pool", "max")), parse_sinks(args.get("sinks", "shown")))
        response = view_pb2.MapsResponse()
        response.maps.extend(self._map(at, look) for at in places)
        for first, second in _parse_pairs(args.getlist("compare"), len(places)):
            response.comparisons.append(self._comparison(places, first, second))
        return response

    def _map(self, at: At, look: Look) -> view_pb2.Map:
        try:
            return self._made.get((at, look), partial(self._make, at, look))
        except _PartlyError as partly:
            return partly.map
        except (DamagedRecordError, KeyError, ValueError) as error:
            return view_pb2.Map(at=at.text, error=sentence(error))

    def _make(self, at: At, look: Look) -> view_pb2.Map:
        answer = view_pb2.Map(at=at.text)
        stored = opened(self._logdir, at.series, at.ordinal, partly=True)
        _fill(answer, stored, at, look)
        if may_be_mended(stored):
            raise _PartlyError(answer)
        return answer

    def _comparison(self, places: list[At], first: int, second: int) -> view_pb2.Comparison:
        a, b = places[first], places[second]
        result = view_pb2.Comparison()
        try:
            result.CopyFrom(self._compared.get((a, b), partial(self._compare, a, b)))
        except (DamagedRecordError, KeyError, ValueError) as error:
            result.error = sentence(error)
        result.a, result.b = first, second
        return result

    def _compare(self, a: At, b: At) -> view_pb2.Comparison:
        one, other = (opened(self._logdir, at.series, at.ordinal) for at in (a, b))
        return comparison(one, other, a.example, b.example)


def _fill(answer: view_pb2.Map, stored: StoredAttention, at: At, look: Look) -> None:
    message = stored.message
    example = stored.example(at.example)
    answer.step = stored.step
    answer.map_state = stored.head.map_state
    answer.statistics.extend(message.statistics)
    answer.reduction = message.reduction
    answer.batch = message.batch
    answer.without_map.extend(message.without_map)
    if isinstance(stored, GrownAttention):
        answer.continued, answer.gap = stored.continued, stored.gap
        answer.gap_may_pass = may_be_mended(stored)
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
        _fill_layers(answer, stored, at.example, look)
    else:
        _fill_head(answer.head, stored, *at.head, at.example, look.pool)


def _fill_layers(answer: view_pb2.Map, stored: StoredAttention, example: int, look: Look) -> None:
    layers = stored.message.layers
    weights = sum(_cells(layer, (1, 1)) for layer in layers if stored.has_weights(layer.layer))
    aside = look.sinks == "aside" and weights <= MAX_ASIDE_WEIGHTS
    edge = edge_for(sum(len(layer.heads) for layer in layers))
    decoded = sum(_cells(layer, _blocks_of(stored, layer, edge, aside)[1]) for layer in layers)
    if stored.has_map and decoded > MAX_OVERVIEW_WEIGHTS:
        raise DamagedRecordError("the maps of this step are too large to be drawn all at once.")
    sinks = SinkKeys(stored, example)
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
            window=layer.window,
            of_heads=layer.of_heads,
        )
        if stored.has_map and layer.heads:
            keys = sinks.of(layer) if aside and stored.has_weights(layer.layer) else None
            entry.kept_rows, entry.kept_keys = _kept(stored, layer)
            made, blocks = layer_thumbnails(stored, layer, example, edge, look.pool, aside=keys)
            entry.thumb_rows, entry.thumb_cols = made.rows, made.columns
            entry.pooled_rows, entry.pooled = blocks
            entry.thumbs, entry.thumb_peak = made.data, made.peak
            entry.not_finite = made.not_finite
            if keys is not None:
                entry.aside.extend(keys.tolist())
                entry.aside_mass = made.aside.astype("<f4").tobytes()


class SinkKeys:
    """Which keys of an example are set aside; its tokens are looked at once for all layers of one shape."""

    def __init__(self, stored: StoredAttention, example: int) -> None:
        self._stored, self._place = stored, example
        self._example = stored.example(example)
        self._found: dict[tuple[int, bool], Keys | None] = {}

    def of(self, layer: record_pb2.Layer) -> Keys | None:
        """Return the positions; None where nothing is set aside."""
        shape = layer.keys, first_is_sink(self._stored, layer.layer, self._place)
        if shape not in self._found:
            keys, first = shape
            found = sink_keys(keys, self._example.key_tokens, self._example.key_mask, first=first)
            self._found[shape] = found if len(found) else None
        return self._found[shape]


def _kept(stored: StoredAttention, layer: record_pb2.Layer) -> tuple[int, int]:
    """Return how many query rows and keys stand in one cell of what is kept; 0 = nothing was kept."""
    if stored.has_weights(layer.layer):
        return 1, 1
    return next(iter(stored.pooled_factors(layer.layer)), (0, 0))


def layer_thumbnails(
    stored: StoredAttention,
    layer: record_pb2.Layer,
    example: int,
    edge: int,
    pool: Pool,
    head: int | None = None,
    aside: Keys | None = None,
) -> tuple[Thumbnails, tuple[int, int]]:
    """Return pictures of all heads or of one, from the coarsest stored level that suffices, and their blocks.

    Blocks at the end of a map may be smaller than the others; a mean over stored means counts them alike.
    Keys are set aside out of weights only: blocks hold them together with others.
    """
    rows, number = len(layer.rows) or layer.queries, layer.layer
    level, (row, key) = _blocks_of(stored, layer, edge, aside is not None)
    if level is not None:
        shape = -(-rows // row), -(-layer.keys // key)
        chosen = layer.heads if head is None else [head]
        blocks = ([Strip(0, stored.pooled(number, one, example, pool, level))] for one in chosen)
        made = thumbnails(blocks, shape, edge, pool)
        return made, (made.blocks[0] * row, made.blocks[1] * key)
    # With a correct mask the rows of padding look anywhere; they would be most of the picture.
    real = stored.real_rows(number, example)
    heads = stored_heads(stored, number, example, head)
    made = thumbnails(heads, (rows, layer.keys), edge, pool, real, aside)
    return made, made.blocks


def _blocks_of(
    stored: StoredAttention, layer: record_pb2.Layer, edge: int, aside: bool
) -> tuple[int | None, tuple[int, int]]:
    """Return the coarsest level that suffices and rows and keys of its blocks; None = weights are decoded."""
    factors = stored.pooled_factors(layer.layer)
    fine = [level for level, factor in enumerate(factors) if -(-layer.keys // factor[1]) >= edge]
    has_weights = stored.has_weights(layer.layer)
    # Sinks are set aside out of weights only.
    if factors and not (aside and has_weights) and (fine or not has_weights):
        level = fine[-1] if fine else 0
        return level, factors[level]
    return None, (1, 1)


def _cells(layer: record_pb2.Layer, block: tuple[int, int]) -> int:
    """Return how many blocks of that many rows and keys all heads of a layer have."""
    rows = len(layer.rows) or layer.queries
    return len(layer.heads) * -(-rows // block[0]) * -(-layer.keys // block[1])


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
        places.append(At(match["series"], int(match["ordinal"]), int(match["example"]), head))
    return places


def _parse_pairs(texts: list[str], maps: int) -> list[tuple[int, int]]:
    matches = [_PAIR.fullmatch(text) for text in texts[: MAX_COMPARISONS + 1]]
    pairs = [(int(match[1]), int(match[2])) for match in matches if match]
    if len(pairs) != len(texts) or any(max(pair) >= maps for pair in pairs):
        raise BadRequestError("compare must read i.j, places of two maps of the same request.")
    return pairs


def parse_pool(text: str) -> Pool:
    """Return how blocks of weights are pooled.

    Raises:
        BadRequestError: neither max nor mean.
    """
    for pool in get_args(Pool):
        if text == pool:
            return pool  # type: ignore[no-any-return]  # get_args knows no types
    raise BadRequestError("pool must be max or mean.")


def parse_sinks(text: str) -> Sinks:
    for sinks in get_args(Sinks):
        if text == sinks:
            return sinks  # type: ignore[no-any-return]  # get_args knows no types
    raise BadRequestError("sinks must be aside or shown.")
