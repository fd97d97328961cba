"""Writer, its background worker, and the sinks it can write to."""

from tb_llmdebug.writing.active import active_writer
from tb_llmdebug.writing.writer import Writer, WriterStatus

__all__ = ["Writer", "WriterStatus", "active_writer"]
