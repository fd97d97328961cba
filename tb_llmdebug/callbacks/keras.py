"""Probes during `fit` of Keras models: Keras 3, tf_keras, and the TensorFlow models of Hugging Face."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tb_llmdebug.callbacks.bases import with_bases
from tb_llmdebug.callbacks.keras_hub_tokens import readable
from tb_llmdebug.callbacks.probes import (
    DEFAULT_EVERY,
    DEFAULT_MOST_TOKENS,
    ProbeInputs,
    Prober,
    Settings,
    choose_inputs,
)

# What KerasHub calls what Hugging Face's tokenizers make.
_KERAS_HUB_NAMES = {"input_ids": "token_ids", "attention_mask": "padding_mask"}


class LLMDebugCallback:
    """A Keras callback that logs the attention of a model on the same few sentences while it is fitted.

    Before the first step, every N steps, at the end of every epoch and of the training. The probe runs
    between steps, as at inference, so that a step compiled by XLA is no matter. The training stays as it
    is, bit by bit; a fault of a probe is one warning and an anomaly. Losses and metrics are left to
    TensorBoard's own callback.

    Args:
        tokenizer: the model's, of Hugging Face or KerasHub; it needs no pad token.
        sentences: what to probe with.
        inputs: instead of sentences, what the model is called with: a dict, a tuple, or one array. A
            model with encoder and decoder needs these.
        tokens, mask: of ready inputs, as for `log_attention`; `input_ids` and `attention_mask` of a dict
            are used if they are not given.
        name: under which the attention stands in the page.
        every: steps between two probes.
        logdir: where to, e.g. "logs/finetune"; or
        writer: an `llmdebug.Writer` or a `tf.summary` writer; the active one if neither is given.
        at_start: log one before the first step, to compare with, if the model is built by then.
        at_epoch_end: log one at the end of every epoch.
        most_tokens: longer sentences are cut.
        causal, layers, heads, examples, rows, precision, vectors: as for `log_probe`.

    Raises:
        InvalidRecordError: a mistake in these.

    Example:
        >>> import tempfile
        >>> import keras
        >>> import numpy as np
        >>> import tb_llmdebug as llmdebug
        >>> tokens = keras.Input((6,), dtype="int32")
        >>> x = keras.layers.Embedding(20, 8)(tokens)
        >>> x = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x)
        >>> model = keras.Model(tokens, keras.layers.Dense(20)(x))
        >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> ids = np.arange(24).reshape(4, 6) % 20
        >>> with tempfile.TemporaryDirectory() as logs:
        ...     # With a tokenizer: LLMDebugCallback(tokenizer, ["The cat sat."], logdir=...).
        ...     probe = LLMDebugCallback(inputs=ids[:1], every=2, logdir=f"{logs}/finetune")
        ...     _ = model.fit(ids, ids, batch_size=1, callbacks=[probe], verbose=0)
        ...     steps = llmdebug.open_logdir(logs).steps("finetune", "probe")
        >>> steps
        [0, 2, 4]
    """

    _chief_worker_only = True  # of several workers Keras 2 lets only the first call it
    _supports_tf_logs = True

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return object.__new__(with_bases(cls, "keras.callbacks:Callback", "tf_keras.callbacks:Callback"))

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
        at_epoch_end: bool = True,
        most_tokens: int = DEFAULT_MOST_TOKENS,
        causal: bool | None = None,
        layers: Iterable[int] | None = None,
        heads: Iterable[int] | None = None,
        examples: Iterable[int] | None = None,
        rows: Iterable[int] | None = None,
        precision: str = "auto",
        vectors: bool | Iterable[int] = False,
    ) -> None:
        # The bases' own __init__ would run for two frameworks at once; this is all that they set.
        self.params: Any = None
        self.validation_data: Any = None
        self._model: Any = None
        self._probed: Any = None
        self._at_start = at_start
        self._at_epoch_end = at_epoch_end
        self._steps = 0
        self._batch = -1
        self._from_sentences = inputs is None
        self._probe = choose_inputs(inputs, readable(tokenizer), sentences, tokens, mask, most_tokens)
        self._make_prober: Callable[[ProbeInputs], Prober] = functools.partial(
            Prober,
            name=name,
            every=every,
            logdir=logdir,
            writer=writer,
            settings=Settings(causal, layers, heads, examples, rows, precision, vectors),
        )
        self._prober = self._make_prober(self._probe)

    @property
    def model(self) -> Any:
        """The model that is fitted."""
        return self._model

    def set_model(self, model: Any) -> None:
        """Take the model; Keras calls it."""
        self._model = model

    def set_params(self, params: Any) -> None:
        """Take the settings of the training; Keras calls it."""
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None:
        """Log what the model is before the first step."""
        if self._probed is not self._model:
            self._prober.end()
            self._prober = self._make_prober(self._probe_for(self._model))
            self._probed = self._model
        self._prober.begin()
        self._steps = self._step()
        if self._at_start and getattr(self._model, "built", True):
            self._prober.log(self._model, self._steps)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count batches from 0 again."""
        self._batch = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Log every N-th step.

        Steps are counted here and the optimizer is asked only when one is due: reading its counter waits
        for the device. One batch may be several steps (`steps_per_execution`).
        """
        before = self._steps
        self._steps += max(batch - self._batch, 1)
        self._batch = batch
        if before // self._prober.every != self._steps // self._prober.every:
            self._log()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Log what an epoch came to."""
        if self._at_epoch_end:
            self._log()

    def on_train_end(self, logs: Any = None) -> None:
        """Log what came out, and see everything written.

        The writer stays open: another `fit` of the model goes on in the same session of the log.
        """
        self._log()
        self._prober.flush()

    def _probe_for(self, model: Any) -> ProbeInputs:
        if not self._from_sentences:
            return self._probe
        with suppress(Exception):  # whatever is wrong, the probe will say
            return replace(self._probe, inputs=_named_for(model, self._probe.inputs))
        return self._probe

    def _log(self) -> None:
        self._prober.log(self._model, self._step())

    def _step(self) -> int:
        """Return how many steps the optimizer has made, or what was counted if it does not say."""
        try:
            iterations = self._model.optimizer.iterations
            return int(iterations.numpy() if hasattr(iterations, "numpy") else iterations)
        except Exception:  # noqa: BLE001 - a custom optimizer must not end the training here
            return self._steps

    # Keras 2 asks these of every callback; here they stand for a callback made before it was imported.
    def _implements_train_batch_hooks(self) -> bool:
        return True

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False


def _named_for(model: Any, inputs: dict[str, Any]) -> Any:
    """Return `input_ids` and `attention_mask` under the names that `model` has for them.

    A model that names no inputs gets the ids alone.
    """
    if any(base.__module__.startswith("transformers.") for base in type(model).__mro__):
        return inputs
    known = getattr(model, "input", None) if hasattr(model, "inputs") and model.inputs else None
    if isinstance(known, dict):
        names = set(known)
    elif known is not None:
        names = set()
    else:
        names = set(inspect.signature(model.call).parameters)
    renamed = {_KERAS_HUB_NAMES[name]: value for name, value in inputs.items()}
    for candidate in (inputs, renamed):
        if next(iter(candidate)) in names:
            return {name: value for name, value in candidate.items() if name in names}
    return inputs["input_ids"]
