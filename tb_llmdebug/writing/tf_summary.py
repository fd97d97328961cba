"""Writing through the user's own `tf.summary` writer, and following its state.

TensorFlow must already be imported: this module is loaded only then.
"""

from __future__ import annotations

import weakref
from typing import Any

import tensorflow as tf
from tensorboard.compat.proto import summary_pb2
from tensorflow.python.ops import summary_ops_v2

from tb_llmdebug.wire.event import PLUGIN_NAME, EncodedRecord
from tb_llmdebug.writing.emitter import Emitter
from tb_llmdebug.writing.once import Once
from tb_llmdebug.writing.writer import Build


class SummarySink:
    """Writes records into the event file of a `tf.summary` writer, on the calling thread.

    Queueing is left to the `tf.summary` writer, which has a queue and a flush of its own.
    """

    def __init__(self, writer: tf.summary.SummaryWriter) -> None:
        self._writer = weakref.ref(writer)
        self._emitter = Emitter()
        self.once = Once()

    def submit(  # the queue that the other arguments speak of is not ours
        self,
        build: Build,
        nbytes: int,  # noqa: ARG002
        without_map: Build | None = None,  # noqa: ARG002
    ) -> bool:
        """Write the records that `build` makes; returns whether they were accepted."""
        writer = self._writer()
        if writer is None:
            return False
        try:
            for record in build():
                for encoded in self._emitter.encode(record):
                    _write(writer, encoded)
        except Exception as error:  # noqa: BLE001 - a fault here must never reach the training loop
            self.once.warn("lost", f"a record for tf.summary was lost ({error}); training goes on.")
            return False
        return True


_sinks: weakref.WeakKeyDictionary[Any, SummarySink] = weakref.WeakKeyDictionary()


def sink_of(writer: tf.summary.SummaryWriter) -> SummarySink:
    """Return the one sink of `writer`, so that each set of tokens is stored once."""
    sink = _sinks.get(writer)
    if sink is None:
        sink = _sinks[writer] = SummarySink(writer)
    return sink


def active_sink() -> SummarySink | None:
    """Return the sink of the active `tf.summary` writer, or None.

    `tf.summary` has no public way to ask for it.
    """
    writer = summary_ops_v2._summary_state.writer
    return None if writer is None else sink_of(writer)


def should_record() -> Any:
    """Return whether to record: a bool, or a tensor inside a graph where it is not known yet.

    That is what `tf.summary.record_if` says and, under a distribution strategy, whether this is the first
    replica. Unlike `tf.summary.should_record_summaries` this does not ask for a `tf.summary` writer.
    """
    state = summary_ops_v2._summary_state
    wanted, first_replica = _known(state.is_recording), _known(state.is_recording_distribution_strategy)
    if wanted is False or first_replica is False:
        return False
    if wanted is True or first_replica is True:
        return first_replica if wanted is True else wanted
    return tf.logical_and(wanted, first_replica)


def _known(condition: Any) -> Any:
    """Return a condition of TensorFlow's as a bool, or as a tensor where only the graph will know."""
    condition = condition() if callable(condition) else condition
    if condition is None or isinstance(condition, bool):
        return condition is not False  # what it nearly always is; to ask TensorFlow takes its time
    value = tf.get_static_value(condition) if tf.is_tensor(condition) else condition
    return condition if value is None else bool(value)


def _write(writer: tf.summary.SummaryWriter, record: EncodedRecord) -> None:
    plugin_data = summary_pb2.SummaryMetadata.PluginData(plugin_name=PLUGIN_NAME, content=record.content)
    metadata = summary_pb2.SummaryMetadata(
        plugin_data=plugin_data, data_class=summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    )
    with writer.as_default(), tf.summary.record_if(True):
        blobs = tf.constant(list(record.blobs), tf.string)
        tf.summary.write(record.tag, blobs, step=record.step, metadata=metadata)
