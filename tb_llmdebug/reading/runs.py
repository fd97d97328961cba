"""What the index keeps of one run."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from tb_llmdebug.reading.entries import Entries, Flagged, Location
from tb_llmdebug.reading.found import Found, What
from tb_llmdebug.reading.scan import FileScan
from tb_llmdebug.wire import names, record_pb2

# Browsers keep answers by series and ordinal for ever, and ordinals hold only while the same files are
# followed; another process, and a run whose files changed, deal out other ids.
_PROCESS = secrets.token_hex(8)
_KNOWN_KINDS = frozenset(record_pb2.Kind.values())
_epochs = itertools.count()


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
    worker: int = 0


@dataclass(frozen=True)
class Problem:
    """Something that could not be used."""

    run: str
    file: str
    message: str


class Run:
    """One directory's series and tokens."""

    def __init__(self, name: str, flagged: Flagged) -> None:
        self.name = name
        self.series: dict[tuple[int, str, str], Series] = {}
        self.tokens: dict[bytes, Location] = {}
        self.scans: dict[str, FileScan] = {}
        self.unreadable: dict[str, str] = {}
        self._flagged = flagged
        self._epoch = next(_epochs)

    def all_series(self) -> list[Series]:
        """Return all series as they are now; the scan may add some at any time."""
        return list(self.series.values())

    def newest_session(self, kind: int, name: str) -> Series | None:
        """Return the series of `kind` and `name` whose session started last."""
        found = [s for s in self.all_series() if s.kind == kind and s.name == name]
        return max(found, key=lambda series: (series.session_start, series.session), default=None)

    def add(self, records: list[Found], session: names.Session, scan: FileScan) -> list[Series]:
        """Take records of one file; returns the series that are new."""
        new = []
        for what, alike in _grouped(records):
            if what.kind not in _KNOWN_KINDS:
                continue  # of a later version
            if what.kind == record_pb2.TOKENS:
                digest = names.tokens_digest(what.tag)
                if digest is not None:
                    self.tokens.setdefault(digest, Location(scan, alike[0].offset, alike[0].length))
                continue
            series = self._series_of(what, session)
            if not series.entries:
                new.append(series)
            series.entries.extend(alike, scan)
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
                what.worker,
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
