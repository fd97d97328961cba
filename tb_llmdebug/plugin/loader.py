"""What TensorBoard's entry point leads to. Light: TensorBoard imports it at every start."""

from __future__ import annotations

from typing import Any

from tensorboard.plugins import base_plugin


class LLMDebugLoader(base_plugin.TBLoader):  # type: ignore[misc]  # TensorBoard ships no types
    """Loads the plugin."""

    def load(self, context: base_plugin.TBContext) -> Any:
        """Return the plugin for TensorBoard's `context`."""
        from tb_llmdebug.plugin.plugin import LLMDebugPlugin

        return LLMDebugPlugin(context)
