"""The plugin as TensorBoard sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from tb_llmdebug.plugin import answers, heads, scalars
from tb_llmdebug.plugin.changes import ChangesAnswer
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError, message, text
from tb_llmdebug.plugin.logs import Logs
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.plugin.scanner import Scanner
from tb_llmdebug.plugin.static import StaticFiles
from tb_llmdebug.wire.event import PLUGIN_NAME

Handler = Callable[[wrappers.Request], wrappers.Response]


class LLMDebugPlugin(base_plugin.TBPlugin):  # type: ignore[misc]  # TensorBoard ships no types
    """Serves the index, maps, attributions and anomalies of one log directory."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        super().__init__(context)
        self._data_provider = context.data_provider
        logs = Logs(context)
        self._scanner = Scanner(logs.refresh)
        self._logdir = logs.logdir
        self._one_index = threading.Lock()
        self._maps = MapsAnswer(self._logdir)
        self._heads = heads.HeadsAnswer(self._logdir)
        self._changes = ChangesAnswer(self._logdir)
        self._static = StaticFiles()
        self._scanner.start()

    def get_plugin_apps(self) -> dict[str, Any]:
        """Return the routes; all are GET and free of side effects."""
        routes: dict[str, Handler] = {
            "/index": self._index,
            "/maps": self._map,
            "/heads": self._statistics,
            "/changes": self._change,
            "/attributions": lambda request: message(
                request, answers.attributions(self._logdir, request.args)
            ),
            "/anomalies": lambda request: message(request, answers.anomalies(self._logdir.index)),
            "/scalars": lambda request: message(request, scalars.answer(self._data_provider, request)),
            "/index.js": self._static.serve,
            "/static/*": self._static.serve,
        }
        return {route: _guarded(handler) for route, handler in routes.items()}

    def is_active(self) -> bool:
        """Return whether any record was found; only reads what the scan left behind."""
        return bool(self._logdir.index.runs())

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Return where the page is."""
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="LLM Debugger")

    def _map(self, request: wrappers.Request) -> wrappers.Response:
        found = self._maps.answer(request.args)
        # What cannot be shown now may be shown later.
        errors = [*(one.error for one in found.maps), *(one.error for one in found.comparisons)]
        return message(request, found, immutable=not any(errors), packed=True)

    def _statistics(self, request: wrappers.Request) -> wrappers.Response:
        found = self._heads.answer(request.args)
        # Without to= more may have been logged by the next time.
        return message(request, found, immutable="to" in request.args and heads.is_final(found))

    def _change(self, request: wrappers.Request) -> wrappers.Response:
        found = self._changes.answer(request.args)
        return message(request, found, immutable=not (found.error or found.no_matches))

    def _index(self, request: wrappers.Request) -> wrappers.Response:
        self._scanner.wake()
        # One at a time: over a million records each takes tens of megabytes while it is made.
        with self._one_index:
            found = answers.index(self._logdir.index, self._scanner.first_scan_is_running)
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
