"""A cloud that quotes the API key in every answer: errors, pages, lists, and job details."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from simulated_cloud import SimulatedJob
from simulated_cloud.error_shapes import (
    ErrorShape,
    error_response,
    html_page,
    json_shape,
    message_only,
    nested_error,
    plain_text,
)

KEY = "comfyui-Leak+Canary/%7E=0123456789abcdefWXYZ"
QUOTED = quote(KEY, safe="")
ALL, POST = ("*", "/api"), ("POST", "/api/history")
ECHO = f"The key {KEY} (or {QUOTED}) is not one. {KEY}"
HEADERS = {
    "X-Echo": KEY,
    "Set-Cookie": f"key={QUOTED}",
    "WWW-Authenticate": f'Key "{KEY}"',
    "Location": f"/{KEY}",
}
LIST_OF_KEYS = {
    "status": KEY,
    "jobs": [{"id": KEY, "status": KEY}],
    "pagination": {"total": KEY, "next_cursor": KEY, "has_more": False},
}

JOB_OF_KEYS = {
    "id": "01234567-89ab-cdef-0123-456789abcdef",
    "status": KEY,
    "workflow_id": KEY,
    "preview_output": {"filename": f"{KEY}.png", "subfolder": KEY, "type": KEY, "mediaType": KEY},
    "outputs": {KEY: {KEY: [{"filename": KEY}]}},
    "execution_error": {
        "exception_message": ECHO,
        "exception_type": KEY,
        "node_type": KEY,
        "node_id": KEY,
        "traceback": [KEY, ECHO],
        "current_inputs": {"api_key": KEY},
    },
    "cancelled": [KEY],
}

SHAPES: dict[str, ErrorShape] = {
    "code and message": error_response(500, KEY, ECHO),
    "message 401": message_only(401, ECHO),
    "message 400": message_only(400, ECHO),
    "nested": nested_error(503, KEY, ECHO, {"key": KEY}),
    "auth type": json_shape(403, {"error": {"message": ECHO, "type": KEY}, "accepted": [KEY]}),
    "error text": json_shape(404, {"error": ECHO, KEY: KEY}),
    "prompt error": json_shape(400, {"error": {"type": KEY, "message": ECHO, "extra_info": {KEY: KEY}}}),
    "credits": error_response(402, KEY, ECHO),
    "detail": json_shape(409, {"detail": ECHO}),
    "subscription": message_only(429, ECHO),
    "rate limit": json_shape(429, {"error": {"code": KEY, "message": ECHO}}, **{"Retry-After": "1"}),
    "long rate limit": json_shape(429, {"message": ECHO}, **{"Retry-After": "900"}),
    "retry after the key": json_shape(429, {"message": ECHO}, **{"Retry-After": KEY}),
    "many keys": message_only(400, KEY * 200),
    "escaped key": ErrorShape(400, b'{"message": "' + "".join(f"\\u{ord(each):04x}" for each in KEY).encode() + b'"}'),
    "plain text": plain_text(503, ECHO),
    "page 502": html_page(502, ECHO),
    "page 401": html_page(401, ECHO),
    "page 200": html_page(200, ECHO),
    "empty": ErrorShape(504, b""),
    "key as JSON": json_shape(200, KEY),
    "keys in a success": json_shape(200, LIST_OF_KEYS),
    "keys in a job": json_shape(200, JOB_OF_KEYS),
    "keys in a list": json_shape(200, {"jobs": [JOB_OF_KEYS], "pagination": {"total": 1, "has_more": False}}),
    "broken JSON": ErrorShape(200, f'{{"jobs": "{KEY}'.encode()),
    "no UTF-8": ErrorShape(200, f'{{"jobs": "{KEY}"}}'.encode() + b"\xff"),
    "no gzip": ErrorShape(200, KEY.encode(), {"Content-Encoding": "gzip"}),
}

FAILURES: dict[str, Callable[[], dict[str, Any]]] = {
    **{
        name: lambda shape=shape: {  # type: ignore[misc]
            "kind": "status",
            "status": shape.status,
            "headers": {**HEADERS, **shape.headers},
            "body": shape.body,
        }
        for name, shape in SHAPES.items()
    },
    "redirect": lambda: {
        "kind": "redirect",
        "status": 307,
        "location": f"http://localhost:9/{KEY}?key={QUOTED}",
    },
    "timeout": lambda: {"kind": "slow", "seconds": 60},
    "truncated": lambda: {"kind": "truncated"},
    "reset": lambda: {"kind": "reset_before_body"},
    "reset afterwards": lambda: {"kind": "reset_after_body"},
    "huge": lambda: {"kind": "huge", "mebibytes": 1.2},
}
ONE_OF_EACH_KIND = (
    *("code and message", "message 401", "many keys", "page 401", "keys in a job", "broken JSON", "redirect"),
    *("timeout", "reset afterwards"),
)
"""For what stands above the client, where every failure is searched for the key."""


def echo_the_key(job: SimulatedJob, key: str = KEY) -> None:
    """Put the key everywhere in a job's details where a person, a node or the service could have put it."""
    said = f"The key {key} (or {quote(key, safe='')}) is not one. {key}"
    nodes = [{"id": 1, "type": "Note", "widgets_values": [said, key], "title": key, "max_tokens": 77}]
    job.overrides = {
        "workflow_name": key,
        "workflow": {
            "prompt": {"3": {"class_type": "KSampler", "inputs": {"text": said, "api_key": key, key: [key]}}},
            "extra_data": {
                "api_key_comfy_org": key,
                "auth_token_comfy_org": key,
                "deep": [{"Client-Secret": key, "password": key, "note": said}],
                "extra_pnginfo": {"workflow": {"nodes": nodes, "links": [], "extra": {"token": key}}},
            },
        },
        "outputs": {key: {"images": [{"filename": f"{key}.png", "subfolder": key, "type": key}]}},
        "execution_error": {
            "node_id": key,
            "node_type": key,
            "exception_message": said,
            "exception_type": key,
            "traceback": [said, key],
            "current_inputs": {"api_key": [key], "seed": [1]},
            "current_outputs": {key: key},
        },
        "execution_status": {
            "status_str": "error",
            "completed": False,
            "messages": [["execution_error", {key: said}]],
        },
    }
