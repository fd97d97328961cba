"""What one logged thing is: a frozen dataclass per kind, NumPy only."""

from tb_llmdebug.records.anomaly import Anomaly, AnomalyRecord, Check, CheckState, Severity
from tb_llmdebug.records.attention import (
    AttentionRecord,
    Example,
    LayerAttention,
    LayerWithoutMap,
    MapState,
    PooledAttention,
)
from tb_llmdebug.records.attribution import Attribution, AttributionRecord
from tb_llmdebug.records.errors import InvalidRecordError
from tb_llmdebug.records.tokens import Tokens
from tb_llmdebug.records.vectors import HeadVectors, LayerVectors

__all__ = [
    "Anomaly",
    "AnomalyRecord",
    "AttentionRecord",
    "Attribution",
    "AttributionRecord",
    "Check",
    "CheckState",
    "Example",
    "HeadVectors",
    "InvalidRecordError",
    "LayerAttention",
    "LayerVectors",
    "LayerWithoutMap",
    "MapState",
    "PooledAttention",
    "Severity",
    "Tokens",
]
