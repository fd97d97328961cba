"""Reads a hostile log directory as a notebook and the plugin do: `python bounded.py LOGDIR`.

Writes as JSON what it was told and how much memory that took beyond what the imports had.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from google.protobuf.message import Message
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import answers
from tb_llmdebug.plugin.http import NotFoundError
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.reading.index import Series
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

SERIES_READ = 20


def peak() -> int:
    """Return the most bytes this process has had in memory.

    Linux counts for `getrusage` what the process that started this one had.
    """
    with suppress(OSError):
        (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(path: str) -> None:
    """Read everything there is to read."""
    # What would take more is to fail here, and not to take the machine's memory.
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, resource.RLIM_INFINITY))
    before = peak()
    logdir = llmdebug.open_logdir(path)
    index = answers.index(logdir.index, scanning=False)
    sizes = [len(index.SerializeToString()), len(answers.anomalies(logdir.index).SerializeToString())]
    said: list[str] = []
    series = [logdir.index.series(series.id) for run in index.runs for series in run.series]
    for one in series[:SERIES_READ]:
        if one is not None:
            _ask(logdir, one, said, sizes)
    json.dump(
        {
            "problems": logdir.problems,
            "series": len(series),
            "said": said,
            "largest_answer": max(sizes),
            "memory": peak() - before,
        },
        sys.stdout,
    )


def _ask(logdir: Logdir, series: Series, said: list[str], sizes: list[int]) -> None:
    at = f"{series.id}.0.0"
    asked = MultiDict([("at", at), ("at", f"{at}.0.0"), ("compare", "0.0"), ("pool", "mean")])
    maps = MapsAnswer(logdir).answer(asked)
    said += [answer.error for answer in (*maps.maps, *maps.comparisons)]
    sizes.append(len(maps.SerializeToString()))
    for question in (
        lambda: answers.attributions(logdir, {"series": series.id}),
        lambda: _record(logdir, series),
    ):
        said.append(_answer(question, sizes))


def _answer(question: Callable[[], Message | None], sizes: list[int]) -> str:
    try:
        answer = question()
    except (DamagedRecordError, NotFoundError) as error:
        return str(error)
    sizes.append(len(answer.SerializeToString()) if answer is not None else 0)
    return str(getattr(answer, "error", ""))


def _record(logdir: Logdir, series: Series) -> None:
    if series.kind == record_pb2.ATTENTION:
        logdir.stored_attention(series, series.entries[0]).record()


if __name__ == "__main__":
    main(sys.argv[1])
