"""Hugging Face's TensorFlow models need Keras 2, and that is decided before TensorFlow is imported."""

import ast
import os
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A hub must never be asked: tests make their own models.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

FRAMEWORKS = {
    "jax",
    "keras",
    "keras_hub",
    "lightning",
    "tensorflow",
    "tf_keras",
    "tokenizers",
    "torch",
    "transformers",
}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the files for a framework that this environment is made without: see noxfile.py."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    imported = set()
    for node in ast.parse(collection_path.read_text()).body:
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    return any(find_spec(name) is None for name in imported & FRAMEWORKS) or None
