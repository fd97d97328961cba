"""The logs that TensorBoard was pointed at: their files, or else what TensorBoard has loaded of them."""

from __future__ import annotations

from tensorboard.plugins import base_plugin

from tb_llmdebug.plugin.fallback import ProviderLogs
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.reading.remote import NoFileSystemError
from tb_llmdebug.reading.roots import Root, roots_of


class Logs:
    """Keeps a Logdir fresh."""

    def __init__(self, context: base_plugin.TBContext) -> None:
        roots = _roots(context)
        self._why = "" if roots else "TensorBoard was given no directory"
        try:
            self.logdir = Logdir(roots, scan=False)
        except NoFileSystemError as error:
            self.logdir = Logdir([], scan=False)
            self._why = str(error).rstrip(".")
        self._fallback = ProviderLogs(context.data_provider, self.logdir.index)

    def refresh(self) -> None:
        """Read what was written since."""
        index = self.logdir.index
        if self._why:
            self._fallback.refresh(self._why)
            return
        self.logdir.refresh()
        if index.is_out_of_reach():
            self._fallback.refresh("the directory cannot be listed")
        else:
            index.note(None)


def _roots(context: base_plugin.TBContext) -> list[Root]:
    """Return what `--logdir` or `--logdir_spec` named; `context.logdir` does not tell which of them it is."""
    if context.flags is None:
        return roots_of(context.logdir or "")
    return roots_of(context.flags.logdir or "", context.flags.logdir_spec or "")
