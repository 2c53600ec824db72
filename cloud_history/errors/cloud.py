"""What came back from Comfy Cloud, or did not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from .base import CloudError

_GATEWAY_STATUSES = frozenset({502, 504, *range(520, 528)})
"""Sent by a gateway that waited in vain for Comfy Cloud. 520 to 527 are Cloudflare's."""


class CloudConnectionError(CloudError):
    """No whole answer came. `sent` is False only when the request certainly never arrived."""

    code = "unreachable"
    default_hint = "Check your internet connection or proxy."
    meets_all = True

    def __init__(self, message: str, *, sent: bool, hint: str | None = None) -> None:
        self.sent = sent
        super().__init__(message, hint=hint)

    @property
    def short(self) -> str:
        return "the connection was lost" if self.sent else "Comfy Cloud could not be reached"

    @property
    def may_have_worked(self) -> bool:
        return self.sent or super().may_have_worked

    @property
    def unanswered(self) -> bool:
        return self.sent or super().unanswered


class UntrustedCertificate(CloudConnectionError):
    """The server's certificate is not one that this machine trusts. Nothing was sent."""

    code = "untrusted_certificate"
    default_hint = (
        "Check this machine’s clock. If a proxy or antivirus program puts its own certificate in between, set "
        "SSL_CERT_FILE to the file of its authority and restart ComfyUI."
    )

    def __init__(self, host: str) -> None:
        super().__init__(f"The certificate of {host} can’t be trusted.", sent=False)

    @property
    def short(self) -> str:
        return "the certificate can’t be trusted"


class NotHttp(CloudConnectionError):
    """What came back is no HTTP answer, or its headers are larger than any that are read."""

    code = "not_http"
    default_hint = "A proxy or VPN in between may have changed it."

    def __init__(self, host: str) -> None:
        message = f"The answer of {host} can’t be read: it is no HTTP, or its headers are larger than 64 kB."
        super().__init__(message, sent=True)

    @property
    def short(self) -> str:
        return "the answer could not be read"


class CloudTimeoutError(CloudConnectionError):
    """Comfy Cloud took too long to answer."""

    code = "timeout"
    default_hint = "Try again in a minute."

    @property
    def short(self) -> str:
        return "Comfy Cloud took too long to answer"


class CloudResponseError(CloudError):
    """Comfy Cloud answered with an error. `cloud_says` is its own text, scrubbed and cut to 1,000 characters."""

    code = "bad_request"
    says_what: ClassVar[str] = "Comfy Cloud refused the request."

    def __init__(
        self, status: int, *, cloud_code: str = "", cloud_says: str = "", retry_after: float | None = None
    ) -> None:
        self.status = status
        self.cloud_code = cloud_code
        self.cloud_says = cloud_says
        self.retry_after = retry_after
        super().__init__(self.describe())

    def describe(self) -> str:
        return f"{self.says_what} {self.quote}" if self.quote else f"{self.says_what} ({self.status})"

    @property
    def short(self) -> str:
        return f"{self.says_what.rstrip('.')} ({self.status})"

    @property
    def quote(self) -> str:
        return f"Comfy Cloud says: “{self.cloud_says}” ({self.status})" if self.cloud_says else ""

    @property
    def may_have_worked(self) -> bool:
        status = self.status or 0
        return 200 <= status < 300 or status >= 500 or super().may_have_worked

    @property
    def unanswered(self) -> bool:
        status = self.status or 0
        return 200 <= status < 300 or status in _GATEWAY_STATUSES or super().unanswered


class BadRequest(CloudResponseError):
    """Comfy Cloud did not accept the request."""

    default_hint = "Comfy Cloud may have changed. Look for a newer version of Comfy Cloud History."


class Unauthorized(CloudResponseError):
    """The API key is missing, wrong or revoked, or the route does not take API keys."""

    code = "unauthorized"
    says_what = "Your API key was refused."
    default_hint = "It may have been revoked, or not copied whole."
    meets_all = True

    @property
    def short(self) -> str:
        return "the key was refused"


class InsufficientCredits(CloudResponseError):
    """The account has no credits left."""

    code = "insufficient_credits"
    says_what = "Your account has no credits left."
    default_hint = "Look at your plan on Comfy Cloud."
    meets_all = True


class Forbidden(CloudResponseError):
    """The key may not manage this history."""

    code = "forbidden"
    says_what = "This key can’t manage your history."
    default_hint = "Use a key of the account or workspace these jobs belong to."
    meets_all = True


class NotFound(CloudResponseError):
    """No such job, or the server does not have the route."""

    code = "not_found"
    says_what = "Comfy Cloud doesn’t know what was asked for."
    default_hint = "If COMFY_CLOUD_BASE_URL is set, check that it names a Comfy Cloud server."


PLAN_REFUSALS: Mapping[str, str] = {
    "FREE_TIER_EXHAUSTED": "Your free tier on Comfy Cloud is used up.",
    "FREE_TIER_NOT_ALLOWED": "The free tier of Comfy Cloud does not allow this.",
    "PAYMENT_REQUIRED": "Comfy Cloud asks for a payment.",
    "CLOUD_SUBSCRIPTION_REQUIRED": "This needs a Comfy Cloud subscription.",
    "PARTNER_NODE_PAYMENT_REQUIRED": "Comfy Cloud asks for a payment for partner nodes.",
    "MODEL_PAYMENT_REQUIRED": "Comfy Cloud asks for a payment for a model.",
}
"""The types of error with which Comfy Cloud refuses for the sake of the plan (comfy-cli 1.23.0), and what each says."""


class PlanRefused(CloudResponseError):
    """The plan does not cover the request: 402, or 429 with one of PLAN_REFUSALS as `cloud_code`. No wait helps."""

    code = "subscription_inactive"
    says_what = "Your Comfy Cloud plan does not cover this."
    default_hint = "Look at your plan on Comfy Cloud."
    meets_all = True

    def describe(self) -> str:
        reason = PLAN_REFUSALS.get(self.cloud_code, self.says_what)
        return f"{reason} {self.quote}" if self.quote else f"{reason} ({self.status})"

    @property
    def short(self) -> str:
        return f"{PLAN_REFUSALS.get(self.cloud_code, self.says_what).rstrip('.')} ({self.status})"


class RateLimited(CloudResponseError):
    """429 that is no plan refusal. `retry_after` in seconds, where Comfy Cloud says how long to wait."""

    code = "rate_limited"
    says_what = "Too many requests in a short time."
    meets_all = True

    def __init__(
        self, status: int, *, cloud_code: str = "", cloud_says: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(status, cloud_code=cloud_code, cloud_says=cloud_says, retry_after=retry_after)
        when = "in a minute" if retry_after is None else f"in {math.ceil(retry_after)} s"
        self.hint = f"Comfy Cloud asks to wait. Try again {when}."
        self.args = (f"{self.message} {self.hint}",)

    @property
    def short(self) -> str:
        return "too many requests"


class ServerFault(CloudResponseError):
    """5xx: Comfy Cloud has a problem. `retry_after` in seconds, where it gave one."""

    code = "server_fault"
    says_what = "Comfy Cloud has a problem."
    default_hint = "It is not your key. Try again in a few minutes."

    @property
    def short(self) -> str:
        return f"server error ({self.status})"


class ApiMovedOn(CloudResponseError):
    """The route is gone, or not offered here: 404, 405 or 410 where only a route is named, or 501."""

    code = "api_moved_on"
    says_what = "Comfy Cloud no longer offers this to this version of Comfy Cloud History."
    default_hint = (
        "This API has moved on: look for a newer version of Comfy Cloud History. "
        "If COMFY_CLOUD_BASE_URL is set, check that it names a Comfy Cloud server."
    )
    meets_all = True

    @property
    def short(self) -> str:
        return f"this API has moved on ({self.status})"

    @property
    def may_have_worked(self) -> bool:
        # A route that is not there has done nothing, though 501 is in the range of server faults.
        return self.earlier_try_may_have_worked


class UnreadableAnswer(CloudResponseError):
    """The answer is too large, or is not the JSON it should be."""

    code = "unreadable_answer"
    says_what = "This answer can’t be read."
    default_hint = "Comfy Cloud may have changed. Look for a newer version of Comfy Cloud History."


class AnswerTooLarge(UnreadableAnswer):
    """The answer has more bytes than are read of such an answer."""

    code = "answer_too_large"
    says_what = "This answer is too large to be read."
    default_hint = "Open this job on the Comfy Cloud site instead."


class NotComfyCloud(CloudResponseError):
    """A redirect or a web page answered. Redirects are never followed: they would carry the key away."""

    code = "not_comfy_cloud"
    says_what = "The answer did not come from Comfy Cloud."
    default_hint = "A proxy, VPN or sign-in page may be in between. Check it, then try again."
    meets_all = True
