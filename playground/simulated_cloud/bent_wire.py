"""Answers that are wrong as answers: their headers, their encoding, their status."""

from __future__ import annotations

import gzip
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import web

from .error_shapes import json_shape
from .ways import Route, Way

if TYPE_CHECKING:
    from .bends import Bend

_READS: tuple[Route, ...] = ("list", "detail")
_ALL: tuple[Route, ...] = ("list", "detail", "history")


def _body(response: web.Response) -> bytes:
    return bytes(response.body) if isinstance(response.body, (bytes, bytearray)) else b""


def _plain(response: web.Response, bend: Bend) -> web.Response:
    return web.Response(status=response.status, body=_body(response), content_type="text/plain")


def _as_html(response: web.Response, bend: Bend) -> web.Response:
    return web.Response(status=response.status, body=_body(response), content_type="text/html")


def _members_of_gzip(response: web.Response, bend: Bend) -> web.Response:
    body = _body(response)
    step = max(1, -(-len(body) // bend.amount))
    packed = b"".join(gzip.compress(body[at : at + step]) for at in range(0, len(body), step))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(status=response.status, body=packed, headers=headers)


def _with(response: web.Response, before: bytes = b"", after: bytes = b"") -> web.Response:
    body = before + _body(response) + after
    return web.Response(status=response.status, body=body, content_type="application/json")


def _half(response: web.Response, bend: Bend) -> web.Response:
    body = _body(response)
    return web.Response(status=response.status, body=body[: len(body) // 2], content_type="application/json")


def _error_with_200(response: web.Response, bend: Bend) -> web.Response:
    return json_shape(200, {"error": {"code": "internal_error", "message": "Please try again."}}).response()


def _not_found_with_200(response: web.Response, bend: Bend) -> web.Response:
    return json_shape(200, {"code": "not_found", "message": "Job not found"}).response()


def _date(response: web.Response, bend: Bend) -> web.Response:
    response.headers["Date"] = formatdate(time.time() + bend.amount, usegmt=True)
    return response


def _odd_date(response: web.Response, bend: Bend) -> web.Response:
    response.headers["Date"] = "the day before yesterday"
    return response


WAYS = {
    "plain_text": Way("JSON comes as text/plain", _READS, answer=_plain),
    "html": Way("JSON comes as text/html", _READS, answer=_as_html),
    "gzip_members": Way("answers are gzip, in `size` members", _READS, 3, answer=_members_of_gzip),
    "byte_order_mark": Way(
        "JSON begins with a byte order mark",
        _READS,
        answer=lambda response, bend: _with(response, b"\xef\xbb\xbf"),
    ),
    "text_after_json": Way(
        "something follows the JSON", _READS, answer=lambda response, bend: _with(response, after=b"\n{}")
    ),
    "half_an_answer": Way("answers end in the middle, with a length that says so", _READS, answer=_half),
    "errors_with_200": Way("errors come with status 200", _READS, answer=_error_with_200),
    "not_found_with_200": Way(
        "details are an error that comes with 200", ("detail",), answer=_not_found_with_200
    ),
    "date_wrong": Way("the Date header is `size` seconds off", _ALL, 10 * 86400, answer=_date),
    "date_unreadable": Way("the Date header is no date", _ALL, answer=_odd_date),
}
