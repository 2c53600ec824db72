"""The exceptions of this package, all of them.

    CloudError
    ├─ InputRefused              our own check said no: nothing was sent
    │   ├─ InvalidJobIds
    │   ├─ NoJobIds
    │   ├─ PolicyRefused
    │   └─ SchemaMismatch
    ├─ SetupProblem              something on this machine has to be put right first: nothing was sent
    │   ├─ MissingApiKey ├─ InvalidApiKey ├─ KeyFileDamaged ├─ UnsafeBaseUrl
    │   ├─ UnusableProxy ├─ MissingDependency ├─ StateUnwritable
    │   ├─ ProtectionDamaged └─ ManyUsers
    ├─ NotBackedUp               a workflow cannot be kept, so its job is not deleted
    ├─ BackupDamaged             a backup cannot be read
    ├─ ListNotWhole              the list of jobs does not add up
    ├─ OperationRefused          not now, or not any more: nothing was sent
    │   ├─ Busy ├─ CountRose ├─ PreviewExpired ├─ TooLate ├─ NotSupported
    │   ├─ NodesNever ├─ NobodyThere ├─ NoAnswer └─ QuestionClosed
    ├─ OperationStopped          the person stopped it
    ├─ Incomplete                it ran, and not all of it is known to have worked
    ├─ CloudConnectionError      no answer came (`sent` says whether the request may have arrived)
    │   └─ CloudTimeoutError
    └─ CloudResponseError        an answer came, and it was not the one hoped for
        ├─ BadRequest 400        ├─ Unauthorized 401   ├─ InsufficientCredits 402   ├─ Forbidden 403
        ├─ NotFound 404          ├─ RateLimited 429 with Retry-After   └─ SubscriptionInactive 429 without
        ├─ ServerFault 5xx       ├─ UnreadableAnswer
        └─ NotComfyCloud         a redirect, or a page of HTML

`code` is stable and made for programs, `message` says what is the case, `hint` what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .models import JobCounts


class CloudError(Exception):
    """Base of every error of this package."""

    code: ClassVar[str] = "internal"
    default_hint: ClassVar[str] = ""
    meets_all: ClassVar[bool] = False
    """Whether the reason would meet every further request as well, so that trying them is pointless."""
    status: int | None = None
    """HTTP status of Comfy Cloud's answer, where one came."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        super().__init__(f"{message} {self.hint}".strip())

    @property
    def short(self) -> str:
        """The reason in a few words, for a line that has little room."""
        return self.message.rstrip(".")

    @property
    def quote(self) -> str:
        """What Comfy Cloud said in its own words, if it said anything."""
        return ""


class InputRefused(CloudError):
    """What was given cannot be used. Nothing was sent."""

    code = "invalid_request"


class NoJobIds(InputRefused):
    """No job id was given at all. Absent never means "all"."""

    default_hint = "Give the ids of the jobs to delete, one a line. To remove all, use Clear Cloud History."


class InvalidJobIds(InputRefused):
    """At least one job id is not one. Carries how many."""

    default_hint = "A job id looks like 01234567-89ab-cdef-0123-456789abcdef. Nothing was sent."

    def __init__(self, message: str, *, count: int) -> None:
        self.count = count
        super().__init__(message)


class PolicyRefused(InputRefused):
    """A retention policy that has no rule, cannot be read, or takes more than somebody agreed to."""


class SchemaMismatch(InputRefused):
    """A request body or an answer is not what its JSON Schema says."""

    default_hint = "Nothing was sent. Please report this: it should not happen."


class SetupProblem(CloudError):
    """Something on this machine has to be put right before anything can be sent."""

    meets_all = True


class MissingApiKey(SetupProblem):
    """Neither the environment nor the state folder has an API key."""

    code = "missing_key"
    default_hint = "Choose Extensions > Cloud history > Connect to Comfy Cloud…, or set COMFY_CLOUD_API_KEY."


class InvalidApiKey(SetupProblem):
    """The API key has characters that cannot be sent in an HTTP header."""

    code = "invalid_key"
    default_hint = "Copy it again from platform.comfy.org/profile/api-keys."


class KeyFileDamaged(SetupProblem):
    """The file with the saved API key cannot be read."""

    code = "key_file_damaged"
    default_hint = "Choose Extensions > Cloud history > Connect to Comfy Cloud… and enter the key again."


class UnsafeBaseUrl(SetupProblem):
    """`COMFY_CLOUD_BASE_URL` is not an https address (plain http is for this machine alone)."""

    code = "unsafe_base_url"
    default_hint = "COMFY_CLOUD_BASE_URL must begin with https. Change it, then restart ComfyUI."


class UnusableProxy(SetupProblem):
    """The proxy named in the environment cannot be used."""

    code = "unreachable"
    default_hint = "Correct HTTPS_PROXY or ALL_PROXY (an http address), or name the host in NO_PROXY."


class MissingDependency(SetupProblem):
    """The Python package jsonschema is not installed."""

    code = "missing_dependency"
    default_hint = "Run “pip install jsonschema” in ComfyUI’s Python, then restart ComfyUI."


class StateUnwritable(SetupProblem):
    """The state folder cannot be written, so nothing may be sent: what is pending is on disk first."""

    code = "state_unwritable"
    default_hint = "Free some disk space, or make ComfyUI’s user folder writable."


class ProtectionDamaged(SetupProblem):
    """The list of protected jobs cannot be read, so nothing is deleted. `name` is that of its file."""

    code = "protection_damaged"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            "Deletions are stopped: the list of protected jobs can’t be read.",
            hint=f"Put a good copy of {name} in its place, or choose “Start with an empty list” in the panel.",
        )


class NotBackedUp(CloudError):
    """A job's workflow cannot be put into a backup; the other jobs' still can."""

    code = "not_backed_up"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"A workflow can’t be backed up: {reason}.")

    @property
    def short(self) -> str:
        return self.reason


class BackupDamaged(CloudError):
    """A backup cannot be read, or not the part of it that was asked for. `name` is that of its file."""

    code = "backup_damaged"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__("This backup can’t be read.", hint=f"Its file is damaged or gone: {name}.")


class ManyUsers(SetupProblem):
    """Several people use this ComfyUI, and none of them can be told from the others."""

    code = "many_users"
    default_hint = (
        "Sign in to ComfyUI with your own API key, or, if all users are to share one key and one state, start ComfyUI "
        "with COMFY_CLOUD_HISTORY_SHARED=1."
    )

    def __init__(self) -> None:
        super().__init__(
            "This ComfyUI has several users (--multi-user) and authenticates none of them, so a saved key would be "
            "everybody’s. It is not used."
        )


class ListNotWhole(CloudError):
    """The list of jobs could not be read to its end, or does not add up: what is missing from it proves nothing."""

    code = "unreadable_answer"
    default_hint = "Jobs may be coming and going. Try again in a moment."

    def __init__(self) -> None:
        super().__init__("The list of jobs could not be read whole.")


class OperationRefused(CloudError):
    """What was confirmed does not hold now. Nothing was sent."""


class Busy(OperationRefused):
    """Another deletion is running."""

    code = "busy"
    default_hint = "You can delete again when it has finished."

    def __init__(self, message: str, *, origin: str) -> None:
        self.origin = origin
        super().__init__(message)


class CountRose(OperationRefused):
    """More jobs have finished since the person confirmed. Carries the new counts."""

    code = "count_rose"
    default_hint = "Nothing was sent. Look at the new number, then confirm again."

    def __init__(self, message: str, *, counts: JobCounts) -> None:
        self.counts = counts
        super().__init__(message)


class PreviewExpired(OperationRefused):
    """The token is unknown, used, older than five minutes, or made for another key or server."""

    code = "preview_expired"
    default_hint = "Nothing was sent. Look again before you delete."


class TooLate(OperationRefused):
    """What was to be undone has been sent already."""

    code = "too_late"
    default_hint = "The deletion has been sent. Its result follows."


class NotSupported(OperationRefused):
    """The server has no route for it."""

    code = "not_supported"


class NodesNever(OperationRefused):
    """Workflows may not delete: somebody has set it so."""

    code = "nodes_never"
    default_hint = "To allow it, change “Workflows may delete” in Settings > Cloud history."


class NobodyThere(OperationRefused):
    """A workflow wants to delete, and there is no page that could ask the person who queued it."""

    code = "nobody_there"
    default_hint = (
        "Run it from a browser and answer there, or set “Workflows may delete” to Always (Settings > Cloud history), "
        "or set COMFY_CLOUD_HISTORY_NODES=allow."
    )

    def __init__(self) -> None:
        super().__init__(
            "Nobody could be asked whether this workflow may delete: no browser with Comfy Cloud History is connected. "
            "Nothing was sent."
        )


class NoAnswer(OperationRefused):
    """The person was asked, and did not answer."""

    code = "no_answer"
    default_hint = "Run the workflow again and answer, or set “Workflows may delete” to Always."


class QuestionClosed(OperationRefused):
    """An answer to a question that nobody asks, or asks any more, or that was answered before."""

    code = "question_closed"
    default_hint = "It may have been answered in another window, or the workflow has stopped."

    def __init__(self) -> None:
        super().__init__("This question is no longer open.")


class OperationStopped(CloudError):
    """The person stopped the operation before anything was sent."""

    code = "stopped"


class Incomplete(CloudError):
    """An operation ran, and not everything asked for is known to have happened. Its message is the report."""

    code = "incomplete"


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


class BadRequest(CloudResponseError):
    """Comfy Cloud did not accept the request."""

    default_hint = "Comfy Cloud may have changed. Look for a newer version of Comfy Cloud History."


class Unauthorized(CloudResponseError):
    """The API key is missing, wrong or revoked, or the route does not take API keys."""

    code = "unauthorized"
    says_what = "Your API key was refused."
    default_hint = "It may have been revoked, or not copied whole. Your jobs are untouched."
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


class SubscriptionInactive(CloudResponseError):
    """429 without Retry-After, which Comfy Cloud documents as "subscription inactive"."""

    code = "subscription_inactive"
    says_what = "Subscription inactive or rate limited."
    default_hint = "Comfy Cloud answers API keys only on a paid plan. Your jobs are still there."
    meets_all = True


class RateLimited(CloudResponseError):
    """429 with Retry-After (`retry_after`, seconds)."""

    code = "rate_limited"
    says_what = "Too many requests."
    meets_all = True

    def __init__(
        self, status: int, *, cloud_code: str = "", cloud_says: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(status, cloud_code=cloud_code, cloud_says=cloud_says, retry_after=retry_after)
        self.hint = f"Comfy Cloud asks to wait. Try again in {retry_after or 0:.0f} s."
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


class UnreadableAnswer(CloudResponseError):
    """The answer is too large, or is not the JSON it should be."""

    code = "unreadable_answer"
    says_what = "This answer can’t be read."
    default_hint = "Comfy Cloud may have changed. Look for a newer version of Comfy Cloud History."


class NotComfyCloud(CloudResponseError):
    """A redirect or a web page answered. Redirects are never followed: they would carry the key away."""

    code = "not_comfy_cloud"
    says_what = "The answer did not come from Comfy Cloud."
    default_hint = "A proxy, VPN or sign-in page may be in between. Check it, then try again."
    meets_all = True
