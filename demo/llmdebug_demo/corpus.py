"""Two real texts that every Python ships, each split into training and held-out parts.

The split depends on names alone, never on a seed, so that losses of different seeds compare.
"""

import ast
import hashlib
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HELD_OUT_SHARE = 0.1
SHORTEST_DOCSTRING = 30  # characters; below that there is hardly a token to predict

# Folders of the standard library that hold tests, tables or other people's packages, not its documentation.
SKIPPED_FOLDERS = frozenset(
    {
        "__pycache__",
        "config",
        "dist-packages",
        "encodings",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",  # the text of pre-training: fine-tuning is to be on another one
        "site-packages",
        "test",
        "tests",
        "turtledemo",
    }
)


@dataclass(frozen=True)
class Corpus:
    """Texts to train on and texts to judge by; no text is in both."""

    training: tuple[str, ...]
    held_out: tuple[str, ...]


def held_out_names(sizes: Mapping[str, int], share: float = HELD_OUT_SHARE) -> frozenset[str]:
    """Choose names, in the order of their hashes, that together make up `share` of the size.

    By size, for the sizes are very unequal: a name that alone would go beyond the share is passed
    over. The hash makes the choice the same on every machine.
    """
    left = share * sum(sizes.values())
    chosen = set()
    for name in sorted(sizes, key=_hash):
        if sizes[name] <= left:
            chosen.add(name)
            left -= sizes[name]
    return frozenset(chosen)


def python_topics() -> Corpus:
    """Read the language reference that `help()` shows, split by topic.

    Some topics quote others. A held-out paragraph that also stands in the training part would be
    recited, not predicted, so it is left out.
    """
    from pydoc_data.topics import topics

    chosen = held_out_names({name: len(text) for name, text in topics.items()})
    training = [topics[name] for name in sorted(topics.keys() - chosen)]
    seen = {paragraph for text in training for paragraph in _paragraphs(text)}
    held_out = []
    for name in sorted(chosen):
        fresh = [paragraph for paragraph in _paragraphs(topics[name]) if paragraph not in seen]
        if fresh:
            held_out.append("\n\n".join(fresh))
    return Corpus(tuple(training), tuple(held_out))


def stdlib_docstrings(root: Path | None = None) -> Corpus:
    """Collect the docstrings of the standard library, split by module; nothing is imported."""
    folder = Path(sysconfig.get_path("stdlib")) if root is None else root
    modules = {
        source.relative_to(folder).as_posix(): list(_docstrings(source)) for source in _sources(folder)
    }
    chosen = held_out_names({name: sum(map(len, texts)) for name, texts in modules.items()})
    training: dict[str, None] = {}  # a dict keeps the order and drops repetitions
    held_out: dict[str, None] = {}
    for name, texts in modules.items():
        (held_out if name in chosen else training).update(dict.fromkeys(texts))
    return Corpus(tuple(training), tuple(text for text in held_out if text not in training))


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8")).digest()


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        folders = path.relative_to(folder).parts[:-1]
        if not any(_skipped(name) for name in folders):
            yield path


def _skipped(folder: str) -> bool:
    return folder in SKIPPED_FOLDERS or folder.startswith("config-")


def _docstrings(source: Path) -> Iterator[str]:
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError):  # a few files of the library are broken on purpose
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None and len(text) >= SHORTEST_DOCSTRING:
                yield text
