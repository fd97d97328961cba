"""What TensorBoard itself has loaded, where the log directory cannot be read as files.

Less than the files hold: only records that were written inline, one per tag and step, of all sessions
together, and a sample of them if TensorBoard keeps no more (see `LLMDebugLoader.fix_flags`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorboard import context
from tensorboard.data import provider

from tb_llmdebug.reading.entries import BlobSource
from tb_llmdebug.reading.found import Found, What, what_of
from tb_llmdebug.reading.index import Index, Problem
from tb_llmdebug.wire import names, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import MAX_BLOBS, PLUGIN_NAME
from tb_llmdebug.wire.messages import parse_head

MOST_RECORDS = 1 << 20
"""of one tag. A provider takes 0 for "none", where the flag takes it for "all"."""
_SESSION = names.Session("", 0.0)


class ProviderLogs:
    """Fills an index from a data provider.

    Args:
        data_provider: TensorBoard's.
        index: what to fill.
    """

    def __init__(self, data_provider: Any, index: Index) -> None:
        self._provider = data_provider
        self._index = index
        self._series: dict[str, dict[str, _TimeSeries]] = {}

    def refresh(self, why: str) -> None:
        """Take what came since; `why` says in half a sentence what keeps the files from being read."""
        if self._provider is None:
            return
        where = {"ctx": context.RequestContext(), "experiment_id": "", "plugin_name": PLUGIN_NAME}
        listed = self._provider.list_blob_sequences(**where)
        for run in self._series.keys() - listed.keys():
            del self._series[run]
            self._index.publish(run, None)
        for run, tags in listed.items():
            if tags:
                chosen = provider.RunTagFilter(runs=[run], tags=list(tags))
                found = self._provider.read_blob_sequences(
                    **where, downsample=MOST_RECORDS, run_tag_filter=chosen
                )
                contents = {tag: series.plugin_content for tag, series in tags.items()}
                self._take(run, found.get(run, {}), contents)
        if self._series:
            self._index.note(
                Problem(
                    "",
                    "",
                    f"The files of the logs cannot be read ({why}). What TensorBoard has loaded is shown "
                    "instead: only records that were logged inline, and perhaps a sample of the steps.",
                )
            )

    def _take(self, name: str, found: dict[str, Sequence[Any]], contents: dict[str, bytes]) -> None:
        known = self._series.get(name, {})
        goes_on = all(tag in found and series.is_start_of(found[tag]) for tag, series in known.items())
        run = self._index.run(name) if goes_on else None
        if run is None:
            # Ordinals would not hold: as for files, the run is read anew and then put in its place.
            known, run, new = {}, self._index.new_run(name, foreign=True), True
        else:
            new = False
        for tag, data in found.items():
            series = known.setdefault(tag, _TimeSeries(self._provider, tag, contents.get(tag, b"")))
            records = series.take(data)
            if records:
                self._index.add(run, records, _SESSION, series, shown=not new)
        self._series[name] = known
        if new:
            self._index.publish(name, run)


class _TimeSeries(BlobSource):
    """The records of one tag in one run."""

    def __init__(self, data_provider: Any, tag: str, first_content: bytes) -> None:
        self.path = tag
        self._provider = data_provider
        self._first_content = first_content
        self._data: list[Any] = []

    def is_start_of(self, data: Sequence[Any]) -> bool:
        """Return whether `data` goes on where what is known ends."""
        return len(data) >= len(self._data) and all(
            (one.step, one.wall_time) == (other.step, other.wall_time)
            for one, other in zip(self._data, data, strict=False)
        )

    def take(self, data: Sequence[Any]) -> list[Found]:
        """Return the records of `data` that are new."""
        found = []
        for datum in data[len(self._data) :]:
            self._data.append(datum)
            what, wall_time = self._what(datum)
            found.append(Found(what, datum.step, wall_time, len(self._data) - 1, 0))
        return found

    def blobs(self, number: int) -> tuple[bytes, ...]:
        """Return the blobs of one record.

        Raises:
            DamagedRecordError: TensorBoard does not have them any more.
        """
        values = self._data[number].values
        if len(values) > MAX_BLOBS:
            raise DamagedRecordError(f"a record holds more than {MAX_BLOBS} blobs.")
        return tuple(self._blob(value) for value in values)

    def _blob(self, reference: Any) -> bytes:
        try:
            data = self._provider.read_blob(ctx=context.RequestContext(), blob_key=reference.blob_key)
        except Exception as error:
            raise DamagedRecordError(
                f"TensorBoard does not have a record any more ({type(error).__name__})."
            ) from error
        return bytes(data)

    def _what(self, datum: Any) -> tuple[What, float]:
        """TensorBoard keeps the plugin data of the first record only; the last blob repeats each one's."""
        try:
            content = self._blob(datum.values[-1])
            head = parse_head(content)
            if head.version and head.kind and head.wall_time:
                return what_of(head, self.path, content), head.wall_time
        except (DamagedRecordError, IndexError):
            pass
        try:
            head = parse_head(self._first_content)
        except DamagedRecordError:
            head = record_pb2.RecordHead()
        head.ClearField("anomalies")
        return what_of(head, self.path, b""), datum.wall_time
