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
        >>> import tempfile
        >>> import lightning
        >>> import torch
        >>> import tb_llmdebug as llmdebug
        >>> class Encoder(lightning.LightningModule):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.model = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True)
        ...     def training_step(self, batch):
        ...         return self.model(batch).pow(2).mean()
        ...     def configure_optimizers(self):
        ...         return torch.optim.SGD(self.parameters(), lr=0.1)
        >>> with tempfile.TemporaryDirectory() as logs:
        ...     # With a tokenizer: LLMDebugCallback(tokenizer, ["The cat sat."], logdir=...).
        ...     probe = LLMDebugCallback(
        ...         inputs=torch.ones(1, 5, 8), attribute="model", every=2, logdir=f"{logs}/finetune"
        ...     )
        ...     trainer = lightning.Trainer(
        ...         max_steps=4, callbacks=[probe], accelerator="cpu", logger=False,
        ...         enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        ...     )
        ...     trainer.fit(Encoder(), torch.utils.data.DataLoader(torch.ones(8, 5, 8), batch_size=2))
        ...     steps = llmdebug.open_logdir(logs).steps("finetune", "probe")
        >>> steps
        [0, 2, 4]
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
