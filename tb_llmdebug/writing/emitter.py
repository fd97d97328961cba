"""From records to encoded records: redaction, and each set of tokens once."""

from __future__ import annotations

from collections.abc import Iterator

from tb_llmdebug.records import AnomalyRecord, Tokens
from tb_llmdebug.records.redaction import Record, Redact, redacted
from tb_llmdebug.wire import messages
from tb_llmdebug.wire.event import EncodedRecord


class Emitter:
    """Encodes the records of one sink. Not thread-safe: one thread at a time writes a sink."""

    def __init__(self, redact: Redact | None = None, worker: int = 0) -> None:
        self._redact = redact
        self._worker = worker
        self._stored_tokens: set[bytes] = set()

    def encode(self, record: Record) -> Iterator[EncodedRecord]:
        """Yield `record` encoded, preceded by the tokens it refers to that were not stored yet."""
        if self._redact is not None:
            record = redacted(record, self._redact)
        for tokens in _tokens_of(record):
            digest = tokens.digest()
            if digest not in self._stored_tokens:
                yield messages.encode_tokens(tokens, record.step, record.wall_time)
                # Only now: a failed write must be tried again with the next record.
                self._stored_tokens.add(digest)
        yield messages.encode(record, self._worker)


def _tokens_of(record: Record) -> Iterator[Tokens]:
    return iter(()) if isinstance(record, AnomalyRecord) else record.tokens()
