"""Logs of runs that are held against each other, and by NumPy alone what the page is to say of them.

`python compared.py LOGDIR`; prints the numbers as JSON. Nothing here is computed with what is tested.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import tb_llmdebug as llmdebug

TEXTS = {
    "first": ["<s>", "The", "quick", "brown", "fox", "jumps", "over", "."],
    "second": ["<pad>", "<pad>", "<s>", "A", "slow", "cat", "sleeps", "."],
    "third": ["<pad>", "<pad>", "<s>", "One", "grey", "dog", "barks", "!"],
}
MASK = np.array([[1] * 8, [0, 0] + [1] * 6], bool)
LAYERS, HEADS, SIZE = 2, 3, 8
AT = {"layer": 1, "head": 2, "query": 5, "key": 3}


def attention(seed: int) -> np.ndarray:
    """Return causal attention, float32 [layers, examples, heads, queries, keys]."""
    logits = np.random.default_rng(seed).normal(size=(LAYERS, 2, HEADS, SIZE, SIZE)) * 2
    seen = np.tril(np.ones((SIZE, SIZE), bool)) & MASK[None, :, None, None, :]
    weights = np.exp(np.where(seen, logits, -1e9) - np.where(seen, logits, -1e9).max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def log(
    logdir: str, run: str, maps: np.ndarray, values: np.ndarray, *, texts: tuple[str, str], step: int = 0
) -> None:
    """Log one step of a run; its maps are of the first and the second example."""
    tokens = [
        llmdebug.Tokens(tuple(TEXTS[name]), special=tuple(one.startswith("<") for one in TEXTS[name]))
        for name in texts
    ]
    settings = {"tokens": tokens, "mask": MASK, "causal": True, "precision": "f32", "step": step}
    with llmdebug.Writer(f"{logdir}/{run}"):
        llmdebug.log_attention("decoder", list(maps), values=list(values), **settings)


def without_sink(row: np.ndarray) -> np.ndarray:
    """Return a row without its first key, which is the only one that is set aside here."""
    return np.where(np.arange(len(row)) > 0, row / (1 - row[0]), 0)


def distance(a: np.ndarray, b: np.ndarray, rows: np.ndarray) -> float:
    """Return the Jensen-Shannon distance to base 2, mean over the rows."""
    found = []
    for p, q in zip(a[rows].astype(float), b[rows].astype(float), strict=True):
        p, q = p / p.sum(), q / q.sum()
        middle = (p + q) / 2
        parts = [sum(x * np.log2(x / m) for x, m in zip(one, middle, strict=True) if x > 0) for one in (p, q)]
        found.append(np.sqrt(max(0.0, sum(parts) / 2)))
    return float(np.mean(found))


def said_of(maps: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Return what the page is to say of one cell of the first example."""
    layer, head, query, key = AT.values()
    row = maps[layer, 0, head, query].astype(float)
    norms = np.linalg.norm(values[layer, 0, head].astype(float), axis=-1)
    # The second text begins at 2, and its token number 5 is its last.
    mean = (row + np.append(maps[layer, 1, head, query + 2, 2:], [0, 0])) / 2
    flow = np.eye(SIZE)
    for one in maps[: layer + 1, 0].astype(float):
        step = one.mean(axis=0) + np.eye(SIZE)
        flow = step / step.sum(axis=-1, keepdims=True) @ flow
    return {
        "rest": without_sink(row)[key],
        "whole": row[key],
        "value": row[key] * norms[key],
        "mean": without_sink(mean)[key],
        "rollout": without_sink(flow[query])[key],
    }


def main(logdir: str) -> None:
    generator = np.random.default_rng(7)
    base, after = attention(0), attention(1)
    before, later = generator.normal(size=(2, LAYERS, 2, HEADS, SIZE, 4)).astype(np.float32)
    log(logdir, "base", base, before, texts=("first", "second"))
    log(logdir, "after", after, later, texts=("first", "second"))
    log(logdir, "same", base, before, texts=("first", "second"))
    log(logdir, "retold", after, later, texts=("first", "third"))
    log(logdir, "another", after, later, texts=("third", "second"))
    entropies = [
        [
            [-sum(w * np.log2(w) for w in row.astype(float) if w > 0) for row in maps[layer, 0, head]]
            for maps in (base, after)
        ]
        for layer in range(LAYERS)
        for head in range(HEADS)
    ]
    layer, head, *_ = AT.values()
    print(
        json.dumps(
            {
                "at": AT,
                "base": said_of(base, before),
                "after": said_of(after, later),
                "distance": distance(base[layer, 0, head], after[layer, 0, head], MASK[0]),
                "entropies": np.mean(entropies, axis=-1).tolist(),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
