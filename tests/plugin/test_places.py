"""Where TensorBoard can be told to find logs, and to serve them."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tb_llmdebug.plugin import view_pb2
from tests.data import write_run
from tests.plugin.server import Server, serving
from tests.reading.http_folder import served


def run_names(server: Server) -> list[str]:
    return [run.name for run in server.index().runs]


@pytest.mark.parametrize("unnamed", [False, True])
def test_the_groups_of_logdir_spec_name_the_runs_as_tensorboard_does(tmp_path: Path, unnamed: bool) -> None:
    for folder in ("one/base", "one/base/deeper", "two", "th:ree/x"):
        write_run(str(tmp_path / folder), steps=range(1), inline=True)
    write_run(str(tmp_path / "one/ours"), steps=range(1))
    parts = [f"first:{tmp_path}/one", f"{tmp_path}/th:ree", f"second:{tmp_path}/two"]
    with serving("--logdir_spec", ",".join(parts[: 2 if unnamed else 3])) as server:
        ours, theirs = run_names(server), server.runs_of_tensorboard()
        expected = ["first/base", "first/base/deeper", "first/ours", *([] if unnamed else ["second/."]), "x"]
        assert ours == expected
        # TensorBoard lists no run that has only our files.
        assert sorted(theirs) == [name for name in ours if name != "first/ours"]


def test_links_to_directories_give_the_runs_that_tensorboard_lists(tmp_path: Path) -> None:
    write_run(str(tmp_path / "elsewhere" / "run"), steps=range(1), inline=True)
    write_run(str(tmp_path / "elsewhere" / "own"), steps=range(2))
    logs = tmp_path / "logs"
    write_run(str(logs / "plain"), steps=range(1), inline=True)
    (logs / "tree").symlink_to(tmp_path / "elsewhere")
    (logs / "again").symlink_to(logs / "plain")
    (logs / "plain" / "up").symlink_to(logs)  # a circle
    with serving("--logdir", logs) as server:
        assert run_names(server) == ["again", "plain", "tree/own", "tree/run"]
        assert sorted(server.runs_of_tensorboard()) == ["again", "plain", "tree/run"]
        (own,) = [run for run in server.index().runs if run.name == "tree/own"]
        maps = server.message(view_pb2.MapsResponse, f"maps?at={own.series[0].id}.1.0")
        assert maps.maps[0].error == ""


def test_a_path_prefix_stands_before_every_route(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"), steps=range(1))
    with serving("--logdir", tmp_path, "--path_prefix", "/some/where", "--bind_all") as server:
        assert server.address.endswith("/some/where/")
        assert run_names(server) == ["run"]
        for path in ("index.js", "index", "anomalies"):
            assert server.get("plugin/llmdebug/" + path)[0] == 200
        bare = server.address.replace("/some/where", "") + "data/plugin/llmdebug/index"
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(bare)
        raised.value.close()
        assert raised.value.code == 404


def test_runs_come_go_and_change_while_they_are_watched(tmp_path: Path) -> None:
    write_run(str(tmp_path / "a"), steps=range(1))
    write_run(str(tmp_path / "b"), steps=range(1))
    with serving("--logdir", tmp_path) as server:
        assert run_names(server) == ["a", "b"]
        (tmp_path / "a").rename(tmp_path / "renamed")
        write_run(str(tmp_path / "b"), steps=range(5))
        found = server.until(lambda index: [run.name for run in index.runs] == ["b", "renamed"])
        found = server.until(lambda index: len(index.runs[0].series) == 2)
        shown = [series for series in found.runs[0].series if series.newest]
        assert [list(series.steps) for series in shown] == [[0, 1, 2, 3, 4]]
        for file in (tmp_path / "renamed").rglob("records.*"):
            file.unlink()
        server.until(lambda index: [run.name for run in index.runs] == ["b"])


def test_logs_over_http_are_shown_whatever_tensorboard_makes_of_them(tmp_path: Path) -> None:
    write_run(str(tmp_path / "logs" / "own"), steps=range(3))
    write_run(str(tmp_path / "logs" / "inline"), steps=range(2), inline=True)
    # TensorFlow refuses the scheme and ends TensorBoard; without it TensorBoard's own reader gets lost.
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "tensorflow.py").write_text("raise ImportError('not installed')")
    environment = {"PYTHONPATH": str(tmp_path / "without")}
    with served(tmp_path / "logs") as folder:
        with serving("--logdir", folder.url, environment=environment) as server:
            assert run_names(server) == ["inline", "own"]
            (own,) = [run for run in server.index().runs if run.name == "own"]
            maps = server.message(view_pb2.MapsResponse, f"maps?at={own.series[0].id}.2.0")
            assert (maps.maps[0].error, maps.maps[0].step) == ("", 2)
            write_run(str(tmp_path / "logs" / "third"), steps=range(1))
            server.until(lambda index: [run.name for run in index.runs] == ["inline", "own", "third"])
        assert not [path for path in folder.whole if "records" in path]
