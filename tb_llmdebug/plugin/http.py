"""Answers and the errors that become answers."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from google.protobuf.message import Message
from werkzeug import wrappers

from tb_llmdebug.wire.messages import clean

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.datastructures import Headers

_HEADERS = {"X-Content-Type-Options": "nosniff"}
_YEAR = 365 * 24 * 3600
_WORTH_COMPRESSING = 1024


class BadRequestError(Exception):
    """The request is malformed; the message says how, in one sentence."""


class NotFoundError(Exception):
    """What the request names does not exist; the message says so in one sentence."""


def message(
    request: wrappers.Request,
    body: Message,
    *,
    immutable: bool = False,
    packed: bool = False,
    tag: str = "",
) -> wrappers.Response:
    """Answer with a protobuf message.

    Args:
        request: what is answered.
        body: the message.
        immutable: the same request will always have this answer.
        packed: the body is compressed already, as maps are.
        tag: the version of a body that changes; see `not_modified`.
    """
    headers = dict(_HEADERS)
    headers["Cache-Control"] = f"private, max-age={_YEAR}, immutable" if immutable else "no-cache"
    if tag:
        headers["ETag"] = f'"{tag}"'
    data = body.SerializeToString()
    if not packed and len(data) > _WORTH_COMPRESSING and request.accept_encodings.best_match(["gzip"]):
        data = gzip.compress(data, compresslevel=3)
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
    return wrappers.Response(data, headers=headers, content_type=_PROTOBUF)


def not_modified(request: wrappers.Request, tag: str) -> wrappers.Response | None:
    """Return the answer to a client that has the body of version `tag`; None: it has not.

    Asked before the body is made: that of a large index takes seconds.
    """
    if tag not in request.if_none_match:
        return None
    return _NotModified(headers={**_HEADERS, "Cache-Control": "no-cache", "ETag": f'"{tag}"'})


class _NotModified(wrappers.Response):
    """304. Werkzeug takes the content type off, and TensorBoard warns of each answer that has none."""

    default_status = 304

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["Content-Type"] = _PROTOBUF
        return headers


def sentence(error: Exception) -> str:
    """Return what an error says as one sentence; a KeyError would show its message in quotes.

    Example:
        >>> sentence(KeyError("example 3 of 2"))
        'Example 3 of 2.'
    """
    said = clean(str(error.args[0]) if error.args else "It cannot be shown")
    return said[:1].upper() + said[1:] + ("" if said.endswith(".") else ".")


def text(said: str, status: int) -> wrappers.Response:
    """Answer with one sentence of plain text."""
    return wrappers.Response(said, status=status, headers=_HEADERS, content_type="text/plain; charset=utf-8")


_PROTOBUF = "application/x-protobuf"
