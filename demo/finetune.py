"""Pre-train a small GPT-2, fine-tune it three ways, and log all of it for TensorBoard.

    python demo/finetune.py --logdir logs/demo
    tensorboard --logdir logs/demo

See demo/README.md for what there is to be seen.
"""

import argparse
import sys
import time
from pathlib import Path

from llmdebug_demo.options import positive_float


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; the exit status is 1 if the base model has not learned."""
    options = parse(arguments)
    # Only now: importing TensorFlow takes seconds, and `--help` should not.
    from llmdebug_demo.losses import PretrainingTooWeak

    try:
        run_demo(options.logdir, options.seed, options.steps, options.quick)
    except PretrainingTooWeak as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--logdir", type=Path, default=Path("logs/demo"), help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--steps", type=positive_float, default=1.0, metavar="FACTOR", help="train so many times as long"
    )
    parser.add_argument("--quick", action="store_true", help="a few steps only, to see that everything runs")
    return parser.parse_args(arguments)


def run_demo(logdir: Path, seed: int, scale: float, quick: bool) -> None:
    """Make all runs and print what came of them."""
    from llmdebug_demo import stages
    from llmdebug_demo.losses import require_learning
    from llmdebug_demo.progress import progress_bar
    from llmdebug_demo.report import Row, format_table, seen_flags
    from llmdebug_demo.runs import FINE_TUNINGS, PRETRAINING, make_plan

    started = time.monotonic()
    plan = make_plan(scale, quick)
    stages.make_reproducible(seed)
    texts = stages.prepare_texts()
    entropy = stages.held_out_entropy(texts)
    rows = []
    with progress_bar(plan.total) as advance:
        base = stages.pretrain(texts, plan, seed, logdir, advance)
        if not quick:
            require_learning(base.after, entropy)
        rows.append(Row(base, seen_flags(logdir / PRETRAINING)))
        for run in FINE_TUNINGS:
            outcome = stages.fine_tune(texts, plan, run, seed, logdir, advance)
            rows.append(Row(outcome, seen_flags(logdir / run.name)))
    print(f"Unigram entropy of the held-out text of pre-training: {entropy:.2f} nats per token.")
    print(format_table(rows))
    print(f"{time.monotonic() - started:.0f} s. To look at it: tensorboard --logdir {logdir}")


if __name__ == "__main__":
    sys.exit(main())
