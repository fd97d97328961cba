"""What the index keeps of one run."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from tb_llmdebug.reading.entries import BlobSource, Entries, Flagged, Location, Source
from tb_llmdebug.reading.found import Found, What
from tb_llmdebug.reading.scan import FileScan
from tb_llmdebug.reading.workers import MergedEntries, Span, together
from tb_llmdebug.wire import names, record_pb2

# Browsers keep answers by series and ordinal for ever, and ordinals hold only while the same files are
# followed; another process, and a run whose files changed, deal out other ids.
_PROCESS = secrets.token_hex(8)
_KNOWN_KINDS = frozenset(record_pb2.Kind.values())
_epochs = itertools.count()
_Key = tuple[int, str, str]
"""kind, name and session"""


@dataclass
class Series:
    """All records of one kind and name in one session of a run, in the order they were written."""

    id: str
    run: str
    kind: int
    name: str
    session: str
    session_start: float
    entries: Entries


@dataclass(frozen=True)
class Problem:
    """Something that could not be used."""

    run: str
    file: str
    message: str


class Run:
    """One directory's series and tokens."""

    def __init__(self, name: str, flagged: Flagged, foreign: bool = False) -> None:
        self.name = name
        self.foreign = foreign
        """not read from files"""
        self.series: dict[_Key, Series] = {}
        self.tokens: dict[bytes, Location] = {}
        self.scans: dict[str, FileScan] = {}
        self.unreadable: dict[str, str] = {}
        self._merged: dict[tuple[_Key, ...], Series] = {}
        self._hidden: frozenset[_Key] = frozenset()
        self._in_session: dict[str, list[tuple[int, str]]] = {}
        self._flagged = flagged
        self._epoch = next(_epochs)

    def all_series(self) -> list[Series]:
        """Return the series to be shown as they are now; the scan may add some at any time."""
        shown = [series for key, series in list(self.series.items()) if key not in self._hidden]
        return [*shown, *self._merged.values()]

    def join_workers(self) -> None:
        """Put the series of workers that logged together into one; `series` keeps each by itself."""
        if not any(series.entries.worker for series in self.series.values()):
            return
        hidden: set[_Key] = set()
        merged: dict[tuple[_Key, ...], Series] = {}
        for sessions in together(self._spans()):
            named: dict[tuple[int, str], list[_Key]] = {}
            for session in sessions:
                for kind, name in self._in_session[session]:
                    named.setdefault((kind, name), []).append((kind, name, session))
            for keys in map(tuple, named.values()):
                if len(keys) > 1:
                    hidden.update(keys)
                    merged[keys] = self._merged_series(keys)
        self._merged, self._hidden = merged, frozenset(hidden)

    def _merged_series(self, keys: tuple[_Key, ...]) -> Series:
        known = self._merged.get(keys)
        if known is not None and isinstance(known.entries, MergedEntries):
            known.entries.take_new()
            return known
        parts = [self.series[key] for key in keys]
        kind, name, session = keys[0]
        identity = self._id(kind, name, "+".join(key[2] for key in keys))
        entries = MergedEntries([part.entries for part in parts], self._flagged)
        return Series(identity, self.name, kind, name, session, parts[0].session_start, entries)

    def _spans(self) -> list[Span]:
        spans: dict[str, Span] = {}
        self._in_session = {}
        for (kind, name, session), series in self.series.items():
            entries = series.entries
            end = max(entries.last_time, series.session_start)
            known = spans.get(session)
            if known is not None:
                end = max(end, known.end)
            spans[session] = Span(session, entries.worker, series.session_start, end)
            self._in_session.setdefault(session, []).append((kind, name))
        return list(spans.values())

    def newest_session(self, kind: int, name: str) -> Series | None:
        """Return the series of `kind` and `name` whose session started last."""
        found = [s for s in self.all_series() if s.kind == kind and s.name == name]
        return max(found, key=lambda series: (series.session_start, series.session), default=None)

    def add(self, records: list[Found], session: names.Session, source: Source | BlobSource) -> list[Series]:
        """Take records of one file; returns the series that are new."""
        new = []
        for what, alike in _grouped(records):
            if what.kind not in _KNOWN_KINDS:
                continue  # of a later version
            if what.kind == record_pb2.TOKENS:
                digest = names.tokens_digest(what.tag)
                if digest is not None:
                    self.tokens.setdefault(digest, Location(source, alike[0].offset, alike[0].length))
                continue
            series = self._series_of(what, session)
            if not series.entries:
                new.append(series)
            series.entries.extend(alike, source)
        return new

    def release(self) -> None:
        """Let go of what the series hold together with others."""
        for series in self.series.values():
            series.entries.release()

    def _series_of(self, what: What, session: names.Session) -> Series:
        own = f"{session.id}.{what.worker}" if what.worker else session.id
        key = (what.kind, what.tag, own)
        series = self.series.get(key)
        if series is None:
            series = Series(
                self._id(*key),
                self.name,
                what.kind,
                what.tag,
                own,
                session.start,
                Entries(self._flagged),
            )
            self.series[key] = series
        return series

    def _id(self, kind: int, name: str, session: str) -> str:
        text = "\0".join((_PROCESS, f"{self._epoch}/{self.name}", str(kind), name, session))
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _grouped(records: list[Found]) -> Iterable[tuple[What, list[Found]]]:
    """Return the records by kind, name and worker, each group in order."""
    whats = {id(record.what): record.what for record in records}
    if len(whats) == 1:
        return [(records[0].what, records)]
    groups: dict[tuple[int, str, int], list[Found]] = {}
    for record in records:
        what = record.what
        groups.setdefault((what.kind, what.tag, what.worker), []).append(record)
    return [(group[0].what, group) for group in groups.values()]
