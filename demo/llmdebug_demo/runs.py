"""Which runs the demo makes, and what each is to show."""

from dataclasses import dataclass

from llmdebug_demo.model import CORRECT, MISTAKEN, Convention
from llmdebug_demo.sinks import Sink
from llmdebug_demo.training import Recipe

PRETRAINING = "pretraining"

PRETRAINING_STEPS = 520
PRETRAINING_RATE = 3e-3
FINE_TUNING_STEPS = 120
FINE_TUNING_RATE = 2e-3
LOGGED_STEPS = 12  # per run, beside step 0

QUICK_STEPS = 4
QUICK_LOGGED_STEPS = 2


@dataclass(frozen=True)
class FineTuning:
    """What sets one fine-tuning run apart from the others."""

    name: str
    frozen_layers: int = 0
    convention: Convention = CORRECT
    sink: Sink = "llmdebug.Writer"


FINE_TUNINGS = (
    FineTuning("all-weights"),
    # This one logs through tf.summary's own writer, to show that the two ways are seen alike.
    FineTuning("upper-layers", frozen_layers=2, sink="tf.summary"),
    FineTuning("padding-mistake", convention=MISTAKEN),
)


@dataclass(frozen=True)
class Plan:
    """How many steps each run takes and how often it is looked at."""

    pretraining: int
    fine_tuning: int
    logged: int

    @property
    def total(self) -> int:
        """Count the training steps of the whole demo."""
        return self.pretraining + self.fine_tuning * len(FINE_TUNINGS)

    def recipe(self, run: FineTuning) -> Recipe:
        """Say how a fine-tuning run is trained."""
        return Recipe(
            name=run.name,
            steps=self.fine_tuning,
            log_every=max(1, self.fine_tuning // self.logged),
            learning_rate=FINE_TUNING_RATE,
            convention=run.convention,
            sink=run.sink,
        )

    def pretraining_recipe(self) -> Recipe:
        """Say how the base model is trained."""
        return Recipe(
            name=PRETRAINING,
            steps=self.pretraining,
            log_every=max(1, self.pretraining // self.logged),
            learning_rate=PRETRAINING_RATE,
            convention=CORRECT,
        )


def make_plan(scale: float = 1.0, quick: bool = False) -> Plan:
    """Scale the number of steps; `quick` is for tests, where nothing is to be learned."""
    if quick:
        return Plan(QUICK_STEPS, QUICK_STEPS, QUICK_LOGGED_STEPS)
    return Plan(
        max(1, round(PRETRAINING_STEPS * scale)),
        max(1, round(FINE_TUNING_STEPS * scale)),
        LOGGED_STEPS,
    )
