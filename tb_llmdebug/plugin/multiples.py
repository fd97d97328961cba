"""One head at many records of a series, as small pictures: a row of small multiples."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard
from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError, sentence
from tb_llmdebug.plugin.maps import (
    MAX_ASIDE_WEIGHTS,
    Look,
    SinkKeys,
    layer_thumbnails,
    parse_pool,
    parse_sinks,
)
from tb_llmdebug.plugin.opened import opened
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.cache import ByteCache
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.stats.sinks import Keys
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_RECORDS = 64
MAX_WEIGHTS = 1 << 26
"""that are read for one answer, about a second of work; the client asks again for what is left"""
EDGE = 96
"""most rows and columns of a picture, if the map is not very oblong"""
STATISTICS = ("entropy", "first_token")
"""what a picture is described by"""
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


class _Question(NamedTuple):
    """One picture that is asked for."""

    series: str
    ordinal: int
    example: int
    layer: int
    head: int
    look: Look


class _UnreadableError(Exception):
    """Carries a picture that says why there is none, and is not to be kept."""

    def __init__(self, picture: view_pb2.HeadPicture) -> None:
        super().__init__()
        self.picture = picture


class MultiplesAnswer:
    """Answers requests for rows of small multiples; keeps what it made."""

    def __init__(self, logdir: Logdir) -> None:
        self._logdir = logdir
        self._made: ByteCache[_Question, view_pb2.HeadPicture] = ByteCache(
            logdir.budget, lambda made: made.ByteSize()
        )

    def answer(self, args: MultiDict[str, str]) -> view_pb2.MultiplesResponse:
        """Return one picture per record asked for, or of the first few where they are very large.

        What cannot be shown is answered with a sentence in its place, so that the rest still is.

        Raises:
            BadRequestError, NotFoundError: the request names no records of a series of attention.
        """
        series = self._logdir.index.series(args.get("series", ""))
        if series is None or series.kind != record_pb2.ATTENTION:
            raise NotFoundError("There is no such series of attention: reload the page.")
        numbers = [_number(args, name) for name in ("from", "to", "example", "layer", "head")]
        first, end, example, layer, head = numbers
        if not first < end <= min(len(series.entries), first + MAX_RECORDS):
            raise BadRequestError(
                f"from and to must name 1 to {MAX_RECORDS} of the {len(series.entries)} records."
            )
        look = Look(parse_pool(args.get("pool", "max")), parse_sinks(args.get("sinks", "shown")))
        response = view_pb2.MultiplesResponse(first=first, statistics=STATISTICS)
        read = 0
        for ordinal in range(first, end):
            if read > MAX_WEIGHTS:
                break
            picture = self._picture(_Question(series.id, ordinal, example, layer, head, look))
            response.pictures.append(picture)
            # Known even of a record that cannot be read.
            response.pictures[-1].step = series.entries.step_at(ordinal)
            keys = picture.cols * picture.pooled_keys + len(picture.aside)
            read += picture.rows * picture.pooled_rows * keys
        return response

    def _picture(self, question: _Question) -> view_pb2.HeadPicture:
        try:
            return self._made.get(question, partial(self._make, question))
        except _UnreadableError as found:
            return found.picture

    def _make(self, question: _Question) -> view_pb2.HeadPicture:
        picture = view_pb2.HeadPicture()
        try:
            stored = opened(self._logdir, question.series, question.ordinal)
            picture.map_state = stored.head.map_state
            _fill(picture, stored, question)
        except (DamagedRecordError, KeyError, ValueError) as error:
            picture.error = sentence(error)
            raise _UnreadableError(picture) from error
        return picture


def _fill(picture: view_pb2.HeadPicture, stored: StoredAttention, question: _Question) -> None:
    layer = stored.message.layers[stored.layer_slot(question.layer)]
    heads = list(layer.heads)
    if question.head not in heads:
        raise KeyError(f"layer {question.layer} has no head {question.head} at this step.")
    statistics = stored.statistics(question.layer, question.example)[heads.index(question.head)]
    known = dict(zip(stored.message.statistics, statistics.tolist(), strict=True))
    picture.values.extend(known.get(name, np.nan) for name in STATISTICS)
    example = stored.message.examples[question.example]
    picture.input = example.query_tokens + example.key_tokens
    if not stored.has_map:
        return
    keys = _aside(stored, layer, question)
    made, blocks = layer_thumbnails(
        stored, layer, question.example, EDGE, question.look.pool, question.head, keys
    )
    picture.rows, picture.cols, picture.peak = made.rows, made.columns, made.peak
    picture.pooled_rows, picture.pooled_keys = blocks
    on_padding = known.get("padding", np.nan)
    picture.padding.extend(_padding(stored, question, keys, blocks, columns=on_padding == 0))
    picture.thumb, picture.not_finite = (
        zstandard.ZstdCompressor(level=3).compress(made.data),
        bool(made.not_finite[0]),
    )
    if keys is not None:
        picture.aside.extend(keys.tolist())
        picture.aside_mass = float(made.aside[0])


def _padding(
    stored: StoredAttention,
    question: _Question,
    aside: Keys | None,
    blocks: tuple[int, int],
    *,
    columns: bool,
) -> list[int]:
    """Return how many blocks hold nothing but padding: rows at the start and at the end, then columns.

    Columns only where `columns` says that no weight is on them: the levels of a picture cannot tell, for a
    weight below a millionth of the largest has the level 0 too.
    """
    rows = stored.real_rows(question.layer, question.example)
    keys = stored.real_keys(question.example) if columns else None
    if keys is not None and aside is not None:
        keys = np.delete(keys, aside)
    return [*_ends(rows, blocks[0]), *_ends(keys, blocks[1])]


def _ends(real: npt.NDArray[np.bool_] | None, block: int) -> tuple[int, int]:
    if real is None or not real.any():
        return 0, 0
    first, last = np.flatnonzero(real)[[0, -1]].tolist()
    return first // block, (len(real) - 1) // block - last // block


def _aside(stored: StoredAttention, layer: record_pb2.Layer, question: _Question) -> Keys | None:
    if question.look.sinks == "shown" or not stored.has_weights(layer.layer):
        return None
    if (len(layer.rows) or layer.queries) * layer.keys > MAX_ASIDE_WEIGHTS:
        return None
    return SinkKeys(stored, question.example).of(layer)


def _number(args: MultiDict[str, str], name: str) -> int:
    text = args.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise BadRequestError(f"{name} must be a number.")
    return int(text)
