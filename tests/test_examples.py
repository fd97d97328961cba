"""Every public name has an example, and all examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from importlib.util import find_spec

import pytest

import tb_llmdebug

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(tb_llmdebug.__path__, "tb_llmdebug.")
    # These need TensorFlow or PyTorch to be imported, which their own tests do.
    if not module.name.endswith(("_pb2", "writing.tf_summary", "log.graph", "capture.adapters", "log.probe"))
    and ".capture.torch_" not in module.name
    and not module.name.endswith(("callbacks.hugging_face", "callbacks.keras", "callbacks.lightning"))
    and (find_spec("keras") or not module.name.endswith("capture.keras_tree"))
)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name), optionflags=OPTIONS).failed == 0


def test_every_public_function_and_class_that_is_called_has_an_example() -> None:
    # Records are made by the library and shown by the examples of the functions that return them.
    made_by_us = {
        "AttentionComparison",
        "Anomaly",
        "AnomalyRecord",
        "AttentionRecord",
        "AttributionRecord",
        "MeanAttention",
        "SimilarHead",
        "WithoutSinks",
        "WriterStatus",
    }
    made_by_us |= {"InvalidRecordError", "Logdir", "Severity"}
    for name in tb_llmdebug.__all__:
        value = getattr(tb_llmdebug, name)
        if not name.startswith("__") and name not in made_by_us:
            assert ">>>" in (inspect.getdoc(value) or ""), f"{name} has no example"
