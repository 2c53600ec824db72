"""The known shapes of errors of Comfy Cloud and of proxies in front of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """The status, body and headers of an error."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """Build the aiohttp answer."""
        return web.Response(status=self.status, body=self.body, headers=self.headers)


def json_shape(status: int, content: Any, **headers: str) -> ErrorShape:
    """Make an error of any JSON."""
    return ErrorShape(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


def error_response(status: int, code: str, message: str) -> ErrorShape:
    """Make the documented ErrorResponse: `{"code", "message"}`."""
    return json_shape(status, {"code": code, "message": message})


def message_only(status: int, message: str) -> ErrorShape:
    """Make `{"message"}`, which people report from 401 answers of the live service."""
    return json_shape(status, {"message": message})


def nested_error(status: int, code: str, message: str, details: Any = None) -> ErrorShape:
    """Make the shape of API v2: `{"error": {"code", "message", "details"?}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details is not None:
        error["details"] = details
    return json_shape(status, {"error": error})


def auth_type_not_allowed() -> ErrorShape:
    """Make the 403 of the newer contract for routes that do not accept API keys."""
    error = {"message": "This route does not accept API keys.", "type": "auth_type_not_allowed"}
    return json_shape(403, {"error": error, "accepted": ["session"]})


def prompt_error() -> ErrorShape:
    """Make the 400 of prompt errors."""
    error = {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": "", "extra_info": {}}
    return json_shape(400, {"error": error, "node_errors": {}})


def sso_required() -> ErrorShape:
    """Make the 403 of the newer contract with the organisation that requires single sign-on."""
    content = {
        "code": "sso_required",
        "message": "Sign in with your organization.",
        "organization_id": "org_7Hk2",
    }
    return json_shape(403, content)


def plain_text(status: int = 503, text: str = "upstream connect error: connection refused") -> ErrorShape:
    """Make the one line of a proxy."""
    return ErrorShape(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def html_page(status: int = 502, title: str = "Bad gateway") -> ErrorShape:
    """Return an HTML error page as proxies send it."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return ErrorShape(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def empty(status: int = 504) -> ErrorShape:
    """Make an error without a body."""
    return ErrorShape(status, b"")


def plan_refusal(kind: str, status: int = 429, retry_after: str | None = None) -> ErrorShape:
    """Make a 402 or 429 with the type of a plan refusal, as comfy-cli reads it."""
    error = {"type": kind, "message": f"Please check your plan ({kind})."}
    return json_shape(status, {"error": error}, **_waiting(retry_after))


def subscription_inactive() -> ErrorShape:
    """Make the refusal of an account without a subscription."""
    error = {
        "type": "CLOUD_SUBSCRIPTION_REQUIRED",
        "message": "Subscription inactive. Please check your plan.",
    }
    return json_shape(429, {"error": error})


def rate_limited(retry_after: str | None = "1") -> ErrorShape:
    """Make a 429, with Retry-After in seconds or as an HTTP date, or without it."""
    content = {"error": {"code": "rate_limited", "message": "Too many requests. Please slow down."}}
    return json_shape(429, content, **_waiting(retry_after))


def _waiting(retry_after: str | None) -> dict[str, str]:
    return {} if retry_after is None else {"Retry-After": retry_after}


def bare_rate_limit() -> ErrorShape:
    """Make the 429 of a gateway: one line of text, without Retry-After."""
    return plain_text(429, "Rate limit exceeded")


ERROR_SHAPES: dict[str, ErrorShape] = {
    "error_response": error_response(500, "internal_error", "Something went wrong on our side."),
    "message_only": message_only(401, "Invalid API key"),
    "nested_error": nested_error(503, "unavailable", "Please try again later.", {"region": "us-central1"}),
    "auth_type_not_allowed": auth_type_not_allowed(),
    "prompt_error": prompt_error(),
    "sso_required": sso_required(),
    "plain_text": plain_text(),
    "html_page": html_page(),
    "empty": empty(),
    "insufficient_credits": error_response(402, "insufficient_credits", "Not enough credits."),
    "not_found": error_response(404, "not_found", "Job not found"),
    "subscription_inactive": subscription_inactive(),
    "plan_refusal": plan_refusal("FREE_TIER_NOT_ALLOWED", 402),
    "bare_rate_limit": bare_rate_limit(),
    "rate_limited": rate_limited(),
}
"""An example of each shape, by name."""
