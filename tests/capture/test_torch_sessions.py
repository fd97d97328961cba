"""Several taps, several calls, several threads: what is open on which model."""

from __future__ import annotations

import threading

import pytest
import torch

import tb_llmdebug as llmdebug
from tests.capture.torch_models import ALL_PARTS, batch_of, model_of, taps_of, traces_of


def test_calls_are_counted_and_the_latest_is_kept() -> None:
    model, inputs = model_of("gpt2"), batch_of()
    seen = []
    with llmdebug.tap(model, "weights", each=lambda layer: seen.append((layer.call, layer.layer))):
        model(**inputs)
        model(**inputs)
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1)]
    with llmdebug.tap(model, "weights") as captured:
        model.generate(inputs["input_ids"], max_new_tokens=3, do_sample=False, pad_token_id=0)
    assert {layer.call for layer in captured} == {2} and captured[0].shape[2] == 1


def test_a_place_that_was_not_captured_is_answered_with_what_was() -> None:
    model = model_of("gpt2")
    with llmdebug.tap(model, "q") as captured:
        with pytest.raises(IndexError, match="nothing was captured: call the model inside"):
            captured[0]
        model(**batch_of())
    with pytest.raises(IndexError, match=r"^place 7 of 2: captured were 'transformer\.h\.0\.attn', "):
        captured[7]
    assert [taps.layer for taps in reversed(captured)] == [1, 0] and captured[-1].layer == 1


@pytest.mark.parametrize("reentrant", [True, False])
def test_layers_that_are_computed_again_for_the_backward_pass_come_once(reentrant) -> None:
    gradients, seen = [], []
    for tapped in (False, True):
        model = model_of("llama", "sdpa").train()
        model.gradient_checkpointing_enable({"use_reentrant": reentrant})
        inputs = batch_of()
        if tapped:
            with llmdebug.tap(model, *ALL_PARTS, each=lambda layer: seen.append((layer.call, layer.layer))):
                model(**inputs, labels=inputs["input_ids"]).loss.backward()
            assert seen == [(0, 0), (0, 1)]
        else:
            model(**inputs, labels=inputs["input_ids"]).loss.backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))


def test_taps_of_one_model_do_not_see_another_and_may_overlap() -> None:
    one, other, inputs = model_of("llama"), model_of("llama", seed=1), batch_of()
    before = traces_of(one), traces_of(other)
    first, second = llmdebug.tap(one, "weights"), llmdebug.tap(one, "q")
    taps = first.__enter__(), second.__enter__()
    other(**inputs)
    assert not len(taps[0])
    one(**inputs)
    assert len(taps[0]) == len(taps[1]) == 2 and taps[1][0].weights is None
    first.__exit__(None, None, None)  # not in the order of opening
    one(**inputs)
    assert taps[1][0].call == 1 and taps[0][0].call == 0
    second.__exit__(None, None, None)
    assert (traces_of(one), traces_of(other)) == before


def test_threads_with_models_of_their_own_do_not_mix() -> None:
    inputs, faults = batch_of(), []

    def work(seed: int) -> None:
        try:
            model = models[seed]
            for _ in range(10):
                layers = taps_of(model, inputs, "weights")
                assert len(layers) == len(expected[seed]) == 2
                assert all(
                    torch.equal(t.weights, e.weights) for t, e in zip(layers, expected[seed], strict=True)
                )
        except BaseException as error:  # noqa: BLE001
            faults.append(error)

    models = [model_of("llama", seed=seed) for seed in range(4)]
    before = [traces_of(model) for model in models]
    expected = [taps_of(model, inputs, "weights") for model in models]
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert [traces_of(model) for model in models] == before


def test_a_fault_inside_the_block_leaves_no_trace() -> None:
    model = model_of("mistral", "sdpa")
    before = traces_of(model)
    with pytest.raises(RuntimeError, match="stop"), llmdebug.tap(model, *ALL_PARTS):
        raise RuntimeError("stop")

    def fail(layer):
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="middle"), llmdebug.tap(model, each=fail):
        model(**batch_of())
    assert traces_of(model) == before
    assert len(taps_of(model, batch_of())) == 2
