"""The callbacks in real runs of Hugging Face's `Trainer` and of Lightning's."""

from __future__ import annotations

import doctest
import warnings
from pathlib import Path

import lightning
import pytest
import pytorch_lightning
import torch
import transformers

import tb_llmdebug as llmdebug
from tb_llmdebug.callbacks import hugging_face
from tb_llmdebug.callbacks import lightning as lightning_callback
from tb_llmdebug.callbacks.hugging_face import LLMDebugCallback
from tb_llmdebug.callbacks.lightning import LLMDebugCallback as LightningCallback
from tests.capture.torch_models import batch_of, model_of
from tests.small_tokenizer import tokenizer_of

SENTENCES = ["the cat sat", "a dog"]
STEPS = 6


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of(["[unk]", "the", "cat", "sat", "a", "dog", "ran"])


def examples() -> list[dict[str, torch.Tensor]]:
    made = []
    for seed in range(2 * STEPS):
        ids = torch.randint(0, 60, (8,), generator=torch.Generator().manual_seed(seed))
        made.append({"input_ids": ids, "labels": ids})
    return made


def train(tmp_path: Path, *callbacks: object, **settings: object) -> torch.nn.Module:
    model = model_of("gpt2", "sdpa").train()
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        max_steps=STEPS,
        per_device_train_batch_size=2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        seed=7,
        save_strategy="no",
        **settings,
    )
    data = examples()
    trainer = transformers.Trainer(
        model, arguments, train_dataset=data, eval_dataset=data[:2], callbacks=list(callbacks)
    )
    trainer.train()
    return model


class Lesson:
    """What a LightningModule does here, for both packages."""

    def __init__(self) -> None:
        super().__init__()
        self.model = model_of("gpt2", "sdpa").train()

    def forward(self, **inputs):
        return self.model(**inputs)

    def training_step(self, batch, place):
        return self.model(**batch).loss

    def validation_step(self, batch, place):
        return self.model(**batch).loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


def fit(package, tmp_path: Path, *callbacks: object, **settings: object) -> torch.nn.Module:
    package.seed_everything(7)
    module = type("Module", (Lesson, package.LightningModule), {})()
    trainer = package.Trainer(
        max_steps=STEPS,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=str(tmp_path / "out"),
        **{"enable_checkpointing": False, **settings},
    )
    batches = torch.utils.data.DataLoader(examples(), batch_size=2)
    trainer.fit(module, batches, torch.utils.data.DataLoader(examples()[:2], batch_size=2))
    return module


def steps_of(logdir: Path, name: str = "probe") -> list[int]:
    return list(llmdebug.open_logdir(logdir).steps(".", name))


def equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


def test_vectors_are_kept_and_change_nothing(tokenizer, tmp_path: Path) -> None:
    callback = LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path / "logs", every=3, vectors=True)
    assert equal(train(tmp_path), train(tmp_path, callback))
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    record = logdir.attention(".", "probe", logdir.steps(".", "probe")[-1])
    apart = record.vectors(1, 2, 0).weights() - record.weights(1, 2, 0)
    assert abs(apart).max() < 2**-11 + 1e-5  # the map is stored as float16


def test_a_trainer_run_is_probed_and_stays_as_it_is(tokenizer, tmp_path) -> None:
    callback = LLMDebugCallback(tokenizer, SENTENCES, every=2, logdir=tmp_path / "logs")
    assert isinstance(callback, transformers.TrainerCallback)
    probed = train(tmp_path, callback, eval_strategy="steps", eval_steps=3)
    assert equal(probed, train(tmp_path, eval_strategy="steps", eval_steps=3))
    assert steps_of(tmp_path / "logs") == [0, 2, 3, 4, 6]
    record = llmdebug.open_logdir(tmp_path / "logs").attention(".", "probe", step=6)
    assert record.weights(layer=1, head=3).shape == (3, 3)
    assert record.example(0).query_tokens.text == ("the", "cat", "sat")


def test_a_trainer_run_goes_on_when_probes_fail(tokenizer, tmp_path) -> None:
    callback = LLMDebugCallback(inputs={"nothing_of_the_model": [[1, 2]]}, every=1, logdir=tmp_path / "logs")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        probed = train(tmp_path, callback)
    ours = [str(one.message) for one in caught if "llmdebug" in str(one.message)]
    assert len(ours) == 1 and "the probe 'probe' failed: " in ours[0]
    assert equal(probed, train(tmp_path))
    flags = llmdebug.open_logdir(tmp_path / "logs").anomalies(".")
    assert {(step, flag.rule) for step, flag in flags} == {(step, "probe.failed") for step in range(7)}


def test_a_warning_that_is_an_error_does_not_end_the_run(tmp_path) -> None:
    callback = LLMDebugCallback(inputs=[["no ids"]], every=1, logdir=tmp_path / "logs")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="llmdebug")
        train(tmp_path, callback)


@pytest.mark.parametrize("package", [lightning, pytorch_lightning], ids=lambda package: package.__name__)
def test_a_lightning_run_is_probed_and_stays_as_it_is(package, tokenizer, tmp_path) -> None:
    callback = LightningCallback(tokenizer, SENTENCES, every=4, logdir=tmp_path / "logs")
    assert isinstance(callback, package.Callback)
    settings = {"val_check_interval": 3}
    probed = fit(package, tmp_path, callback, **settings)
    assert equal(probed, fit(package, tmp_path, **settings))
    assert steps_of(tmp_path / "logs") == [0, 3, 4, 6]


def test_a_part_of_a_lightning_module_and_its_checkpoints(tokenizer, tmp_path) -> None:
    saving = lightning.pytorch.callbacks.ModelCheckpoint(tmp_path / "saved", every_n_train_steps=5)
    callback = LightningCallback(
        tokenizer, SENTENCES, attribute="model", at_start=False, logdir=tmp_path / "logs"
    )
    fit(lightning.pytorch, tmp_path, callback, saving, enable_checkpointing=True, limit_val_batches=0)
    assert steps_of(tmp_path / "logs") == [5, 6]
    wrong = LightningCallback(tokenizer, SENTENCES, attribute="modell", logdir=tmp_path / "other")
    with pytest.warns(RuntimeWarning, match="has no 'modell'"):
        fit(lightning.pytorch, tmp_path, wrong, limit_val_batches=0)


def test_only_the_first_process_logs_unless_asked(tokenizer, tmp_path) -> None:
    class Arguments:
        process_index = 1

    class State:
        global_step = 0

    model = model_of("gpt2")
    quiet = LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path / "quiet")
    quiet.on_train_begin(Arguments, State, None, model=model)
    assert not (tmp_path / "quiet").exists()
    asked = LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path / "asked", all_ranks=True)
    asked.on_train_begin(Arguments, State, None, model=model)
    asked.on_train_end(Arguments, State, None, model=model)
    assert steps_of(tmp_path / "asked") == [0]


def test_a_sharded_model_is_not_run_alone(tmp_path) -> None:
    model = model_of("gpt2")
    next(model.parameters()).ds_id = 3  # as DeepSpeed marks the parameters that it shards
    callback = LLMDebugCallback(inputs=batch_of(), logdir=tmp_path / "logs")
    with pytest.warns(RuntimeWarning, match="sharded over processes"):
        callback._log(model, 0, 0)
    callback._prober.end()
    ((_, flag),) = llmdebug.open_logdir(tmp_path / "logs").anomalies(".")
    assert flag.rule == "probe.failed"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give either sentences="),
        ({"sentences": SENTENCES}, "needs the model's tokenizer="),
        ({"sentences": [], "tokenizer": len}, "sentences holds no text"),
        ({"sentences": SENTENCES, "tokenizer": len}, "makes no input_ids"),
        ({"inputs": 1, "every": 0}, "every is 0"),
        ({"inputs": 1, "name": ""}, "name"),
        ({"inputs": 1, "writer": 3}, "writer is a int"),
        ({"inputs": 1, "writer": 3, "logdir": "x"}, "not both"),
    ],
    ids=str,
)
@pytest.mark.parametrize("callback", [LLMDebugCallback, LightningCallback])
def test_mistakes_raise_at_once(callback, settings, message) -> None:
    with pytest.raises(llmdebug.InvalidRecordError, match=message):
        callback(**settings)


def test_sentences_are_padded_for_a_tokenizer_without_a_pad_token(tokenizer) -> None:
    from tb_llmdebug.callbacks.probes import tokenize

    made = tokenize(tokenizer, SENTENCES)
    assert tokenizer.pad_token is None
    assert made.inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert made.tokens.decode()[1].text[:2] == ("a", "dog")
    assert tokenize(tokenizer, "the cat sat", 2).inputs["input_ids"].shape == (1, 2)


@pytest.mark.parametrize("module", [hugging_face, lightning_callback])
def test_examples_run(module: object) -> None:
    assert doctest.testmod(module).failed == 0
