"""Contracts on attention weights: what softmax, a mask and causality promise.

A contract whose input was not given is reported as not checked. Only real query rows are looked at: with a
correct left mask the rows of the padding itself put most of their weight on padding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tb_llmdebug.detection.findings import Block, Finding
from tb_llmdebug.records import Anomaly, Check, CheckState
from tb_llmdebug.stats import RowSums

LEAK = 1e-6
"""weight that a masked key may have: rounding, no more"""
ROW_SUM_ERROR = 1e-2
"""how far a row's sum may be off 1: bfloat16 alone makes 0.002, also when it was cast to float32 later"""
DROPOUT_ZEROS = 0.01
"""share of exact zeros at visible keys from which rows that miss 1 look like dropout"""

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass
class AttentionChecks:
    """The contracts of one record, fed with blocks of the heads and rows of a layer and example.

    Example:
        >>> from tb_llmdebug.stats import layer_statistics
        >>> weights = np.tri(3, dtype=np.float32)[None] / np.arange(1, 4, dtype=np.float32)[:, None]
        >>> checks = AttentionChecks(causal=True, masked=False, documents=False)
        >>> checks.look(weights, layer_statistics(weights)[1], place=(0, 0, (0,)))
        >>> checks.anomalies()
        ()
        >>> [check.rule for check in checks.checks() if check.state is CheckState.NOT_CHECKED]
        ['attention.padding_attended', 'attention.cross_document']
    """

    causal: bool | None
    masked: bool
    documents: bool
    heads_seen: set[tuple[int, int, int]] = field(default_factory=set, init=False)
    findings: dict[str, Finding] = field(default_factory=dict, init=False)
    _square: bool = field(default=True, init=False)
    _dropout: bool = field(default=True, init=False)
    _sums_below: bool = field(default=False, init=False)
    _sums_above: bool = field(default=False, init=False)
    _rows_seen: bool = field(default=False, init=False)

    def look(
        self,
        weights: Floats,
        rows: RowSums,
        place: tuple[int, int, tuple[int, ...]],
        query_mask: Mask | None = None,
        key_mask: Mask | None = None,
        document_ids: npt.NDArray[np.integer] | None = None,
        positions: npt.NDArray[np.intp] | None = None,
    ) -> None:
        """Check a block of one layer of one example.

        Args:
            weights: float32 [heads, rows, keys].
            rows: their row sums, from `HeadStatistics.add`.
            place: the example, the layer, the numbers of the block's heads.
            query_mask: bool [rows], True = real; None = all real.
            key_mask: bool [keys], likewise.
            document_ids: int [keys] of a packed sequence, or None.
            positions: int [rows], which query each row is; None = from 0 on.
        """
        example, layer, heads = place
        self.heads_seen.update((example, layer, head) for head in heads)
        if positions is None:
            positions = np.arange(weights.shape[1])
        block = Block(example, layer, heads, positions)
        real = np.ones(rows.total.shape[1], bool) if query_mask is None else query_mask
        self._rows_seen |= bool(real.any())
        finite = np.isfinite(rows.total)
        self._add("attention.not_finite", real & ~finite, np.where(real & ~finite, 1.0, 0.0), block)
        with np.errstate(invalid="ignore"):
            error = np.where(real & finite, np.abs(rows.total - 1), 0)
        off = error > ROW_SUM_ERROR
        self._add("attention.row_sum", off, error, block)
        if off.any():
            self._sums_below |= bool((off & (rows.total < 1)).any())
            self._sums_above |= bool((off & (rows.total > 1)).any())
            self._dropout &= _looks_like_dropout(weights, rows.total, real & finite, key_mask, positions)
        if key_mask is not None and rows.padding is not None:
            self._leak("attention.padding_attended", rows.padding, weights, ~key_mask, block)
        if rows.above_diagonal is None:
            self._square = False
            return
        if self.causal:
            later = np.arange(weights.shape[2]) > positions[:, None]
            self._leak("attention.above_diagonal", rows.above_diagonal, weights, later, block)
        if document_ids is not None:
            other = document_ids[positions][:, None] != document_ids[None, :]
            leaked = np.einsum("hqk,qk->hq", weights, other.astype(np.float32))
            leaked = np.where(real & finite, leaked, np.nan)
            self._leak("attention.cross_document", leaked, weights, other, block)

    def anomalies(self) -> tuple[Anomaly, ...]:
        """Return one anomaly per contract that was broken."""
        found = dict(self.findings)
        # Dropout takes weights away and scales the rest up: some rows lose by it, others gain.
        dropout = self._dropout and self._sums_below and self._sums_above
        if dropout and "attention.row_sum" in found:
            found["attention.after_dropout"] = found.pop("attention.row_sum")
        return tuple(
            finding.anomaly(rule, len(self.heads_seen), self._threshold(rule))
            for rule, finding in found.items()
        )

    def checks(self) -> tuple[Check, ...]:
        """Return what was checked, with what result, and why the rest was not."""
        empty = "" if self._rows_seen else "no query row is real"
        positions = empty or ("the map is not square" if not self._square else "")
        missing = {
            "attention.not_finite": empty,
            "attention.row_sum": empty,
            "attention.above_diagonal": positions
            or ("" if self.causal else "pass causal=True if no position may look ahead"),
            "attention.padding_attended": empty or ("" if self.masked else "no mask= was given"),
            "attention.cross_document": positions
            or ("" if self.documents else "no document_ids= were given"),
        }
        return tuple(
            Check(rule, CheckState.NOT_CHECKED, reason)
            if reason and rule not in self.findings
            else Check(rule, CheckState.FAILED if rule in self.findings else CheckState.PASSED)
            for rule, reason in missing.items()
        )

    def _threshold(self, rule: str) -> float:
        if rule in ("attention.row_sum", "attention.after_dropout"):
            return ROW_SUM_ERROR
        return 0.0 if rule == "attention.not_finite" else LEAK

    def _leak(
        self,
        rule: str,
        leaked: Floats,
        weights: Floats,
        forbidden: Mask,
        block: Block,
    ) -> None:
        with np.errstate(invalid="ignore"):
            broken = leaked > LEAK
        if not broken.any():
            return  # as nearly always: then nothing more is worked out
        finding = self._add(rule, broken, np.nan_to_num(leaked), block)
        if finding is not None:
            row = weights[finding.slot, finding.row]
            finding.key = int(
                np.where(np.broadcast_to(forbidden, weights.shape[1:])[finding.row], row, -1).argmax()
            )

    def _add(
        self,
        rule: str,
        broken: Mask,
        observed: npt.NDArray[np.floating],
        block: Block,
    ) -> Finding | None:
        """Note the broken rows; returns the finding if these are its worst so far."""
        if not broken.any():
            return None
        finding = self.findings.setdefault(rule, Finding())
        return finding if finding.add(broken, observed, block) else None


def _looks_like_dropout(
    weights: Floats,
    total: Floats,
    used: Mask,
    key_mask: Mask | None,
    positions: npt.NDArray[np.intp],
) -> bool:
    """Return whether rows miss 1 because weights were dropped at random and the rest scaled up.

    Softmax gives no exact zero where a key is visible; dropout does, and leaves the mean of the sums at 1.
    Zeros before the first weight of a row do not count: a sliding window has those.
    """
    rows = np.broadcast_to(used, total.shape)
    if not rows.any() or abs(float(total[rows].mean()) - 1) > 0.1:
        return False
    visible = np.arange(weights.shape[2]) <= positions[:, None]
    if key_mask is not None:
        visible &= key_mask
    visible = visible & rows[:, :, None] & np.logical_or.accumulate(weights != 0, axis=-1)
    return bool((weights[visible] == 0).mean() > DROPOUT_ZEROS) if visible.any() else False
