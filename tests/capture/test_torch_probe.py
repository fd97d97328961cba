"""A probe of a PyTorch model leaves everything about it as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from tb_llmdebug.capture.torch_adapter import probe
from tests.capture.torch_models import batch_of, model_of


class Drawing(nn.Module):
    """Draws random numbers in eval mode too."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.frozen = nn.Dropout().eval()
        self.fails = fails

    def forward(self, x, *, twice=None):
        torch.rand(3), np.random.rand(3), random.random()
        if self.fails:
            raise ValueError("no")
        assert not torch.is_grad_enabled() and not self.training
        return x * self.weight * (1 if twice is None else 2)


def states() -> tuple:
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()


@pytest.mark.parametrize("fails", [False, True])
def test_modes_and_random_states_stay(fails) -> None:
    model = Drawing(fails).train()
    model.frozen.eval()
    before = states()
    if fails:
        with pytest.raises(ValueError, match="no"):
            probe(model, torch.ones(2))
    else:
        assert probe(model, torch.ones(2)).tolist() == [1, 1]
    assert states() == before
    assert model.training and not model.frozen.training
    assert model.weight.grad is None and torch.is_grad_enabled()


def test_inputs_are_keywords_positions_or_one_argument() -> None:
    model = Drawing()
    assert probe(model, np.ones(2, np.float32)).tolist() == [1, 1]
    assert probe(model, ([1.0, 3.0],)).tolist() == [1, 3]
    assert probe(model, {"x": [1.0, 2.0], "twice": True}).tolist() == [2, 4]


def test_a_compiled_model_is_run_as_it_is_written() -> None:
    torch._dynamo.reset()
    model = model_of("llama", "sdpa")
    compiled = torch.compile(model, backend="aot_eager")
    compiled(**batch_of())
    counted = dict(torch._dynamo.utils.counters["stats"])
    made = probe(compiled, {name: value.numpy() for name, value in batch_of(length=6).items()})
    assert torch.equal(made.logits, model(**batch_of(length=6)).logits)
    assert dict(torch._dynamo.utils.counters["stats"]) == counted


def test_training_goes_on_as_without_probes() -> None:
    ends = []
    for probed in (False, True):
        model, inputs = model_of("gpt2", "sdpa").train(), batch_of(left=0)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        torch.manual_seed(3)
        for _ in range(3):
            optimizer.zero_grad()
            model(**inputs, labels=inputs["input_ids"]).loss.backward()
            if probed:
                probe(model, batch_of())
            optimizer.step()
        ends.append(list(model.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))
