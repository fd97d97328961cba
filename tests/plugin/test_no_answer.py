"""A file system that does not answer: who does not ask for its files is answered, and who does in the end."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tb_llmdebug.plugin import view_pb2
from tests.data import layers_of, write_run
from tests.plugin.server import Server, serving
from tests.reading.http_folder import Folder, served

# TensorFlow refuses the scheme and ends TensorBoard; without it TensorBoard's own reader gets lost.
STARTED_WITH = """
import sys
sys.modules["tensorflow"] = None
from tb_llmdebug.reading import remote
remote.READ_SECONDS, remote.SILENT_SECONDS = {read}, {silent}
"""
QUESTIONS = {
    "maps?at={series}.1.0": view_pb2.MapsResponse,
    "maps?at={series}.1.0.0.1": view_pb2.MapsResponse,
    "heads?series={series}": view_pb2.HeadsResponse,
    "similar?at={series}.1.0": view_pb2.SimilarResponse,
    "changes?a={series}.0&b={series}.1": view_pb2.ChangesResponse,
    "lens?at={series}.1.0.0.0&lens=mean": view_pb2.LensResponse,
    "multiples?series={series}&from=0&to=3&example=0&layer=0&head=0": view_pb2.MultiplesResponse,
}


def said(answer) -> list[str]:
    """Return every sentence about what could not be read."""
    parts = [answer, *getattr(answer, "maps", ()), *getattr(answer, "pictures", ())]
    sentences = [part.error for part in parts if getattr(part, "error", "")]
    return [*sentences, *getattr(answer, "problems", ())]


@contextmanager
def serving_over_http(
    tmp_path: Path, read: float, silent: float
) -> Iterator[tuple[Server, Folder, dict[str, str]]]:
    """Serve a run that will not answer and one that does; gives the ids of their series."""
    for run in ("silent", "well"):
        write_run(str(tmp_path / "logs" / run), attention=lambda _: layers_of(2, queries=12))
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(STARTED_WITH.format(read=read, silent=silent))
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "start"), *sys.path])}
    with served(tmp_path / "logs") as folder:
        with serving("--logdir", folder.url, environment=environment) as server:
            series = {run.name: run.series[0].id for run in server.index().runs}
            folder.silent = "/silent/"
            yield server, folder, series
            folder.freed.set()


def test_others_are_answered_while_reads_of_one_run_hang(tmp_path: Path) -> None:
    with serving_over_http(tmp_path, read=600, silent=600) as (server, folder, series):
        with ThreadPoolExecutor(len(QUESTIONS)) as pool:
            hanging = {
                question: pool.submit(server.message, kind, question.format(series=series["silent"]))
                for question, kind in QUESTIONS.items()
            }
            try:
                for question, kind in QUESTIONS.items():
                    answer = server.message(kind, question.format(series=series["well"]))
                    assert not said(answer), question
                assert [run.name for run in server.index().runs] == ["silent", "well"]
                assert server.get("plugin/llmdebug/anomalies")[0] == 200
                assert server.get("plugins_listing")[0] == 200
                assert not any(future.done() for future in hanging.values())
            finally:
                folder.freed.set()
            for question, future in hanging.items():
                assert not said(future.result()), question


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_does_not_answer_in_time_ends_with_a_sentence(
    not_answering: tuple[Server, str], question: str
) -> None:
    server, series = not_answering
    sentences = said(server.message(QUESTIONS[question], question.format(series=series)))
    timed_out = f"{os.strerror(errno.ETIMEDOUT)}."
    assert sentences and all(one.endswith(timed_out) for one in sentences), sentences


@pytest.fixture(scope="module")
def not_answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    with serving_over_http(tmp_path_factory.mktemp("logs"), read=1, silent=0.1) as (server, _, series):
        yield server, series["silent"]


def test_what_answers_again_is_shown_again(tmp_path: Path) -> None:
    with serving_over_http(tmp_path, read=1, silent=0.1) as (server, folder, series):
        question = f"maps?at={series['silent']}.1.0"
        assert said(server.message(view_pb2.MapsResponse, question))
        folder.freed.set()
        for _ in range(1000):
            if not said(server.message(view_pb2.MapsResponse, question)):
                return
        raise AssertionError("it is still said not to answer")
