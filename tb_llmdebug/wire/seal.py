"""A checksum over what an index shows of a record: tag, step and RecordHead.

An index leaps over payloads, so the checksum that TFRecord keeps over a whole record does not help it: a
damaged step would be shown as the true one. The seal is the last field of the plugin data (field 8 of
RecordHead, fixed32), a CRC-32C over the tag, the step and the plugin data before it. Records of versions
that wrote none are verified whole instead.
"""

from __future__ import annotations

import struct

import google_crc32c

_SEAL = struct.Struct("<BI")
_KEY = 8 << 3 | 5  # field 8, fixed32
_STEP = struct.Struct("<q")


def sealed(head: bytes, tag: str, step: int) -> bytes:
    """Return the plugin data `head`, a serialised RecordHead, with its seal.

    Example:
        >>> is_sealed(sealed(b"head", "decoder", 3), "decoder", 3)
        True
        >>> is_sealed(sealed(b"head", "decoder", 3), "decoder", 4)
        False
        >>> is_sealed(b"head", "decoder", 3)
        False
    """
    return head + _SEAL.pack(_KEY, _checksum(head, tag, step))


def is_sealed(content: bytes, tag: str, step: int) -> bool:
    """Return whether `content` ends in a seal and it, `tag` and `step` are what was written."""
    head = content[: -_SEAL.size]
    return content[len(head) :] == _SEAL.pack(_KEY, _checksum(head, tag, step))


def _checksum(head: bytes, tag: str, step: int) -> int:
    signed = (step + (1 << 63)) % (1 << 64) - (1 << 63)
    return int(google_crc32c.value(_STEP.pack(signed) + tag.encode() + b"\0" + head))
