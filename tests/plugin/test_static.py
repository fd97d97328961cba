"""The files of the page."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from tb_llmdebug.plugin.http import NotFoundError
from tb_llmdebug.plugin.static import StaticFiles


def serve(files: StaticFiles, name: str, **headers: str) -> Response:
    path = f"/data/plugin/llmdebug/{name}"
    return files.serve(Request(EnvironBuilder(path=path, headers=headers).get_environ()))


def get(files: StaticFiles, name: str) -> tuple[bytes, str, str]:
    answer = serve(files, name)
    return answer.get_data(), answer.headers["Content-Type"], answer.headers["Cache-Control"]


def test_files_are_served_with_their_type_and_hashed_ones_kept_for_ever(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "index.js").write_bytes(b"page")
    (tmp_path / "static" / "main-1a2b.css").write_bytes(b"style")
    files = StaticFiles(str(tmp_path))
    assert get(files, "index.js") == (b"page", "text/javascript; charset=utf-8", "no-cache")
    body, kind, cache = get(files, "static/main-1a2b.css")
    assert (body, kind) == (b"style", "text/css; charset=utf-8")
    assert "immutable" in cache


def test_an_update_while_tensorboard_runs_is_served(tmp_path: Path) -> None:
    files = StaticFiles(str(tmp_path))
    (tmp_path / "new.js").write_bytes(b"new")
    assert get(files, "new.js")[0] == b"new"


def test_a_changed_file_is_read_again_and_one_that_went_is_still_served(tmp_path: Path) -> None:
    script = tmp_path / "index.js"
    files = StaticFiles(str(tmp_path))
    for number, body in enumerate((b"first", b"second")):
        script.write_bytes(body)
        os.utime(script, ns=(number, number))
        assert get(files, "index.js")[0] == body
    script.unlink()
    assert get(files, "index.js")[0] == b"second"


def test_only_a_browser_that_unpacks_is_sent_gzip(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_bytes(b"page" * 1000)
    (tmp_path / "picture.png").write_bytes(b"png" * 1000)
    files = StaticFiles(str(tmp_path))
    packed = serve(files, "index.js", Accept_Encoding="gzip, br")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == b"page" * 1000
    assert "Content-Encoding" not in serve(files, "index.js", Accept_Encoding="br").headers
    assert "Content-Encoding" not in serve(files, "picture.png", Accept_Encoding="gzip").headers


@pytest.mark.parametrize("name", ["../secret.js", "nothing.js", "static/../../secret.js", "", "a.txt"])
def test_nothing_else_is_served(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.js").write_bytes(b"secret")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "a.txt").write_bytes(b"text")
    with pytest.raises(NotFoundError):
        get(StaticFiles(str(tmp_path / "page")), name)
