"""PyTorch models: finds their attention layers, puts taps in and takes them out, runs probes."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from tb_llmdebug.capture import torch_interface, torch_mha, torch_plain
from tb_llmdebug.capture.taps import Deliver, Request
from tb_llmdebug.capture.torch_blocks import numbered
from tb_llmdebug.capture.torch_sessions import Place, Session, opened
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.writing.once import Once

_CROSS = {
    "encoder_attn",
    "crossattention",
    "cross_attn",
    "cross_attention",
    "EncDecAttention",
    "multihead_attn",
}
_once = Once()
_WRAPPERS = ("DistributedDataParallel", "DataParallel")


@contextmanager
def attached(model: Any, request: Request, deliver: Deliver) -> Iterator[None]:
    """Deliver what each attention layer of `model` does, as it has run, while the block is open.

    A compiled model runs eagerly inside the block: a compiled graph shows nothing, and its results differ
    from the eager ones by rounding only.

    Args:
        model: a `torch.nn.Module`, also one compiled or wrapped for data parallelism.
        request: what is wanted of which layers.
        deliver: called with each layer.

    Raises:
        InvalidRecordError: no attention layer is known in the model.
    """
    if type(model).__name__ == "DataParallel" and len(model.device_ids) > 1:
        raise InvalidRecordError(
            "nn.DataParallel copies the model for every call: look into the model inside it, model.module."
        )
    root = unwrapped(model)
    families = _families(root)
    modules = [module for known in families.values() for module in known]
    if not modules:
        raise InvalidRecordError(
            f"no attention layer is known in this {type(root).__name__}: pass a model with "
            "nn.MultiheadAttention, scaled_dot_product_attention or Hugging Face's attention, or give its "
            "weights to log_attention."
        )
    _tell_what_is_hidden(root, {id(module) for module in modules})
    session = Session(root, request, deliver, _places(root, modules))
    with ExitStack() as stack:
        stack.enter_context(eagerly(root))
        stack.enter_context(torch_interface.attached(families["interface"]))
        stack.enter_context(torch_mha.attached(families["mha"], root))
        stack.enter_context(torch_plain.attached(families["plain"]))
        stack.enter_context(opened(session))
        yield


def probe(model: Any, inputs: Any) -> Any:
    """Run `model` once, as if nothing had happened: in eval mode, without gradients or random numbers used.

    Args:
        model: as for `attached`. The wrapper of data parallelism is gone past: one process may probe alone.
        inputs: a dict of keywords, a tuple of arguments, or one argument; arrays and tensors in it are moved
            to the model's device, lists of numbers made tensors.

    Returns:
        What the model returns.
    """
    root = unwrapped(model)
    modes = [(module, module.training) for module in root.modules()]
    try:
        root.eval()
        with eagerly(root), torch.no_grad(), _random_state_kept():
            inputs = _moved(inputs, _device_of(root))
            if isinstance(inputs, Mapping):
                return root(**inputs)
            return root(*inputs) if isinstance(inputs, tuple) else root(inputs)
    finally:
        for module, training in modes:
            module.training = training


def unwrapped(model: Any) -> Any:
    """Return the module inside what `torch.compile` and data parallelism put around it."""
    while True:
        inner = model.__dict__.get("_modules", {}).get("_orig_mod")
        if inner is None and type(model).__name__ in _WRAPPERS:
            inner = model.module
        if inner is None:
            return model
        model = inner


@contextmanager
def eagerly(root: Any) -> Iterator[None]:
    """Let what is compiled inside `root` run eagerly; nothing is compiled anew for other shapes and modes."""
    compiled = any(
        "_orig_mod" in module._modules or getattr(module, "_compiled_call_impl", None) is not None
        for module in root.modules()
    )
    with torch.compiler.set_stance("force_eager") if compiled else nullcontext():
        yield


def _families(root: Any) -> dict[str, list[Any]]:
    """Return the attention layers by what knows them; each by the first that does."""
    known: dict[str, Callable[[Any], bool]] = {
        "mha": torch_mha.knows,
        "interface": torch_interface.knows,
        "plain": torch_plain.knows,
    }
    found: dict[str, list[Any]] = {name: [] for name in known}
    for module in root.modules():
        for name, knows in known.items():
            if knows(module):
                found[name].append(module)
                break
    return found


def _tell_what_is_hidden(root: Any, known: set[int]) -> None:
    """A layer that is missing from the picture must not be missing without a word."""
    hidden = {
        type(module).__name__: path
        for path, module in root.named_modules()
        if id(module) not in known and torch_plain.hides(module)
    }
    for name, path in hidden.items():
        _once.warn(
            f"hidden/{name}",
            f"{path or name} ({name}) multiplies by einsum or bmm, which is not followed: its attention is "
            "not captured, give its weights to log_attention.",
            stacklevel=6,
        )


def _places(root: Any, modules: list[Any]) -> dict[int, Place]:
    """Number the layers within their kind, in the order in which the model was built.

    In a hybrid model the number is that of the block, so that layers without attention leave a gap.
    """
    wanted = {id(module) for module in modules}
    kinds = {
        id(module): (path, _kind(module, path))
        for path, module in root.named_modules()
        if id(module) in wanted
    }
    several = len({kind for _, kind in kinds.values()}) > 1
    attending = {path for path, _ in kinds.values()}
    places = {}
    for kind in dict.fromkeys(kind for _, kind in kinds.values()):
        own = {key: path for key, (path, other) in kinds.items() if other == kind}
        numbers, without_map = numbered(root, list(own.values()), attending)
        for (key, path), number in zip(own.items(), numbers, strict=True):
            label = path or type(root).__name__
            places[key] = Place(kind if several else "", number, label, kind == "cross", without_map)
    return places


def _kind(module: Any, path: str) -> str:
    """Return whether a layer is of the encoder, of the decoder, or looks from one at the other."""
    steps = set(path.split("."))
    if getattr(module, "is_cross_attention", False) or steps & _CROSS:
        return "cross"
    if getattr(module, "is_decoder", False) or "decoder" in steps:
        return "decoder"
    return "encoder" if "encoder" in steps else "decoder"


def _device_of(root: Any) -> Any:
    for tensor in (*root.parameters(), *root.buffers()):
        return tensor.device
    return torch.device("cpu")


def _moved(value: Any, device: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value)).to(device)
    if isinstance(value, Mapping):
        return {key: _moved(entry, device) for key, entry in value.items()}
    if isinstance(value, tuple):
        return tuple(_moved(entry, device) for entry in value)
    if isinstance(value, list) and value and isinstance(value[0], (list, int, float)):
        return torch.as_tensor(value, device=device)
    return [_moved(entry, device) for entry in value] if isinstance(value, list) else value


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Put every random state back: a layer may draw numbers in eval mode too."""
    python = random.getstate()
    numpy = np.random.get_state() if "numpy.random" in sys.modules else None
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            if numpy is not None:
                np.random.set_state(numpy)
