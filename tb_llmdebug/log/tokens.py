"""Tokens as users have them: ids with a tokenizer, or strings."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.host import to_host
from tb_llmdebug.records import InvalidRecordError, Tokens

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
# The tokenizer is held with its tokens, so that its id cannot become another's.
_cache: dict[tuple[int, bytes], tuple[Any, Tokens]] = {}
_MOST_DECODED = 1 << 17
"""tokens that are kept: tens of megabytes"""


@dataclass(frozen=True, eq=False)
class TokenIds:
    """Token ids and the tokenizer that made them.

    They are decoded one by one, so that a character split over several byte-level tokens is shown as that
    character and its pieces, never as mojibake.

    Args:
        ids: int [tokens] or [batch, tokens], an array or tensor; inside `tf.function` a symbolic one too.
        tokenizer: a Hugging Face tokenizer, slow or fast, or anything with `convert_ids_to_tokens` and
            `all_special_ids`.

    Example:
        >>> class Letters:
        ...     all_special_ids = [0]
        ...     def convert_ids_to_tokens(self, ids):
        ...         return ["_abc"[token] for token in ids]
        >>> TokenIds([0, 2, 1], Letters()).decode()[0].text
        ('_', 'b', 'a')
    """

    ids: Any
    tokenizer: Any

    def decode(self, examples: Sequence[int] | None = None) -> tuple[Tokens, ...]:
        """Return the tokens of each example, or of those named.

        What was decoded before is not decoded again: probes are logged at every step.

        Raises:
            InvalidRecordError: the tokenizer is none, or the ids no integers [tokens] or [batch, tokens].
        """
        rows = self._rows()
        return tuple(self._decoded(row) for row in (rows if examples is None else rows[list(examples)]))

    def batch(self) -> int:
        """Return how many examples the ids are of.

        Raises:
            InvalidRecordError: the tokenizer is none, or the ids no integers [tokens] or [batch, tokens].
        """
        return len(self._rows())

    def _rows(self) -> npt.NDArray[np.int64]:
        if isinstance(self.tokenizer, type) or not hasattr(self.tokenizer, "convert_ids_to_tokens"):
            raise InvalidRecordError(
                f"the tokenizer is a {type(self.tokenizer).__name__}, without convert_ids_to_tokens: pass "
                "the object that made the ids, such as AutoTokenizer.from_pretrained(...)."
            )
        ids = to_host(self.ids, "TokenIds.ids").array
        if ids.ndim not in (1, 2) or ids.dtype.kind not in "iu":
            raise InvalidRecordError(
                f"TokenIds.ids has shape {ids.shape} and type {ids.dtype}: pass integers of shape "
                "[tokens] or [batch, tokens]."
            )
        return np.atleast_2d(ids).astype(np.int64)

    def _decoded(self, row: npt.NDArray[np.int64]) -> Tokens:
        key = (id(self.tokenizer), row.tobytes())
        known = _cache.get(key)
        if known is None:
            if sum(len(tokens) for _, tokens in _cache.values()) + len(row) > _MOST_DECODED:
                _cache.clear()
            try:
                tokens = _decode_row(row.tolist(), self.tokenizer)
            except Exception as error:
                raise InvalidRecordError(
                    f"the tokenizer cannot decode these ids ({error}): pass the ids that the model saw."
                ) from error
            known = _cache[key] = (self.tokenizer, tokens)
        return known[1]


def read_tokens(tokens: Any, what: str) -> tuple[Tokens, ...]:
    """Return one `Tokens` per example from what the user gave.

    Args:
        tokens: `TokenIds`, one or several `Tokens`, a list of strings, or a list of such lists.
        what: the argument's name, for the error.

    Raises:
        InvalidRecordError: it is none of these.

    Example:
        >>> read_tokens(["the", "cat"], "tokens")[0].text
        ('the', 'cat')
    """
    if isinstance(tokens, TokenIds):
        return tokens.decode()
    if isinstance(tokens, Tokens):
        return (tokens,)
    if isinstance(tokens, Sequence) and not isinstance(tokens, (str, bytes)):
        if tokens and all(isinstance(entry, str) for entry in tokens):
            return (Tokens(text=tuple(tokens)),)
        if all(isinstance(entry, Tokens) for entry in tokens):
            return tuple(tokens)
        rows = [entry for entry in tokens if isinstance(entry, (list, tuple))]
        if len(rows) == len(tokens) and all(isinstance(text, str) for row in rows for text in row):
            return tuple(Tokens(text=tuple(row)) for row in rows)
    if _holds_ids(tokens):
        raise InvalidRecordError(f"{what} holds numbers: use llmdebug.TokenIds(ids, tokenizer).")
    raise InvalidRecordError(
        f"{what} is a {type(tokens).__name__}: pass a list of strings per example, or "
        "llmdebug.TokenIds(ids, tokenizer)."
    )


def _holds_ids(tokens: Any) -> bool:
    first = tokens
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return isinstance(first, int) or "int" in str(getattr(first, "dtype", ""))


def _decode_row(ids: list[int], tokenizer: Any) -> Tokens:
    pieces = [str(piece) for piece in tokenizer.convert_ids_to_tokens(ids)]
    special_ids = set(getattr(tokenizer, "all_special_ids", ()))
    special = tuple(token in special_ids for token in ids)
    byte_level = _is_byte_level(tokenizer)
    data = [
        None if flag else _piece_bytes(piece, byte_level) for piece, flag in zip(pieces, special, strict=True)
    ]
    texts = [_piece_text(piece) for piece in pieces]
    part, parts = [0] * len(ids), [0] * len(ids)
    for start, stop, text in _split_characters(data):
        for place in range(start, stop):
            texts[place] = text
            if stop - start > 1:
                part[place], parts[place] = place - start + 1, stop - start
    return Tokens(
        text=tuple(texts),
        ids=tuple(ids),
        special=special,
        part=tuple(part) if any(parts) else (),
        parts=tuple(parts) if any(parts) else (),
    )


def _split_characters(data: list[bytes | None]) -> Iterator[tuple[int, int, str]]:
    """Yield (start, stop, text) of each shortest run of tokens whose bytes are whole characters."""
    start = 0
    while start < len(data):
        if data[start] is None:
            start += 1
            continue
        stop, text = start, None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        collected = ""
        while stop < len(data) and (piece := data[stop]) is not None and stop - start < 255:
            collected += decoder.decode(piece)
            stop += 1
            pending, _ = decoder.getstate()
            if not pending:
                text = collected if stop - start > 1 else _readable(piece)
                break
        if text is None or (stop - start > 1 and "\ufffd" in text):
            # The text ends, or goes on otherwise, inside a character: the piece stands alone.
            stop = start + 1
            text = _readable(data[start] or b"")
        yield start, stop, text
        start = stop


def _readable(data: bytes) -> str:
    """Return `data` as text, or byte by byte if it is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in data)


def _piece_bytes(piece: str, byte_level: bool) -> bytes | None:
    """Return the bytes that a piece stands for; None where pieces are text already."""
    if byte_level:
        table = _byte_level_table()
        if all(character in table for character in piece):
            return bytes(table[character] for character in piece)
        return piece.encode("utf-8", "surrogatepass")  # an added token is plain text
    match = _BYTE_TOKEN.fullmatch(piece)
    return bytes([int(match[1], 16)]) if match else None


def _piece_text(piece: str) -> str:
    """SentencePiece writes a space as U+2581."""
    return piece.replace("\u2581", " ")


def _is_byte_level(tokenizer: Any) -> bool:
    """Return whether pieces are byte-level BPE, in which one printable character stands for each byte."""
    if hasattr(tokenizer, "byte_decoder"):
        return True
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return "ByteLevel" in (repr(backend.decoder) if backend is not None else "")


@lru_cache(maxsize=1)
def _byte_level_table() -> dict[str, int]:
    """Return the byte that each character of a byte-level piece stands for.

    Printable bytes of Latin-1 stand for themselves, the others for the characters from U+0100 on, in
    order (Radford et al. 2019, the GPT-2 tokenizer).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(0x100 + place): byte for place, byte in enumerate(others)}
