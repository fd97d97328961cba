"""Prints the path of a Chromium that runs, installing one where there is none.

Looks at CHROMIUM, the PATH, the usual places and Playwright's own download; else installs one with
the system's package manager, when it may, and with Playwright otherwise. Standard library only.

    CHROMIUM="$(python tools/find_chromium.py)"
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent.parent / "plugin_frontend"

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
PLACES = (
    "/usr/lib/chromium/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

# A package manager and what it is told, one line after the other. A line may fail (an index that
# cannot be refreshed, a package of another name): what counts is whether a browser is there then.
PACKAGE_MANAGERS: Mapping[str, Sequence[Sequence[str]]] = {
    "apt-get": (
        ("update",),
        ("install", "--yes", "--no-install-recommends", "chromium"),
    ),
    "dnf": (("install", "--assumeyes", "chromium"),),
    "apk": (("add", "--no-cache", "chromium"),),
    "pacman": (("--sync", "--refresh", "--noconfirm", "chromium"),),
    "brew": (("install", "--cask", "chromium"),),
}
WITHOUT_ROOT = {"brew"}  # refuses to run as root, and needs no rights

_PLAYWRIGHT_PATH = "require('playwright-core').chromium.executablePath()"

WHAT_TO_DO = (
    "Install Chromium or Google Chrome, or set CHROMIUM to the path of one: none was found and "
    "neither the system's package manager nor Playwright's download could install it."
)


class NoChromiumError(Exception):
    """There is no browser and none could be installed; the message says what to do."""


@dataclass(frozen=True)
class System:
    """The machine as this module sees it, so that its decisions can be tested without one."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    is_root: Callable[[], bool] = lambda: hasattr(os, "geteuid") and os.geteuid() == 0

    def which(self, name: str) -> str | None:
        return shutil.which(name, path=self.environment.get("PATH", os.defpath))

    def answer(self, command: Sequence[str], timeout: float = 30) -> str | None:
        """What a command prints, or None when it fails."""
        try:
            result = self.run(
                list(command),
                cwd=FRONTEND if FRONTEND.is_dir() else None,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return result.stdout.strip() if result.returncode == 0 else None

    def attempt(self, command: Sequence[str], timeout: float = 400) -> None:
        """Run an installer, its output on standard error; that it fails is no matter here."""
        print(f"chromium: {' '.join(command)}", file=sys.stderr, flush=True)
        try:
            self.run(
                list(command),
                cwd=FRONTEND if FRONTEND.is_dir() else None,
                env={**self.environment, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"chromium: {error}", file=sys.stderr)


def find(system: System) -> str | None:
    """The first browser that starts, without installing anything.

    Raises:
        NoChromiumError: CHROMIUM names something that does not start.
    """
    named = system.environment.get("CHROMIUM")
    if named:
        path = system.which(named)
        if path is None or not starts(system, path):
            raise NoChromiumError(f"Set CHROMIUM to a browser that starts, or unset it: {named}")
        return path
    return next((path for path in _candidates(system) if starts(system, path)), None)


def starts(system: System, path: str) -> bool:
    """Whether this is a browser that runs: some systems put a stub under the name of one."""
    answer = system.answer([path, "--version"])
    return answer is not None and any(name in answer for name in ("Chrom", "HeadlessShell"))


def install(system: System) -> str | None:
    """Install a browser by whichever way works, and find it."""
    for installer in (_install_by_package_manager, _install_by_playwright):
        installer(system)
        path = find(system)
        if path is not None:
            return path
    return None


def find_or_install(system: System) -> str:
    """The path of a browser that starts.

    Raises:
        NoChromiumError: every way failed.
    """
    path = find(system) or install(system)
    if path is None:
        raise NoChromiumError(WHAT_TO_DO)
    return path


def _candidates(system: System) -> Iterator[str]:
    for name in NAMES:
        path = system.which(name)
        if path is not None:
            yield path
    yield from (place for place in PLACES if Path(place).is_file())
    node = system.which("node")
    downloaded = system.answer([node, "--print", _PLAYWRIGHT_PATH]) if node is not None else None
    if downloaded and Path(downloaded).is_file():
        yield downloaded


def _install_by_package_manager(system: System) -> None:
    for name, lines in PACKAGE_MANAGERS.items():
        manager = system.which(name)
        if manager is None:
            continue
        rights = _rights(system, name)
        if rights is None:
            continue
        for line in lines:
            system.attempt([*rights, manager, *line])
        return


def _rights(system: System, manager: str) -> list[str] | None:
    """What to put before the manager's name, or None when it may not be used."""
    if manager in WITHOUT_ROOT:
        return None if system.is_root() else []
    if system.is_root():
        return []
    sudo = system.which("sudo")
    if sudo is not None and system.answer([sudo, "--non-interactive", "true"]) is not None:
        return [sudo, "--non-interactive"]
    return None


def _install_by_playwright(system: System) -> None:
    npm = system.which("npm")
    if npm is not None:
        system.attempt([npm, "exec", "--no", "--", "playwright", "install", "chromium"])


def main() -> int:
    argparse.ArgumentParser(
        prog="find_chromium.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        print(find_or_install(System()))
    except NoChromiumError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
