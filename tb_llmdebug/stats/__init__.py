"""Exact per-head statistics, computed from the original weights, never from stored tiles.

`stats.comparison` compares stored maps; what only logs does not import it.
"""

from tb_llmdebug.stats.attention import STATISTICS, HeadStatistics, RowSums, layer_statistics
from tb_llmdebug.stats.distance import jensen_shannon_distance
from tb_llmdebug.stats.known_tokens import KnownTokens

__all__ = [
    "STATISTICS",
    "HeadStatistics",
    "KnownTokens",
    "RowSums",
    "jensen_shannon_distance",
    "layer_statistics",
]
