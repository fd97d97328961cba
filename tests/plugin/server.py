"""A real `tensorboard` process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tb_llmdebug.plugin import view_pb2


class Server:
    """A TensorBoard; use `serving`, which ends it."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "tensorboard.main", "--port", "0", *arguments]
        environment = {**os.environ, **(environment or {})}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        assert self.process.stderr is not None
        self.output = ""
        self.address = ""
        for line in self.process.stderr:
            self.output += line
            if " at http://" in line:
                self.address = line.split(" at ")[1].split()[0]
                break
        # What it goes on to say must not fill the pipe.
        threading.Thread(target=self._drain, daemon=True).start()
        if not self.address:
            raise RuntimeError(f"tensorboard did not start: {self.output}")

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.output += line

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, dict[str, str]]:
        request = urllib.request.Request(self.address + "data/" + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)

    def message(self, kind: type, path: str):
        status, body, _ = self.get("plugin/llmdebug/" + path)
        assert status == 200, body
        return kind.FromString(body)

    def index(self) -> view_pb2.IndexResponse:
        """Return the index once the first scan has ended."""
        return self.until(lambda found: not found.scanning)

    def until(self, true, seconds: float = 30) -> view_pb2.IndexResponse:
        """Return the index once `true(index)` holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.message(view_pb2.IndexResponse, "index")
            if true(found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"the index stayed {found}")

    def runs_of_tensorboard(self) -> list[str]:
        """Return the runs that TensorBoard itself lists, once it lists any."""
        for _ in range(200):
            found = json.loads(self.get("runs")[1])
            if found:
                return found
            time.sleep(0.1)
        return []


@contextmanager
def serving(*arguments: str | Path, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Run TensorBoard inside the `with` block."""
    server = Server(*map(str, arguments), environment=environment)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait(30)
