"""Which browser is found, and by which way one is installed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.find_chromium import (
    WHAT_TO_DO,
    NoChromiumError,
    System,
    find,
    find_or_install,
)

BROWSER = "#!/bin/sh\necho 'Chromium 140.0.0.0'\n"
STUB = "#!/bin/sh\necho 'Install the snap first' >&2\nexit 1\n"


def script(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., System]:
    """A machine whose PATH holds only what a test puts into `tmp_path / "bin"`."""
    monkeypatch.setattr("tools.find_chromium.PLACES", ())

    def make(*, root: bool = True, **environment: str) -> System:
        (tmp_path / "bin").mkdir(exist_ok=True)
        path = os.pathsep.join([str(tmp_path / "bin"), "/bin", "/usr/bin"])
        system = System({"PATH": path, **environment}, is_root=lambda: root)
        only = str(tmp_path / "bin")
        object.__setattr__(system, "which", lambda name: _which(only, name))
        return system

    return make


def _which(folder: str, name: str) -> str | None:
    path = Path(folder, name)
    return str(path) if path.is_file() else None


def test_the_named_browser_comes_first(machine, tmp_path):
    script(tmp_path / "bin/chromium", BROWSER)
    named = script(tmp_path / "bin/mine", BROWSER)
    assert find(machine(CHROMIUM="mine")) == named


def test_a_named_browser_that_does_not_start_is_an_error(machine, tmp_path):
    script(tmp_path / "bin/chromium", BROWSER)
    script(tmp_path / "bin/mine", STUB)
    with pytest.raises(NoChromiumError, match=r"Set CHROMIUM to a browser that starts.*mine"):
        find(machine(CHROMIUM="mine"))


def test_the_path_is_searched_and_stubs_are_passed_over(machine, tmp_path):
    script(tmp_path / "bin/chromium-browser", STUB)
    chrome = script(tmp_path / "bin/google-chrome", BROWSER)
    assert find(machine()) == chrome


def test_nothing_is_found_on_an_empty_machine(machine):
    assert find(machine()) is None


def test_what_playwright_downloaded_is_found(machine, tmp_path):
    downloaded = script(tmp_path / "cache/chrome", BROWSER)
    script(tmp_path / "bin/node", f"#!/bin/sh\necho {downloaded}\n")
    assert find(machine()) == downloaded


def test_apt_refreshes_its_index_and_installs(machine, tmp_path):
    log, browser = tmp_path / "log", tmp_path / "bin/chromium"
    script(tmp_path / "source", BROWSER)
    script(
        tmp_path / "bin/apt-get",
        f'#!/bin/sh\necho "$@" $DEBIAN_FRONTEND >> {log}\n'
        f"[ $1 = install ] && cp {tmp_path / 'source'} {browser}\n",
    )
    assert find_or_install(machine()) == str(browser)
    assert log.read_text().splitlines() == [
        "update noninteractive",
        "install --yes --no-install-recommends chromium noninteractive",
    ]


def test_without_rights_the_package_manager_is_left_alone(machine, tmp_path):
    log = tmp_path / "log"
    script(tmp_path / "bin/apt-get", f"#!/bin/sh\necho ran >> {log}\n")
    script(tmp_path / "bin/sudo", "#!/bin/sh\nexit 1\n")
    with pytest.raises(NoChromiumError):
        find_or_install(machine(root=False))
    assert not log.exists()


def test_sudo_is_used_where_it_asks_for_no_password(machine, tmp_path):
    log = tmp_path / "log"
    script(tmp_path / "bin/dnf", "#!/bin/sh\n")
    script(tmp_path / "bin/sudo", f'#!/bin/sh\necho "$@" >> {log}\n')
    with pytest.raises(NoChromiumError):
        find_or_install(machine(root=False))
    dnf = tmp_path / "bin/dnf"
    assert f"--non-interactive {dnf} install --assumeyes chromium" in log.read_text()


def test_playwright_is_the_last_resort(machine, tmp_path):
    downloaded = tmp_path / "cache/chrome"
    script(tmp_path / "source", BROWSER)
    script(tmp_path / "bin/apt-get", "#!/bin/sh\nexit 100\n")
    script(tmp_path / "bin/node", f"#!/bin/sh\necho {downloaded}\n")
    script(
        tmp_path / "bin/npm",
        f'#!/bin/sh\n[ "$*" = "exec --no -- playwright install chromium" ] || exit 1\n'
        f"mkdir -p {downloaded.parent} && cp {tmp_path / 'source'} {downloaded}\n",
    )
    assert find_or_install(machine()) == str(downloaded)


def test_when_every_way_fails_one_sentence_says_what_to_do(machine, tmp_path):
    script(tmp_path / "bin/apt-get", "#!/bin/sh\nexit 100\n")
    script(tmp_path / "bin/npm", "#!/bin/sh\nexit 1\n")
    with pytest.raises(NoChromiumError) as raised:
        find_or_install(machine())
    assert str(raised.value) == WHAT_TO_DO
    assert WHAT_TO_DO.count(".") == 1


def test_the_command_prints_only_the_path(tmp_path):
    named = script(tmp_path / "mine", BROWSER)
    tool = Path(__file__).resolve().parents[2] / "tools" / "find_chromium.py"
    result = subprocess.run(
        [sys.executable, str(tool)],
        env={**os.environ, "CHROMIUM": named},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"{named}\n"
