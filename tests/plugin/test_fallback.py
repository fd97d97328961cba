"""What is shown where the logs cannot be read as files: what TensorBoard itself has loaded."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tensorboard import default, program
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.data.server_ingester import get_server_binary
from tensorboard.plugins.base_plugin import TBContext

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import answers, view_pb2
from tb_llmdebug.plugin.fallback import ProviderLogs
from tb_llmdebug.plugin.logs import Logs
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.wire import record_pb2, tfrecord
from tb_llmdebug.wire.event import EncodedRecord, event_bytes, file_version_event
from tests.data import layers_of, softmax_maps, write_run
from tests.plugin.server import serving

WORDS = [["a", "b", "c", "d", "e", "f"], ["<pad>", "<pad>", "x", "y", "z", "w"]]
MASK = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])


@contextmanager
def data_server(logdir: Path, folder: Path) -> Iterator[str]:
    """Run TensorBoard's data server by itself, as on another machine; gives its address."""
    port = folder / "port"
    command = [
        get_server_binary().path,
        f"--logdir={logdir}",
        "--port=0",
        f"--port-file={port}",
        "--reload=1",
        "--samples-per-plugin=llmdebug=all",
        "--die-after-stdin",
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        for _ in range(100):
            if port.exists() and port.read_text().endswith("\n"):
                break
            time.sleep(0.1)
        yield f"localhost:{int(port.read_text())}"
    finally:
        process.communicate(timeout=30)


def log_everything(folder: Path, steps: range) -> None:
    with llmdebug.Writer(folder, inline=True):
        for step in steps:
            llmdebug.log_attention("decoder", layers_of(1, mask=MASK), tokens=WORDS, mask=MASK, step=step)
            if step % 10 == 3:
                llmdebug.log_anomaly("loss", f"It jumped at {step}.", rule="loss.spike", step=step)
            llmdebug.log_attribution(
                "next", [[1.0, step]], tokens=["a", "b"], method="m", target="t", step=step
            )


def test_a_tensorboard_without_a_directory_shows_what_its_server_has(tmp_path: Path) -> None:
    run = tmp_path / "logs" / "run"
    log_everything(run, range(150))  # more than the data server would keep by itself
    with data_server(tmp_path / "logs", tmp_path) as address:
        with serving("--grpc_data_provider", address) as server:
            found = server.until(lambda index: index.runs and len(index.runs[0].series) == 3)
            found = server.until(lambda index: all(len(s.steps) in (15, 150) for s in index.runs[0].series))
            assert [entry.name for entry in found.runs] == ["run"]
            series = {entry.name: entry for entry in found.runs[0].series}
            assert list(series["decoder"].steps) == list(range(150))
            assert series["decoder"].kind == record_pb2.ATTENTION
            assert set(series["decoder"].map_states) == {record_pb2.FULL}
            (problem,) = found.problems
            assert "What TensorBoard has loaded is shown instead" in problem.message

            maps = server.message(view_pb2.MapsResponse, f"maps?at={series['decoder'].id}.77.1.0.2")
            assert (maps.maps[0].error, maps.maps[0].step) == ("", 77)
            assert list(maps.maps[0].key_tokens.text) == WORDS[1]
            assert len(maps.maps[0].head.tiles) > 0
            groups = server.message(view_pb2.AnomaliesResponse, "anomalies").groups
            (spikes,) = [group for group in groups if group.name == "loss"]
            assert list(spikes.steps) == list(range(3, 150, 10))
            assert spikes.first.message == "It jumped at 3."
            scores = server.message(
                view_pb2.AttributionsResponse, f"attributions?series={series['next'].id}&example=0"
            )
            assert [step.step for step in scores.steps] == list(range(150))

            log_everything(run, range(150, 160))
            server.until(lambda index: any(len(s.steps) == 160 for s in index.runs[0].series))


def provider_of(folder: Path, samples: int) -> tuple[data_provider.MultiplexerDataProvider, object]:
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"llmdebug": samples})
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    return data_provider.MultiplexerDataProvider(multiplexer, str(folder)), multiplexer


def test_tensorboards_python_loader_gives_the_same_as_the_files(tmp_path: Path) -> None:
    log_everything(tmp_path / "run", range(30))
    files = llmdebug.open_logdir(tmp_path)
    loaded = Logdir([], scan=False)
    provider, _ = provider_of(tmp_path, 0)
    logs = ProviderLogs(provider, loaded.index)
    logs.refresh("of a test")
    assert loaded.steps("run", "decoder") == files.steps("run", "decoder") == list(range(30))
    for step in range(30):
        one, other = (logdir.attention("run", "decoder", step) for logdir in (files, loaded))
        assert one.message == other.message
        assert one.wall_time == other.wall_time
        assert np.array_equal(one.weights(0, 1, 1), other.weights(0, 1, 1))
        assert one.example(1).key_tokens == other.example(1).key_tokens is not None
    assert loaded.anomalies("run") == files.anomalies("run") != []
    before = loaded.index.generation
    logs.refresh("of a test")
    assert loaded.index.generation == before


def test_a_sample_that_changed_is_read_anew(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"), steps=range(30), inline=True)
    loaded = Logdir([], scan=False)
    provider, multiplexer = provider_of(tmp_path, 10)
    logs = ProviderLogs(provider, loaded.index)
    logs.refresh("of a test")
    (before,) = loaded.index.run("run").all_series()
    assert len(before.entries) == 10
    write_run(str(tmp_path / "run"), steps=range(30, 90), inline=True)
    multiplexer.Reload()
    logs.refresh("of a test")
    (after,) = loaded.index.run("run").all_series()
    assert after.id != before.id
    assert loaded.index.series(before.id) is None
    steps = after.entries.steps().tolist()
    assert len(steps) == 10 and max(steps) >= 30
    assert [loaded.attention("run", "decoder", step).step for step in steps] == steps


def test_files_that_can_be_read_again_take_the_place_of_what_tensorboard_had(tmp_path: Path) -> None:
    log_everything(tmp_path / "real" / "run", range(3))
    seen = tmp_path / "seen"
    seen.symlink_to(seen)  # a directory that cannot be listed, by no one
    provider, _ = provider_of(tmp_path / "real", 0)
    logs = Logs(TBContext(logdir=str(seen), data_provider=provider))
    logs.refresh()
    run = logs.logdir.index.run("run")
    assert run is not None and run.foreign and len(run.all_series()) == 2
    seen.unlink()
    seen.symlink_to(tmp_path / "real")
    for _ in range(2):
        logs.refresh()
        run = logs.logdir.index.run("run")
        assert not run.foreign and not logs.logdir.problems
        assert [series.entries.steps().tolist() for series in run.all_series()] == [[0, 1, 2]] * 2
        assert {series.session for series in run.all_series()} != {""}


def test_records_that_do_not_repeat_their_head_are_shown_without_anomalies(tmp_path: Path) -> None:
    write_run(str(tmp_path / "made"), steps=range(3), inline=True, attention=lambda step: (softmax_maps(),))
    files = llmdebug.open_logdir(tmp_path / "made")
    (series,) = files.index.run(".").all_series()
    (tmp_path / "old").mkdir()
    with (tmp_path / "old" / "events.out.tfevents.1.old").open("wb") as file:
        file.write(tfrecord.frame(file_version_event(1.0)))
        for entry in series.entries:
            blobs = tuple(bytes(blob) for blob in files.payloads.blobs(entry.location)[:2])
            content = entry.head.SerializeToString()
            file.write(tfrecord.frame(event_bytes(EncodedRecord("decoder", entry.step, 5.0, content, blobs))))
    loaded = Logdir([], scan=False)
    ProviderLogs(provider_of(tmp_path / "old", 0)[0], loaded.index).refresh("of a test")
    assert loaded.steps(".", "decoder") == [0, 1, 2]
    assert np.array_equal(
        loaded.attention(".", "decoder", 1).weights(0, 0), files.attention(".", "decoder", 1).weights(0, 0)
    )
    assert answers.index(loaded.index, scanning=False).runs[0].series[0].kind == record_pb2.ATTENTION


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--logdir", "/nowhere"], 1),
        (["--logdir_spec", "a:/nowhere,b:/nowhere"], 1),
        (["--logdir", "nonsense://nowhere"], 0),
        (["--logdir", "/nowhere", "--samples_per_plugin", "llmdebug=7"], 7),
    ],
)
def test_tensorboard_keeps_records_only_where_it_has_to(arguments: list[str], kept: int) -> None:
    board = program.TensorBoard(plugins=[*default.get_plugins()])
    board.configure(["tensorboard", *arguments])
    assert board.flags.samples_per_plugin["llmdebug"] == kept
