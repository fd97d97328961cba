"""Generates the Python modules of every .proto file, beside it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.errors import ToolError

PACKAGE = "tb_llmdebug"


def proto_files(root: Path) -> list[Path]:
    """Every schema of the package, sorted."""
    return sorted((root / PACKAGE).rglob("*.proto"))


def generate_protos(root: Path) -> list[Path]:
    """Write `x_pb2.py` and `x_pb2.pyi` beside each `x.proto`; return the files that changed.

    A file that would be written with what it already holds is left alone, so that its time does
    not change under a running process.
    """
    protos = [path.relative_to(root).as_posix() for path in proto_files(root)]
    with tempfile.TemporaryDirectory() as folder:
        _protoc(root, Path(folder), protos)
        return _copy_changed(Path(folder), root)


def _protoc(root: Path, output: Path, protos: list[str]) -> None:
    flags = ["-I.", f"--python_out={output}", f"--pyi_out={output}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *flags, *protos]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return
    if "No module named" in result.stderr:
        raise ToolError(
            f"Install grpcio-tools for {sys.executable}, or run `pip install .` without "
            "--no-build-isolation, so that the protobuf modules can be generated."
        )
    raise ToolError(f"Correct the .proto file that protoc rejects: {result.stderr.strip()}")


def _copy_changed(source: Path, target: Path) -> list[Path]:
    changed = []
    for new in sorted(source.rglob("*_pb2.py*")):
        old = target / new.relative_to(source)
        if old.is_file() and old.read_bytes() == new.read_bytes():
            continue
        # Replaced in one move: a process that imports the module meanwhile sees all or nothing.
        draft = old.with_name(f".{old.name}.new")
        draft.write_bytes(new.read_bytes())
        draft.replace(old)
        changed.append(old)
    return changed
