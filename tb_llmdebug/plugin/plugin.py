"""The plugin as TensorBoard sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from tb_llmdebug.plugin import answers, heads, scalars, vectors
from tb_llmdebug.plugin.changes import ChangesAnswer
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError, message, not_modified, text
from tb_llmdebug.plugin.lens import LensAnswer
from tb_llmdebug.plugin.logs import Logs
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.plugin.multiples import MultiplesAnswer
from tb_llmdebug.plugin.scanner import Scanner
from tb_llmdebug.plugin.similar import SimilarAnswer
from tb_llmdebug.plugin.static import StaticFiles
from tb_llmdebug.plugin.warming import Warming
from tb_llmdebug.wire.event import PLUGIN_NAME

Handler = Callable[[wrappers.Request], wrappers.Response]


class LLMDebugPlugin(base_plugin.TBPlugin):  # type: ignore[misc]  # TensorBoard ships no types
    """Serves the index, maps, attributions and anomalies of one log directory."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        super().__init__(context)
        self._data_provider = context.data_provider
        logs = Logs(context)
        self._logdir = logs.logdir
        self._one_index = threading.Lock()
        self._maps = MapsAnswer(self._logdir)
        self._scanner = Scanner(logs.refresh, Warming(self._logdir.index, self._maps).warm)
        self._heads = heads.HeadsAnswer(self._logdir)
        self._changes = ChangesAnswer(self._logdir)
        self._lens = LensAnswer(self._logdir)
        self._multiples = MultiplesAnswer(self._logdir)
        self._similar = SimilarAnswer(self._logdir)
        self._static = StaticFiles()
        self._scanner.start()

    def get_plugin_apps(self) -> dict[str, Any]:
        """Return the routes; all are GET and free of side effects."""
        routes: dict[str, Handler] = {
            "/index": self._index,
            "/maps": self._map,
            "/heads": self._statistics,
            "/changes": self._change,
            "/lens": self._see,
            "/multiples": self._multiple,
            "/similar": self._alike,
            "/vectors": self._vectors,
            "/attributions": lambda request: message(
                request, answers.attributions(self._logdir, request.args)
            ),
            "/anomalies": lambda request: message(request, answers.anomalies(self._logdir.index)),
            "/scalars": lambda request: message(request, scalars.answer(self._data_provider, request)),
            "/index.js": self._static.serve,
            "/standalone.page": self._static.serve,
            "/static/*": self._static.serve,
        }
        return {route: _guarded(handler) for route, handler in routes.items()}

    def is_active(self) -> bool:
        """Return whether a run was found: one with records, or with a file of ours that cannot be read.

        A flag that the scan sets, never waited for.
        """
        return self._logdir.index.holds_runs

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Return where the page is."""
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="LLM Debugger")

    def _map(self, request: wrappers.Request) -> wrappers.Response:
        found = self._maps.answer(request.args)
        # What cannot be shown now may be shown later.
        errors = [*(one.error for one in found.maps), *(one.error for one in found.comparisons)]
        passing = any(one.gap_may_pass for one in found.maps)
        # Tiles are compressed as they lie on disk; thumbnails are for the browser to unpack.
        packed = all(one.HasField("head") for one in found.maps)
        return message(request, found, immutable=not (any(errors) or passing), packed=packed)

    def _statistics(self, request: wrappers.Request) -> wrappers.Response:
        found = self._heads.answer(request.args)
        # Without to= more may have been logged by the next time.
        return message(request, found, immutable="to" in request.args and heads.is_final(found))

    def _change(self, request: wrappers.Request) -> wrappers.Response:
        found = self._changes.answer(request.args)
        return message(request, found, immutable=not (found.error or found.no_matches))

    def _multiple(self, request: wrappers.Request) -> wrappers.Response:
        found = self._multiples.answer(request.args)
        # What cannot be shown now may be shown later.
        immutable = not any(picture.error for picture in found.pictures)
        return message(request, found, immutable=immutable, packed=True)

    def _vectors(self, request: wrappers.Request) -> wrappers.Response:
        found = vectors.answer(self._logdir, request.args)
        return message(request, found, immutable=not found.error, packed=True)

    def _alike(self, request: wrappers.Request) -> wrappers.Response:
        found = self._similar.answer(request.args)
        return message(request, found, immutable=not found.error)

    def _see(self, request: wrappers.Request) -> wrappers.Response:
        found = self._lens.answer(request.args)
        return message(request, found, immutable=not found.error)

    def _index(self, request: wrappers.Request) -> wrappers.Response:
        self._scanner.wake()
        scanning = self._scanner.first_scan_is_running
        unchanged = not_modified(request, answers.generation(self._logdir.index, scanning))
        if unchanged is not None:
            return unchanged
        # One at a time: over a million records each takes tens of megabytes while it is made.
        with self._one_index:
            found = answers.index(self._logdir.index, scanning)
            return message(request, found, tag=found.generation)


def _guarded(handler: Handler) -> Callable[..., Any]:
    """Turn the errors of a handler into answers of one sentence."""

    @wrappers.Request.application
    def app(request: wrappers.Request) -> wrappers.Response:
        if request.method not in ("GET", "HEAD"):
            return text("Only GET is answered here.", 405)
        try:
            return handler(request)
        except BadRequestError as error:
            return text(str(error), 400)
        except NotFoundError as error:
            return text(str(error), 404)

    return app
