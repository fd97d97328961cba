"""Probes during a run of a Lightning `Trainer`, of the package `lightning` or `pytorch_lightning`."""

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from typing import Any

from tb_llmdebug.callbacks.bases import with_bases
from tb_llmdebug.callbacks.torch_probes import TorchProbes
from tb_llmdebug.records import InvalidRecordError


class LLMDebugCallback(TorchProbes):
    """A Lightning `Callback` that logs probes by itself.

    Args:
        attribute: which part of the LightningModule is called with the inputs, e.g. "model" or
            "model.decoder"; the LightningModule itself if not given.
        settings: see `TorchProbes`.

    Example:
        >>> callback = LLMDebugCallback(tokenizer, ["The cat sat."], logdir="logs/finetune")  # doctest: +SKIP
        >>> Trainer(callbacks=[callback]).fit(module, batches)  # doctest: +SKIP
    """

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return object.__new__(with_bases(cls, "lightning.pytorch:Callback", "pytorch_lightning:Callback"))

    def __init__(self, *args: Any, attribute: str = "", **settings: Any) -> None:
        super().__init__(*args, **settings)
        if not isinstance(attribute, str):
            raise InvalidRecordError(f"attribute is a {type(attribute).__name__}: give a name, e.g. 'model'.")
        self._attribute = attribute

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Log what the model is before the first step."""
        self._begin(self._model(trainer, pl_module), int(trainer.global_step), int(trainer.global_rank))

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log every N-th step."""
        model = self._model(trainer, pl_module)
        self._log_if_due(model, int(trainer.global_step), int(trainer.global_rank))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Log what was validated."""
        if not trainer.sanity_checking:
            self._log(self._model(trainer, pl_module), int(trainer.global_step), int(trainer.global_rank))

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: Any) -> None:
        """Log what was saved."""
        self._log(self._model(trainer, pl_module), int(trainer.global_step), int(trainer.global_rank))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Log what came out, and see everything written."""
        self._end(self._model(trainer, pl_module), int(trainer.global_step), int(trainer.global_rank))

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """See written what was logged."""
        self._prober.end()

    def _model(self, trainer: Any, pl_module: Any) -> Any:
        if not self._attribute:
            return pl_module
        with suppress(AttributeError):
            return attrgetter(self._attribute)(pl_module)
        self._refuse(f"the LightningModule has no {self._attribute!r}", int(trainer.global_step))
        return None
