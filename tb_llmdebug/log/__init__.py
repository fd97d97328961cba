"""The `log_*` functions."""

from tb_llmdebug.log.anomaly import log_anomaly
from tb_llmdebug.log.attention import log_attention
from tb_llmdebug.log.attribution import log_attribution
from tb_llmdebug.log.probe import log_probe
from tb_llmdebug.log.repeated import repeated_tokens
from tb_llmdebug.log.tokens import TokenIds

__all__ = ["TokenIds", "log_anomaly", "log_attention", "log_attribution", "log_probe", "repeated_tokens"]
