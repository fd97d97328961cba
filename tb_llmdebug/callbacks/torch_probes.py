"""What the callbacks of PyTorch's trainers share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from tb_llmdebug.callbacks.probes import (
    DEFAULT_EVERY,
    DEFAULT_MOST_TOKENS,
    Prober,
    Settings,
    choose_inputs,
)


class TorchProbes:
    """Logs the attention of a model on the same few sentences again and again while it trains.

    At the start, every N steps, and whenever the trainer evaluates, saves or ends. The training itself
    stays as it is, bit by bit; a fault of a probe is one warning and an anomaly.

    Args:
        tokenizer: the model's; it needs no pad token.
        sentences: what to probe with.
        inputs: instead of sentences, what the model is called with: a dict of keywords, a tuple, or one
            argument. A model with encoder and decoder needs these.
        tokens, mask: of ready inputs, as for `log_attention`; `input_ids` and `attention_mask` of a dict
            are used if they are not given.
        name: under which the attention stands in the page.
        every: steps between two probes.
        logdir: where to, e.g. "logs/finetune"; or
        writer: an `llmdebug.Writer` or a `tf.summary` writer; the active one if neither is given.
        at_start: log one before the first step, to compare with.
        all_ranks: of several processes let each log, as workers of one run; else the first only.
        most_tokens: longer sentences are cut.
        causal, layers, heads, examples, rows, precision, vectors: as for `log_probe`.

    Raises:
        InvalidRecordError: a mistake in these.
    """

    def __init__(
        self,
        tokenizer: Any = None,
        sentences: str | Sequence[str] | None = None,
        *,
        inputs: Any = None,
        tokens: Any = None,
        mask: Any = None,
        name: str = "probe",
        every: int = DEFAULT_EVERY,
        logdir: str | os.PathLike[str] | None = None,
        writer: Any = None,
        at_start: bool = True,
        all_ranks: bool = False,
        most_tokens: int = DEFAULT_MOST_TOKENS,
        causal: bool | None = None,
        layers: Iterable[int] | None = None,
        heads: Iterable[int] | None = None,
        examples: Iterable[int] | None = None,
        rows: Iterable[int] | None = None,
        precision: str = "auto",
        vectors: bool | Iterable[int] = False,
    ) -> None:
        super().__init__()
        self._at_start = at_start
        self._all_ranks = all_ranks
        self._refused = False
        self._prober = Prober(
            choose_inputs(inputs, tokenizer, sentences, tokens, mask, most_tokens),
            name=name,
            every=every,
            logdir=logdir,
            writer=writer,
            settings=Settings(causal, layers, heads, examples, rows, precision, vectors),
        )

    def _begin(self, model: Any, step: int, rank: int) -> None:
        self._prober.begin()
        if self._at_start:
            self._log(model, step, rank)

    def _log_if_due(self, model: Any, step: int, rank: int) -> None:
        if self._prober.due(step):
            self._log(model, step, rank)

    def _log(self, model: Any, step: int, rank: int) -> None:
        if model is None or (rank and not self._all_ranks):
            return
        if not _runs_alone(model):
            self._refuse(
                "the model is sharded over processes and cannot run in one alone: call log_attention in the "
                "training step instead",
                step,
            )
            return
        self._prober.log(model, step, rank)

    def _refuse(self, message: str, step: int) -> None:
        """Say once why there are no probes."""
        if not self._refused:
            self._refused = True
            self._prober.refuse(message, step)

    def _end(self, model: Any, step: int, rank: int) -> None:
        self._log(model, step, rank)
        self._prober.end()


def _runs_alone(model: Any) -> bool:
    """Return whether one process holds the whole model; a probe of a shard would wait for the others."""
    if any("FullyShardedDataParallel" in type(module).__name__ for module in model.modules()):
        return False
    parameters = model.parameters()
    return not any(hasattr(one, "ds_id") or type(one).__name__ == "DTensor" for one in parameters)
