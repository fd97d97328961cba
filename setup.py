"""Generates the protobuf modules and builds the front end before packaging them.

Everything else about the package is in pyproject.toml.
"""

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.errors import ExecError

ROOT = Path(__file__).resolve().parent
# A build front end runs this file without its folder on the path.
sys.path.insert(0, str(ROOT))

from tools.build import build  # noqa: E402
from tools.errors import ToolError  # noqa: E402


def _build() -> None:
    try:
        build(ROOT)
    except ToolError as error:
        raise ExecError(str(error)) from None


class BuildWithFrontend(build_py):
    """Copies the package once the files that git does not hold have been made."""

    def run(self) -> None:
        _build()
        if not self.editable_mode:
            # The front end's files carry hashes in their names: those of an earlier build would
            # otherwise stay in build/lib, and go into the wheel.
            shutil.rmtree(Path(self.build_lib) / "tb_llmdebug", ignore_errors=True)
        super().run()


class SdistWithFrontend(sdist):
    """Archives the built front end too, so that installing from the archive is quick."""

    def run(self) -> None:
        _build()
        super().run()


setup(cmdclass={"build_py": BuildWithFrontend, "sdist": SdistWithFrontend})
