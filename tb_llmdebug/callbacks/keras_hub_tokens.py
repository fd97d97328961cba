"""KerasHub's tokenizers with the face of Hugging Face's."""

from __future__ import annotations

from typing import Any

import numpy as np


class HubTokenizer:
    """What the probes need of a tokenizer, from one of KerasHub."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.pad_token_id = getattr(tokenizer, "pad_token_id", None)
        self.eos_token_id = getattr(tokenizer, "end_token_id", None)
        named = (getattr(tokenizer, f"{name}_token_id", None) for name in ("start", "end", "pad"))
        self.all_special_ids = [int(number) for number in named if number is not None]

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        """Return the ids of one text."""
        return {"input_ids": np.asarray(self._tokenizer(text)).ravel().tolist()}

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        """Return the piece of text that each id stands for."""
        return [str(self._tokenizer.id_to_token(int(token))) for token in ids]


def readable(tokenizer: Any) -> Any:
    """Return `tokenizer`, one of KerasHub behind the names that Hugging Face's tokenizers have."""
    hub = any(base.__module__.startswith("keras_hub.") for base in type(tokenizer).__mro__)
    return HubTokenizer(tokenizer) if hub else tokenizer
