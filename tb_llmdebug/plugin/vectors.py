"""The vectors behind one query row of one head, from which the page computes its weights step by step."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError, sentence
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.records import HeadVectors
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_NUMBERS = 1 << 22
"""of keys and values in one answer: 16 MiB"""
MAX_RECORDS = 2048
"""that are looked through for a row of a long generation"""
_AT = re.compile(r"([0-9a-f]{16})\.(\d{1,9})\.(\d{1,6})\.(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)


class At(NamedTuple):
    """What a request names."""

    series: str
    ordinal: int
    example: int
    layer: int
    head: int
    query: int


def answer(logdir: Logdir, args: MultiDict[str, str]) -> view_pb2.VectorsResponse:
    """Return the vectors of one head for one query, or the sentence that says why there are none.

    Raises:
        BadRequestError: the request is malformed.
        NotFoundError: it names what does not exist.
    """
    at = _parsed(args.getlist("at"))
    response = view_pb2.VectorsResponse()
    try:
        stored, place = _record_of(logdir, at)
        if not stored.has_vectors(at.layer):
            response.left_out = stored.message.vectors_left_out
            return response
        head = stored.vectors(at.layer, at.head, at.example)
        numbers = head.k.size + head.v.size
        if numbers > MAX_NUMBERS:
            response.error = (
                f"The keys and values of this head hold {numbers:,} numbers, too many to be stepped through "
                "in a page: read them with open_logdir(...).attention(...).vectors(...)."
            )
            return response
        _fill(response, head, place)
        _fill_weights(response, stored, at, place)
    except DamagedRecordError as error:
        return view_pb2.VectorsResponse(error=sentence(error))
    except KeyError as error:
        raise NotFoundError(sentence(error)) from error
    return response


def _parsed(texts: list[str]) -> At:
    match = _AT.fullmatch(texts[0]) if len(texts) == 1 else None
    if match is None:
        raise BadRequestError("at must read series.ordinal.example.layer.head.query, once.")
    return At(match[1], *map(int, match.groups()[1:]))


def _record_of(logdir: Logdir, at: At) -> tuple[StoredAttention, int]:
    """Return the record that holds the query, and its place among the rows.

    While a model decodes, each record holds the rows that were new: the query may be in one before.

    Raises:
        KeyError: there is no such record, example, layer, head or query.
        DamagedRecordError: a record cannot be read.
    """
    series = logdir.index.series(at.series)
    if series is None or series.kind != record_pb2.ATTENTION:
        raise KeyError("There is no such series: reload the page.")
    if at.ordinal >= len(series.entries):
        raise KeyError("There is no such record: reload the page.")
    for ordinal in range(at.ordinal, max(-1, at.ordinal - MAX_RECORDS), -1):
        stored = logdir.stored_attention(series, series.entries[ordinal])
        place = _row_of(stored, at)
        if place is not None:
            return stored, place
        if not stored.message.continues:
            break
    raise KeyError(f"query {at.query} of layer {at.layer} was not looked at")


def _row_of(stored: StoredAttention, at: At) -> int | None:
    """Return the place of the query among the rows that were looked at; None if it was not.

    Raises:
        KeyError: there is no such example, layer or head.
    """
    stored.check_example(at.example)
    slot = stored.layer_slot(at.layer)
    if at.head not in stored.message.layers[slot].heads:
        raise KeyError(f"layer {at.layer} has no head {at.head} in this record")
    rows = stored.rows(at.layer)
    return rows.index(at.query) if at.query in rows else None


def _fill(response: view_pb2.VectorsResponse, head: HeadVectors, place: int) -> None:
    response.found = True
    response.keys, response.size = head.k.shape
    response.value_size = head.v.shape[1]
    response.q, response.k, response.v = _floats(head.q[place]), _floats(head.k), _floats(head.v)
    response.scale, response.scale_fitted, response.softcap = head.scale, head.scale_fitted, head.softcap
    if head.sink is not None:
        response.sink = head.sink
    if head.masked is not None:
        response.masked = head.masked[place].astype(np.uint8).tobytes()
    if head.bias is not None:
        response.bias = _floats(head.bias[place])


def _fill_weights(response: view_pb2.VectorsResponse, stored: StoredAttention, at: At, place: int) -> None:
    """Add the stored weights of the row, unless only pooled maps were kept."""
    if not stored.has_weights(at.layer):
        return
    row = np.zeros(response.keys, np.float32)
    for first, strip in stored.strips(at.layer, at.head, at.example):
        if first <= place < first + len(strip):
            row = strip[place - first]
            break
    response.weights = _floats(row)
    codec = stored.message.layers[stored.layer_slot(at.layer)].codec
    response.codec = record_pb2.Codec.Name(codec)  # type: ignore[assignment]


def _floats(array: npt.NDArray[np.floating]) -> bytes:
    return array.astype("<f4").tobytes()
