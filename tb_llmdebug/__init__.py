"""A debugger for language models that lives in TensorBoard."""

from tb_llmdebug.capture.adapters import tap
from tb_llmdebug.log import TokenIds, log_anomaly, log_attention, log_attribution, log_probe
from tb_llmdebug.reading import Logdir, open_logdir
from tb_llmdebug.records import (
    Anomaly,
    AnomalyRecord,
    AttentionRecord,
    AttributionRecord,
    InvalidRecordError,
    Severity,
    Tokens,
)
from tb_llmdebug.stats import AttentionComparison, compare, match_heads
from tb_llmdebug.version import __version__
from tb_llmdebug.writing import Writer, WriterStatus

__all__ = [
    "Anomaly",
    "AnomalyRecord",
    "AttentionComparison",
    "AttentionRecord",
    "AttributionRecord",
    "InvalidRecordError",
    "Logdir",
    "Severity",
    "TokenIds",
    "Tokens",
    "Writer",
    "WriterStatus",
    "__version__",
    "compare",
    "log_anomaly",
    "log_attention",
    "log_attribution",
    "log_probe",
    "match_heads",
    "open_logdir",
    "tap",
]
