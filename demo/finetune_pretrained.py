"""Fine-tune a language model that you have on a text of yours, logging as the demo does.

python demo/finetune_pretrained.py --model distilgpt2 --text notes.txt
tensorboard --logdir logs/pretrained
"""

import argparse
import sys
from pathlib import Path

from llmdebug_demo.options import positive_float, positive_int


def main(arguments: list[str] | None = None) -> int:
    """Load, train and log; the exit status is 1 if model or text cannot be used."""
    options = parse(arguments)
    # Only now: importing TensorFlow takes seconds, and `--help` should not.
    from llmdebug_demo.pretrained import ModelNotLoaded
    from llmdebug_demo.textfile import UnusableText

    try:
        run(options)
    except (ModelNotLoaded, UnusableText) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--model", required=True, help="a folder, or a name on the Hugging Face hub")
    parser.add_argument(
        "--text", type=Path, required=True, help="UTF-8; paragraphs are separated by empty lines"
    )
    for name, kind, default, meaning in (
        ("logdir", Path, Path("logs/pretrained"), "where the run goes"),
        ("run", str, "finetune", "name of the run"),
        ("steps", positive_int, 60, "training steps"),
        ("log-every", positive_int, 10, "steps between probes"),
        ("batch", positive_int, 8, "paragraphs per step"),
        ("width", positive_int, 96, "tokens per paragraph at most"),
        ("learning-rate", positive_float, 5e-5, "at its highest"),
        ("seed", int, 0, "of all random choices"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"{meaning} (default: %(default)s)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Fine-tune as the options say and print the losses."""
    from llmdebug_demo.pretrained import load_pretrained
    from llmdebug_demo.probes import probe_batch
    from llmdebug_demo.progress import progress_bar
    from llmdebug_demo.report import Row, format_table, seen_flags
    from llmdebug_demo.stages import make_reproducible
    from llmdebug_demo.textfile import paragraph_data, read_paragraphs
    from llmdebug_demo.training import Recipe, train

    make_reproducible(options.seed)
    paragraphs = read_paragraphs(options.text)
    loaded = load_pretrained(options.model)
    data = paragraph_data(
        paragraphs,
        loaded.tokenizer,
        probe_batch(loaded.tokenizer, loaded.context),
        width=min(options.width, loaded.context),
        batch=options.batch,
        seed=options.seed,
    )
    recipe = Recipe(
        name=options.run,
        steps=options.steps,
        log_every=options.log_every,
        learning_rate=options.learning_rate,
        convention=loaded.convention,
    )
    folder = options.logdir / options.run
    with progress_bar(options.steps) as advance:
        outcome = train(loaded.model, recipe, data, folder, advance)
    print(format_table([Row(outcome, seen_flags(folder))]))
    print(f"To look at it: tensorboard --logdir {options.logdir}")


if __name__ == "__main__":
    sys.exit(main())
