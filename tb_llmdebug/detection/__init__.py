"""What is wrong with a run: contracts that are exact, each right when it speaks."""

from tb_llmdebug.detection.attention_contracts import AttentionChecks

__all__ = ["AttentionChecks"]
