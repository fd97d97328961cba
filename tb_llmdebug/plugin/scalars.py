"""The loss curve behind the scrubber, from TensorBoard's own scalars."""

from __future__ import annotations

from typing import Any

from tensorboard import errors, plugin_util
from tensorboard.data import provider
from werkzeug import wrappers

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError

MAX_POINTS = 1000


def answer(data_provider: Any, request: wrappers.Request) -> view_pb2.ScalarsResponse:
    """Return the scalar tags of a run and one of its curves; empty if TensorBoard knows no such run.

    Raises:
        BadRequestError: no run is named.
    """
    run, wanted = request.args.get("run"), request.args.get("tag")
    if run is None:
        raise BadRequestError("run is missing.")
    where = {
        "ctx": plugin_util.context(request.environ),
        "experiment_id": plugin_util.experiment_id(request.environ),
        "plugin_name": "scalars",
    }
    response = view_pb2.ScalarsResponse()
    try:
        known = data_provider.list_scalars(**where, run_tag_filter=provider.RunTagFilter(runs=[run]))
        response.tags.extend(sorted(known.get(run, {})))
        tag = wanted if wanted in response.tags else most_like_a_loss(list(response.tags))
        if tag is None:
            return response
        response.tag = tag
        chosen = provider.RunTagFilter(runs=[run], tags=[tag])
        found = data_provider.read_scalars(**where, downsample=MAX_POINTS, run_tag_filter=chosen)
    except errors.NotFoundError:
        return response
    for datum in found.get(run, {}).get(tag, ()):
        response.steps.append(datum.step)
        response.values.append(datum.value)
    return response


def most_like_a_loss(tags: list[str]) -> str | None:
    """Return the tag that most likely is the training loss, or None.

    Example:
        >>> most_like_a_loss(["accuracy", "evaluation_loss_vs_steps", "epoch_loss"])
        'epoch_loss'
    """
    losses = [tag for tag in tags if "loss" in tag.lower()]
    return min(
        losses,
        key=lambda tag: ("eval" in tag.lower() or "val" in tag.lower(), len(tag), tag),
        default=None,
    )
