"""The attention record that a request names."""

from __future__ import annotations

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.grown import UNREADABLE, GrownAttention
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError


def opened(logdir: Logdir, series_id: str, ordinal: int, *, partly: bool = False) -> StoredAttention:
    """Return record number `ordinal` of a series; while decoding, with the rows of the steps before it.

    Args:
        partly: also return it without those of the steps before that cannot be read at the moment.

    Raises:
        KeyError: there is none (any more).
        DamagedRecordError: it cannot be read.
    """
    series = logdir.index.series(series_id)
    if series is None or series.kind != record_pb2.ATTENTION:
        raise KeyError("There is no such series: reload the page.")
    if ordinal >= len(series.entries):
        raise KeyError("There is no such record: reload the page.")
    stored = logdir.grown.at(
        series_id, ordinal, lambda place: logdir.stored_attention(series, series.entries[place])
    )
    if not partly and may_be_mended(stored):
        raise DamagedRecordError(UNREADABLE)
    return stored


def may_be_mended(stored: StoredAttention) -> bool:
    """Return whether rows are missing that may be there when the same is asked again."""
    return isinstance(stored, GrownAttention) and stored.gap == UNREADABLE
