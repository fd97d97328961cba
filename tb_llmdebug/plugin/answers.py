"""What the routes that answer from the index and from small records say."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import numpy as np

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError
from tb_llmdebug.reading.index import Index, Series
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.records import Attribution, AttributionRecord
from tb_llmdebug.wire import messages, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_STEPS = 20_000
_START = secrets.token_hex(4)


def generation(found: Index, scanning: bool) -> str:
    """Return what changes whenever the answer of `index` does."""
    return f"{_START}.{found.generation}.{int(scanning)}"


def index(found: Index, scanning: bool) -> view_pb2.IndexResponse:
    """Return runs, series and their steps."""
    response = view_pb2.IndexResponse(generation=generation(found, scanning), scanning=scanning)
    for run in found.runs():
        entry = response.runs.add(name=messages.clean(run.name))
        ordered = sorted(run.all_series(), key=lambda s: (s.kind, s.name, s.session_start, s.session))
        newest = {(series.kind, series.name): series for series in ordered}
        for series in ordered:
            _add_series(entry, series, newest[series.kind, series.name] is series)
    for problem in found.problems():
        response.problems.add(
            run=messages.clean(problem.run),
            file=messages.clean(problem.file),
            message=messages.clean(problem.message),
        )
    return response


def _add_series(run: view_pb2.Run, series: Series, newest: bool) -> None:
    entries = series.entries
    count = len(entries)
    workers = entries.workers()
    run.series.add(
        id=series.id,
        kind=series.kind,
        name=messages.clean(series.name),
        session=messages.clean(series.session),
        session_start=series.session_start,
        newest=newest,
        steps=entries.steps()[:count],
        wall_times=entries.wall_times()[:count],
        # Numbers without a name would be refused here; they stand for what a newer version wrote.
        map_states=entries.map_states()[:count],
        severities=entries.severities()[:count],
        examples=entries.examples,
        workers=workers[:count] if any(workers) else (),
    )


def anomalies(found: Index) -> view_pb2.AnomaliesResponse:
    """Return one group per run, series and rule, the worst and earliest first."""
    groups: dict[tuple[str, str], view_pb2.AnomalyGroup] = {}
    for run in found.runs():
        for series in run.all_series():
            for ordinal, head in series.entries.flagged():
                step = series.entries.step_at(ordinal)
                for anomaly in head.anomalies:
                    key = (series.id, anomaly.rule)
                    group = groups.get(key)
                    if group is None:
                        group = groups[key] = view_pb2.AnomalyGroup(
                            run=messages.clean(run.name),
                            series=series.id,
                            name=messages.clean(series.name),
                            kind=record_pb2.Kind.Name(series.kind),
                            first_step=step,
                            last_step=step,
                            first=anomaly,
                            worst=anomaly,
                            worst_ordinal=ordinal,
                        )
                    _extend(group, step, ordinal, anomaly)
    order = sorted(groups.values(), key=lambda group: (-group.worst.severity, group.first_step))
    return view_pb2.AnomaliesResponse(groups=order)


def _extend(group: view_pb2.AnomalyGroup, step: int, ordinal: int, anomaly: record_pb2.Anomaly) -> None:
    group.steps.append(step)
    group.ordinals.append(ordinal)
    group.first_step = min(group.first_step, step)
    group.last_step = max(group.last_step, step)
    worst = (group.worst.severity, group.worst.observed)
    if (anomaly.severity, anomaly.observed) > worst:
        group.worst.CopyFrom(anomaly)
        group.worst_ordinal = ordinal


def attributions(logdir: Logdir, args: Mapping[str, str]) -> view_pb2.AttributionsResponse:
    """Return the scores of one example at every step.

    Raises:
        BadRequestError, NotFoundError: the request names no example of a series of attributions.
    """
    series = logdir.index.series(args.get("series", ""))
    if series is None or series.kind != record_pb2.ATTRIBUTION:
        raise NotFoundError("There is no such series of attributions.")
    example = args.get("example", "0")
    if not example.isdecimal() or len(example) > 6:
        raise BadRequestError("example must be a number.")
    response = view_pb2.AttributionsResponse()
    if len(series.entries) > MAX_STEPS:
        response.error = f"Only the first {MAX_STEPS:,} of {len(series.entries):,} steps are shown."
    places: dict[bytes, int] = {}
    for ordinal, entry in enumerate(series.entries[:MAX_STEPS]):
        try:
            record = logdir.stored_attribution(series, entry)
        except (DamagedRecordError, ValueError) as error:
            response.error = f"Step {entry.step}: {error}"
            continue
        if int(example) < len(record.items):
            _add_step(response, places, record, record.items[int(example)], ordinal)
    return response


def _add_step(
    response: view_pb2.AttributionsResponse,
    places: dict[bytes, int],
    record: AttributionRecord,
    item: Attribution,
    ordinal: int,
) -> None:
    place = 0
    if item.tokens is not None:
        digest = item.tokens.digest()
        if digest not in places:
            places[digest] = len(places) + 1
            response.tokens.append(messages.tokens_message(item.tokens))
        place = places[digest]
    response.steps.add(
        step=record.step,
        ordinal=ordinal,
        method=record.method,
        rule=record.rule,
        quadrature_steps=record.steps,
        baseline=record.baseline,
        target=item.target,
        output=item.output,
        baseline_output=item.baseline_output,
        delta=item.delta,
        scores=item.scores.astype(np.dtype("<f4")).tobytes(),
        tokens=place,
    )
