"""Weights out of vectors: the numbers that the page's arithmetic is held against."""

from __future__ import annotations

import numpy as np
import pytest

from tb_llmdebug.records import HeadVectors, InvalidRecordError, LayerVectors

# plugin_frontend/src/data/attention_steps.test.ts holds the same numbers.
Q = np.float32([[4.08, -5.11, 0.84, -1.14]])
K = np.float32(
    [
        [-0.91, -0.43, -4.04, -0.46],
        [-1.73, 6.65, 0.45, -0.71],
        [-0.56, -1.34, -2.11, -0.78],
        [0.96, -0.48, 1.92, -0.4],
        [0.05, 3.09, 1.09, -1.01],
    ]
)
V = np.float32(
    [[-0.18, 0.54, 1.94], [-0.27, -0.24, 1], [-0.89, -0.29, 0.88], [0.58, 0.09, 0.67], [-2.83, 1.02, -0.96]]
)


def test_the_plain_formula() -> None:
    head = HeadVectors(Q, K, V, 0.5)
    assert head.weights()[0] == pytest.approx(
        [0.001500998295, 3e-11, 0.0846208389, 0.913862570344, 1.5592431e-5]
    )
    assert head.output()[0] == pytest.approx([0.454413423847, 0.058534035408, 0.689651243285])


def test_soft_cap_bias_mask_and_sink() -> None:
    head = HeadVectors(
        Q,
        K,
        V,
        0.5,
        softcap=3.0,
        sink=0.25,
        masked=np.array([[False, False, False, True, False]]),
        bias=np.float32([[0.5, -1, 0, 2, 1]]),
    )
    assert head.logits()[0] == pytest.approx(
        [-1.370632992259, -3.99998979272, 1.639197529401, -np.inf, -1.934487824838]
    )
    assert head.weights()[0] == pytest.approx(
        [0.037062585426, 0.002673132969, 0.751776072246, 0, 0.021089033143]
    )
    assert head.output()[0] == pytest.approx([-0.736155667302, -0.177131996247, 0.715892019444])


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": np.zeros((2, 2, 5, 3))},
        {"v": np.zeros((2, 1, 5, 4))},
        {"groups": (0, 0, 1)},
        {"groups": (0, 0, 1, 2)},
        {"masked": np.zeros((2, 3, 6, 5), bool)},
        {"bias": np.zeros((2, 4, 6, 4), np.float32)},
        {"sinks": np.zeros(2, np.float32)},
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    q, k, v = np.zeros((2, 4, 6, 4)), np.zeros((2, 2, 5, 4)), np.zeros((2, 2, 5, 7))
    fits = {"q": q, "k": k, "v": v, "groups": (0, 0, 1, 1), "scale": 0.5}
    assert LayerVectors(**fits).nbytes() == 8 * (q.size + k.size + v.size)
    with pytest.raises(InvalidRecordError, match="do not fit together"):
        LayerVectors(**{**fits, **wrong})
