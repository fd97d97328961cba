"""A debugger for language models that lives in TensorBoard."""

import importlib
from typing import TYPE_CHECKING

from tb_llmdebug.capture.adapters import tap
from tb_llmdebug.log import TokenIds, log_anomaly, log_attention, log_attribution, log_probe
from tb_llmdebug.records import (
    Anomaly,
    AnomalyRecord,
    AttentionRecord,
    AttributionRecord,
    InvalidRecordError,
    Severity,
    Tokens,
)
from tb_llmdebug.version import __version__
from tb_llmdebug.writing import Writer, WriterStatus

if TYPE_CHECKING:
    from tb_llmdebug.reading import Logdir, open_logdir
    from tb_llmdebug.stats.comparison import AttentionComparison, compare, match_heads
    from tb_llmdebug.stats.rollout import rollout

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
    "rollout",
    "tap",
]

_LATE = {
    "AttentionComparison": "tb_llmdebug.stats.comparison",
    "Logdir": "tb_llmdebug.reading",
    "compare": "tb_llmdebug.stats.comparison",
    "match_heads": "tb_llmdebug.stats.comparison",
    "open_logdir": "tb_llmdebug.reading",
    "rollout": "tb_llmdebug.stats.rollout",
}


def __getattr__(name: str) -> object:
    """Import what reads logs when it is asked for: a training loop only writes, and starts sooner."""
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
