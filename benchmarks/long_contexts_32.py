"""The probe of 4,096 tokens on all of 32 layers: about a quarter of an hour on two cores."""

from __future__ import annotations

from benchmarks import long_contexts


def main() -> None:
    """Measure and print."""
    long_contexts.main(32)


if __name__ == "__main__":
    main()
