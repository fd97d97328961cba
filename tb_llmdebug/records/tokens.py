"""The tokens of one example."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tb_llmdebug.records.errors import InvalidRecordError


@dataclass(frozen=True)
class Tokens:
    """Tokens of one example, in order.

    A byte-level tokenizer may split one character over several tokens. Such a piece carries the whole
    character as its `text` and says with `part` and `parts` that it is piece `part` of `parts`; a token
    that is whole has `parts` 0.

    Example:
        >>> Tokens(text=("a", "中", "中"), part=(0, 1, 2), parts=(0, 2, 2)).labels()
        ('a', '中 1/2', '中 2/2')
    """

    text: tuple[str, ...]
    """[tokens], as it reads"""
    ids: tuple[int, ...] = ()
    """[tokens], or empty if logged as strings"""
    special: tuple[bool, ...] = ()
    """[tokens], or empty if none is known to be special"""
    part: tuple[int, ...] = ()
    """[tokens], or empty if every token is whole"""
    parts: tuple[int, ...] = ()
    """[tokens], or empty if every token is whole"""
    offsets: tuple[tuple[int, int], ...] = ()
    """[tokens] of (start, end) in the source text, or empty"""

    def __post_init__(self) -> None:
        for field in ("ids", "special", "part", "parts", "offsets"):
            length = len(getattr(self, field))
            if length not in (0, len(self.text)):
                raise InvalidRecordError(
                    f"Tokens.{field} has {length} entries for {len(self.text)} tokens: give one per "
                    "token, or none."
                )

    def __len__(self) -> int:
        return len(self.text)

    def digest(self) -> bytes:
        """Return the 16-byte content hash under which these tokens are stored once."""
        content = (self.text, self.ids, self.special, self.part, self.parts, self.offsets)
        text = repr(content).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=16).digest()

    def labels(self) -> tuple[str, ...]:
        """Return one label per token: its text, and for a piece of a character which piece it is."""
        if not self.parts:
            return self.text
        pieces = zip(self.text, self.part, self.parts, strict=True)
        return tuple(f"{text} {part}/{parts}" if parts else text for text, part, parts in pieces)
