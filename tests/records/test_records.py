from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from tb_llmdebug.records import (
    Anomaly,
    AnomalyRecord,
    AttentionRecord,
    Attribution,
    AttributionRecord,
    InvalidRecordError,
    LayerAttention,
    LayerWithoutMap,
    Severity,
    Tokens,
)
from tb_llmdebug.records.redaction import redacted


def test_records_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Tokens(text=("a",)).text = ("b",)  # type: ignore[misc]


def test_a_layer_refuses_weights_of_another_shape() -> None:
    statistics = np.zeros((1, 2, 3), np.float32)
    with pytest.raises(InvalidRecordError, match=r"weights of layer 4 have shape \(1, 2, 5, 6\)"):
        LayerAttention(4, (0, 1), 5, 5, statistics, np.zeros((1, 2, 5, 6), np.float32))


def test_a_layer_refuses_statistics_of_other_heads() -> None:
    with pytest.raises(InvalidRecordError, match="statistics of layer 0"):
        LayerAttention(0, (0, 1, 2), 5, 5, np.zeros((1, 2, 3), np.float32))


def test_tokens_refuse_fields_of_another_length() -> None:
    with pytest.raises(InvalidRecordError, match=r"Tokens\.ids has 1 entries for 2 tokens"):
        Tokens(text=("a", "b"), ids=(1,))


def test_equal_tokens_have_equal_digests_and_others_do_not() -> None:
    tokens = Tokens(text=("a", "b"), ids=(1, 2))
    assert tokens.digest() == Tokens(text=("a", "b"), ids=(1, 2)).digest()
    assert tokens.digest() != Tokens(text=("a", "b"), ids=(1, 3)).digest()
    assert tokens.digest() != Tokens(text=("ab",), ids=(1,)).digest()
    assert len(Tokens(text=("\ud800",)).digest()) == 16  # a lone surrogate is no reason to fail


def test_scores_must_be_one_per_token() -> None:
    with pytest.raises(InvalidRecordError, match="example 3 has 2 scores but 1 tokens"):
        Attribution(index=3, scores=np.zeros(2, np.float32), tokens=Tokens(text=("a",)))


@pytest.mark.parametrize("bad", ["fatal", "none", 7, None])
def test_an_unknown_severity_names_the_known_ones(bad: object) -> None:
    with pytest.raises(InvalidRecordError, match="'info', 'warning' or 'error'"):
        Severity.parse(bad)  # type: ignore[arg-type]


def test_redaction_reaches_every_text() -> None:
    hidden = lambda text: "#" * len(text)  # noqa: E731
    tokens = Tokens(text=("Ada", "Lovelace"), ids=(1, 2), offsets=((0, 3), (4, 12)))
    item = Attribution(0, np.zeros(2, np.float32), tokens, target="Ada")
    record = redacted(AttributionRecord("n", 0, 0.0, "m", (item,), baseline="Ada"), hidden)
    assert "Ada" not in repr(record)
    assert record.items[0].tokens == Tokens(text=("###", "########"))
    anomaly = Anomaly("r", Severity.INFO, "Ada", why="Ada", advice="Ada")
    assert "Ada" not in repr(redacted(AnomalyRecord("n", 0, 0.0, anomaly), hidden))
    layer = LayerAttention(0, (0,), 1, 1, np.zeros((0, 1, 0), np.float32), label="Ada")
    maps = AttentionRecord("n", 0, 0.0, (layer,), (), (), without_map=(LayerWithoutMap(1, label="Ada"),))
    assert [kept.label for kept in (*redacted(maps, hidden).layers, *redacted(maps, hidden).without_map)] == [
        "###"
    ] * 2
