"""A folder over HTTP, with ranges as object stores answer them, and a note of what was asked."""

from __future__ import annotations

import http.server
import io
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path


@dataclass
class Folder:
    """What is served, and what was sent."""

    url: str
    whole: list[str] = field(default_factory=list)
    """paths of files that were asked for without a range"""
    sent: int = 0
    """bytes of ranges"""
    silent: str = ""
    """files whose path begins so are not answered until `freed` is set; empty = all are"""
    freed: threading.Event = field(default_factory=threading.Event)
    waited: int = 0
    """requests that were not answered at once"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, folder: Folder, *arguments: object, **options: object) -> None:
        self._folder = folder
        super().__init__(*arguments, **options)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def send_head(self) -> object:
        path = self.translate_path(self.path)
        if self._folder.silent and self.path.startswith(self._folder.silent) and os.path.isfile(path):
            self._folder.waited += 1
            self._folder.freed.wait()
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None or not os.path.isfile(path):
            if self.command == "GET" and os.path.isfile(path):
                self._folder.whole.append(self.path)
            return super().send_head()
        size = os.path.getsize(path)
        start, last = int(match[1]), min(size - 1, int(match[2] or size - 1))
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read(last - start + 1)
        self._folder.sent += len(data)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{last}/{size}")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        return io.BytesIO(data)


@contextmanager
def served(directory: Path) -> Iterator[Folder]:
    """Serve `directory` inside the `with` block."""
    folder = Folder("")
    handler = partial(_Handler, folder, directory=str(directory))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    folder.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield folder
    finally:
        folder.freed.set()
        server.shutdown()
        server.server_close()
        thread.join()
