"""What the callbacks of all frameworks share: the sentences to probe with, when to log, and where to.

Nothing in here, once training runs, raises or waits for a disk: a fault of a probe is one warning and an
anomaly.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.log import TokenIds, log_anomaly
from tb_llmdebug.log.sinks import check_name, find_sink
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.writing import Writer

DEFAULT_EVERY = 100
DEFAULT_MOST_TOKENS = 128


@dataclass(frozen=True)
class Settings:
    """What the callbacks hand on to `log_probe` as it is."""

    causal: bool | None = None
    layers: Iterable[int] | None = None
    heads: Iterable[int] | None = None
    examples: Iterable[int] | None = None
    rows: Iterable[int] | None = None
    precision: str = "auto"
    vectors: bool | Iterable[int] = False


@dataclass(frozen=True, eq=False)
class ProbeInputs:
    """One batch, the same at every step, so that steps can be compared."""

    inputs: Any
    """what the model is called with: a dict of keywords, a tuple, or one argument"""
    tokens: Any = None
    mask: Any = None


def tokenize(
    tokenizer: Any, sentences: str | Sequence[str], most_tokens: int = DEFAULT_MOST_TOKENS
) -> ProbeInputs:
    """Return the batch of `sentences`, padded here, so that a tokenizer without a pad token will do.

    Args:
        tokenizer: one of Hugging Face: called with a sentence it returns a mapping with `input_ids`.
        sentences: texts of any lengths.
        most_tokens: longer sentences are cut.

    Returns:
        int64 `input_ids` and `attention_mask` [sentences, tokens] as NumPy arrays.

    Raises:
        InvalidRecordError: there is no sentence, or the tokenizer makes no ids of one.

    Example:
        >>> class Letters:
        ...     all_special_ids, pad_token_id, padding_side = [0], 0, "left"
        ...     def __call__(self, text, **settings):
        ...         return {"input_ids": ["_abc".index(letter) for letter in text]}
        >>> tokenize(Letters(), ["a", "bc"]).inputs["input_ids"].tolist()
        [[0, 1], [2, 3]]
    """
    texts: list[Any] = [sentences] if isinstance(sentences, str) else list(sentences)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise InvalidRecordError("sentences holds no text: give a few sentences to probe the model with.")
    if most_tokens < 1:
        raise InvalidRecordError(f"most_tokens is {most_tokens!r}: give a positive number.")
    rows = [_ids(tokenizer, text, most_tokens) for text in texts]
    pad = getattr(tokenizer, "pad_token_id", None)
    if pad is None:  # GPT-2's tokenizer has none; padding is masked, so that any id will do
        pad = getattr(tokenizer, "eos_token_id", None) or 0
    left = getattr(tokenizer, "padding_side", "right") == "left"
    ids, mask = _padded(rows, int(pad), left)
    return ProbeInputs({"input_ids": ids, "attention_mask": mask}, TokenIds(ids, tokenizer), mask)


def _ids(tokenizer: Any, text: str, most_tokens: int) -> list[int]:
    try:
        ids = [int(token) for token in tokenizer(text, truncation=True, max_length=most_tokens)["input_ids"]]
    except Exception as error:
        raise InvalidRecordError(
            f"the tokenizer makes no input_ids of {text[:40]!r} ({error}): pass a Hugging Face tokenizer, "
            "or ready inputs as inputs=."
        ) from error
    if not ids:
        raise InvalidRecordError(f"the tokenizer makes no token of {text[:40]!r}: give another sentence.")
    return ids[:most_tokens]


def _padded(
    rows: list[list[int]], pad: int, left: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    length = max(map(len, rows))
    ids = np.full((len(rows), length), pad, np.int64)
    mask = np.zeros((len(rows), length), np.int64)
    for place, row in enumerate(rows):
        where = slice(length - len(row), None) if left else slice(len(row))
        ids[place, where], mask[place, where] = row, 1
    return ids, mask


def choose_inputs(
    inputs: Any, tokenizer: Any, sentences: Any, tokens: Any, mask: Any, most_tokens: int
) -> ProbeInputs:
    """Return what to probe with: `sentences` through `tokenizer`, or ready `inputs`.

    Raises:
        InvalidRecordError: neither or both were given.
    """
    if (inputs is None) == (sentences is None):
        raise InvalidRecordError("give either sentences= with a tokenizer=, or ready inputs=.")
    if inputs is None:
        if tokenizer is None:
            raise InvalidRecordError("sentences= needs the model's tokenizer=.")
        made = tokenize(tokenizer, sentences, most_tokens)
        return ProbeInputs(
            made.inputs, made.tokens if tokens is None else tokens, made.mask if mask is None else mask
        )
    if isinstance(inputs, Mapping):
        mask = inputs.get("attention_mask") if mask is None else mask
        if tokens is None and tokenizer is not None and "input_ids" in inputs:
            tokens = TokenIds(inputs["input_ids"], tokenizer)
    return ProbeInputs(inputs, tokens, mask)


class Prober:
    """Logs probes of one model: at every N-th step, and when asked to.

    Args:
        probe: what to run the model with.
        name: under which the attention stands in the page.
        every: steps between two probes.
        logdir, writer: where to; one of them, or neither for the active writer.
        settings: of `log_probe`.

    Raises:
        InvalidRecordError: a mistake in these.

    Example:
        >>> prober = Prober(ProbeInputs({"input_ids": [[1, 2]]}), every=50)
        >>> [step for step in range(0, 200, 25) if prober.due(step)]
        [0, 50, 100, 150]
    """

    def __init__(
        self,
        probe: ProbeInputs,
        *,
        name: str = "probe",
        every: int = DEFAULT_EVERY,
        logdir: str | os.PathLike[str] | None = None,
        writer: Any = None,
        settings: Settings | None = None,
    ) -> None:
        if every < 1:
            raise InvalidRecordError(f"every is {every!r}: give a positive number of steps.")
        if logdir is not None and writer is not None:
            raise InvalidRecordError("give either logdir= or writer=, not both.")
        if writer is not None:
            find_sink(writer)
        self.name = check_name(name)
        self.every = every
        self._probe = probe
        self._settings = settings or Settings()
        self._logdir = logdir
        self._writer = writer
        self._worker = 0
        self._last: int | None = None
        self._warned = False

    def begin(self) -> None:
        """Forget which step was logged last: training starts, perhaps again."""
        self._last = None

    def due(self, step: int) -> bool:
        """Return whether `step` is one of every N."""
        return step % self.every == 0

    def log(self, model: Any, step: int, worker: int = 0) -> bool:
        """Log a probe of `model`, once per step; returns whether it was accepted. Raises nothing.

        Args:
            worker: the number of this process, if several log into one `logdir`.
        """
        self._worker = worker
        if step == self._last:
            return False
        self._last = step
        try:
            return self._log_probe(model, step)
        except Exception as error:  # noqa: BLE001 - a fault of the probe must never end the training
            self._report(error, step)
            return False

    def flush(self) -> None:
        """Wait until what was logged is written; for a training that may go on. Raises nothing."""
        with suppress(Exception):
            if isinstance(self._writer, Writer):
                self._writer.flush(30)

    def end(self) -> None:
        """Close the writer that was made here; one that was given is only flushed. Raises nothing."""
        with suppress(Exception):
            if self._logdir is not None and self._writer is not None:
                self._writer.close()
                self._writer = None
            elif isinstance(self._writer, Writer):
                self._writer.flush(30)

    def refuse(self, message: str, step: int) -> None:
        """Say why there are no probes. Raises nothing."""
        self._report(InvalidRecordError(message), step)

    def _log_probe(self, model: Any, step: int) -> bool:
        from tb_llmdebug.log.probe import log_probe

        accepted = log_probe(
            self.name,
            model,
            self._probe.inputs,
            tokens=self._probe.tokens,
            mask=self._probe.mask,
            **vars(self._settings),
            step=step,
            writer=self._sink(),
        )
        return bool(accepted)

    def _sink(self) -> Any:
        """The writer for `logdir` is made when the first probe is: only by the process that logs."""
        if self._writer is None and self._logdir is not None:
            self._writer = Writer(self._logdir, worker=self._worker)
        return self._writer

    def _report(self, error: Exception, step: int) -> None:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0][:500]
        message = f"the probe {self.name!r} failed: {first_line}"
        with suppress(Exception):
            log_anomaly(
                self.name,
                message,
                rule="probe.failed",
                why="No attention was logged at this step; the training went on.",
                advice="Try the probe by hand with llmdebug.log_probe.",
                step=step,
                writer=self._sink(),
            )
        if not self._warned:
            self._warned = True
            # Where warnings are errors, this one must not become one that ends the training.
            with suppress(RuntimeWarning):
                warnings.warn(f"llmdebug: {message}", RuntimeWarning, stacklevel=2)
