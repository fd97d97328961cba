"""The two places that records can go to: files of their own, or TensorFlow's event file."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import tensorflow as tf

import tb_llmdebug as llmdebug

Sink = Literal["llmdebug.Writer", "tf.summary"]


@contextmanager
def open_sink(sink: Sink, folder: Path) -> Iterator[None]:
    """Make `folder` the place where scalars go, and records by the chosen way.

    Scalars always go through `tf.summary`. An active `llmdebug.Writer` takes the records; without
    one they follow the scalars into the same event file.
    """
    with ExitStack() as stack:
        summaries = tf.summary.create_file_writer(str(folder))
        stack.callback(summaries.close)
        stack.enter_context(summaries.as_default())
        if sink == "llmdebug.Writer":
            # A demo's maps are to be complete: rather wait for the disk than drop one.
            stack.enter_context(llmdebug.Writer(folder, on_full="wait"))
        yield
