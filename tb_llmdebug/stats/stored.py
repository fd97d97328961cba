"""What the statistics of logged attention take."""

from __future__ import annotations

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError


def check_stored(*attentions: object) -> None:
    """Check that these were logged and opened.

    Raises:
        InvalidRecordError: one is something else, such as an array.
    """
    for attention in attentions:
        if not isinstance(attention, StoredAttention):
            raise InvalidRecordError(
                f"a {type(attention).__name__} is no logged attention: pass what "
                "open_logdir(...).attention(...) returns."
            )
