"""Generations that were logged one decoding step at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading import grown
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import MapState
from tests.data import softmax_maps

PROMPT, LENGTH = 4, 9
WORDS = [f"w{place}" for place in range(LENGTH)]


def whole() -> np.ndarray:
    """A causal map of all tokens, [1 example, 2 heads, LENGTH, LENGTH]."""
    return softmax_maps(batch=1, queries=LENGTH, heads=2, causal=True)


def log_generation(logdir: Path, fewer_heads_at: int | None = None, **settings: object) -> np.ndarray:
    maps = whole()
    with llmdebug.Writer(logdir):
        for step, end in enumerate(range(PROMPT, LENGTH + 1)):
            rows = maps[:, :, 0 if step == 0 else end - 1 : end, :end]
            even = np.tril(np.ones((end, end), np.float32))[-rows.shape[2] :]
            layers = (rows, np.broadcast_to(even / even.sum(-1, keepdims=True), rows.shape))
            if step == fewer_heads_at:
                layers = tuple(layer[:, :1] for layer in layers)
            assert llmdebug.log_attention(
                "generation",
                layers,
                tokens=WORDS[:end],
                causal=True,
                step=step,
                **{"precision": "f32", **settings},
            )
    return maps


def at(logdir: Path, ordinal: int) -> StoredAttention:
    opened = llmdebug.open_logdir(logdir)
    (series,) = (s for run in opened.index.runs() for s in run.all_series() if s.name == "generation")
    return opened.grown.at(
        series.id, ordinal, lambda place: opened.stored_attention(series, series.entries[place])
    )


def test_a_decoding_step_holds_its_own_row_and_says_that_it_continues(tmp_path: Path) -> None:
    log_generation(tmp_path)
    opened = llmdebug.open_logdir(tmp_path)
    prompt, later = (opened.attention(".", "generation", step=step) for step in (0, 3))
    assert not prompt.message.continues
    record = later.record()
    assert record.continues and record.map_state is MapState.FULL and record.reduction == ""
    assert record.layers[0].rows == (PROMPT + 2,) and record.layers[0].queries == PROMPT + 3
    # Statistics know where the row stands: its own position is the last.
    diagonal = record.statistic_names.index("diagonal")
    assert record.layers[1].statistics[0, 0, diagonal] == pytest.approx(1 / (PROMPT + 3), abs=1e-6)


@pytest.mark.parametrize("ordinal", [1, 3, LENGTH - PROMPT])
def test_rows_of_the_steps_before_stand_above(tmp_path: Path, ordinal: int) -> None:
    maps = log_generation(tmp_path)
    end = PROMPT + ordinal
    stored = at(tmp_path, ordinal)
    assert isinstance(stored, grown.GrownAttention)
    assert (stored.continued, stored.gap) == (ordinal, "")
    assert list(stored.rows(0)) == list(range(end))
    for head in range(2):
        assert np.array_equal(stored.weights(0, head), maps[0, head, :end, :end])
    example = stored.example(0)
    assert example.query_tokens is not None and example.query_tokens.text == tuple(WORDS[:end])


def test_the_next_step_takes_up_what_is_known(tmp_path: Path) -> None:
    maps = log_generation(tmp_path)
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (s for run in opened.index.runs() for s in run.all_series() if s.name == "generation")
    asked: list[int] = []

    def open_record(place: int) -> StoredAttention:
        asked.append(place)
        return opened.stored_attention(series, series.entries[place])

    opened.grown.at(series.id, 2, open_record)
    assert sorted(set(asked)) == [0, 1, 2]
    asked.clear()
    stored = opened.grown.at(series.id, 3, open_record)
    assert set(asked) == {3}
    assert np.array_equal(stored.weights(0, 1), maps[0, 1, : PROMPT + 3, : PROMPT + 3])


RUNS = ("first", "second", "third")


def log_many_heads(logdir: Path, tokens: int, steps: int, heads: int) -> None:
    maps = softmax_maps(batch=1, queries=tokens, heads=heads, causal=True)
    with llmdebug.Writer(logdir / RUNS[0], on_full="wait"):
        for step in range(steps + 1):
            end = tokens - steps + step
            rows = maps[:, :, 0 if step == 0 else end - 1 : end, :end]
            assert llmdebug.log_attention("generation", (rows,) * heads, causal=True, step=step)
    for run in RUNS[1:]:
        shutil.copytree(logdir / RUNS[0], logdir / run)


def test_three_generations_side_by_side_each_open_one_record_per_step(tmp_path: Path) -> None:
    log_many_heads(tmp_path, tokens=240, steps=60, heads=12)
    opened = llmdebug.open_logdir(tmp_path)
    asked: list[tuple[str, int]] = []

    def ask(run: str, ordinal: int) -> StoredAttention:
        (series,) = opened.index.run(run).all_series()

        def open_record(place: int) -> StoredAttention:
            asked.append((run, place))
            return opened.stored_attention(series, series.entries[place])

        return opened.grown.at(series.id, ordinal, open_record)

    steps = [56, 57, 58, 59, 60, 59, 58, 57, 56]  # forwards, and back
    continued = [ask(run, step).continued for step in steps for run in RUNS]
    assert continued == [step for step in steps for _ in RUNS]
    first_time = [(run, place) for run in RUNS for place in (56, *range(55, -1, -1))]
    assert asked == first_time + [(run, step) for step in steps[1:] for run in RUNS]


def test_rows_that_cannot_be_put_together_are_said_to_be_missing(tmp_path: Path, monkeypatch) -> None:
    log_generation(tmp_path, fewer_heads_at=2)
    assert at(tmp_path, 1).gap == ""
    assert "other layers or heads" in at(tmp_path, 2).gap
    assert list(at(tmp_path, 2).rows(0)) == [PROMPT + 1]


def test_coarse_rows_stay_called_coarse(tmp_path: Path) -> None:
    maps = log_generation(tmp_path, precision="u8")
    stored = at(tmp_path, 3)
    assert {entry.codec for entry in stored.message.layers} == {3}
    assert np.abs(stored.weights(0, 0) - maps[0, 0, : PROMPT + 3, : PROMPT + 3]).max() < 0.01


def test_named_sides_are_never_taken_for_a_cache(tmp_path: Path) -> None:
    """Fewer queries than keys are the last positions only in self-attention that says it is causal."""
    cross = whole()[:, :, :3]
    with llmdebug.Writer(tmp_path):
        llmdebug.log_attention("plain", (cross,), step=0)
        llmdebug.log_attention("cross", (cross,), query_tokens=WORDS[:3], key_tokens=WORDS, step=0)
    for name in ("plain", "cross"):
        record = llmdebug.open_logdir(tmp_path).attention(".", name, step=0).record()
        assert not record.continues and record.layers[0].rows is None


def log_rows(name: str, step: int, words: str, rows: np.ndarray) -> None:
    assert llmdebug.log_attention(name, (rows,), tokens=list(words), causal=True, step=step, precision="f32")


def causal_rows(first: int, end: int) -> np.ndarray:
    """The last rows of a causal map, [1, 1, end - first, end]."""
    even = np.tril(np.ones((end, end), np.float32))
    return (even / even.sum(-1, keepdims=True))[None, None, first:]


@pytest.mark.parametrize(
    ("words", "first"),
    [("UVWXYZ123", 6), ("abcdefghi", 6), ("UVWXYZ", 4)],
    ids=["another text after a cached prefix", "a row is missing", "another text of fitting rows"],
)
def test_what_does_not_follow_is_not_put_together(tmp_path: Path, words: str, first: int) -> None:
    with llmdebug.Writer(tmp_path):
        log_rows("generation", 0, "abcd", causal_rows(0, 4))
        log_rows("generation", 1, words, causal_rows(first, len(words)))
    stored = at(tmp_path, 1)
    assert list(stored.rows(0)) == list(range(first, len(words)))
    assert isinstance(stored, grown.GrownAttention) and stored.continued == 0
    assert "another text" in stored.gap


def test_without_the_first_steps_rows_are_said_to_be_missing(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        log_rows("generation", 0, "abcde", causal_rows(4, 5))
        log_rows("generation", 1, "abcdef", causal_rows(5, 6))
    stored = at(tmp_path, 1)
    assert list(stored.rows(0)) == [4, 5] and "was not kept" in stored.gap


def test_layers_of_other_positions_are_shown_as_they_are(tmp_path: Path) -> None:
    """As where some layers keep a window of the keys only."""
    with llmdebug.Writer(tmp_path):
        for step, end in enumerate((4, 5)):
            layers = causal_rows(0 if step == 0 else 4, end), causal_rows(2, 3) if step else causal_rows(0, 4)
            assert llmdebug.log_attention("generation", layers, causal=True, step=step, precision="f32")
    stored = at(tmp_path, 1)
    assert (list(stored.rows(0)), list(stored.rows(1))) == ([4], [2])
    assert "other layers" in stored.gap


@pytest.mark.parametrize("most", [90, 5 * 4 * LENGTH, 1])
def test_of_a_long_generation_the_newest_rows_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    maps = log_generation(tmp_path)
    monkeypatch.setattr(grown, "MOST_WEIGHTS", most)
    last = LENGTH - PROMPT
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    asked: list[int] = []

    def open_record(place: int) -> StoredAttention:
        asked.append(place)
        return opened.stored_attention(series, series.entries[place])

    opened.grown.at(series.id, last, open_record)
    assert asked == [last - back for back in range(max(1, most // (4 * LENGTH)))]
    for ordinal in range(1, last + 1):
        end = PROMPT + ordinal
        rows = min(end, max(1, most // (4 * end)))
        stored = opened.grown.at(series.id, ordinal, open_record)
        assert isinstance(stored, grown.GrownAttention)
        assert list(stored.rows(0)) == list(range(end - rows, end))
        assert np.array_equal(stored.weights(0, 1), maps[0, 1, end - rows : end, :end])
        assert stored.continued == min(ordinal, rows - 1)
        said = "" if rows == end else f"Only the newest {rows} of {end} query rows are shown"
        assert stored.gap.startswith(said) and bool(stored.gap) == (rows < end)


def test_rows_of_a_text_so_long_that_each_step_has_an_overview(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        for step, end in enumerate((1100, 1101)):
            assert llmdebug.log_attention(
                "generation", (causal_rows(end - 2 + step, end),), causal=True, step=step, precision="f32"
            )
    stored = at(tmp_path, 1)
    assert list(stored.rows(0)) == [1098, 1099, 1100] and not stored.pooled_factors(0)
    assert np.array_equal(stored.weights(0, 0)[2:], causal_rows(1100, 1101)[0, 0])
