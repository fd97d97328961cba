import pytest

import llmdebug_demo  # noqa: F401  (prepares TensorFlow's surroundings, so before all others)
from llmdebug_demo.tokenizer import train_tokenizer

TEXTS = [
    "The for statement is used to iterate over the elements of a sequence.",
    "Return the number of elements in a sequence or a collection.",
    "A sequence is an ordered set of elements that are indexed by numbers.",
]


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer(TEXTS * 3, vocabulary=320)
