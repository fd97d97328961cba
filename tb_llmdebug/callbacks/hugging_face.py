"""Probes during a run of Hugging Face's PyTorch `Trainer`."""

from __future__ import annotations

from typing import Any

from tb_llmdebug.callbacks.bases import with_bases
from tb_llmdebug.callbacks.torch_probes import TorchProbes


class LLMDebugCallback(TorchProbes):
    """A `transformers.TrainerCallback` that logs probes by itself.

    See `TorchProbes` for the arguments.

    Example:
        >>> callback = LLMDebugCallback(tokenizer, ["The cat sat."], logdir="logs/finetune")  # doctest: +SKIP
        >>> Trainer(model, arguments, callbacks=[callback]).train()  # doctest: +SKIP
    """

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return object.__new__(with_bases(cls, "transformers:TrainerCallback"))

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Log what the model is before the first step."""
        self._begin(model, int(state.global_step), int(args.process_index))

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Log every N-th step."""
        self._log_if_due(model, int(state.global_step), int(args.process_index))

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Log what was evaluated."""
        self._log(model, int(state.global_step), int(args.process_index))

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Log what was saved."""
        self._log(model, int(state.global_step), int(args.process_index))

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Log what came out, and see everything written."""
        self._end(model, int(state.global_step), int(args.process_index))
