"""Layers point one way, and nothing heavy is imported with the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tb_llmdebug"
# Each layer may import itself and those before it; layers of one row do not know each other.
ROWS = [
    {"version"},
    {"records"},
    {"wire"},
    {"writing", "reading"},
    {"capture", "stats"},
    {"attribution", "detection"},
    {"debugger", "log"},
    {"plugin", "cli", "callbacks"},
]
RANK = {layer: rank for rank, row in enumerate(ROWS) for layer in row}


def imports_of(path: Path) -> list[str]:
    """Return the modules of this package that a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tb_llmdebug."):
            found.append(node.module.removeprefix("tb_llmdebug."))
        elif isinstance(node, ast.ImportFrom) and node.module == "tb_llmdebug":
            found.extend(alias.name for alias in node.names)
    return found


def test_layers_import_only_lower_ones() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for module in imports_of(path):
            other = module.split(".")[0]
            lower = other == own or RANK[other] < RANK[own]
            if not lower:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {module}")
    assert not wrong


def test_every_folder_has_a_place_in_the_order() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(RANK)


def test_the_package_exports_names_and_nothing_else() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    kinds = {type(node) for node in tree.body[1:]}
    assert kinds == {ast.Import, ast.ImportFrom, ast.Assign, ast.If, ast.FunctionDef}
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["__getattr__"]


def test_every_exported_name_is_there_and_no_other() -> None:
    import tb_llmdebug

    for name in tb_llmdebug.__all__:
        assert getattr(tb_llmdebug, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'open_log'"):
        tb_llmdebug.open_log  # noqa: B018


def test_a_training_loop_that_starts_does_not_load_what_reads_or_encodes() -> None:
    late = (
        "google.protobuf.descriptor_pool",
        "zstandard",
        "tb_llmdebug.reading",
        "tb_llmdebug.wire.messages",
    )
    code = f"import tb_llmdebug, sys; print([name for name in {late} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["tb_llmdebug", "tb_llmdebug.plugin.loader"])
def test_importing_pulls_no_framework_in(module: str) -> None:
    frameworks = ("tensorflow", "torch", "jax", "keras")
    code = f"import {module}, sys; print([name for name in {frameworks} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
