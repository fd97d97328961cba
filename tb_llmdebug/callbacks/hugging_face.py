"""Probes during a run of Hugging Face's PyTorch `Trainer`."""

from __future__ import annotations

from typing import Any

from tb_llmdebug.callbacks.bases import with_bases
from tb_llmdebug.callbacks.torch_probes import TorchProbes


class LLMDebugCallback(TorchProbes):
    """A `transformers.TrainerCallback` that logs probes by itself.

    See `TorchProbes` for the arguments.

    Example:
        >>> import contextlib, tempfile
        >>> import torch
        >>> import tb_llmdebug as llmdebug
        >>> from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
        >>> model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_layer=1, n_head=2, n_embd=8))
        >>> texts = [{"input_ids": torch.arange(8), "labels": torch.arange(8)}] * 8
        >>> with tempfile.TemporaryDirectory() as logs, contextlib.redirect_stdout(None):
        ...     # With a tokenizer: LLMDebugCallback(tokenizer, ["The cat sat."], logdir=...).
        ...     probe = LLMDebugCallback(
        ...         inputs={"input_ids": torch.arange(8)[None]}, every=2, logdir=f"{logs}/finetune"
        ...     )
        ...     arguments = TrainingArguments(logs, max_steps=4, use_cpu=True, report_to=[])
        ...     result = Trainer(model, arguments, train_dataset=texts, callbacks=[probe]).train()
        ...     steps = llmdebug.open_logdir(logs).steps("finetune", "probe")
        >>> steps
        [0, 2, 4]
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
