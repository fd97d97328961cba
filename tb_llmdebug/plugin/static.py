"""The built front end."""

from __future__ import annotations

import gzip
import os
from typing import NamedTuple

from werkzeug import wrappers

from tb_llmdebug.plugin.http import NotFoundError

DIRECTORY = os.path.join(os.path.dirname(__file__), "static")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    # The saved page before it is filled: as text, for as a page it would have this origin's rights.
    ".page": "text/plain; charset=utf-8",
}


_PACKED = {".js", ".css", ".svg", ".wasm"}
"""what gzip makes smaller"""


class _Kept(NamedTuple):
    """A file in memory: about a megabyte in all."""

    changed: int
    """its time of modification, ns"""
    plain: bytes
    packed: bytes
    """gzip; empty if that is not worth it"""


class StaticFiles:
    """Serves the files that are there; a URL is looked up among them, never made a path."""

    def __init__(self, directory: str = DIRECTORY) -> None:
        self._directory = directory
        self._paths = _files_below(directory)
        self._kept: dict[str, _Kept] = {}

    def serve(self, request: wrappers.Request) -> wrappers.Response:
        """Answer with the file that the URL names.

        Raises:
            NotFoundError: there is none.
        """
        _, _, name = request.path.partition("/plugin/llmdebug/")
        if name not in self._paths:
            # An update while TensorBoard runs brings files of other names.
            self._paths = _files_below(self._directory)
        path = self._paths.get(name)
        if path is None:
            raise NotFoundError(_GONE)
        file = self._read(path)
        # Files below static/ carry the hash of their content in their name; index.js does not.
        cache = "private, max-age=31536000, immutable" if "/" in name else "no-cache"
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": cache}
        data = file.plain
        if file.packed:
            headers["Vary"] = "Accept-Encoding"
            if request.accept_encodings.best_match(["gzip"]):
                headers["Content-Encoding"] = "gzip"
                data = file.packed
        kind = _TYPES[os.path.splitext(name)[1]]
        return wrappers.Response(data, headers=headers, content_type=kind)

    def _read(self, path: str) -> _Kept:
        """Read and compress once; TensorBoard is often looked at through a slow tunnel."""
        kept = self._kept.get(path)
        try:
            changed = os.stat(path).st_mtime_ns
        except OSError:
            # An update took it away: an open page may still need what belongs to it.
            if kept is None:
                raise NotFoundError(_GONE) from None
            return kept
        if kept is None or kept.changed != changed:
            with open(path, "rb") as file:
                plain = file.read()
            packed = gzip.compress(plain, compresslevel=6) if os.path.splitext(path)[1] in _PACKED else b""
            kept = self._kept[path] = _Kept(changed, plain, packed)
        return kept


_GONE = "This file of the page is not there: build it with `pip install .` or `make build`."


def _files_below(directory: str) -> dict[str, str]:
    return {
        os.path.relpath(os.path.join(folder, file), directory).replace(os.sep, "/"): os.path.join(
            folder, file
        )
        for folder, _, files in os.walk(directory)
        for file in files
        if os.path.splitext(file)[1] in _TYPES
    }
