"""Exact per-head statistics, computed from the original weights, never from stored tiles."""

from tb_llmdebug.stats.attention import STATISTICS, HeadStatistics, RowSums, layer_statistics
from tb_llmdebug.stats.comparison import AttentionComparison, compare, match_heads
from tb_llmdebug.stats.distance import jensen_shannon_distance
from tb_llmdebug.stats.known_tokens import KnownTokens

__all__ = [
    "STATISTICS",
    "AttentionComparison",
    "HeadStatistics",
    "KnownTokens",
    "RowSums",
    "compare",
    "jensen_shannon_distance",
    "layer_statistics",
    "match_heads",
]
