"""`python benchmarks/run.py [NAME ...]`: run the benchmarks, all or those named."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

OTHERS = ("log_on_gpu", "long_contexts_32", "rivals_browser")
"""only by their names"""
NAMES = (
    "log_call",
    "size_of_maps",
    "long_contexts",
    "index_and_read",
    "server_memory",
    "training_loop",
    "browser",
    "large_maps",
    "playing",
    "compare",
)


def main(names: list[str]) -> None:
    """Run the named benchmarks."""
    unknown = set(names) - {*NAMES, *OTHERS}
    if unknown:
        sys.exit(
            f"no benchmark is called {', '.join(sorted(unknown))}: choose from {', '.join(NAMES + OTHERS)}."
        )
    for name in names or NAMES:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
