"""The blocks of a PyTorch model: which number a layer has, and which blocks have no attention.

Hybrid models (Jamba, Qwen3-Next, Bamba, RecurrentGemma) put other mixers between their attention layers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from torch import nn

from tb_llmdebug.records import LayerWithoutMap

_LINEAR = re.compile(
    r"mamba|ssm|s4|linear_?att|lightning|delta_?(net|rule)|recurrent|rg_?lru|retention|retnet|rwkv|hyena|conv",
    re.IGNORECASE,
)
"""names of what mixes tokens in time linear in their number"""

Numbered = tuple[list[int], tuple[LayerWithoutMap, ...]]


def numbered(root: Any, paths: Sequence[str], attending: set[str]) -> Numbered:
    """Return the number of each layer, and the blocks between them that have no attention of their kind.

    The number is that of the block where each layer has a block of its own and the other blocks are known
    to mix tokens in another way; else layers are counted.

    Args:
        root: the model.
        paths: of the attention layers of one kind, in the order of the model.
        attending: paths of all attention layers.
    """
    counted = list(range(len(paths))), ()
    homes = {_home(root, path) for path in paths}
    if len(homes) != 1 or (home := homes.pop()) is None:
        return counted
    numbers = [int(path[len(home) + 1 :].partition(".")[0]) for path in paths]
    if len(set(numbers)) < len(numbers):
        return counted
    blocks = root.get_submodule(home)
    own = [blocks[number] for number in numbers]
    others = [number for number in range(len(blocks)) if number not in set(numbers)]
    mixers = {number: _mixer(blocks[number], own) for number in others}
    known = any(linear for _, _, linear in mixers.values()) or all(
        any(path.startswith(f"{home}.{number}.") for path in attending) for number in others
    )
    if not known:
        return counted
    return numbers, tuple(
        LayerWithoutMap(number, ".".join(filter(None, (home, str(number), name))), mixer, linear)
        for number, (name, mixer, linear) in mixers.items()
    )


def _home(root: Any, path: str) -> str | None:
    """Return the path of the outermost `nn.ModuleList` that `path` is in."""
    steps = path.split(".")
    for end in range(1, len(steps)):
        home = ".".join(steps[:end])
        if isinstance(root.get_submodule(home), nn.ModuleList):
            return home
    return None


def _mixer(block: Any, attending: Sequence[Any]) -> tuple[str, str, bool]:
    """Return name and class of the part of `block` that no attending block has, and if it is linear."""
    usual = {(name, type(part)) for other in attending for name, part in other.named_children()}
    parts = [
        (name, type(part).__name__)
        for name, part in block.named_children()
        if (name, type(part)) not in usual
    ]
    for name, mixer in parts:
        if _LINEAR.search(f"{name} {mixer}"):
            return name, mixer, True
    return (*parts[0], False) if parts else ("", "", False)
