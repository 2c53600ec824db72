"""Switches: the ways in which a cloud may differ and still be a Comfy Cloud."""

from __future__ import annotations

from dataclasses import dataclass, field
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
        subscription: "inactive" makes every call but `GET /api/user` a 429 without Retry-After.
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
    user_status: str = "active"
    unauthorized: ErrorShape = field(default_factory=lambda: message_only(401, "Invalid API key"))
