"""From broken rows to one anomaly: the worst place, and how many heads share it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records import Anomaly, Severity


@dataclass(frozen=True)
class Rule:
    """What a contract says when it is broken; `{heads}`, `{observed}` and `{place}` are filled in."""

    severity: Severity
    message: str
    why: str
    advice: str


RULES = {
    "attention.not_finite": Rule(
        Severity.ERROR,
        "{heads} hold NaN or infinite weights, first at {place}.",
        "Everything computed from such a row is NaN, and so is the loss or soon will be.",
        "Look at the step before: a query row with every key masked, an overflow in half precision and a "
        "learning rate that is too high are the usual causes.",
    ),
    "attention.row_sum": Rule(
        Severity.ERROR,
        "In {heads} rows do not sum to 1; the worst is off by {observed} at {place}.",
        "Softmax rows sum to 1, so these are not attention weights, or something changed them.",
        "Log what softmax returned: not the logits, not the masked or averaged weights.",
    ),
    "attention.after_dropout": Rule(
        Severity.INFO,
        "The weights of {heads} were logged after dropout: row sums are off by up to {observed}.",
        "Zeros and sums that miss 1 come from dropout here, not from the model.",
        "Log a probe batch with training=False, or model.eval() in PyTorch.",
    ),
    "attention.above_diagonal": Rule(
        Severity.ERROR,
        "{heads} look at later positions, with up to {observed} of a row's weight at {place}.",
        "A causal model that sees the future predicts by copying: its loss is too good and it cannot "
        "generate.",
        "Check that the causal mask is applied, has the right offset, and is added before softmax.",
    ),
    "attention.padding_attended": Rule(
        Severity.ERROR,
        "{heads} put weight on padding, up to {observed} of a row at {place}.",
        "What the model says then depends on how much padding the batch happens to have.",
        "Pass the attention mask to the model (and position ids, when the padding is on the left).",
    ),
    "attention.cross_document": Rule(
        Severity.ERROR,
        "{heads} look into another document of the packed sequence, with up to {observed} of a row's "
        "weight at {place}.",
        "Unrelated texts that were packed together leak into each other.",
        "Build a block-diagonal mask from the document ids and pass it to the model.",
    ),
}


@dataclass(frozen=True, eq=False)
class Block:
    """Which part of a record a block of weights is."""

    example: int
    layer: int
    heads: tuple[int, ...]
    positions: npt.NDArray[np.intp]
    """[rows], which query each row is"""


@dataclass
class Finding:
    """The rows that broke one contract, so far."""

    heads: set[tuple[int, int, int]] = field(default_factory=set)
    """(example, layer, head) of those that broke it"""
    observed: float = -1.0
    example: int = 0
    layer: int = 0
    head: int = 0
    query: int = 0
    key: int | None = None
    slot: int = 0
    row: int = 0
    """where in the block that was looked at last and held the worst row"""

    def add(self, broken: npt.NDArray[np.bool_], observed: npt.NDArray[np.floating], block: Block) -> bool:
        """Note `broken` [heads, rows]; returns whether its worst row is the worst so far."""
        for slot in np.flatnonzero(broken.any(axis=1)):
            self.heads.add((block.example, block.layer, block.heads[slot]))
        candidates = np.where(broken, observed, -1.0)
        slot, row = np.unravel_index(int(candidates.argmax()), candidates.shape)
        if candidates[slot, row] <= self.observed:
            return False
        self.observed = float(candidates[slot, row])
        self.slot, self.row = int(slot), int(row)
        self.example, self.layer, self.head = block.example, block.layer, block.heads[slot]
        self.query, self.key = int(block.positions[row]), None
        return True

    def anomaly(self, name: str, heads_checked: int, threshold: float) -> Anomaly:
        """Return the anomaly that says so."""
        rule = RULES[name]
        place = f"example {self.example}, layer {self.layer}, head {self.head}, query {self.query}"
        heads = f"{len(self.heads)} of {heads_checked} heads"
        return Anomaly(
            rule=name,
            severity=rule.severity,
            message=rule.message.format(heads=heads, observed=f"{self.observed:.3g}", place=place),
            why=rule.why,
            advice=rule.advice,
            observed=self.observed,
            threshold=threshold,
            example=self.example,
            layer=self.layer,
            head=self.head,
            query=self.query,
            key=self.key,
            heads_affected=len(self.heads),
            heads_checked=heads_checked,
        )
