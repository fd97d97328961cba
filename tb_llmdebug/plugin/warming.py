"""Makes the first picture before it is asked for."""

from __future__ import annotations

import logging

from werkzeug.datastructures import MultiDict

from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.reading.index import Index, Series
from tb_llmdebug.wire import record_pb2

MOST_SERIES = 4
"""so many of those written last; the page opens with one of them"""
LARGEST_BYTES = 32 << 20
"""of a record: a larger one would take seconds"""
QUESTION = (("pool", "max"), ("sinks", "aside"))
"""what the page asks unless told otherwise"""

_log = logging.getLogger(__name__)


class Warming:
    """Leaves the overview of the newest step of each series in the cache of `maps`."""

    def __init__(self, index: Index, maps: MapsAnswer) -> None:
        self._index = index
        self._maps = maps
        self._made: dict[str, int] = {}
        """the ordinal last made of each series"""

    def warm(self) -> None:
        """Make what is new; called by the thread that scans, never by a request."""
        newest = sorted(self._series(), key=lambda series: series.entries.last_time)[-MOST_SERIES:]
        for series in reversed(newest):
            ordinal = len(series.entries) - 1
            if ordinal < 0 or self._made.get(series.id) == ordinal:
                continue
            try:
                if series.entries[ordinal].location.length <= LARGEST_BYTES:
                    self._maps.answer(MultiDict([("at", f"{series.id}.{ordinal}.0"), *QUESTION]))
            except Exception:  # noqa: BLE001
                # Nobody asked for it yet, and the other series must not wait for this one.
                _log.exception("an overview could not be made ahead")
        self._made = {series.id: len(series.entries) - 1 for series in newest}

    def _series(self) -> list[Series]:
        return [
            series
            for run in self._index.runs()
            for series in run.all_series()
            if series.kind == record_pb2.ATTENTION
        ]
