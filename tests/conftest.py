"""Hugging Face's TensorFlow models need Keras 2, and that is decided before TensorFlow is imported."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A hub must never be asked: tests make their own models.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
