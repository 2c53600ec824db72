"""Switches: the ways in which a cloud may differ and still be a Comfy Cloud."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from .error_shapes import ErrorShape, message_only


@dataclass(slots=True)
class Switches:
    """How the simulated cloud behaves. Set the attributes at any time; the next request obeys.

    Attributes:
        latency: seconds every answer takes at least. The request is acted on at once.
        time_unit: unit of `create_time` and `update_time`; the public document says seconds, servers send milliseconds.
        raw_states: jobs carry the service's inner state words instead of the five documented ones.
        lag: seconds for which the list still shows a removed job. A job's own page is gone at once.
        lies: a delete or clear answers 200 and removes nothing.
        cursor: pages carry `next_cursor`, and `after` is understood.
        total: `pagination.total` is right, always 0, or left out.
        ignores_status_filter: the list takes no notice of `status`.
        has_user_route, has_jobs_route: False makes `GET /api/user`, or all below `/api/jobs`, an unknown route (404).
        refuses_malformed_ids: an id which is no UUID makes the whole delete a 400, instead of being skipped.
        subscription: "inactive" makes every call but `GET /api/user` a plan refusal, CLOUD_SUBSCRIPTION_REQUIRED.
        plan_refusal: the type of a plan refusal with which every call but `GET /api/user` is answered; "": none.
        plan_refusal_status: the status of that answer: 402 or 429.
        rate_limit: how many requests are answered in each `rate_limit_seconds`, the others with 429; 0: all.
        rate_limit_seconds: the length of such a window, on the cloud's clock.
        rate_limit_told: whether a 429 of the rate limit says in Retry-After how long the window still lasts.
        false_401: each so many requests, one with the right key is refused as if it were wrong; 0: none.
        history_route: the status of `POST /api/history` on a cloud that has moved on; 200: it works.
        user_status: what `GET /api/user` says: "active" or "waitlisted".
        unauthorized: the answer to a missing or wrong key.
    """

    latency: float = 0.0
    time_unit: Literal["ms", "s"] = "ms"
    raw_states: bool = False
    lag: float = 0.0
    lies: bool = False
    cursor: bool = False
    total: Literal["exact", "zero", "absent"] = "exact"
    ignores_status_filter: bool = False
    has_user_route: bool = True
    has_jobs_route: bool = True
    refuses_malformed_ids: bool = False
    subscription: Literal["active", "inactive"] = "active"
    plan_refusal: str = ""
    plan_refusal_status: int = 429
    rate_limit: int = 0
    rate_limit_seconds: float = 10.0
    rate_limit_told: bool = True
    false_401: int = 0
    history_route: int = 200
    user_status: str = "active"
    unauthorized: ErrorShape = field(default_factory=lambda: message_only(401, "Invalid API key"))

    def set(self, text: str) -> None:
        """Set a switch from `name=value`, as it is given on a command line.

        Raises:
            ValueError: there is no such switch, or it has no such value.
        """
        name, _, value = text.partition("=")
        now = getattr(self, name, None) if name in {each.name for each in fields(self)} else None
        if not isinstance(now, (str, int, float)):
            raise ValueError(f"no such switch: {name!r}")
        if isinstance(now, bool):
            if value not in ("true", "false"):
                raise ValueError(f"{name} is true or false")
            setattr(self, name, value == "true")
        else:
            setattr(self, name, type(now)(value))
