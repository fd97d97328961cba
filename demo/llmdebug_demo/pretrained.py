"""Load a language model with its tokenizer, from a local folder or from a hub."""

import importlib.util
import inspect
from dataclasses import dataclass
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast, TFAutoModelForCausalLM

from llmdebug_demo.model import Convention


class ModelNotLoaded(RuntimeError):
    """The model or its tokenizer cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Pretrained:
    """A model ready for the training loop."""

    model: Any
    tokenizer: PreTrainedTokenizerFast
    convention: Convention
    context: int  # tokens that it can read at once


def load_pretrained(name: str) -> Pretrained:
    """Load a TensorFlow model, or one whose weights are PyTorch's if PyTorch is installed.

    Raises:
        ModelNotLoaded: with one sentence for the user.
    """
    tokenizer = _load_tokenizer(name)
    model = _load_model(name)
    model.config.use_cache = False  # keys of earlier calls are for generation
    parameters = inspect.signature(model.call).parameters
    return Pretrained(
        model=model,
        tokenizer=tokenizer,
        convention=Convention(pass_positions="position_ids" in parameters),
        context=int(getattr(model.config, "max_position_embeddings", 0) or 512),
    )


def _load_tokenizer(name: str) -> PreTrainedTokenizerFast:
    try:
        tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        raise ModelNotLoaded(
            f"No tokenizer could be loaded from {name!r}: give a folder that `save_pretrained` wrote "
            f"model and tokenizer to, or go online for a hub model ({_first_line(error)})"
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token  # GPT-2 has none; the mask tells them apart
    if tokenizer.pad_token_id is None:
        raise ModelNotLoaded(
            f"The tokenizer of {name!r} has neither a padding nor an end-of-text token; set "
            "`pad_token` and save it again."
        )
    tokenizer.padding_side = "left"
    return tokenizer


def _load_model(name: str) -> Any:
    try:
        return TFAutoModelForCausalLM.from_pretrained(name)
    except (OSError, ValueError, ImportError) as error:
        if not _only_pytorch_weights(error):
            raise ModelNotLoaded(
                f"No causal language model for TensorFlow could be loaded from {name!r}: check the "
                f"name, or go online for a hub model ({_first_line(error)})"
            ) from error
        if importlib.util.find_spec("torch") is None:
            raise ModelNotLoaded(
                f"{name!r} has PyTorch weights only: install PyTorch (pip install torch) to convert "
                "them, or choose a model with TensorFlow weights."
            ) from error
    try:
        return TFAutoModelForCausalLM.from_pretrained(name, from_pt=True)
    except (OSError, ValueError, ImportError) as error:
        raise ModelNotLoaded(
            f"The PyTorch weights of {name!r} could not be converted for TensorFlow ({_first_line(error)})"
        ) from error


def _only_pytorch_weights(error: Exception) -> bool:
    # Transformers' own advice in this case, for folders and for hubs alike.
    return "from_pt=True" in str(error)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]
