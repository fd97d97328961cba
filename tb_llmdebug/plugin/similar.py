"""The route for the most similar head of every head of a record."""

from __future__ import annotations

import math
import re
import threading
from functools import partial
from typing import NamedTuple

from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError, sentence
from tb_llmdebug.plugin.opened import opened
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.cache import ByteCache
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats.rounding import rounding_distance
from tb_llmdebug.stats.similarity import comparable_heads, most_similar_heads
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_WEIGHTS = 1 << 26
"""that are gone through for one answer: 32 x 32 heads of 256 x 256"""
MAX_PRODUCTS = 1 << 36
"""pairs of heads times weights of a head: the same 32 x 32 heads, which take about ten seconds"""
MAX_COMPARED = 1 << 30
"""weights in the pairs that are compared exactly: about ten seconds more"""
LEAST_COMPARED = 1 << 12
"""weights that a pair counts as at least: it takes time, and memory, however small its maps"""
_AT = re.compile(r"([0-9a-f]{16})\.(\d{1,9})\.(\d{1,6}|all)", re.ASCII)


class _At(NamedTuple):
    series: str
    ordinal: int
    example: int | None
    """None = all"""


class SimilarAnswer:
    """Answers requests for similar heads, one at a time, for each takes up to 100 MB; keeps what it made."""

    def __init__(self, logdir: Logdir) -> None:
        self._logdir = logdir
        self._one = threading.Lock()
        self._made: ByteCache[_At, view_pb2.SimilarResponse] = ByteCache(
            logdir.budget, lambda made: made.ByteSize()
        )

    def answer(self, args: MultiDict[str, str]) -> view_pb2.SimilarResponse:
        """Return the most similar head of every head, or one sentence that says why there is none.

        Raises:
            BadRequestError: the request is malformed.
        """
        match = _AT.fullmatch(args.get("at", ""))
        if match is None:
            raise BadRequestError("at must read series.ordinal.example, or series.ordinal.all.")
        series, ordinal, example = match.groups()
        at = _At(series, int(ordinal), None if example == "all" else int(example))
        known = self._made.peek(at)
        if known is not None:
            return known
        try:
            # Whoever reads from where nothing answers must not keep the others waiting.
            stored = opened(self._logdir, at.series, at.ordinal)
            with self._one:
                # Whoever waited may find what the one before has made.
                return self._made.get(at, partial(self._make, stored, at.example))
        except (InvalidRecordError, DamagedRecordError, KeyError, ValueError) as error:
            return view_pb2.SimilarResponse(error=sentence(error))

    def _make(self, stored: StoredAttention, example: int | None) -> view_pb2.SimilarResponse:
        count = len(stored.message.examples) if example is None else 1
        largest = _check(stored, count)
        response = view_pb2.SimilarResponse(examples=count)
        rounded = {layer.layer: rounding_distance(stored, layer.layer) for layer in stored.message.layers}
        most = MAX_COMPARED // max(LEAST_COMPARED, largest)
        for one in most_similar_heads(stored, example, most_pairs=most):
            entry = response.heads.add(layer=one.layer, head=one.head, alone=one.other is None)
            if one.other is not None:
                entry.other_layer, entry.other_head = one.other
                entry.distance = one.distance
                entry.floor = math.hypot(rounded[one.layer], rounded[one.other[0]])
        return response


def _check(stored: StoredAttention, examples: int) -> int:
    """Return how many weights a comparison of two heads goes through, at most.

    Raises:
        InvalidRecordError: there is nothing to compare, or too much.
    """
    weights = products = largest = 0
    entries = {entry.layer: entry for entry in stored.message.layers}
    for heads in comparable_heads(stored):
        entry = entries[heads[0][0]]
        each = examples * (len(entry.rows) or entry.queries) * entry.keys
        weights += each * len(heads)
        products += each * len(heads) ** 2
        largest = max(largest, each)
    if weights > MAX_WEIGHTS or products > MAX_PRODUCTS:
        raise InvalidRecordError(
            "every head would be compared with every other, and they are too many or too large for that: "
            "log a shorter text, fewer heads or fewer examples."
        )
    return largest
