"""The built front end."""

from __future__ import annotations

import os

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
}


class StaticFiles:
    """Serves the files that are there; a URL is looked up among them, never made a path."""

    def __init__(self, directory: str = DIRECTORY) -> None:
        self._directory = directory
        self._paths = _files_below(directory)

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
            raise NotFoundError(
                "This file of the page is not there: build it with `pip install .` or `make build`."
            )
        with open(path, "rb") as file:
            data = file.read()
        # Files below static/ carry the hash of their content in their name; index.js does not.
        cache = "private, max-age=31536000, immutable" if "/" in name else "no-cache"
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": cache}
        kind = _TYPES[os.path.splitext(name)[1]]
        return wrappers.Response(data, headers=headers, content_type=kind)


def _files_below(directory: str) -> dict[str, str]:
    return {
        os.path.relpath(os.path.join(folder, file), directory).replace(os.sep, "/"): os.path.join(
            folder, file
        )
        for folder, _, files in os.walk(directory)
        for file in files
        if os.path.splitext(file)[1] in _TYPES
    }
