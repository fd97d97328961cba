"""Builds plugin_frontend/ into tb_llmdebug/plugin/static/, when its sources have changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError
from tools.hashing import hash_files
from tools.node import Node, find_node
from tools.protos import proto_files

# What lies in plugin_frontend/ and has no part in what the build makes.
_OTHER_FOLDERS = {"node_modules", "e2e", "dist", "coverage", "test-results", "playwright-report"}
_OTHER_FILES = {"eslint.config.js", "playwright.config.ts", ".build-stamp"}
_LINES_OF_OUTPUT = 40


@dataclass(frozen=True)
class Frontend:
    """Where the front end's sources, its output and what is remembered of its builds lie."""

    root: Path

    @property
    def sources(self) -> Path:
        return self.root / "plugin_frontend"

    @property
    def output(self) -> Path:
        return self.root / "tb_llmdebug" / "plugin" / "static"

    @property
    def generated(self) -> Path:
        return self.sources / "src" / "gen"

    @property
    def build_stamp(self) -> Path:
        return self.sources / ".build-stamp"

    @property
    def install_stamp(self) -> Path:
        # `npm ci` begins by deleting node_modules, and this file with it.
        return self.sources / "node_modules" / ".install-stamp"

    @property
    def schema_stamp(self) -> Path:
        return self.sources / "node_modules" / ".schema-stamp"

    def inputs(self) -> Iterator[Path]:
        """Every file that the build depends on."""
        yield from proto_files(self.root)
        for folder, folders, names in os.walk(self.sources):
            here = Path(folder)
            folders[:] = [
                name
                for name in folders
                if here / name != self.generated and not (here == self.sources and name in _OTHER_FOLDERS)
            ]
            for name in names:
                if name not in _OTHER_FILES and ".test." not in name:
                    yield here / name

    def state(self) -> str:
        """What the stamp holds as long as the output is that of the sources."""
        built = [path for path in self.output.rglob("*") if path.is_file()]
        sources = hash_files(self.root, self.inputs())
        return f"sources {sources}\noutput {hash_files(self.root, built)}\n"

    def is_built(self) -> bool:
        """Whether the output is there and is that of the sources as they are now."""
        if not (self.output / "index.js").is_file():
            return False
        if not (self.sources / "package.json").is_file():
            return True  # only the built files were shipped
        return self.build_stamp.is_file() and self.build_stamp.read_text() == self.state()


def build_frontend(root: Path) -> bool:
    """Bring the built front end up to date; return whether anything had to be done."""
    frontend = Frontend(root)
    if frontend.is_built():
        return False
    if not (frontend.sources / "package.json").is_file():
        raise ToolError("Get plugin_frontend/ from the repository: the front end is built from it.")
    node = find_node()
    _prepare(frontend, node)
    _npm(frontend, node, "run", "build")
    if not (frontend.output / "index.js").is_file():
        raise ToolError("Make `npm run build` write tb_llmdebug/plugin/static/index.js again.")
    frontend.build_stamp.write_text(frontend.state())
    return True


def prepare_frontend(root: Path) -> None:
    """Install the front end's packages and generate its schema, as its tests and linters need."""
    frontend = Frontend(root)
    _prepare(frontend, find_node())


def _prepare(frontend: Frontend, node: Node) -> None:
    _install_packages(frontend, node)
    _generate_schema(frontend, node)


def _install_packages(frontend: Frontend, node: Node) -> None:
    names = ("package.json", "package-lock.json", ".npmrc")
    files = [frontend.sources / name for name in names if (frontend.sources / name).is_file()]
    wanted = hash_files(frontend.root, files)
    if frontend.install_stamp.is_file() and frontend.install_stamp.read_text() == wanted:
        return
    _npm(frontend, node, "ci", "--include=dev")
    frontend.install_stamp.write_text(wanted)


def _generate_schema(frontend: Frontend, node: Node) -> None:
    tools = [path for path in (frontend.sources / "tools").rglob("*") if path.is_file()]
    wanted = hash_files(frontend.root, [*proto_files(frontend.root), *tools])
    stamp = frontend.schema_stamp
    if frontend.generated.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return
    _npm(frontend, node, "run", "gen")
    stamp.write_text(wanted)


def _npm(frontend: Frontend, node: Node, *arguments: str) -> None:
    """Run npm in plugin_frontend/; its output is shown only when it fails."""
    command = " ".join(["npm", *arguments])
    print(f"front end: {command}", flush=True)
    result = subprocess.run(
        [*node.npm, *arguments],
        cwd=frontend.sources,
        env={**node.environment(), "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        print("\n".join(result.stdout.splitlines()[-_LINES_OF_OUTPUT:]), file=sys.stderr)
        raise ToolError(
            f"Put right what `{command}` reports above (Node.js is {node.executable}, the folder "
            f"plugin_frontend), then build again."
        )
