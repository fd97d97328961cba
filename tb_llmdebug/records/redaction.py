"""Every text of a record through a function before it is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tb_llmdebug.records.anomaly import Anomaly, AnomalyRecord
from tb_llmdebug.records.attention import AttentionRecord, Example
from tb_llmdebug.records.attribution import AttributionRecord
from tb_llmdebug.records.tokens import Tokens

Redact = Callable[[str], str]
Record = AttentionRecord | AttributionRecord | AnomalyRecord


def redacted(record: Record, redact: Redact) -> Record:
    """Return a copy of `record` in which every logged text is `redact(text)`.

    What records are found by stays as it is: names, rules, methods. Token ids and offsets are left out:
    they would give the text away.

    Example:
        >>> tokens = Tokens(text=("my", "name"), ids=(7, 8))
        >>> redacted_tokens(tokens, lambda text: "x" * len(text))
        Tokens(text=('xx', 'xxxx'), ids=(), special=(), part=(), parts=(), offsets=())
    """
    if isinstance(record, AnomalyRecord):
        return replace(record, anomaly=_anomaly(record.anomaly, redact))
    if isinstance(record, AttributionRecord):
        items = tuple(
            replace(
                item,
                tokens=redacted_tokens(item.tokens, redact),
                target=redact(item.target),
            )
            for item in record.items
        )
        return replace(record, items=items, baseline=redact(record.baseline))
    return replace(
        record,
        examples=tuple(_example(example, redact) for example in record.examples),
        anomalies=tuple(_anomaly(anomaly, redact) for anomaly in record.anomalies),
        layers=tuple(replace(layer, label=redact(layer.label)) for layer in record.layers),
        without_map=tuple(replace(layer, label=redact(layer.label)) for layer in record.without_map),
    )


def redacted_tokens(tokens: Tokens | None, redact: Redact) -> Tokens | None:
    """Return `tokens` with each text redacted, without what would give it away."""
    if tokens is None:
        return None
    return replace(tokens, text=tuple(map(redact, tokens.text)), ids=(), offsets=())


def _example(example: Example, redact: Redact) -> Example:
    return replace(
        example,
        query_tokens=redacted_tokens(example.query_tokens, redact),
        key_tokens=redacted_tokens(example.key_tokens, redact),
        label=redact(example.label),
    )


def _anomaly(anomaly: Anomaly, redact: Redact) -> Anomaly:
    return replace(
        anomaly,
        message=redact(anomaly.message),
        why=redact(anomaly.why),
        advice=redact(anomaly.advice),
    )
