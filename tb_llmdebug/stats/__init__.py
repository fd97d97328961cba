"""Exact per-head statistics, computed from the original weights, never from stored tiles."""

from tb_llmdebug.stats.attention import STATISTICS, RowSums, layer_statistics
from tb_llmdebug.stats.distance import jensen_shannon_distance

__all__ = ["STATISTICS", "RowSums", "jensen_shannon_distance", "layer_statistics"]
