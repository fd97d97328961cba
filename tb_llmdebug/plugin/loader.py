"""What TensorBoard's entry point leads to. Light: TensorBoard imports it at every start."""

from __future__ import annotations

from typing import Any

from tensorboard.plugins import base_plugin


class LLMDebugLoader(base_plugin.TBLoader):  # type: ignore[misc]  # TensorBoard ships no types
    """Loads the plugin."""

    def fix_flags(self, flags: Any) -> None:
        """Say how many of our inline records TensorBoard is to keep, unless the user has said it.

        One where we read the files ourselves, so that it does not hold payloads in memory for nothing; all
        (0 in this flag) where only its data provider will have them.
        """
        samples = getattr(flags, "samples_per_plugin", None)
        if isinstance(samples, dict):
            samples.setdefault("llmdebug", 1 if _are_files(flags) else 0)

    def load(self, context: base_plugin.TBContext) -> Any:
        """Return the plugin for TensorBoard's `context`."""
        from tb_llmdebug.plugin.plugin import LLMDebugPlugin

        return LLMDebugPlugin(context)


def _are_files(flags: Any) -> bool:
    from tb_llmdebug.reading.remote import NoFileSystemError, RemoteFiles
    from tb_llmdebug.reading.roots import is_url, roots_of

    roots = roots_of(getattr(flags, "logdir", "") or "", getattr(flags, "logdir_spec", "") or "")
    try:
        for root in roots:
            if is_url(root.path):
                RemoteFiles(root.path)
    except NoFileSystemError:
        return False
    return bool(roots)
