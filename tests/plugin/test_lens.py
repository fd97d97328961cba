"""The lens route against the public functions, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError
from tb_llmdebug.plugin.lens import LensAnswer
from tests.data import softmax_maps

LEFT = np.array([[1] * 6, [0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1]])


def ask(logdir: Path, at: str, lens: str) -> view_pb2.LensResponse:
    opened = llmdebug.open_logdir(logdir)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    return LensAnswer(opened).answer(MultiDict([("at", f"{series.id}.{at}"), ("lens", lens)]))


def values(answer: view_pb2.LensResponse) -> np.ndarray:
    assert not answer.error
    return np.frombuffer(answer.values, "<f4").reshape(answer.rows, answer.keys)


def log(logdir: Path, *layers: np.ndarray, **settings: object) -> None:
    with llmdebug.Writer(logdir):
        assert llmdebug.log_attention("probe", layers, step=0, precision="f32", **settings)


def test_a_mean_counts_tokens_from_the_first_real_one(tmp_path: Path) -> None:
    maps = softmax_maps(batch=3, causal=True, mask=LEFT)
    log(tmp_path, maps, mask=LEFT, causal=True)
    stored = llmdebug.open_logdir(tmp_path).attention(".", "probe", step=0)
    answer = ask(tmp_path, "0.1.0.2", "mean")
    public = llmdebug.mean_attention(stored, layer=0, head=2, example=1)
    assert np.array_equal(values(answer), public.weights) and list(answer.counts) == public.counts.tolist()
    # The example begins at 2: its rows are the texts' first four.
    expected = np.mean([maps[0, 2, :4, :4], maps[1, 2, 2:, 2:], maps[2, 2, 1:5, 1:5]], axis=0)
    assert np.allclose(values(answer)[2:, 2:], expected, atol=1e-6)
    assert not values(answer)[:2].any() and not values(answer)[:, :2].any()
    assert list(answer.counts) == [0, 0, 3, 3, 3, 3] and answer.examples == 3
    longest = ask(tmp_path, "0.0.0.2", "mean")
    assert list(longest.counts) == [3, 3, 3, 3, 2, 1]
    assert np.allclose(values(longest)[5], maps[0, 2, 5], atol=1e-6)


def test_a_mean_shows_no_weight_on_padding_of_its_example(tmp_path: Path) -> None:
    right = np.array([[1, 1, 1, 1, 0, 0], [1] * 6])
    maps = softmax_maps(batch=2, mask=right)
    log(tmp_path, maps, mask=right)
    found = values(ask(tmp_path, "0.0.0.1", "mean"))
    assert not found[:, 4:].any() and not found[4:].any()
    assert np.allclose(found[:4, :4], maps[:, 1, :4, :4].mean(axis=0), atol=1e-6)


def test_a_mean_without_padding_is_the_mean_and_differs_by_head(tmp_path: Path) -> None:
    maps = softmax_maps(batch=3, queries=4, keys=7)
    log(tmp_path, maps)
    for head in range(3):
        assert np.allclose(
            values(ask(tmp_path, f"0.0.0.{head}", "mean")), maps[:, head].mean(axis=0), atol=1e-6
        )


def test_means_over_the_same_texts_say_so_in_any_order(tmp_path: Path) -> None:
    words, others, third = list("abcdef"), list("uvwxyz"), list("ABCDEF")
    texts = {"one": [words, others], "turned": [others, words], "other": [words, third], "none": None}
    for name, tokens in texts.items():
        log(tmp_path / name, softmax_maps(batch=2), tokens=tokens)
    inputs = {name: ask(tmp_path / name, "0.0.0.1", "mean").inputs for name in texts}
    assert inputs["one"] == inputs["turned"] != inputs["other"] and inputs["none"] == b""
    assert ask(tmp_path / "one", "0.0.0.1", "rollout").inputs == b""


def test_answers_that_are_kept_are_told_apart(tmp_path: Path) -> None:
    maps = softmax_maps(batch=2)
    log(tmp_path, maps, maps[:, ::-1])
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    answers = LensAnswer(opened)

    def see(at: str, lens: str) -> bytes:
        return answers.answer(MultiDict([("at", f"{series.id}.{at}"), ("lens", lens)])).values

    asked = [("0.0.0.0", "mean"), ("0.0.0.1", "mean"), ("0.0.1.1", "mean"), ("0.0.0.0", "rollout")]
    asked += [("0.1.0.0", "rollout"), ("0.0.1.0", "rollout")]
    first = [see(*one) for one in asked]
    # The second head of layer 0 is in the middle of both layers.
    assert len(set(first)) == len(asked) - 1 and first[1] == first[2]
    assert [see(*one) for one in asked] == first and see("0.0.0.2", "rollout") == first[3]


def test_a_rollout_goes_up_to_the_layer_and_is_the_public_one(tmp_path: Path) -> None:
    layers = [softmax_maps(seed, batch=2, causal=True) for seed in range(3)]
    log(tmp_path, *layers, causal=True)
    stored = llmdebug.open_logdir(tmp_path).attention(".", "probe", step=0)
    for upto in range(3):
        answer = ask(tmp_path, f"0.1.{upto}.0", "rollout")
        assert answer.layers == upto + 1
        assert np.array_equal(values(answer), llmdebug.rollout(stored, 1, upto=upto))
    flow = np.eye(6)
    for layer in layers:
        step = layer[1].mean(axis=0) + np.eye(6)
        flow = step / step.sum(axis=-1, keepdims=True) @ flow
    assert np.allclose(values(ask(tmp_path, "0.1.2.1", "rollout")), flow, atol=1e-6)


def test_weight_times_norm_of_the_value(tmp_path: Path) -> None:
    maps = softmax_maps(batch=2)
    vectors = np.random.default_rng(0).normal(size=(2, 3, 6, 4)).astype(np.float32)
    log(tmp_path, maps, values=(vectors,))
    stored = llmdebug.open_logdir(tmp_path).attention(".", "probe", step=0)
    found = llmdebug.value_weighted(stored, layer=0, head=1, example=1)
    assert np.allclose(found, maps[1, 1] * np.linalg.norm(vectors[1, 1], axis=-1), rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "lens", "said"),
    [
        ({"batch": 1}, "mean", "one example"),
        ({"mask": np.array([[1, 0, 1, 1, 1, 1]] * 2)}, "mean", "padding between its tokens"),
        ({"mask": np.array([[1] * 6, [0] * 6])}, "mean", "nothing but padding"),
        ({"queries": 4, "keys": 9}, "rollout", "no square map"),
        ({"layers": [0, 2]}, "rollout", "of layer 1 there is no map"),
        ({"heads": [0, 2]}, "rollout", "only some were logged"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    tmp_path: Path, settings: dict[str, object], lens: str, said: str
) -> None:
    chosen = {name: settings[name] for name in ("layers", "heads", "mask") if name in settings}
    shape = {name: value for name, value in settings.items() if name not in chosen}
    log(tmp_path, *[softmax_maps(seed, **shape) for seed in range(3)], **chosen)
    answer = ask(tmp_path, "0.0.2.0", lens)
    assert said in answer.error and answer.error.endswith(".") and not answer.values


def test_large_maps_are_refused_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(tmp_path, softmax_maps(), softmax_maps(1))
    monkeypatch.setattr("tb_llmdebug.plugin.lens.MAX_WEIGHTS", 50)
    assert "too large" in ask(tmp_path, "0.0.0.0", "mean").error
    monkeypatch.setattr("tb_llmdebug.plugin.lens.MAX_WEIGHTS", 1 << 20)
    monkeypatch.setattr("tb_llmdebug.plugin.lens.MAX_PRODUCTS", 6**3 - 1)
    assert "takes too long" in ask(tmp_path, "0.0.1.0", "rollout").error
    assert not ask(tmp_path, "0.0.0.0", "rollout").error


def test_blocks_of_weights_have_no_lens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 1 << 14)
    log(tmp_path, softmax_maps(queries=300))
    assert "pooled" in ask(tmp_path, "0.0.0.0", "mean").error
    assert "within the budget" in ask(tmp_path, "0.0.0.0", "rollout").error


@pytest.mark.parametrize("at", ["", "x", "0.0", "0.0.0", "0.0.0.0.0"])
def test_a_malformed_request_is_told_so(tmp_path: Path, at: str) -> None:
    log(tmp_path, softmax_maps())
    with pytest.raises(BadRequestError):
        ask(tmp_path, at, "mean")
    with pytest.raises(BadRequestError, match="lens must be"):
        ask(tmp_path, "0.0.0.0", "other")
    assert "There is no such record" in ask(tmp_path, "9.0.0.0", "mean").error
    assert "9" in ask(tmp_path, "0.9.0.0", "rollout").error
