"""Caches that share their bytes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tensorboard.plugins import base_plugin

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin.plugin import LLMDebugPlugin
from tb_llmdebug.reading.cache import ENTRY_BYTES, ByteBudget, ByteCache


@pytest.mark.parametrize(
    "use", [lambda cache: cache.get(0, lambda: pytest.fail("it was kept")), lambda cache: cache.peek(0)]
)
def test_what_was_used_last_stays_whichever_cache_holds_it(use: Callable[[ByteCache[int, str]], str]) -> None:
    full = 2 * (ENTRY_BYTES + 2)
    budget = ByteBudget(capacity=full)
    first, second = ByteCache[int, str](budget, len), ByteCache[int, str](budget, len)
    first.keep(0, "aa")
    second.keep(0, "bb")
    assert use(first) == "aa"
    second.keep(1, "cc")
    assert (first.peek(0), second.peek(0), second.peek(1), budget.held) == ("aa", None, "cc", full)
    second.keep(2, "too large" * ENTRY_BYTES)
    assert (second.peek(2), budget.held) == (None, full)


def test_all_that_the_plugin_keeps_is_in_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, initialise = [], ByteCache.__init__

    def recorded(self, budget: ByteBudget, size) -> None:
        made.append(budget)
        initialise(self, budget, size)

    monkeypatch.setattr(ByteCache, "__init__", recorded)
    plugin = LLMDebugPlugin(base_plugin.TBContext(logdir=str(tmp_path)))
    assert len(made) > 5
    assert {id(budget) for budget in made} == {id(plugin._logdir.budget)}
    assert plugin._logdir.budget.capacity <= 64 << 20


def test_thousands_of_small_answers_take_no_more_memory_than_is_counted(tmp_path: Path) -> None:
    maps = np.full((1, 1, 2, 2), 0.5, np.float32)
    with llmdebug.Writer(tmp_path, on_full="wait"):
        for step in range(SMALL):
            llmdebug.log_attention("decoder", (maps,), step=step)
    done = subprocess.run(
        [sys.executable, "-c", _RESIDENT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    entries, held, resident = map(int, done.stdout.split())
    assert entries >= 2 * SMALL  # each record, and the overview made of it
    assert 0.4 * held < resident < 1.6 * held


SMALL = 8000
_RESIDENT = """
import sys
from pathlib import Path
from werkzeug.datastructures import MultiDict
import tb_llmdebug as llmdebug
from tb_llmdebug.plugin.maps import MapsAnswer

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

opened = llmdebug.open_logdir(sys.argv[1])
(series,) = (one for run in opened.index.runs() for one in run.all_series())
answer = MapsAnswer(opened)
answer.answer(MultiDict([("at", f"{series.id}.0.0")]))  # what is imported late is not counted
before, held = resident(), opened.budget.held
for ordinal in range(1, len(series.entries)):
    answer.answer(MultiDict([("at", f"{series.id}.{ordinal}.0")]))
print(len(opened.budget.entries), opened.budget.held - held, resident() - before)
"""
