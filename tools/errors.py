"""The error that every tool here raises: one sentence that says what to do."""

from __future__ import annotations


class ToolError(Exception):
    """Something that the person at the keyboard can put right; the message says how."""
