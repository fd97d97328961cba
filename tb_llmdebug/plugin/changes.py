"""How far the heads of two records are apart over all examples, and which of them are alike."""

from __future__ import annotations

import re
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
from tb_llmdebug.stats.comparison import compare, match_heads
from tb_llmdebug.wire.errors import DamagedRecordError

_AT = re.compile(r"(?P<series>[0-9a-f]{16})\.(?P<ordinal>\d{1,9})", re.ASCII)


class _At(NamedTuple):
    series: str
    ordinal: int


class ChangesAnswer:
    """Answers requests for changes; keeps what it made, which takes seconds for many examples."""

    def __init__(self, logdir: Logdir) -> None:
        self._logdir = logdir
        self._made: ByteCache[tuple[_At, _At, bool], view_pb2.ChangesResponse] = ByteCache(
            logdir.budget, lambda made: made.ByteSize()
        )

    def answer(self, args: MultiDict[str, str]) -> view_pb2.ChangesResponse:
        """Return the changes from `a` to `b`, or one sentence why there are none.

        Raises:
            BadRequestError: the request is malformed.
        """
        a, b = _parse(args.get("a", "")), _parse(args.get("b", ""))
        match = args.get("match", "0")
        if match not in ("0", "1"):
            raise BadRequestError("match must be 0 or 1.")
        try:
            return self._made.get((a, b, match == "1"), partial(self._make, a, b, match == "1"))
        except (DamagedRecordError, KeyError, ValueError) as error:
            return view_pb2.ChangesResponse(error=sentence(error))

    def _make(self, a: _At, b: _At, match: bool) -> view_pb2.ChangesResponse:
        first, second = opened(self._logdir, a.series, a.ordinal), opened(self._logdir, b.series, b.ordinal)
        found = compare(first, second)
        response = view_pb2.ChangesResponse(examples=len(found.examples))
        changes = {(change.layer, change.head): change for change in found.most_changed()}
        for layer in found.layers:
            of_layer = [changes[layer.layer, head] for head in layer.heads]
            response.layers.add(
                layer=layer.layer,
                heads=layer.heads,
                mean=[change.mean for change in of_layer],
                spread=[change.spread for change in of_layer],
                floor=layer.floor,
            )
        if match:
            _match(response, first, second)
        return response


def _match(response: view_pb2.ChangesResponse, a: StoredAttention, b: StoredAttention) -> None:
    try:
        matches = match_heads(a, b)
    except InvalidRecordError as error:  # SciPy is missing; the changes are still there
        response.no_matches = sentence(error)
        return
    for one in matches:
        response.matches.add(layer=one.layer, head=one.head, other=one.other, distance=one.distance)


def _parse(text: str) -> _At:
    match = _AT.fullmatch(text)
    if match is None:
        raise BadRequestError("a and b must read series.ordinal.")
    return _At(match["series"], int(match["ordinal"]))
