"""The layers of a Keras model with their paths, and which kind of attention stands where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_CROSS = re.compile(r"cross|encdec|encoder_attn|encoder_attention", re.IGNORECASE)
_SIDE = re.compile(r"encoder|decoder", re.IGNORECASE)


def walk(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield every layer of `model` once, itself first with an empty path, in the order of its making."""
    seen = {id(model)}
    waiting = [("", model)]
    while waiting:
        path, layer = waiting.pop()
        yield path, layer
        names = _attributes(layer)
        found = []
        for child in layer._flatten_layers(recursive=False, include_self=False):
            if id(child) not in seen:
                seen.add(id(child))
                name = names.get(id(child), child.name)
                found.append((f"{path}.{name}" if path else name, child))
        waiting.extend(reversed(found))


def groups(paths: list[str]) -> list[str]:
    """Return the kind of attention at each path: encoder, decoder or cross; empty if all are of one.

    Example:
        >>> decoder = "decoder.block.0.layer"
        >>> groups(["encoder.block.0.self", f"{decoder}.0.self", f"{decoder}.1.EncDecAttention"])
        ['encoder', 'decoder', 'cross']
        >>> groups(["bert.encoder.layer.0.attention", "bert.encoder.layer.0.crossattention"])
        ['decoder', 'cross']
        >>> groups(["bert.encoder.layer.0.attention"])
        ['']
    """
    found = [_group(path) for path in paths]
    if "cross" in found and "decoder" not in found:
        # Who looks at something outside is a decoder, though BERT calls its own stack an encoder.
        decoder = "" if "" in found else "encoder"
        found = ["decoder" if group == decoder else group for group in found]
    return found if len(set(found)) > 1 else [""] * len(found)


def _group(path: str) -> str:
    """Return the kind of attention by the words in its path."""
    last = ".".join(path.split(".")[-2:])
    return "cross" if _CROSS.search(last) else _side(path)


def _side(path: str) -> str:
    """Return the outermost of encoder and decoder in a path: a decoder of BERT has an encoder inside."""
    side = _SIDE.search(path)
    return side.group().lower() if side else ""


def _attributes(layer: Any) -> dict[int, str]:
    """Return the public attributes and properties that hold layers, by the layer's identity."""
    names: dict[int, str] = {}
    for attribute, value in vars(layer).items():
        name = attribute.lstrip("_")
        if attribute != name and not hasattr(type(layer), name):
            continue
        if hasattr(value, "_flatten_layers"):
            names.setdefault(id(value), name)
        elif attribute != name:
            continue
        elif isinstance(value, (list, tuple)):
            for place, item in enumerate(value):
                names.setdefault(id(item), f"{name}.{place}")
        elif isinstance(value, dict):
            for key, item in value.items():
                names.setdefault(id(item), f"{name}.{key}")
    return names
