"""What a scan finds: descriptions that many records share, and records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.event import Fields
from tb_llmdebug.wire.messages import parse_head


@dataclass(frozen=True, slots=True, eq=False)
class What:
    """What a record is, apart from its step, its time and its place. Shared by records that are alike."""

    tag: str
    kind: int
    map_state: int
    examples: int
    worker: int
    severity: int = 0
    """the worst of the anomalies"""
    flagged: bytes = b""
    """the serialised RecordHead, only if it holds anomalies"""

    def head(self) -> record_pb2.RecordHead:
        """Return the RecordHead again, without its time and its seal."""
        if self.flagged:
            return parse_head(self.flagged)
        return plain_head(self.kind, self.map_state, self.examples, self.worker)


class Found(NamedTuple):
    """One record: what it is, and where its event lies in the file."""

    what: What
    step: int
    wall_time: float
    offset: int
    length: int

    @property
    def tag(self) -> str:
        """The logged name."""
        return self.what.tag

    @property
    def head(self) -> record_pb2.RecordHead:
        """The plugin data."""
        return self.what.head()


def what_is(fields: Fields) -> tuple[What, float]:
    """Return what a record is, and when it was logged.

    Raises:
        DamagedRecordError: the plugin data is none, or of a newer version of the format.
    """
    head = parse_head(fields.content)
    return what_of(head, fields.tag, fields.content), head.wall_time or fields.wall_time


def what_of(head: record_pb2.RecordHead, tag: str, content: bytes) -> What:
    """Return the description of a record with this head; `content` is the head serialised."""
    return What(
        tag,
        head.kind,
        head.map_state,
        head.examples,
        head.worker,
        max((anomaly.severity for anomaly in head.anomalies), default=0),
        content if head.anomalies else b"",
    )


def plain_head(kind: int, map_state: int, examples: int, worker: int) -> record_pb2.RecordHead:
    """Return a RecordHead without anomalies."""
    head = record_pb2.RecordHead(version=1, examples=examples, worker=worker)
    # By assignment, because a hostile or newer number has no name.
    head.kind = kind  # type: ignore[assignment]
    head.map_state = map_state  # type: ignore[assignment]
    return head
