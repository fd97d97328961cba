"""The statistics of every head at every step of a series."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError
from tb_llmdebug.reading.cache import ByteCache
from tb_llmdebug.reading.entries import Location
from tb_llmdebug.reading.first_blob import first_blob
from tb_llmdebug.reading.index import Series
from tb_llmdebug.reading.layout import stored_statistics
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.stats import STATISTICS
from tb_llmdebug.wire import messages, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_VALUES = 1 << 20
"""in one answer; the client asks again for the records that are left"""
MAX_HEADS = 1 << 16
"""of all layers of a record"""
MAX_STATISTICS = 64
DAMAGED, NO_EXAMPLE = 1, 2

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_MOST_PROBLEMS = 20
T = TypeVar("T")
_Head = tuple[int, int]
"""layer and head"""


class Question(NamedTuple):
    """What is asked of a series."""

    series: str
    example: int | None
    """None = the mean over all"""
    first: int
    end: int
    statistics: tuple[str, ...]
    """known ones, in the order of the alphabet; empty = all"""


class _Step(NamedTuple):
    """The statistics of one record."""

    heads: list[_Head]
    names: list[str]
    values: npt.NDArray[np.float32]
    """[heads, statistics]"""
    spreads: npt.NDArray[np.float32] | None
    labels: dict[int, str]


class HeadsAnswer:
    """Answers requests for statistics; keeps what it made."""

    def __init__(self, logdir: Logdir) -> None:
        self._logdir = logdir
        self._made: ByteCache[Question, view_pb2.HeadsResponse] = ByteCache(
            logdir.budget, lambda made: made.ByteSize()
        )

    def answer(self, args: MultiDict[str, str]) -> view_pb2.HeadsResponse:
        """Return the statistics of one example, or their means over all, at the records asked for.

        A record that cannot be read is a gap that says why.

        Raises:
            BadRequestError, NotFoundError: the request names no example or records of a series of attention.
        """
        series = self._logdir.index.series(args.get("series", ""))
        if series is None or series.kind != record_pb2.ATTENTION:
            raise NotFoundError("There is no such series of attention: reload the page.")
        question = _parse(args, len(series.entries))
        _check_names(series, question.statistics)
        try:
            return self._made.get(question, partial(_complete, series, question))
        except _WithGapsError as with_gaps:
            return with_gaps.response


def is_final(response: view_pb2.HeadsResponse) -> bool:
    """Return whether the same request will always have this answer: what is damaged now may be mended."""
    return DAMAGED not in response.gaps


class _WithGapsError(Exception):
    """Carries an answer that is not to be kept."""

    def __init__(self, response: view_pb2.HeadsResponse) -> None:
        super().__init__()
        self.response = response


def _complete(series: Series, question: Question) -> view_pb2.HeadsResponse:
    response = _make(series, question)
    if not is_final(response):
        raise _WithGapsError(response)
    return response


def _make(series: Series, question: Question) -> view_pb2.HeadsResponse:
    response = view_pb2.HeadsResponse(first=question.first)
    found: list[_Step | None] = []
    gaps = bytearray()
    held = 0
    for entry in series.entries[question.first : question.end]:
        try:
            step = _step(entry.location, question)
        except (DamagedRecordError, ValueError) as error:
            step, gap = None, DAMAGED
            if len(response.problems) < _MOST_PROBLEMS:
                response.problems.append(messages.clean(f"Step {entry.step}: {error}"))
        else:
            gap = 0 if step is not None else NO_EXAMPLE
        size = 0 if step is None else step.values.size
        if found and held + size > MAX_VALUES:
            break
        held += size
        found.append(step)
        gaps.append(gap)
        response.steps.append(entry.step)
    response.end = question.first + len(found)
    response.gaps = bytes(gaps)
    _fill(response, found)
    return response


def _step(location: Location, question: Question) -> _Step | None:
    """Return the statistics of one record; None if it has no such example."""
    message = messages.parse(record_pb2.Attention, first_blob(location))
    names = list(message.statistics)
    heads = [at for layer in message.layers for at in zip(itertools.repeat(layer.layer), layer.heads)]
    if len(names) > MAX_STATISTICS or len(heads) > MAX_HEADS or len(set(heads)) < len(heads):
        raise DamagedRecordError("a record declares heads or statistics that cannot be.")
    examples = len(message.examples)
    if not examples or (question.example is not None and question.example >= examples):
        return None
    planes = [stored_statistics(message, layer) for layer in message.layers]
    everything = np.concatenate(planes, axis=1) if planes else np.empty((examples, 0, len(names)), np.float32)
    if question.statistics:
        chosen = [place for place, name in enumerate(names) if name in question.statistics]
        names, everything = [names[place] for place in chosen], everything[..., chosen]
    labels = {layer.layer: layer.label for layer in message.layers}
    if question.example is not None:
        return _Step(heads, names, everything[question.example], None, labels)
    return _Step(heads, names, *_mean_and_spread(everything), labels)


def _mean_and_spread(
    values: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return mean and standard deviation over the examples in which a statistic is defined; else NaN."""
    exact = values.astype(np.float64)
    known = ~np.isnan(exact)
    with np.errstate(invalid="ignore", divide="ignore"):
        count = known.sum(axis=0)
        mean = np.where(known, exact, 0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (exact - mean) ** 2, 0).sum(axis=0) / count)
    return mean.astype(np.float32), spread.astype(np.float32)


def _fill(response: view_pb2.HeadsResponse, found: list[_Step | None]) -> None:
    """Lay the steps over each other; heads or statistics that one of them lacks are NaN there."""
    steps = [step for step in found if step is not None]
    names = _union(step.names for step in steps)
    heads = sorted(_union(step.heads for step in steps))
    for layer in _union([layer] for layer, _ in heads):
        label = next((step.labels[layer] for step in reversed(steps) if step.labels.get(layer)), "")
        of_layer = [head for number, head in heads if number == layer]
        response.layers.add(layer=layer, label=messages.clean(label), heads=of_layer)
    response.statistics.extend(messages.clean(name) for name in names)
    shape = len(found), len(heads), len(names)
    values = np.full(shape, np.nan, "<f4")
    spreads = np.full(shape, np.nan, "<f4") if any(step.spreads is not None for step in steps) else None
    for place, step in enumerate(found):
        if step is None:
            continue
        where = (place, *_places(step, heads, names))
        values[where] = step.values
        if spreads is not None:
            spreads[where] = step.spreads
    response.values = values.tobytes()
    if spreads is not None:
        response.spreads = spreads.tobytes()


def _places(step: _Step, heads: list[_Head], names: list[str]) -> tuple[Any, ...]:
    if step.heads == heads and step.names == names:
        return (slice(None), slice(None))
    rows = {head: row for row, head in enumerate(heads)}
    columns = {name: column for column, name in enumerate(names)}
    return np.ix_([rows[head] for head in step.heads], [columns[name] for name in step.names])


def _union(lists: Iterable[Iterable[T]]) -> list[T]:
    """Return what occurs in any of the lists, in the order of the first occurrence."""
    return list(dict.fromkeys(itertools.chain.from_iterable(lists)))


def _parse(args: MultiDict[str, str], records: int) -> Question:
    example = args.get("example", "all")
    if example != "all" and not re.fullmatch(r"\d{1,6}", example, re.ASCII):
        raise BadRequestError("example must be a number or all.")
    edges = args.get("from", "0"), args.get("to", str(records))
    if not all(map(_NUMBER.fullmatch, edges)):
        raise BadRequestError("from and to must be numbers of records.")
    first, end = map(int, edges)
    if not first <= end <= records:
        raise BadRequestError(f"from and to must name records of the {records} that there are.")
    statistics = tuple(sorted(set(args.getlist("statistic"))))
    if len(statistics) > MAX_STATISTICS:
        raise BadRequestError(f"Ask for at most {MAX_STATISTICS} statistics at once.")
    return Question(args["series"], None if example == "all" else int(example), first, end, statistics)


def _check_names(series: Series, statistics: tuple[str, ...]) -> None:
    """Refuse names that nothing is known by: what was asked is kept with the answer.

    A later version may have logged others than this one knows; the first record tells them.
    """
    strange = set(statistics) - set(STATISTICS)
    if strange and not strange <= _logged_names(series):
        raise BadRequestError(f"A statistic is none of this series: ask for some of {', '.join(STATISTICS)}.")


def _logged_names(series: Series) -> set[str]:
    try:
        message = messages.parse(record_pb2.Attention, first_blob(series.entries[0].location))
    except (DamagedRecordError, IndexError):
        return set()
    return set(message.statistics) if len(message.statistics) <= MAX_STATISTICS else set()
