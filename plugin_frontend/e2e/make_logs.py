"""Write the logs that the browser tests look at: `python make_logs.py KIND LOGDIR`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence

import numpy as np
from hostile_strings import STRINGS, as_directory

import tb_llmdebug as llmdebug
from tb_llmdebug.log import reduction
from tb_llmdebug.records import AttentionRecord, Example, LayerAttention, MapState, PooledAttention
from tb_llmdebug.stats import STATISTICS

WORDS = ["The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "."]
SHORT = ["<pad>"] * 4 + WORDS[4:]
MASK = np.array([[1] * len(WORDS), [0] * 4 + [1] * (len(WORDS) - 4)])
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    "\u202egnirts",
    "\0",
    "javascript:alert(3)",
    "x" * 20_000,
    "{{constructor.constructor('alert(4)')()}}",
    "\ud800",
    " ",
    "\n",
]


def maps(seed: int, step: int, *, masked: bool = True, size: int = len(WORDS), layers: int = 3) -> tuple:
    """Return causal attention that sharpens with the step, [2, 4, size, size] per layer."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(layers):
        logits = generator.normal(size=(2, 4, size, size)) * (0.5 + step / 50)
        logits = np.where(np.tril(np.ones((size, size), bool)), logits, -1e9)
        if masked and size == len(WORDS):
            logits = np.where(MASK[:, None, None, :] == 1, logits, -1e9)
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        found.append((weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32))
    return tuple(found)


def log_step(seed: int, step: int, masked: bool = True) -> None:
    """Log one step of an ordinary run."""
    tokens = [WORDS, SHORT]
    llmdebug.log_attention(
        "decoder", maps(seed, step, masked=masked), tokens=tokens, mask=MASK, causal=True, step=step
    )
    # Of the run with a mistake they differ from step to step: each strip says its own.
    target = "lives" if masked else ("\n" if step == 0 else "<|endoftext|>")
    scores = np.random.default_rng(seed + step).normal(size=(2, len(WORDS)))
    llmdebug.log_attribution(
        "next token", scores, tokens=tokens, method="gradient x input", target=[target, "sleeps"], step=step
    )


def ordinary(logdir: str) -> None:
    """Three runs, one of them with a mistake; scalars in one; one dropped map."""
    for seed, run in enumerate(["all-weights", "padding-mistake", "upper-layers"]):
        with llmdebug.Writer(f"{logdir}/{run}"):
            for step in range(0, 100, 10):
                log_step(seed, step, masked=run != "padding-mistake")
    with llmdebug.Writer(f"{logdir}/dropped", queue_bytes=20_000) as writer:
        log_step(3, 0)
        writer.flush()
        gate = threading.Event()
        writer.submit(lambda: (gate.wait(30) and []) or [], 20_000)
        log_step(3, 10)
        gate.set()
        writer.flush()
        log_step(3, 20)


def hostile(logdir: str) -> None:
    """Logged text that tries to be more than text."""
    name = "<b>name</b>../../x"
    with llmdebug.Writer(f"{logdir}/<img src=x onerror=alert(5)>"):
        llmdebug.log_attention(name, maps(0, 5, masked=False), tokens=[HOSTILE, HOSTILE], step=0)
        llmdebug.log_attribution(
            "a", np.ones((1, 10)), tokens=HOSTILE, method=HOSTILE[0], target=HOSTILE[1], step=0
        )
        llmdebug.log_anomaly(
            name, HOSTILE[0], rule="x.y", why=HOSTILE[1], advice=HOSTILE[4], severity="error", step=0
        )


def strings(logdir: str) -> None:
    """A run for each of a hundred hostile strings, which stands in it wherever a text can."""
    taken: set[str] = set()
    for place, text in enumerate(STRINGS):
        tokens = [STRINGS[(place + offset) % len(STRINGS)] for offset in range(len(WORDS))]
        name = text[:1000] or "empty"
        with llmdebug.Writer(f"{logdir}/{as_directory(text, taken)}"):
            layers = dict(zip((text[:1000], "plain"), maps(place, 5, masked=False, layers=2), strict=True))
            llmdebug.log_attention(name, layers, tokens=[tokens, tokens[::-1]], step=0)
            llmdebug.log_attribution(
                name, np.ones((1, 10)), tokens=tokens, method=name, target=[text], step=0
            )
            llmdebug.log_anomaly(name, text, rule=name, why=text, advice=text, severity="error", step=0)


def restarted(logdir: str) -> None:
    """A run that was restarted from step 20, and one with a damaged record."""
    for steps in (range(0, 50, 10), range(20, 90, 10)):
        with llmdebug.Writer(f"{logdir}/run"):
            for step in steps:
                log_step(0, step)
        time.sleep(1.1)
    with llmdebug.Writer(f"{logdir}/damaged") as writer:
        for step in range(3):
            log_step(0, step)
    path = next(iter(__import__("pathlib").Path(writer.logdir).rglob("records.*")))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    data[3] ^= 0xFF
    path.write_bytes(data)


def damaged(logdir: str) -> None:
    """Two healthy runs: a test damages the first step of one of them on the disk once it was scanned."""
    for seed, run in enumerate(["hurt", "sound"]):
        with llmdebug.Writer(f"{logdir}/{run}"):
            for step in (0, 10):
                log_step(seed, step)


def large(logdir: str) -> None:
    """Maps that are pooled, one layer, many steps."""
    with llmdebug.Writer(f"{logdir}/large"):
        for step in range(3):
            llmdebug.log_attention("long", maps(0, step, size=300, layers=1), causal=True, step=step)


def near(rows: Sequence[int], keys: int, reach: float, seed: int = 0) -> np.ndarray:
    """Return causal attention of some query rows, float32 [rows, keys], mostly to keys within `reach`."""
    query, key = np.asarray(rows)[:, None], np.arange(keys)[None]
    scores = -np.abs(query - key) / reach + np.random.default_rng(seed).normal(size=(1, keys))
    weights = np.exp(np.where(key <= query, scores, -np.inf))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def pooled(logdir: str) -> None:
    """Maps over the budget, in blocks of 4 x 4 at most steps; in blocks of 8 x 8 and whole at one each."""
    size, budget = 256, reduction.BUDGET_BYTES
    tokens = [[WORDS[i % len(WORDS)] for i in range(size)]]
    with llmdebug.Writer(f"{logdir}/long", on_full="wait") as writer:
        for step, bytes_kept in ((0, 64 << 10), (10, 64 << 10), (20, 16 << 10), (30, budget)):
            reduction.BUDGET_BYTES = bytes_kept
            layers = [
                np.stack([near(range(size), size, 4 + 8 * head + step, layer) for head in range(2)])[None]
                for layer in range(2)
            ]
            llmdebug.log_attention("decoder", layers, tokens=tokens, causal=True, precision="u8", step=step)
            writer.flush()  # reduced on the writer's own thread, by the budget that holds then
    reduction.BUDGET_BYTES = budget


def rows(logdir: str) -> None:
    """64 query rows of 32,768 tokens, and a run beside it with every row of a short text."""
    size = 32_768
    chosen = [int(row) for row in np.linspace(511, size - 1, 64)]
    tokens = [[WORDS[i % len(WORDS)] for i in range(size)]]
    with llmdebug.Writer(f"{logdir}/long", on_full="wait"):
        for step in range(2):
            layer = np.stack([near(chosen, size, 300 * (1 + head + step), head) for head in range(2)])[None]
            llmdebug.log_attention("decoder", [layer], tokens=tokens, rows=chosen, causal=True, step=step)
    with llmdebug.Writer(f"{logdir}/short"):
        for step in range(2):
            log_step(0, step, masked=False)


def heads(logdir: str) -> None:
    """64 layers x 64 heads x 2,048 tokens in blocks of 16 x 16, as the writer would keep them."""
    size, block, count = 2048, 16, 64
    edge = size // block
    layers = []
    for layer in range(count):
        reach = 1 + (np.arange(count) * 3 + layer * 7) % (edge // 2)
        fine = np.stack([near(range(edge), edge, each) for each in reach])[None]
        blocks = fine.reshape(1, count, edge // 4, 4, edge // 4, 4)
        overview = PooledAttention((4 * block, 4 * block), blocks.max((3, 5)), blocks.mean((3, 5)) / block)
        layers.append(
            LayerAttention(
                layer=layer,
                heads=tuple(range(count)),
                queries=size,
                keys=size,
                statistics=np.full((1, count, len(STATISTICS)), layer / count, np.float32),
                pooled=(PooledAttention((block, block), fine, fine / block), overview),
            )
        )
    record = AttentionRecord(
        "decoder",
        0,
        time.time(),
        tuple(layers),
        (Example(index=0),),
        tuple(STATISTICS),
        MapState.REDUCED,
        causal=True,
        batch=1,
        reduction="Max- and mean-pooled 16 x 16.",
    )
    with llmdebug.Writer(f"{logdir}/wide", on_full="wait") as writer:
        writer.submit(lambda: [record], 1)


def workers(logdir: str) -> None:
    """Two workers of one run at the same steps, and a record that was lost."""
    writers = [llmdebug.Writer(f"{logdir}/shared", worker=worker) for worker in range(2)]
    for step in range(3):
        for worker, writer in enumerate(writers):
            log_to = {"tokens": [WORDS, SHORT], "mask": MASK, "causal": True, "step": step, "writer": writer}
            if worker == 0 or step < 2:
                llmdebug.log_attention("decoder", maps(worker, 10 * step + 40 * worker), **log_to)
    llmdebug.log_anomaly(
        "log", "3 records were lost.", rule="log.records_lost", severity="warning", step=1, writer=writers[0]
    )
    for writer in writers:
        writer.close()


def watched(logdir: str) -> None:
    """Two runs; the first is started again each time a line comes on standard input."""
    with llmdebug.Writer(f"{logdir}/second"):
        for step in range(0, 30, 10):
            log_step(1, step)
    for attempt, _ in enumerate([None, *[0] * 100]):
        time.sleep(1.1)  # sessions are told apart by their second
        with llmdebug.Writer(f"{logdir}/first"):
            for step in range(0, 50 - 20 * attempt, 10):
                log_step(attempt, step)
        print("logged", flush=True)
        if not sys.stdin.readline():
            return


def matched(logdir: str) -> None:
    """The heads of one run in another order in a second, and a run of another architecture."""
    tokens = {"tokens": [WORDS, SHORT], "mask": MASK, "causal": True}
    for run, order in [("base", [0, 1, 2, 3]), ("shuffled", [2, 0, 3, 1])]:
        with llmdebug.Writer(f"{logdir}/{run}"):
            for step in range(0, 60, 10):
                moved = tuple(layer[:, order] for layer in maps(0, step + (run == "shuffled")))
                llmdebug.log_attention("decoder", moved, step=step, **tokens)
    with llmdebug.Writer(f"{logdir}/small"):
        llmdebug.log_attention("decoder", (maps(5, 0, layers=1)[0][:, :2],), step=20, **tokens)


def sinks(logdir: str) -> None:
    """Heads that look at <s> most of all, with values; an encoder; cross-attention; 1,024 tokens."""
    generator = np.random.default_rng(0)
    words = [["<s>", *WORDS[:7]], ["<pad>", "<pad>", "<s>", *WORDS[2:7]]]
    tokens = [
        llmdebug.Tokens(tuple(text), special=tuple(word.startswith("<") for word in text)) for text in words
    ]
    mask = np.array([[1] * 8, [0, 0] + [1] * 6])
    with llmdebug.Writer(f"{logdir}/decoder"):
        for step in (0, 10):
            layers = [_with_sink(generator, mask, 0.2 + 0.2 * head, step) for head in range(3)]
            values = tuple(generator.normal(size=(2, 3, 8, 4)).astype(np.float32) for _ in layers)
            for one in values:
                one[0, :, 0], one[1, :, 2] = 0.01, 0.01
            llmdebug.log_attention(
                "decoder", layers, tokens=tokens, mask=mask, values=values, causal=True, step=step
            )
    with llmdebug.Writer(f"{logdir}/translator"):
        cross = np.full((1, 2, 4, 6), 1 / 6, np.float32)
        cross[0, 1, 2, 3], cross[0, 1, 1, 4] = np.nan, np.inf
        llmdebug.log_attention("cross", [cross], step=0)
    with llmdebug.Writer(f"{logdir}/long", on_full="wait"):
        long = np.stack([near(range(1024), 1024, 20 * (1 + head), head) for head in range(2)])[None]
        long[..., 0] += 2
        long /= long.sum(axis=-1, keepdims=True)
        llmdebug.log_attention("long", [long], causal=True, step=0)


def _with_sink(generator: np.random.Generator, mask: np.ndarray, share: float, step: int) -> np.ndarray:
    """Return causal attention [2, 3, 8, 8] that puts `share` and more of each row on the first real key."""
    logits = generator.normal(size=(2, 3, 8, 8)) * (1 + step / 10)
    logits = np.where(np.tril(np.ones((8, 8), bool)) & (mask[:, None, None, :] == 1), logits, -1e9)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights *= (1 - share) / weights.sum(axis=-1, keepdims=True)
    for example, first in enumerate(mask.argmax(axis=1)):
        weights[example, :, :, first] += share
    return weights.astype(np.float32)


def steps(logdir: str) -> None:
    """500 steps of one run; 105 layers that hardly change."""
    with llmdebug.Writer(f"{logdir}/many"):
        for step in range(2):
            layers, words = maps(0, step / 20, size=4, layers=105), [list("abab"), list("abca")]
            llmdebug.log_attention("decoder", layers, tokens=words, precision="u8", causal=True, step=step)
    with llmdebug.Writer(f"{logdir}/long", on_full="wait"):
        for step in range(500):
            sharper = maps(0, step // 5, layers=2)
            llmdebug.log_attention("decoder", sharper, tokens=[WORDS, SHORT], mask=MASK, step=step)


def growing(logdir: str) -> None:
    """One step now; one more each time a line comes on standard input."""
    with llmdebug.Writer(f"{logdir}/live") as writer:
        for step, _ in enumerate([None, *[0] * 100]):
            log_step(0, step * 10)
            writer.flush()
            print("logged", flush=True)
            if not sys.stdin.readline():
                return


def framed(logdir: str) -> None:
    """Two healthy runs with maps and a loss, and nothing else."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for seed, run in enumerate(["first", "second"]):
        losses = EventFileWriter(f"{logdir}/{run}")
        with llmdebug.Writer(f"{logdir}/{run}"):
            for step in range(0, 60, 10):
                llmdebug.log_attention("decoder", maps(seed, step, masked=False), causal=True, step=step)
                value = Summary(value=[Summary.Value(tag="loss/train", simple_value=1 - step / 100)])
                losses.add_event(Event(step=step, wall_time=time.time(), summary=value))
        losses.close()


def edges(logdir: str) -> None:
    """30 runs: one of one token, one of 2,048, one of 500 steps, and a sweep."""
    with llmdebug.Writer(f"{logdir}/one"):
        for step in range(2):
            llmdebug.log_attention("decoder", (np.ones((1, 1, 1, 1)),), tokens=["Hi"], causal=True, step=step)
    size = 2048
    words = [[WORDS[i % len(WORDS)] for i in range(size)]]
    with llmdebug.Writer(f"{logdir}/long", on_full="wait"):
        layer = np.stack([near(range(size), size, reach) for reach in (3, 200)])[None]
        llmdebug.log_attention("decoder", [layer], tokens=words, causal=True, step=0)
    with llmdebug.Writer(f"{logdir}/steps", on_full="wait"):
        for step in range(500):
            layer = maps(0, step / 5, masked=False, layers=1)[0][:1]
            llmdebug.log_attention("decoder", (layer,), tokens=[WORDS], causal=True, step=step)
    for number in range(27):
        with llmdebug.Writer(f"{logdir}/sweep/learning_rate=3e-{number:02},warmup=1000,seed={number}"):
            for step in range(0, 30, 10):
                layers = maps(number, step, masked=False, layers=2)
                llmdebug.log_attention("decoder", layers, tokens=[WORDS, WORDS], causal=True, step=step)


def empty(logdir: str) -> None:
    """Nothing at all."""


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
