"""Switches: differences between clouds that all keep the contract."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from .error_shapes import ErrorShape, message_only


@dataclass(slots=True)
class Switches:
    """How the simulated cloud behaves. Changes apply from the next request.

    Attributes:
        latency: seconds that every answer takes at least. The request takes effect at once.
        time_unit: of `create_time` and `update_time`. The public document says seconds, servers send milliseconds.
        raw_states: jobs have the service's internal states instead of the five documented statuses.
        lag: seconds for which lists still show a deleted job. Its details are gone at once.
        lies: deletions are answered with 200 and remove nothing.
        cursor: pages have `next_cursor`, and `after` works.
        total: `pagination.total` is exact, always 0, or absent.
        ignores_status_filter: lists ignore `status`.
        has_user_route, has_jobs_route: False answers `GET /api/user`, or all of `/api/jobs`, with 404.
        refuses_malformed_ids: a deletion with an id that is not a UUID gets 400, instead of skipping the id.
        subscription: "inactive" refuses every request but `GET /api/user` with CLOUD_SUBSCRIPTION_REQUIRED.
        plan_refusal: the type of the refusal of every request but `GET /api/user`. "" refuses none.
        plan_refusal_status: the HTTP status of that refusal, 402 or 429.
        rate_limit: the requests allowed in each `rate_limit_seconds`. The others get 429. 0 allows all.
        rate_limit_seconds: the length of the window, on the cloud's clock.
        rate_limit_told: whether such a 429 has Retry-After with the rest of the window.
        false_401: every this many requests, the right key is refused. 0 never does.
        history_route: the HTTP status of `POST /api/history`. 200 lets it work.
        user_status: the status in `GET /api/user`, "active" or "waitlisted".
        has_assets_route: False answers `GET /api/assets` with 404.
        has_job_assets_route: True serves `GET /api/jobs/{job_id}/assets`, which only the newer contract has.
        assets_told: what assets say of a file: its size and hash, only its size, or neither.
        url_seconds: how long a signed URL is valid, on the cloud's clock.
        expired_status: the answer of the storage to a signed URL that has expired: 403, or 400 as Google's.
        ranges: the storage takes `Range`. False sends whole files, as some proxies do.
        etags: the entity tags of the storage. With weak ones, `If-Range` never matches.
        storage_rate: bytes per second of each download. 0 is as fast as possible.
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
    has_assets_route: bool = True
    has_job_assets_route: bool = False
    assets_told: Literal["all", "size", "nothing"] = "all"
    url_seconds: float = 3600.0
    expired_status: int = 403
    ranges: bool = True
    etags: Literal["strong", "weak", "none"] = "strong"
    storage_rate: int = 0
    unauthorized: ErrorShape = field(default_factory=lambda: message_only(401, "Invalid API key"))

    def set(self, text: str) -> None:
        """Set a switch from `name=value` of a command line.

        Raises:
            ValueError: the switch does not exist, or the value does not fit it.
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
