"""Inputs that the tests of PyTorch's taps share."""

from __future__ import annotations

import torch

ALL_PARTS = ("q", "k", "v", "logits", "weights", "output")
BATCH, LENGTH, SIZE = 3, 7, 16


def x_of(seed: int = 0) -> torch.Tensor:
    return torch.randn(BATCH, LENGTH, SIZE, generator=torch.Generator().manual_seed(seed))
