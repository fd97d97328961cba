"""The one contract for looking inside a model: what an attention layer did in one call.

Maps, values, attributions to heads, detection and interventions all use these taps. How they get into a
model is the business of one adapter per framework (`capture/adapters.py` finds it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, overload

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records import InvalidRecordError, LayerWithoutMap
from tb_llmdebug.records.errors import some_of

PARTS = ("q", "k", "v", "logits", "weights", "output")
"""what can be asked of a layer"""

Rows = slice | npt.NDArray[np.integer]


class Block(Protocol):
    """Computes a piece of one layer's weights or logits, so that the whole never has to exist."""

    def __call__(self, example: int, heads: slice, rows: Rows) -> npt.NDArray[np.float32]:
        """Return float32 [heads, rows, keys] on the host."""


class Selection(Protocol):
    """Computes a part of one layer's weights without waiting for the GPU that it runs on."""

    def __call__(self, examples: Sequence[int], heads: Sequence[int], rows: Sequence[int]) -> Any:
        """Return a tensor, float32 [examples, heads, rows, keys], on that GPU."""


@dataclass(frozen=True, eq=False)
class LayerTaps:
    """What one attention layer did in one call; parts that were not asked for are None.

    Tensors are the framework's own. Those that the layer itself made are the very ones that the rest of
    the model was computed from, so that a gradient with respect to them can be taken; those that had to be
    made for the tap (because a fused kernel makes no weights, or only some rows were asked for) are not
    part of that computation.
    """

    layer: int
    """its number within its group, in the model's own order"""
    label: str
    """its path in the model, e.g. transformer.h.3.attn"""
    shape: tuple[int | None, int | None, int | None, int | None]
    """[batch, heads, queries, keys] of its weights; None where a graph does not know it yet"""
    group: str = ""
    """empty, or encoder, decoder or cross in models that have several kinds of attention"""
    key_value_heads: int = 0
    """grouped-query attention: number of key-value heads; 0 = as many as heads"""
    causal: bool | None = None
    """whether the layer itself forbids looking ahead; None = it does not say"""
    window: int = 0
    """sliding window: keys that a query may look back, itself included; 0 = all"""
    q: Any = None
    """[batch, heads, queries, size], after rotary or other position encoding"""
    k: Any = None
    """[batch, key-value heads, keys, size]"""
    v: Any = None
    """[batch, key-value heads, keys, size]"""
    logits: Any = None
    """[batch, heads, queries, keys], scaled, with mask and bias, before softmax"""
    weights: Any = None
    """[batch, heads, queries, keys], before dropout"""
    output: Any = None
    """[batch, heads, queries, size], weights times v, before the output projection"""
    block: Block | None = None
    """weights piece by piece; None inside a graph"""
    on_gpu: Selection | None = None
    """weights all at once; None where the layer does not run on a GPU of PyTorch's"""
    without_map: tuple[LayerWithoutMap, ...] = ()
    """the layers of a hybrid model around this one that have no attention of its kind"""
    logit_block: Block | None = None
    """logits piece by piece, where these were asked for"""
    scale: float | None = None
    """what q . k is multiplied with on the way to the logits; None = the layer does not say"""
    softcap: float = 0.0
    """logits are softcap tanh(x / softcap) before mask and bias; 0 = they are not capped"""
    sinks: Any = None
    """[heads]: a logit that takes part in the softmax and is dropped from the weights; None = none"""
    replica: int = 0
    call: int = 0
    """which call of the model this was, counted from 0"""


Deliver = Callable[[LayerTaps], None]


@dataclass(frozen=True)
class Request:
    """What is wanted of which layers."""

    parts: frozenset[str]
    layers: frozenset[int] | None = None
    """numbers within the group; None = all"""
    heads: tuple[int, ...] | None = None
    """None = all"""
    rows: tuple[int, ...] | None = None
    """query positions; None = all"""
    logit_pieces: bool = False
    """whether logits are wanted piece by piece, which costs nothing until a piece is asked for"""
    ran: set[int] = field(default_factory=set, compare=False)
    """numbers of the layers that ran, wanted or not"""

    def __post_init__(self) -> None:
        unknown = sorted(self.parts - set(PARTS))
        if unknown:
            raise InvalidRecordError(f"{unknown[0]!r} cannot be captured: ask for {', '.join(PARTS)}.")

    def wants(self, layer: int) -> bool:
        """Return whether layer number `layer`, which runs now, is to be looked into."""
        self.ran.add(layer)
        return self.layers is None or layer in self.layers


@dataclass
class Captured(Sequence[LayerTaps]):
    """The layers of the model's latest call, in the order of the model."""

    _layers: dict[tuple[int, str, int], LayerTaps] = field(default_factory=dict)

    def weights(self) -> dict[str, Any]:
        """Return the weights of every layer by its label, e.g. to return them from a compiled step."""
        return {taps.label: taps.weights for taps in self}

    def of_group(self, group: str) -> Captured:
        """Return the layers of one kind of attention."""
        return Captured({key: taps for key, taps in self._layers.items() if taps.group == group})

    @overload
    def __getitem__(self, place: int) -> LayerTaps: ...
    @overload
    def __getitem__(self, place: slice) -> list[LayerTaps]: ...
    def __getitem__(self, place: int | slice) -> LayerTaps | list[LayerTaps]:
        layers = list(self._layers.values())
        try:
            return layers[place]
        except IndexError:
            # No error of our own: sequences end with this one.
            if not layers:
                raise IndexError("nothing was captured: call the model inside the `with` block.") from None
            labels = some_of([taps.label for taps in layers])
            raise IndexError(f"place {place} of {len(layers)}: captured were {labels}.") from None

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[LayerTaps]:
        return iter(list(self._layers.values()))

    def add(self, taps: LayerTaps) -> None:
        """Keep `taps`; those of an earlier call are let go, those that came already are kept as they are."""
        if any(other.call != taps.call for other in self):
            self._layers.clear()
        self._layers.setdefault((taps.replica, taps.group, taps.layer), taps)
