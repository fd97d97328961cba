"""A debugger for language models that lives in TensorBoard."""

import importlib
from typing import TYPE_CHECKING

from tb_llmdebug.capture.adapters import tap
from tb_llmdebug.log import TokenIds, log_anomaly, log_attention, log_attribution, log_probe, repeated_tokens
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
    from tb_llmdebug.stats.lenses import MeanAttention, mean_attention, value_weighted
    from tb_llmdebug.stats.rollout import rollout
    from tb_llmdebug.stats.similarity import SimilarHead, most_similar_heads
    from tb_llmdebug.stats.sinks import WithoutSinks, without_sinks

__all__ = [
    "Anomaly",
    "AnomalyRecord",
    "AttentionComparison",
    "AttentionRecord",
    "AttributionRecord",
    "InvalidRecordError",
    "Logdir",
    "MeanAttention",
    "Severity",
    "SimilarHead",
    "TokenIds",
    "Tokens",
    "WithoutSinks",
    "Writer",
    "WriterStatus",
    "__version__",
    "compare",
    "log_anomaly",
    "log_attention",
    "log_attribution",
    "log_probe",
    "match_heads",
    "mean_attention",
    "most_similar_heads",
    "open_logdir",
    "repeated_tokens",
    "rollout",
    "tap",
    "value_weighted",
    "without_sinks",
]

_LATE = {
    "AttentionComparison": "tb_llmdebug.stats.comparison",
    "Logdir": "tb_llmdebug.reading",
    "compare": "tb_llmdebug.stats.comparison",
    "match_heads": "tb_llmdebug.stats.comparison",
    "open_logdir": "tb_llmdebug.reading",
    "MeanAttention": "tb_llmdebug.stats.lenses",
    "mean_attention": "tb_llmdebug.stats.lenses",
    "rollout": "tb_llmdebug.stats.rollout",
    "SimilarHead": "tb_llmdebug.stats.similarity",
    "most_similar_heads": "tb_llmdebug.stats.similarity",
    "value_weighted": "tb_llmdebug.stats.lenses",
    "WithoutSinks": "tb_llmdebug.stats.sinks",
    "without_sinks": "tb_llmdebug.stats.sinks",
}


def __getattr__(name: str) -> object:
    """Import what reads logs when it is asked for: a training loop only writes, and starts sooner."""
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
