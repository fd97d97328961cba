"""Caches that share their bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.plugins import base_plugin

from tb_llmdebug.plugin.plugin import LLMDebugPlugin
from tb_llmdebug.reading.cache import ByteBudget, ByteCache


def test_what_was_used_last_stays_whichever_cache_holds_it() -> None:
    budget = ByteBudget(capacity=4)
    first, second = ByteCache[int, str](budget, len), ByteCache[int, str](budget, len)
    first.keep(0, "aa")
    second.keep(0, "bb")
    assert first.get(0, lambda: pytest.fail("it was kept")) == "aa"
    second.keep(1, "cc")
    assert (first.peek(0), second.peek(0), second.peek(1), budget.held) == ("aa", None, "cc", 4)
    second.keep(2, "too large")
    assert (second.peek(2), budget.held) == (None, 4)


def test_all_that_the_plugin_keeps_is_in_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, initialise = [], ByteCache.__init__

    def recorded(self, budget: ByteBudget, size) -> None:
        made.append(budget)
        initialise(self, budget, size)

    monkeypatch.setattr(ByteCache, "__init__", recorded)
    plugin = LLMDebugPlugin(base_plugin.TBContext(logdir=str(tmp_path)))
    assert len(made) > 5
    assert {id(budget) for budget in made} == {id(plugin._logdir.budget)}
    assert plugin._logdir.budget.capacity <= 100 << 20
