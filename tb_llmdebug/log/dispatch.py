"""What all `log_*` functions do: find the sink, ask whether to record, and log now or when the graph runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tb_llmdebug.log.sinks import (
    check_name,
    default_step,
    find_sink,
    recording,
    tensorflow_is_loaded,
    warn_without_sink,
)
from tb_llmdebug.log.tracing import is_recomputing


def dispatch(
    name: str,
    log: Callable[..., bool],
    arrays: dict[str, Any],
    *,
    step: Any,
    writer: Any,
    while_tracing: Callable[[dict[str, Any]], None] | None = None,
) -> Any:
    """Call `log(sink, step=..., **arrays)`, at once or whenever the graph that is being traced runs.

    Args:
        name: the logged name.
        log: reads the arrays and hands the record over; returns whether it was accepted.
        arrays: what may hold symbolic tensors.
        step, writer: as the user gave them.
        while_tracing: checks what is known of the arrays before a graph runs.

    Returns:
        Whether the record was accepted: a bool, or a bool tensor inside a graph.

    Raises:
        InvalidRecordError: the call is mistaken.
    """
    check_name(name)
    sink = find_sink(writer)
    if sink is None:
        warn_without_sink()
        return False
    if is_recomputing():
        return False
    arrays = {**arrays, "step": default_step(step)}
    if tensorflow_is_loaded():
        from tb_llmdebug.log import graph

        if graph.is_tracing():
            # What is iterated over here would be empty when the graph runs.
            arrays = {key: tuple(v) if isinstance(v, Iterator) else v for key, v in arrays.items()}
            if while_tracing is not None:
                while_tracing(arrays)
            return graph.call_at_run_time(sink, name, log, arrays)
    return log(sink, **arrays) if recording() else False
