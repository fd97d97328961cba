"""Inside and outside `tf.function`, through both sinks, with a real Hugging Face model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from transformers import GPT2Config, TFGPT2LMHeadModel

import tb_llmdebug as llmdebug

IDS = np.arange(12).reshape(2, 6)
MASK = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])


class Words:
    """A tokenizer of words."""

    all_special_ids = (0,)

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [f"w{token}" for token in ids]


@pytest.fixture(scope="module")
def model() -> TFGPT2LMHeadModel:
    config = GPT2Config(n_layer=2, n_head=2, n_embd=16, vocab_size=50, n_positions=16)
    model = TFGPT2LMHeadModel(config)
    model(IDS)
    return model


def make(kind: str, logdir: Path) -> object:
    if kind == "tf.summary":
        return tf.summary.create_file_writer(str(logdir))
    return llmdebug.Writer(logdir, inline=kind == "inline")


def log_from_graph(model: TFGPT2LMHeadModel, writer: object, **settings: object) -> list[bool]:
    @tf.function
    def step_function(ids: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        out = model(ids, attention_mask=MASK, output_attentions=True, training=False)
        return llmdebug.log_attention(
            "decoder",
            out.attentions,
            tokens=llmdebug.TokenIds(ids, Words()),
            mask=MASK,
            step=step,
            **settings,
        )

    with writer.as_default():  # type: ignore[attr-defined]
        accepted = [bool(step_function(tf.constant(IDS), tf.constant(s, tf.int64))) for s in range(3)]
    writer.close()  # type: ignore[attr-defined]
    return accepted


@pytest.mark.parametrize("kind", ["tf.summary", "inline", "files"])
def test_what_a_graph_logs_is_what_the_model_computed(
    kind: str, model: TFGPT2LMHeadModel, tmp_path: Path
) -> None:
    assert log_from_graph(model, make(kind, tmp_path), causal=True) == [True] * 3
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "decoder") == [0, 1, 2]
    assert logdir.anomalies(".") == []
    expected = model(IDS, attention_mask=MASK, output_attentions=True, training=False).attentions
    stored = logdir.attention(".", "decoder", 2)
    for layer, weights in enumerate(expected):
        for head in range(2):
            assert np.allclose(stored.weights(layer, head, 1), weights[1, head], atol=5e-4)
    assert stored.example(1).key_tokens.text == tuple(f"w{token}" for token in IDS[1])
    assert stored.example(1).key_mask.tolist() == MASK[1].astype(bool).tolist()


def test_both_sinks_read_back_equal(model: TFGPT2LMHeadModel, tmp_path: Path) -> None:
    records = []
    for kind in ("tf.summary", "inline", "files"):
        log_from_graph(model, make(kind, tmp_path / kind))
        records.append(llmdebug.open_logdir(tmp_path / kind).attention(".", "decoder", 1).record())
    first = records[0]
    for other in records[1:]:
        assert (first.step, first.checks, first.batch) == (other.step, other.checks, other.batch)
        for a, b in zip(first.layers, other.layers, strict=True):
            assert np.array_equal(a.weights, b.weights)
            assert np.array_equal(a.statistics, b.statistics, equal_nan=True)
        for a, b in zip(first.examples, other.examples, strict=True):
            assert (a.key_tokens, a.query_tokens) == (b.key_tokens, b.query_tokens)
            assert np.array_equal(a.key_mask, b.key_mask)


@pytest.mark.parametrize("kind", ["inline", "files"])
def test_tensorflows_own_reader_parses_what_we_wrote(
    kind: str, model: TFGPT2LMHeadModel, tmp_path: Path
) -> None:
    log_from_graph(model, make(kind, tmp_path))
    (file,) = [str(path) for path in tmp_path.rglob("*") if path.is_file()]
    events = [tf.compat.v1.Event.FromString(raw.numpy()) for raw in tf.data.TFRecordDataset(file)]
    values = [value for event in events for value in event.summary.value]
    assert [value.tag for value in values].count("decoder") == 3
    assert {value.metadata.plugin_data.plugin_name for value in values} == {"llmdebug"}
    # The message, the frames, and the head once more: TensorBoard keeps plugin data of a tag once only.
    assert tf.make_ndarray(values[-1].tensor).shape == (3,)


def test_logging_changes_no_output(model: TFGPT2LMHeadModel, tmp_path: Path) -> None:
    def forward(log: bool) -> np.ndarray:
        @tf.function
        def step_function() -> tf.Tensor:
            out = model(IDS, attention_mask=MASK, output_attentions=True, training=False)
            if log:
                llmdebug.log_attention("decoder", out.attentions, mask=MASK, step=0)
            return out.logits

        with llmdebug.Writer(tmp_path):
            return step_function().numpy()

    assert np.array_equal(forward(True), forward(False))


@pytest.mark.parametrize("traced", [False, True])
def test_record_if_is_honoured(traced: bool, tmp_path: Path) -> None:
    maps = tf.fill([1, 1, 2, 2], 0.5)

    def log(step: tf.Tensor) -> tf.Tensor | bool:
        with tf.summary.record_if(tf.equal(step % 2, 0) if traced else int(step) % 2 == 0):
            return llmdebug.log_attention("decoder", (maps,), step=step)

    call: Callable[[tf.Tensor], tf.Tensor] = tf.function(log) if traced else log
    with llmdebug.Writer(tmp_path):
        accepted = [bool(call(tf.constant(step, tf.int64))) for step in range(4)]
    assert accepted == [True, False, True, False]
    assert llmdebug.open_logdir(tmp_path).steps(".", "decoder") == [0, 2]


def test_our_writer_comes_before_tf_summarys_and_writer_before_both(tmp_path: Path) -> None:
    maps = (tf.fill([1, 1, 2, 2], 0.5),)
    other = tf.summary.create_file_writer(str(tmp_path / "other"))
    with tf.summary.create_file_writer(str(tmp_path / "tf")).as_default(), llmdebug.Writer(tmp_path / "ours"):
        llmdebug.log_attention("decoder", maps, step=1)
        llmdebug.log_attention("decoder", maps, step=2, writer=other)
    other.flush()
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.runs == ["other", "ours"]
    assert (logdir.steps("ours", "decoder"), logdir.steps("other", "decoder")) == ([1], [2])


def test_the_step_falls_back_to_tf_summarys(tmp_path: Path) -> None:
    tf.summary.experimental.set_step(41)
    try:
        with llmdebug.Writer(tmp_path):
            llmdebug.log_attention("decoder", (tf.fill([1, 1, 2, 2], 0.5),))
    finally:
        tf.summary.experimental.set_step(None)
    assert llmdebug.open_logdir(tmp_path).steps(".", "decoder") == [41]


def test_a_wrong_shape_is_seen_while_tracing(tmp_path: Path) -> None:
    @tf.function
    def step_function() -> tf.Tensor:
        return llmdebug.log_attention("decoder", (tf.fill([3, 2, 2], 0.5),), step=0)

    with llmdebug.Writer(tmp_path), pytest.raises(llmdebug.InvalidRecordError, match=r"x\[None\]"):
        step_function()


def test_a_mistake_that_shows_at_run_time_is_an_anomaly_and_training_goes_on(tmp_path: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None]), tf.TensorSpec([], tf.int64)])
    def step_function(maps: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        llmdebug.log_attention("decoder", (maps,), tokens=["a", "b"], step=step)
        return step + 1

    with pytest.warns(RuntimeWarning, match="could not be logged"), llmdebug.Writer(tmp_path):
        assert int(step_function(tf.fill([1, 1, 2, 2], 0.5), tf.constant(0, tf.int64))) == 1
        assert int(step_function(tf.fill([1, 1, 3, 3], 1 / 3), tf.constant(1, tf.int64))) == 2
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "decoder") == [0]
    ((step, anomaly),) = logdir.anomalies(".")
    assert (step, anomaly.rule) == (1, "log.invalid_call")
    assert "2 tokens but layer 0 has 3" in anomaly.message


class Fails:
    all_special_ids = ()

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        raise KeyError("no such id")


FAULTS_IN_A_GRAPH = {
    "a step that is no whole number": {"step": tf.constant(1.5)},
    "a tokenizer that raises": {"tokens": llmdebug.TokenIds(tf.constant([[1, 99]]), Fails()), "step": 3},
}


@pytest.mark.parametrize("case", FAULTS_IN_A_GRAPH)
def test_nothing_that_fails_at_run_time_ends_training(case: str, tmp_path: Path) -> None:
    @tf.function
    def step_function(maps: tf.Tensor) -> tf.Tensor:
        llmdebug.log_attention("decoder", (maps,), **FAULTS_IN_A_GRAPH[case])
        return maps

    with pytest.warns(RuntimeWarning, match="could not be logged"), llmdebug.Writer(tmp_path):
        step_function(tf.fill([1, 1, 2, 2], 0.5))
    ((_, anomaly),) = llmdebug.open_logdir(tmp_path).anomalies(".")
    assert anomaly.rule == "log.invalid_call"


def test_an_iterator_of_layers_is_logged_from_a_graph(tmp_path: Path) -> None:
    @tf.function
    def step_function(maps: tf.Tensor) -> tf.Tensor:
        return llmdebug.log_attention("decoder", (layer for layer in [maps, maps]), step=0)

    with llmdebug.Writer(tmp_path):
        assert bool(step_function(tf.fill([1, 1, 2, 2], 0.5)))
    assert len(llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0).record().layers) == 2


def test_an_anomaly_takes_tensors(tmp_path: Path) -> None:
    @tf.function
    def step_function(loss: tf.Tensor) -> tf.Tensor:
        return llmdebug.log_anomaly(
            "loss", "It jumped.", rule="r", observed=loss, layer=tf.constant(2), step=0
        )

    with llmdebug.Writer(tmp_path):
        step_function(tf.constant(9.5))
    ((_, anomaly),) = llmdebug.open_logdir(tmp_path).anomalies(".")
    assert (anomaly.observed, anomaly.layer) == (9.5, 2)


def test_attributions_and_anomalies_are_logged_from_a_graph(tmp_path: Path) -> None:
    @tf.function
    def step_function(scores: tf.Tensor, step: tf.Tensor) -> None:
        llmdebug.log_attribution(
            "next", scores, tokens=["a", "b"], method="m", output=tf.reduce_sum(scores), step=step
        )
        llmdebug.log_anomaly("loss", "It jumped.", rule="loss.spike", step=step)

    with llmdebug.Writer(tmp_path):
        for step in range(2):
            step_function(tf.constant([1.0, 2.0]), tf.constant(step, tf.int64))
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.attribution(".", "next", 1).items[0].output == 3.0
    assert [step for step, _ in logdir.anomalies(".")] == [0, 1]


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16, tf.bfloat16, tf.float64])
def test_every_float_type_is_taken(dtype: tf.DType, tmp_path: Path) -> None:
    maps = tf.cast(tf.fill([1, 2, 4, 4], 0.25), dtype)
    with llmdebug.Writer(tmp_path) as writer:
        llmdebug.log_attention("decoder", (maps,), step=0)
    assert writer.status().written == 1
    logdir = llmdebug.open_logdir(tmp_path)
    assert np.all(logdir.attention(".", "decoder", 0).weights(0, 1) == 0.25)
    assert logdir.anomalies(".") == []


def test_tensors_are_held_not_copied() -> None:
    from tb_llmdebug.capture.host import to_host

    tensor = tf.random.uniform([64, 64])
    assert to_host(tensor, "x").array.ctypes.data == np.asarray(memoryview(tensor)).ctypes.data
    assert not to_host(tensor, "x").mutable
