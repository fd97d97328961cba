"""Log directories that fsspec reaches."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading import remote as remote_files
from tb_llmdebug.wire.errors import DamagedRecordError
from tests.data import softmax_maps, write_run
from tests.reading.http_folder import served


@pytest.fixture
def memory() -> Iterator[str]:
    """Return the URL of an empty directory in fsspec's memory file system."""
    url = f"memory://{uuid.uuid4().hex}"
    system = fsspec.filesystem("memory")
    system.mkdir(url)
    yield url
    system.rm(url, recursive=True)


def put(source: Path, url: str) -> None:
    system = fsspec.filesystem("memory")
    for file in source.rglob("*"):
        if file.is_file():
            system.pipe_file(f"{url}/{file.relative_to(source)}", file.read_bytes())


def same(one: llmdebug.Logdir, other: llmdebug.Logdir, run: str, steps: list[int]) -> None:
    assert one.steps(run, "decoder") == other.steps(run, "decoder") == steps
    for step in steps:
        a, b = (logdir.attention(run, "decoder", step) for logdir in (one, other))
        assert np.array_equal(a.weights(0, 1, 1), b.weights(0, 1, 1))
        assert a.example(0).key_tokens == b.example(0).key_tokens is not None


def test_everything_comes_back_from_memory(tmp_path: Path, memory: str) -> None:
    words = [["a", "b", "c", "d", "e", "f"]] * 2
    write_run(str(tmp_path / "own"), steps=range(3), tokens=words)
    write_run(str(tmp_path / "deep" / "inline"), steps=range(2), tokens=words, inline=True)
    put(tmp_path, memory)
    remote = llmdebug.open_logdir(memory)
    assert (remote.runs, remote.problems) == (["deep/inline", "own"], [])
    same(remote, llmdebug.open_logdir(tmp_path), "own", [0, 1, 2])
    same(remote, llmdebug.open_logdir(tmp_path), "deep/inline", [0, 1])


def test_a_remote_directory_is_followed(tmp_path: Path, memory: str) -> None:
    write_run(str(tmp_path), steps=range(4), name="decoder", inline=True)
    (file,) = tmp_path.iterdir()
    data, target = file.read_bytes(), f"{memory}/run/{file.name}"
    system = fsspec.filesystem("memory")
    remote = llmdebug.open_logdir(memory)
    assert remote.runs == []
    system.pipe_file(target, data[: len(data) // 2])
    remote.refresh()
    before = remote.steps("run", "decoder")
    assert 0 < len(before) < 4
    system.pipe_file(target, data)  # objects grow by being replaced
    remote.refresh()
    assert remote.steps("run", "decoder") == [0, 1, 2, 3]
    write_run(str(tmp_path / "other"), steps=range(9, 20), name="decoder", inline=True)
    (other,) = (tmp_path / "other").iterdir()
    system.pipe_file(target, other.read_bytes())
    remote.refresh()
    assert remote.steps("run", "decoder") == list(range(9, 20))
    system.rm(target)
    remote.refresh()
    assert remote.runs == []


def test_only_ranges_are_asked_for(tmp_path: Path) -> None:
    write_run(
        str(tmp_path / "run"),
        steps=range(6),
        attention=lambda step: (softmax_maps(step, heads=8, queries=256),),
        precision="f16",
    )
    write_run(str(tmp_path / "inline"), steps=range(2), inline=True)
    total = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    with served(tmp_path) as folder:
        remote = llmdebug.open_logdir(folder.url)
        assert (remote.runs, remote.problems) == (["inline", "run"], [])
        assert remote.steps("run", "decoder") == list(range(6))
        assert folder.sent < total / 20  # the index leaps over payloads
        weights = remote.attention("run", "decoder", 4).weights(0, 3, 1)
        expected = softmax_maps(4, heads=8, queries=256)[1, 3].astype(np.float16)
        assert np.array_equal(weights, expected)
        assert folder.sent < total / 4
        remote.refresh()
        assert folder.whole == []


def test_an_unreachable_directory_is_a_problem_not_an_exception(tmp_path: Path) -> None:
    with served(tmp_path) as folder:
        url = folder.url
    remote = llmdebug.open_logdir(url)  # nobody listens there any more
    assert remote.runs == []
    assert "cannot be listed" in remote.problems[0]


def test_runs_stay_while_their_directory_cannot_be_reached(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"), steps=range(2))
    with served(tmp_path) as folder:
        remote = llmdebug.open_logdir(folder.url)
        assert remote.runs == ["run"]
    remote.refresh()
    assert remote.runs == ["run"]
    assert "cannot be listed" in remote.problems[0]


@pytest.mark.parametrize(("silence", "asked"), [(600.0, 1), (0.0, 3)])
def test_a_file_that_does_not_answer_is_not_asked_for_each_of_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silence: float, asked: int
) -> None:
    write_run(str(tmp_path / "silent"))
    write_run(str(tmp_path / "well"))
    monkeypatch.setattr(remote_files, "READ_SECONDS", 0.2)
    monkeypatch.setattr(remote_files, "SILENT_SECONDS", silence)
    with served(tmp_path) as folder:
        remote = llmdebug.open_logdir(folder.url)
        folder.silent = "/silent/"
        for step in (0, 10, 20):
            with pytest.raises(DamagedRecordError, match="timed out"):
                remote.attention("silent", "decoder", step)
            assert remote.attention("well", "decoder", step).has_map
        assert folder.waited == asked
        folder.freed.set()
        if not silence:
            assert remote.attention("silent", "decoder", 0).has_map


def test_a_file_url_needs_no_other_package(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"), steps=range(2))
    code = (
        "import sys; sys.modules['fsspec'] = None\n"
        "import tb_llmdebug as llmdebug\n"
        f"print(llmdebug.open_logdir('file://{tmp_path}').runs)\n"
        "try: llmdebug.open_logdir('gs://bucket/logs')\n"
        "except ValueError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [
        "['run']",
        "gs://bucket/logs cannot be read without fsspec: pip install 'tb-llmdebug[remote]'.",
    ]


def test_fsspec_is_not_imported_for_a_path_without_a_scheme(tmp_path: Path) -> None:
    code = (
        "import sys, tb_llmdebug as llmdebug\n"
        f"llmdebug.open_logdir({str(tmp_path)!r}); print('fsspec' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
