"""The route for other ways to see a head: the mean over examples, attention rollout."""

from __future__ import annotations

import hashlib
import re
from functools import partial

import numpy as np
import numpy.typing as npt
from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError, sentence
from tb_llmdebug.plugin.opened import opened
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.cache import ByteCache
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats.lenses import mean_attention
from tb_llmdebug.stats.rollout import rollout
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_CELLS = 1 << 22
"""of an answer: 2,048 x 2,048"""
MAX_WEIGHTS = 1 << 26
"""that are decoded for one answer: about half a second"""
MAX_PRODUCTS = 1 << 35
"""multiplications of a rollout: a second or two"""
_AT = re.compile(
    r"([0-9a-f]{16})\.(\d{1,9})\.(\d{1,6})\.(\d{1,9})\.(\d{1,9})",
    re.ASCII,
)
_LENSES = ("mean", "rollout")


class LensAnswer:
    """Answers requests for lenses; keeps what it made."""

    def __init__(self, logdir: Logdir) -> None:
        self._logdir = logdir
        self._made: ByteCache[tuple[str | int, ...], view_pb2.LensResponse] = ByteCache(
            logdir.budget, lambda made: made.ByteSize()
        )

    def answer(self, args: MultiDict[str, str]) -> view_pb2.LensResponse:
        """Return one head seen through a lens, or one sentence that says why it cannot be.

        Raises:
            BadRequestError: the request is malformed.
        """
        match = _AT.fullmatch(args.get("at", ""))
        if match is None:
            raise BadRequestError("at must read series.ordinal.example.layer.head.")
        lens = args.get("lens", "")
        if lens not in _LENSES:
            raise BadRequestError("lens must be mean or rollout.")
        series = match[1]
        ordinal, example, layer, head = numbers = [int(number) for number in match.groups()[1:]]
        # A rollout goes through all heads: it is the same for each of a layer.
        key = (lens, series, *numbers[: 4 if lens == "mean" else 3])
        try:
            return self._made.get(key, partial(self._make, lens, series, ordinal, example, layer, head))
        except (InvalidRecordError, DamagedRecordError, KeyError, ValueError) as error:
            return view_pb2.LensResponse(error=sentence(error))

    def _make(
        self, lens: str, series: str, ordinal: int, example: int, layer: int, head: int
    ) -> view_pb2.LensResponse:
        stored = opened(self._logdir, series, ordinal)
        return _mean(stored, example, layer, head) if lens == "mean" else _rollout(stored, example, layer)


def _mean(stored: StoredAttention, example: int, layer: int, head: int) -> view_pb2.LensResponse:
    entry = stored.message.layers[stored.layer_slot(layer)]
    cells = (len(entry.rows) or entry.queries) * entry.keys
    count = len(stored.message.examples)
    _bound(cells, cells * count)
    found = mean_attention(stored, layer, head, example)
    answer = _answer(found.weights)
    answer.examples = count
    answer.counts.extend(found.counts.tolist())
    answer.inputs = _inputs(stored)
    return answer


def _inputs(stored: StoredAttention) -> bytes:
    """Return what is equal for equal texts: means over others are not to be taken for learning."""
    texts = sorted(entry.query_tokens + entry.key_tokens for entry in stored.message.examples)
    return hashlib.blake2b(b"".join(texts), digest_size=16).digest() if any(texts) else b""


def _rollout(stored: StoredAttention, example: int, upto: int) -> view_pb2.LensResponse:
    layers = [entry for entry in stored.message.layers if entry.layer <= upto]
    _check_first_layers([entry.layer for entry in layers])
    some = [entry.layer for entry in layers if entry.of_heads > len(entry.heads)]
    if some:
        raise InvalidRecordError(
            f"a rollout takes the mean of all heads, and of layer {some[0]} only some were logged: log all "
            "heads."
        )
    size = max((entry.keys for entry in layers), default=0)
    _bound(size * size, sum(len(entry.heads) for entry in layers) * size * size)
    if size**3 * max(0, len(layers) - 1) > MAX_PRODUCTS:
        raise InvalidRecordError(
            f"a rollout over {len(layers)} layers of {size:,} tokens takes too long: choose an earlier layer "
            "or log a shorter text."
        )
    answer = _answer(rollout(stored, example, upto=upto))
    answer.layers = len(layers)
    return answer


def _check_first_layers(numbers: list[int]) -> None:
    """Layers that were left out would be taken for layers that pass everything on."""
    missing = sorted(set(range(max(numbers, default=0) + 1)) - set(numbers))
    if missing:
        named = ", ".join(map(str, missing[:8])) + (" ..." if len(missing) > 8 else "")
        raise InvalidRecordError(
            f"a rollout follows every layer from the first on, and of layer {named} there is no map: log all "
            "layers."
        )


def _bound(cells: int, weights: int) -> None:
    if cells > MAX_CELLS or weights > MAX_WEIGHTS:
        raise InvalidRecordError(
            "the maps are too large to be computed with while you wait: log a shorter text or fewer examples."
        )


def _answer(values: npt.NDArray[np.float32]) -> view_pb2.LensResponse:
    rows, keys = values.shape
    return view_pb2.LensResponse(rows=rows, keys=keys, values=values.astype("<f4").tobytes())
