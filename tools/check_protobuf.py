"""Loads the generated protobuf modules under the oldest and the newest protobuf.

TensorFlow pins one major version and a user's other packages may want the other, so the code that
protoc writes has to work under both, without a warning.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.errors import ToolError

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("6.31.1", "7.36.2")

_ROUND_TRIP = """
import google.protobuf
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.wire import record_pb2

for module in (record_pb2, view_pb2):
    for name in module.DESCRIPTOR.message_types_by_name:
        kind = getattr(module, name)
        assert kind.FromString(kind().SerializeToString()) == kind()
print("protobuf", google.protobuf.__version__, "loads the generated modules")
"""


def check(version: str) -> None:
    """Load every generated message under one version of protobuf.

    Raises:
        ToolError: that version cannot be installed, or does not load what protoc wrote.
    """
    folder = Path(sys.prefix) / f"protobuf-{version}"
    if not (folder / "google").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-deps", "--target", str(folder), f"protobuf=={version}"], {})
    path = os.pathsep.join([str(folder), str(ROOT)])
    _run([sys.executable, "-W", "error::UserWarning", "-c", _ROUND_TRIP], {"PYTHONPATH": path})


def _run(command: list[str], environment: dict[str, str]) -> None:
    result = subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, check=False)
    if result.returncode != 0:
        raise ToolError("Put right what is reported above, then run `make check-protobuf` again.")


def main() -> int:
    try:
        for version in VERSIONS:
            check(version)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
