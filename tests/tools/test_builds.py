"""When the front end is built again, and what is said when it cannot be."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tools import frontend, node
from tools.errors import ToolError
from tools.frontend import Frontend, build_frontend
from tools.node import Node, commands, find_node
from tools.protos import generate_protos

# Stands in for npm: notes what it was asked, and makes what the real one would make.
NPM = """#!/bin/sh
echo "$@" >> ../calls
static=../tb_llmdebug/plugin/static
case "$1 $2" in
  "ci --include=dev") rm -rf node_modules; mkdir node_modules ;;
  "run gen") mkdir -p src/gen; echo generated > src/gen/record_pb.ts ;;
  "run build") if [ -e broken ]; then echo "main.ts is wrong"; exit 1; fi
    mkdir -p $static; cat src/main.ts > $static/index.js ;;
esac
"""
ALL_STEPS = ["ci --include=dev", "run gen", "run build"]


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with a front end of one file, and an npm that is a script."""
    root = tmp_path / "repository"
    (root / "tb_llmdebug" / "plugin").mkdir(parents=True)
    (root / "tb_llmdebug" / "plugin" / "view.proto").write_text('syntax = "proto3";\n')
    source = root / "plugin_frontend" / "src"
    source.mkdir(parents=True)
    (source / "main.ts").write_text("export const render = 1;\n")
    (source.parent / "package.json").write_text("{}")
    (source.parent / "package-lock.json").write_text("{}")
    npm = executable(tmp_path / "npm", NPM)
    monkeypatch.setattr(frontend, "find_node", lambda: Node(npm, (str(npm),)))
    return root


def calls(root: Path) -> list[str]:
    log = root / "calls"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def test_the_front_end_is_built_once(project):
    assert build_frontend(project)
    assert calls(project) == ALL_STEPS
    assert not build_frontend(project)
    assert calls(project) == []


def test_a_changed_source_is_built_without_installing_again(project):
    build_frontend(project)
    calls(project)
    (project / "plugin_frontend/src/main.ts").write_text("export const render = 2;\n")
    assert build_frontend(project)
    assert calls(project) == ["run build"]
    assert "render = 2" in (project / "tb_llmdebug/plugin/static/index.js").read_text()


@pytest.mark.parametrize(
    "changed",
    ["plugin_frontend/package-lock.json", "plugin_frontend/.npmrc"],
)
def test_changed_packages_are_installed(project, changed):
    build_frontend(project)
    calls(project)
    (project / changed).write_text("changed")
    assert build_frontend(project)
    assert calls(project) == ALL_STEPS


def test_a_changed_schema_is_built(project):
    build_frontend(project)
    calls(project)
    (project / "tb_llmdebug/plugin/view.proto").write_text("changed")
    assert build_frontend(project)
    assert calls(project) == ["run gen", "run build"]


@pytest.mark.parametrize(
    "path",
    ["src/main.test.ts", "e2e/view.spec.ts", "src/gen/record_pb.ts", "node_modules/a/index.js"],
)
def test_tests_and_generated_files_do_not_count(project, path):
    build_frontend(project)
    file = project / "plugin_frontend" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("changed")
    assert not build_frontend(project)


def test_a_source_folder_may_be_called_dist(project):
    build_frontend(project)
    file = project / "plugin_frontend/src/dist/more.ts"
    file.parent.mkdir()
    file.write_text("export {};\n")
    assert build_frontend(project)


def test_output_that_was_damaged_is_built_again(project):
    build_frontend(project)
    (project / "tb_llmdebug/plugin/static/index.js").write_text("half")
    assert build_frontend(project)


def test_shipped_output_needs_neither_sources_nor_node(tmp_path):
    static = tmp_path / "tb_llmdebug/plugin/static"
    static.mkdir(parents=True)
    (static / "index.js").write_text("export {};\n")
    assert not build_frontend(tmp_path)


def test_a_failed_build_shows_why_and_leaves_no_stamp(project, capfd):
    (project / "plugin_frontend/broken").touch()
    with pytest.raises(ToolError, match="Put right what `npm run build` reports above"):
        build_frontend(project)
    assert "main.ts is wrong" in capfd.readouterr().err
    assert not Frontend(project).build_stamp.exists()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("echo v18.19.0", "is v18.19.0"), ("exit 1", "does not start"), (None, "newer with")],
)
def test_a_missing_broken_or_old_node_is_one_sentence(tmp_path, monkeypatch, answer, reason):
    monkeypatch.setattr(node, "node_from_pypi", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    if answer is not None:
        executable(tmp_path / "node", f"#!/bin/sh\n{answer}\n")
        executable(tmp_path / "npm", "#!/bin/sh\n")
    with pytest.raises(ToolError, match=r"^Install Node\.js 20\.19 or newer") as raised:
        find_node()
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_first_node_that_works_is_taken(tmp_path, monkeypatch):
    packaged = Node(executable(tmp_path / "packaged", "#!/bin/sh\nexit 1\n"), ("npm",))
    monkeypatch.setattr(node, "node_from_pypi", lambda: packaged)
    monkeypatch.setenv("PATH", str(tmp_path))
    own = executable(tmp_path / "node", "#!/bin/sh\necho v24.1.0\n")
    executable(tmp_path / "npm", "#!/bin/sh\n")
    found = find_node()
    assert found.executable == own
    assert found.environment()["PATH"].split(os.pathsep)[0] == str(tmp_path)
    assert found.environment()["PATH"].endswith(os.defpath)  # npm needs sh, which a PATH may lack


def test_node_from_pypi_gets_commands_that_start(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    cli = executable(tmp_path / "npm-cli.js", "#!/bin/sh\necho npm $@\n")
    executable(tmp_path / "npx-cli.js", "#!/bin/sh\necho npx $@\n")
    folder = commands(Node(Path("/bin/sh"), ("/bin/sh", str(cli))))
    answers = [
        subprocess.run([folder / name, "run"], capture_output=True, text=True, check=True).stdout
        for name in ("npm", "npx")
    ]
    assert answers == ["npm run\n", "npx run\n"]


def test_protobuf_modules_are_written_beside_their_schema_once(tmp_path):
    folder = tmp_path / "tb_llmdebug" / "wire"
    folder.mkdir(parents=True)
    (folder / "one.proto").write_text('syntax = "proto3";\nmessage One { int32 a = 1; }\n')
    assert [path.name for path in generate_protos(tmp_path)] == ["one_pb2.py", "one_pb2.pyi"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "one.proto",
        "one_pb2.py",
        "one_pb2.pyi",
    ]
    assert generate_protos(tmp_path) == []


def test_a_wrong_schema_is_named(tmp_path):
    folder = tmp_path / "tb_llmdebug"
    folder.mkdir()
    (folder / "one.proto").write_text("message {")
    with pytest.raises(ToolError, match=r"one\.proto"):
        generate_protos(tmp_path)
