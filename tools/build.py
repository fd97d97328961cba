"""Generates and builds, in the source tree, what git does not hold.

`python -m tools.build` makes what the package needs: the protobuf modules and the front end. With
`--development` it also makes what the front end's own tests and linters need.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.errors import ToolError
from tools.frontend import build_frontend, prepare_frontend
from tools.protos import generate_protos

ROOT = Path(__file__).resolve().parent.parent


def build(root: Path = ROOT) -> bool:
    """Bring protobuf modules and front end up to date; return whether the latter was rebuilt.

    Raises:
        ToolError: a tool is missing or a source is wrong.
    """
    generate_protos(root)
    return build_frontend(root)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.build", description=__doc__)
    parser.add_argument("--development", action="store_true")
    options = parser.parse_args()
    try:
        built = build()
        if options.development and not built:
            prepare_frontend(ROOT)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
