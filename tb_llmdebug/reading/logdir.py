"""`open_logdir`: everything that was logged, as NumPy."""

from __future__ import annotations

import os

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.cache import ByteBudget
from tb_llmdebug.reading.entries import Entry, Location
from tb_llmdebug.reading.grown import Grown
from tb_llmdebug.reading.index import Index, Run, Series
from tb_llmdebug.reading.payload import Payloads
from tb_llmdebug.reading.roots import Root, not_a_directory, roots_of
from tb_llmdebug.records import Anomaly, AttributionRecord, Tokens
from tb_llmdebug.records.errors import some_of
from tb_llmdebug.wire import messages, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

CACHE_BYTES = 64 << 20
"""with an index of a million records it is to stay under 200 MB"""


class Logdir:
    """A log directory that can be read while it grows.

    Where several sessions of a run logged the same name (a restarted run), the newest is meant unless
    `session=` says otherwise. Sessions of several workers that logged at the same time are one.
    """

    def __init__(self, path: str | os.PathLike[str] | list[Root], *, scan: bool = True) -> None:
        self.budget = ByteBudget(CACHE_BYTES)
        """of all that is kept of this directory, also by who answers from it"""
        self.payloads = Payloads(self.budget)
        self.grown = Grown(self.budget)
        self._roots = path if isinstance(path, list) else roots_of(os.fspath(path))
        self.index = Index(self._roots, self.payloads)
        if scan:
            self.refresh()

    def __repr__(self) -> str:
        return f"<Logdir {self.index.logdir!r}, runs: {some_of(self.runs)}>"

    def refresh(self) -> None:
        """Read what was written since."""
        self.index.refresh()

    @property
    def runs(self) -> list[str]:
        """Names of the runs that hold records."""
        return [run.name for run in self.index.runs()]

    @property
    def problems(self) -> list[str]:
        """What could not be used, one sentence each."""
        missing = [why for root in self._roots if (why := not_a_directory(root.path))]
        return missing + [f"{p.run}: {p.file} {p.message}".removeprefix(": ") for p in self.index.problems()]

    def names(self, run: str) -> list[str]:
        """Names under which attention was logged in `run`.

        Raises:
            KeyError: there is no such run.
        """
        return _names(self._run(run), record_pb2.ATTENTION)

    def sessions(self, run: str, name: str) -> list[str]:
        """Sessions in which `run` logged attention as `name`, oldest first.

        Raises:
            KeyError: there are none.
        """
        series = self._named(record_pb2.ATTENTION, run, name)
        return [s.session for s in sorted(series, key=lambda s: (s.session_start, s.session))]

    def steps(self, run: str, name: str, session: str | None = None) -> list[int]:
        """Steps at which attention was logged, in the order of logging.

        Raises:
            KeyError: there are none.
        """
        return self._series(record_pb2.ATTENTION, run, name, session).entries.steps().tolist()

    def workers(self, run: str, name: str, session: str | None = None) -> list[int]:
        """Which worker logged each of `steps`."""
        return list(self._series(record_pb2.ATTENTION, run, name, session).entries.workers())

    def attention(self, run: str, name: str, step: int, session: str | None = None) -> StoredAttention:
        """Return the attention logged at `step`; the last one if that step was logged twice.

        Raises:
            KeyError: there is none.
            DamagedRecordError: it cannot be read.
        """
        series = self._series(record_pb2.ATTENTION, run, name, session)
        return self.stored_attention(series, _at_step(series, step))

    def attribution(self, run: str, name: str, step: int, session: str | None = None) -> AttributionRecord:
        """Return the attribution logged at `step`.

        Raises:
            KeyError: there is none.
            DamagedRecordError: it cannot be read.
        """
        series = self._series(record_pb2.ATTRIBUTION, run, name, session)
        return self.stored_attribution(series, _at_step(series, step))

    def anomalies(self, run: str) -> list[tuple[int, Anomaly]]:
        """Return (step, anomaly) of everything that was flagged in `run`, by step.

        Raises:
            KeyError: there is no such run.
        """
        flagged = [
            (series.entries.step_at(ordinal), messages.anomaly_from(anomaly))
            for series in self._run(run).all_series()
            for ordinal, head in series.entries.flagged()
            for anomaly in head.anomalies
        ]
        return sorted(flagged, key=lambda item: item[0])

    def stored_attention(self, series: Series, entry: Entry) -> StoredAttention:
        """Open one record of a series."""
        return StoredAttention(
            series.name, entry, self.payloads, lambda digest: self._tokens(series.run, digest), series.run
        )

    def stored_attribution(self, series: Series, entry: Entry) -> AttributionRecord:
        """Read one record of a series."""
        blobs = self.payloads.blobs(entry.location)
        message = messages.parse(record_pb2.Attribution, bytes(blobs[0]) if blobs else b"")
        known = {item.tokens: self._tokens(series.run, item.tokens) for item in message.items}
        tokens = {digest: found for digest, found in known.items() if found is not None}
        return messages.attribution_from(message, series.name, entry.step, entry.wall_time, tokens)

    def _tokens(self, run: str, digest: bytes) -> Tokens | None:
        """Return tokens by hash; None if they were never stored or cannot be read."""
        found = self.index.run(run)
        location: Location | None = found.tokens.get(digest) if found else None
        if location is None:
            return None
        try:
            blobs = self.payloads.blobs(location)
            message = messages.parse(record_pb2.Tokens, bytes(blobs[0]) if blobs else b"")
            return messages.decode_tokens(message)
        except (DamagedRecordError, ValueError):
            return None

    def _run(self, name: str) -> Run:
        found = self.index.run(name)
        if found is None:
            raise KeyError(f"no run {name!r}; there are {some_of(self.runs)}")
        return found

    def _named(self, kind: int, run: str, name: str) -> list[Series]:
        """Return all sessions of what was logged as `name`."""
        found = self._run(run)
        alike = [one for one in found.all_series() if (one.kind, one.name) == (kind, name)]
        if not alike:
            there = f"there are {some_of(_names(found, kind))}"
            raise KeyError(f"run {run!r} logged no {name!r} of this kind; {there}")
        return alike

    def _series(self, kind: int, run: str, name: str, session: str | None) -> Series:
        found = self._run(run)
        series = found.newest_session(kind, name) if session is None else None
        if series is None:
            known = {one.session: one for one in self._named(kind, run, name)}
            series = known.get(session or "") or found.series.get((kind, name, session or ""))
            if series is None:
                raise KeyError(f"no session {session!r} of {name!r}; there are {some_of(known)}")
        return series


def open_logdir(path: str | os.PathLike[str]) -> Logdir:
    """Open a log directory for reading.

    Args:
        path: the directory given to `tensorboard --logdir`, or a single run's.

    Example:
        >>> import tempfile
        >>> import tb_llmdebug as llmdebug
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(f"{logdir}/finetune"):
        ...         _ = llmdebug.log_anomaly("loss", "It jumped.", rule="loss.spike", step=3)
        ...     found = open_logdir(logdir)
        ...     found.runs, [(step, anomaly.rule) for step, anomaly in found.anomalies("finetune")]
        (['finetune'], [(3, 'loss.spike')])
    """
    return Logdir(path)


def _names(run: Run, kind: int) -> list[str]:
    return sorted({series.name for series in run.all_series() if series.kind == kind})


def _at_step(series: Series, step: int) -> Entry:
    steps = series.entries.steps()
    steps.reverse()
    try:
        return series.entries[len(steps) - 1 - steps.index(step)]
    except ValueError:
        there = some_of(sorted(set(steps)))
        raise KeyError(f"{series.name!r} was not logged at step {step}; there are {there}") from None
