"""Each contract on a healthy input, on its fault, and where its precondition is unknown."""

from __future__ import annotations

import numpy as np
import pytest

from tb_llmdebug.detection import AttentionChecks
from tb_llmdebug.records import Anomaly, CheckState, Severity
from tb_llmdebug.stats import layer_statistics
from tests.data import softmax_maps


def look(
    weights: np.ndarray,
    *,
    causal: bool | None = None,
    mask: np.ndarray | None = None,
    documents: np.ndarray | None = None,
) -> AttentionChecks:
    checks = AttentionChecks(causal=causal, masked=mask is not None, documents=documents is not None)
    for example, maps in enumerate(weights):
        key_mask = None if mask is None else mask[example].astype(bool)
        query_mask = key_mask if maps.shape[1] == maps.shape[2] else None
        _, rows = layer_statistics(maps, query_mask, key_mask)
        heads = tuple(range(len(maps)))
        checks.look(
            maps,
            rows,
            (example, 5, heads),
            query_mask=query_mask,
            key_mask=key_mask,
            document_ids=None if documents is None else documents[example],
        )
    return checks


def only(checks: AttentionChecks) -> Anomaly:
    (anomaly,) = checks.anomalies()
    return anomaly


LEFT = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])


@pytest.mark.parametrize("causal", [None, True])
@pytest.mark.parametrize("mask", [None, LEFT], ids=["no mask", "left mask"])
def test_healthy_attention_gives_no_flag(causal: bool | None, mask: np.ndarray | None) -> None:
    weights = softmax_maps(causal=bool(causal), mask=mask)
    assert look(weights, causal=causal, mask=mask).anomalies() == ()


def test_padding_attended_is_found_where_it_is_worst() -> None:
    weights = softmax_maps(causal=True)
    anomaly = only(look(weights, causal=True, mask=LEFT))
    assert (anomaly.rule, anomaly.severity) == ("attention.padding_attended", Severity.ERROR)
    padding = weights[1, :, 2:, :2].sum(axis=-1)
    assert anomaly.observed == pytest.approx(padding.max())
    assert (anomaly.example, anomaly.layer) == (1, 5)
    assert anomaly.head is not None and anomaly.query is not None
    assert padding[anomaly.head, anomaly.query - 2] == padding.max()
    assert anomaly.key in (0, 1)
    assert (anomaly.heads_affected, anomaly.heads_checked) == (3, 6)


def test_looking_ahead_is_found_only_where_it_is_forbidden() -> None:
    weights = softmax_maps(causal=True)
    weights[0, 1, 2, 4] = 0.3
    weights[0, 1, 2] /= weights[0, 1, 2].sum()
    anomaly = only(look(weights, causal=True))
    assert anomaly.rule == "attention.above_diagonal"
    assert (anomaly.example, anomaly.head, anomaly.query, anomaly.key) == (0, 1, 2, 4)
    assert look(softmax_maps()).anomalies() == ()


def test_another_document_is_found() -> None:
    documents = np.array([[0, 0, 0, 1, 1, 1], [0] * 6])
    anomaly = only(look(softmax_maps(), documents=documents))
    assert (anomaly.rule, anomaly.example) == ("attention.cross_document", 0)
    apart = softmax_maps()
    apart[0] *= documents[0][:, None] == documents[0][None, :]
    apart /= apart.sum(axis=-1, keepdims=True)
    assert look(apart, documents=documents).anomalies() == ()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_found(value: float) -> None:
    weights = softmax_maps()
    weights[1, 2, 3, 0] = value
    anomaly = only(look(weights))
    assert (anomaly.rule, anomaly.example, anomaly.head, anomaly.query) == ("attention.not_finite", 1, 2, 3)


def test_rows_that_miss_one_are_found() -> None:
    anomaly = only(look(softmax_maps() * np.float32(0.5)))
    assert (anomaly.rule, anomaly.severity) == ("attention.row_sum", Severity.ERROR)
    assert anomaly.observed == pytest.approx(0.5, abs=1e-5)


def test_dropout_is_told_from_a_fault() -> None:
    weights = softmax_maps(heads=8, queries=32)
    kept = np.random.default_rng(0).random(weights.shape) >= 0.1
    anomaly = only(look((weights * kept / 0.9).astype(np.float32)))
    assert (anomaly.rule, anomaly.severity) == ("attention.after_dropout", Severity.INFO)
    assert "training=False" in anomaly.advice


@pytest.mark.parametrize(("leak", "flagged"), [(1e-5, True), (1e-7, False)])
def test_a_leak_is_flagged_from_a_millionth_on(leak: float, flagged: bool) -> None:
    weights = softmax_maps(causal=True)
    weights[0, 0, 2, 4] = leak
    assert bool(look(weights, causal=True).anomalies()) is flagged


def test_a_sliding_window_is_not_taken_for_dropout() -> None:
    weights = softmax_maps(queries=32, causal=True)
    weights *= np.tri(32) - np.tri(32, k=-4)
    weights /= weights.sum(axis=-1, keepdims=True)
    weights *= np.where(np.arange(32) % 2 == 0, 1.05, 0.95)[:, None]
    assert only(look(weights.astype(np.float32), causal=True)).rule == "attention.row_sum"


def test_half_precision_may_be_less_exact_but_not_by_much() -> None:
    weights = softmax_maps(queries=64)
    weights[:, :, 0] *= 1.004
    assert look(weights).anomalies() == ()
    weights[:, :, 0] *= 1.01
    assert only(look(weights)).rule == "attention.row_sum"


def test_without_a_real_row_nothing_was_checked() -> None:
    checks = look(softmax_maps(), causal=True, mask=np.zeros((2, 6), int))
    assert {check.state for check in checks.checks()} == {CheckState.NOT_CHECKED}
    assert checks.anomalies() == ()


def test_what_was_not_given_is_not_checked() -> None:
    states = {check.rule: check for check in look(softmax_maps()).checks()}
    assert states["attention.row_sum"].state is CheckState.PASSED
    assert states["attention.padding_attended"].state is CheckState.NOT_CHECKED
    assert "mask" in states["attention.padding_attended"].reason
    assert states["attention.above_diagonal"].state is CheckState.NOT_CHECKED
    assert states["attention.cross_document"].state is CheckState.NOT_CHECKED


def test_a_rectangular_map_is_not_checked_for_positions() -> None:
    checks = look(softmax_maps(queries=3, keys=6), causal=True, mask=LEFT).checks()
    states = {check.rule: check.state for check in checks}
    assert states["attention.above_diagonal"] is CheckState.NOT_CHECKED
    assert states["attention.padding_attended"] is CheckState.FAILED


def test_a_failed_check_is_failed_not_passed() -> None:
    checks = look(softmax_maps(), causal=True).checks()
    assert {c.rule: c.state for c in checks}["attention.above_diagonal"] is CheckState.FAILED
