"""Reading logs back: the index over event files, lazy payloads, a byte-budgeted cache."""

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.logdir import Logdir, open_logdir

__all__ = ["Logdir", "StoredAttention", "open_logdir"]
