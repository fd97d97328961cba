"""What is logged beside the weights: tokens, masks, documents, values; and whether it fits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.host import to_host
from tb_llmdebug.log.layer_input import LayerInput
from tb_llmdebug.log.layers import named_layers
from tb_llmdebug.log.reader import LayerReader
from tb_llmdebug.log.tokens import TokenIds, read_tokens
from tb_llmdebug.records import InvalidRecordError, Tokens
from tb_llmdebug.stats import KnownTokens


@dataclass(frozen=True, eq=False)
class Given:
    """The arguments of `log_attention` as the user gave them."""

    tokens: Any = None
    query_tokens: Any = None
    key_tokens: Any = None
    mask: Any = None
    document_ids: Any = None
    values: Any = None
    query_mask: Any = None
    cross: bool = False
    """queries and keys are of different texts, however long these are"""
    hint: str = ""
    """what else may be mistaken where something fits no batch"""

    def of_group(self, group: str) -> Given:
        """Return what belongs to one kind of attention of a model that has several.

        `tokens` and `mask` may be dicts of "encoder" and "decoder"; else they are the encoder's.
        Cross-attention looks from the decoder's tokens at the encoder's.
        """
        side = "decoder" if group == "decoder" else "encoder"
        tokens, mask = _by_side(self.tokens, "tokens"), _by_side(self.mask, "mask")
        if group == "cross":
            return replace(
                self,
                tokens=None,
                query_tokens=tokens.get("decoder", self.query_tokens),
                key_tokens=tokens.get("encoder", self.key_tokens),
                mask=mask.get("encoder"),
                query_mask=mask.get("decoder"),
                cross=True,
            )
        return replace(self, tokens=tokens.get(side), query_tokens=None, key_tokens=None, mask=mask.get(side))


def _by_side(value: Any, what: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in ("encoder", "decoder")]
        if unknown:
            raise InvalidRecordError(
                f"{what} has the key {unknown[0]!r}: a dict of them holds 'encoder', 'decoder' or both."
            )
        return dict(value)
    return {} if value is None else {"encoder": value}


@dataclass(frozen=True, eq=False)
class Sides:
    """The same for the kept examples."""

    query_tokens: tuple[Tokens, ...] | None
    key_tokens: tuple[Tokens, ...] | None
    key_mask: npt.NDArray[np.bool_] | None
    """bool [examples, keys]"""
    document_ids: npt.NDArray[Any] | None
    """int [examples, keys]"""
    query_mask: npt.NDArray[np.bool_] | None = None
    """bool [examples, queries] of cross-attention; that of self-attention is the keys'"""
    cross: bool = False
    """queries and keys are of different texts, so that a diagonal means nothing"""
    _known: dict[int, KnownTokens] = field(default_factory=dict, init=False)

    def known_tokens(self, example: int) -> KnownTokens | None:
        """Return what statistics know of the keys' tokens; None if none were given."""
        if self.key_tokens is None:
            return None
        if example not in self._known:
            tokens = self.key_tokens[example]
            numbers: dict[Any, int] = {}
            names = tokens.ids or tokens.text
            identity = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
            special = np.array(tokens.special, bool) if tokens.special else None
            self._known[example] = KnownTokens(identity, special)
        return self._known[example]


class SideReader:
    """Reads what was given beside the weights, and holds each layer to it."""

    def __init__(self, given: Given, reader: LayerReader) -> None:
        self._given = given
        self._reader = reader
        self._sides: Sides | None = None
        self._checked: tuple[int, int] | None = None
        known = [] if given.values is None else list(named_layers(given.values, "values"))
        self._values = None if given.values is None else {number: value for number, _, value in known}
        self._labelled_values = (
            {label: value for _, label, value in known} if isinstance(given.values, Mapping) else None
        )

    @property
    def sides(self) -> Sides:
        """What belongs to every layer; known once the first was read."""
        assert self._sides is not None, "no layer was read"
        return self._sides

    @property
    def alike(self) -> bool:
        """Whether what belongs to layers of one shape is the same for all."""
        return self._values is None

    def of(self, layer: LayerInput) -> LayerInput:
        """Return `layer`, with its values if they were given, held to all else that was given.

        Raises:
            InvalidRecordError: something does not fit the weights; the sentence names both sizes.
        """
        if self._sides is None:
            self._sides = _bind(self._given, self._reader, layer)
        sizes = layer.queries, layer.shape[3]
        if sizes != self._checked:
            _check(self._sides, self._reader, layer, self._given)
            self._checked = sizes
        if self._values is not None:
            values = self._values_of(layer)
            layer = layer.with_values(values, self._reader.examples, self._reader.landing)
        return layer._replace(cross=True) if self._sides.cross else layer

    def _values_of(self, layer: LayerInput) -> Any:
        """Dicts are paired by name, anything else by order."""
        known = self._labelled_values if layer.label else None
        if known is not None and layer.label in known:
            return known[layer.label]
        if known is not None or self._values is None or layer.layer not in self._values:
            name = repr(layer.label) if known is not None else str(layer.layer)
            raise InvalidRecordError(
                f"values hold no layer {name}: give one [batch, head, key, size] per layer."
            )
        return self._values[layer.layer]


def value_norms(layer: LayerInput) -> npt.NDArray[np.float32] | None:
    """Return float32 [examples, heads, keys], the Euclidean norm of each value vector; None without."""
    if layer.values is None:
        return None
    values = layer.values.astype(np.float32, copy=False)
    norms: npt.NDArray[np.float32] = np.sqrt(np.einsum("ehkd,ehkd->ehk", values, values))
    return norms


def _bind(given: Given, reader: LayerReader, layer: LayerInput) -> Sides:
    per_key = partial(_per_position, reader=reader, size=layer.shape[3], hint=given.hint)
    kept = partial(_kept_tokens, reader=reader, hint=given.hint)
    both = kept(given.tokens, "tokens")
    queries = kept(given.query_tokens, "query_tokens")
    keys = kept(given.key_tokens, "key_tokens")
    queries = queries or _fitting(both, layer.queries, layer.shape[3])
    keys = keys or _fitting(both, layer.shape[3], layer.queries)
    named = given.query_tokens is not None or given.key_tokens is not None
    return Sides(
        query_tokens=queries,
        key_tokens=keys,
        key_mask=per_key(given.mask, "mask", boolean=True),
        document_ids=per_key(given.document_ids, "document_ids", boolean=False),
        query_mask=_per_position(
            given.query_mask, "mask of the decoder", reader=reader, size=layer.queries, boolean=True
        ),
        cross=given.cross or (named and (queries is None or queries != keys)),
    )


def _kept_tokens(given: Any, what: str, reader: LayerReader, hint: str) -> tuple[Tokens, ...] | None:
    """Return the tokens of the kept examples; None if none were given."""
    if given is None:
        return None
    rows = given if isinstance(given, TokenIds) else read_tokens(given, what)
    count = rows.batch() if isinstance(rows, TokenIds) else len(rows)
    if count != reader.batch:
        examples = "1 example" if count == 1 else f"{count} examples"
        raise InvalidRecordError(
            f"{what} holds {examples} and attention {reader.batch}: give tokens for each example{hint}."
        )
    if isinstance(rows, TokenIds):
        return rows.decode(reader.examples)  # a batch may hold many more than are kept
    return tuple(rows[example] for example in reader.examples)


def _fitting(both: tuple[Tokens, ...] | None, size: int, other: int) -> tuple[Tokens, ...] | None:
    """Return `tokens=` for a side of `size` positions, unless they name the `other` side.

    They name both sides of self-attention, and of a rectangular map the one that they fit, as in decoding
    with a cache.
    """
    lengths = {len(row) for row in both or ()}
    return None if lengths == {other} and lengths != {size} else both


def _check(sides: Sides, reader: LayerReader, layer: LayerInput, given: Given) -> None:
    for side, rows, size in (
        ("query", sides.query_tokens, layer.queries),
        ("key", sides.key_tokens, layer.shape[3]),
    ):
        one_side = given.query_tokens if side == "query" else given.key_tokens
        what = "tokens" if one_side is None else f"{side}_tokens"
        for example, row in zip(reader.examples, rows or (), strict=rows is not None):
            if len(row) != size:
                raise InvalidRecordError(
                    f"{what} of example {example} has {len(row)} tokens but layer {layer.layer} has "
                    f"{size} {'queries' if side == 'query' else 'keys'}: give the tokens that the model "
                    "saw, padding and special tokens included."
                )
    if sides.query_mask is not None and sides.query_mask.shape[1] != layer.queries:
        raise InvalidRecordError(
            f"mask of the decoder has {sides.query_mask.shape[1]} queries but layer {layer.layer} has "
            f"{layer.queries}: log layers of other sizes under another name."
        )
    for what, array in (("mask", sides.key_mask), ("document_ids", sides.document_ids)):
        if array is not None and array.shape[1] != layer.shape[3]:
            raise InvalidRecordError(
                f"{what} has {array.shape[1]} keys but layer {layer.layer} has {layer.shape[3]}: log layers "
                "of other sizes under another name."
            )


def _per_position(
    value: Any, what: str, *, reader: LayerReader, size: int, boolean: bool, hint: str = ""
) -> npt.NDArray[Any] | None:
    """Return [examples, size] of the kept examples from a [batch, size] or [size] input."""
    if value is None:
        return None
    array = to_host(value, what).array
    if array.ndim == 1:
        array = np.broadcast_to(array, (reader.batch, *array.shape))
    if array.shape != (reader.batch, size):
        raise InvalidRecordError(
            f"{what} has shape {list(array.shape)}: expected [batch, key], here [{reader.batch}, "
            f"{size}]{hint}."
        )
    if not boolean and array.dtype.kind not in "iu":
        raise InvalidRecordError(f"{what} are of type {array.dtype}: pass whole numbers.")
    if boolean and not ((array == 0) | (array == 1)).all():
        raise InvalidRecordError(
            f"{what} holds other values than 0 and 1: pass 1 for real tokens and 0 for padding."
        )
    kept = array[list(reader.examples)]
    return kept.astype(bool) if boolean else kept
