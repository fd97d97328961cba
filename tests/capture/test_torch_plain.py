"""Taps of PyTorch layers that write their attention out: products around a softmax."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional

import tb_llmdebug as llmdebug
from tests.capture.torch_inputs import ALL_PARTS, LENGTH, SIZE, x_of


class WrittenOutAttention(nn.Module):
    """softmax(q k') v, with something of its own at one place."""

    def __init__(self, place: str) -> None:
        super().__init__()
        torch.manual_seed(6)
        self.project = nn.Linear(SIZE, 3 * SIZE)
        self.place = place
        self.mix = nn.Parameter(torch.randn(4, 4))
        self.positions = nn.Parameter(torch.randn(1, 4, LENGTH, 4))
        self.used = None

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (4, 4)).transpose(1, 2) for t in self.project(x).split(SIZE, -1))
        logits = torch.matmul(q, k.transpose(-1, -2)) / 2
        if self.place == "positions":
            logits = logits + torch.matmul(q, self.positions.transpose(-1, -2))
        weights = torch.softmax(logits, -1)
        if self.place == "mixed":
            weights = torch.einsum("bhqk,hg->bgqk", weights, self.mix)
        if self.place == "masked":
            weights = weights.tril()
        if self.place == "subtracted":
            weights = weights - torch.softmax(logits / 2, -1)
        self.used = weights
        made = torch.matmul(weights, v)
        if self.place == "gated":
            made.mul_(torch.sigmoid(q.detach()))
        if self.place == "twice":
            made = functional.scaled_dot_product_attention(made, k, v)
        return made.transpose(1, 2).flatten(2)


@pytest.mark.parametrize("place", ["", "mixed", "masked"])
def test_weights_are_what_the_values_are_multiplied_with(place) -> None:
    model = WrittenOutAttention(place)
    plain = model(x_of())
    with llmdebug.tap(model, *ALL_PARTS) as captured:
        tapped = model(x_of())
    assert torch.equal(plain, tapped)
    (layer,) = captured
    assert torch.equal(layer.weights, model.used)
    torch.testing.assert_close(layer.weights @ layer.v, layer.output)
    torch.testing.assert_close(layer.q @ layer.k.transpose(-1, -2) / 2, layer.logits)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("positions", "adds up more than one product"),
        ("subtracted", "attends more than once"),
        ("twice", "attends more than once"),
        ("gated", "do not give its output"),
    ],
)
def test_a_layer_that_is_more_than_one_attention_is_refused(place, why) -> None:
    model = WrittenOutAttention(place)
    with pytest.raises(llmdebug.InvalidRecordError, match=why), llmdebug.tap(model):
        model(x_of())


class AtSignAttention(nn.Module):
    """q @ k' and weights @ v, as many tutorials write it."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(SIZE, 3 * SIZE)
        self.used = None

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (4, 4)).transpose(1, 2) for t in self.project(x).split(SIZE, -1))
        self.used = (q @ k.transpose(-1, -2) / 2).softmax(-1)
        return (self.used @ v).transpose(1, 2).flatten(2)


class EinsumAttention(AtSignAttention):
    def forward(self, x):
        q, k, v = (t.unflatten(-1, (4, 4)).transpose(1, 2) for t in self.project(x).split(SIZE, -1))
        self.used = (torch.einsum("bhqd,bhkd->bhqk", q, k) / 2).softmax(-1)
        return torch.einsum("bhqk,bhkd->bhqd", self.used, v).transpose(1, 2).flatten(2)


def test_the_sign_of_a_product_is_one() -> None:
    model = nn.Sequential(WrittenOutAttention(""), AtSignAttention())
    plain = model(x_of())
    with llmdebug.tap(model, *ALL_PARTS) as captured:
        assert torch.equal(plain, model(x_of()))
    assert [layer.layer for layer in captured] == [0, 1]
    assert torch.equal(captured[1].weights, model[1].used)


def test_a_layer_that_cannot_be_followed_is_not_left_out_without_a_word() -> None:
    model = nn.Sequential(AtSignAttention(), EinsumAttention())
    with pytest.warns(RuntimeWarning, match=r"1 \(EinsumAttention\) multiplies by einsum"):
        with llmdebug.tap(model) as captured:
            model(x_of())
    assert len(captured) == 1
    with warnings.catch_warnings(), llmdebug.tap(model):  # once is enough
        warnings.simplefilter("error")
        model(x_of())
