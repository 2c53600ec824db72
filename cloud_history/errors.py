"""All exceptions of this package. Their texts are in `sentences`.

The order: the base class and its direct subclasses; InputRefused (invalid input), OperationRefused (the history has
changed since the confirmation) and SetupProblem (something on this machine must be fixed first), after which nothing
was sent; CloudConnectionError (no answer came); CloudResponseError (the answer was an error).
"""

from __future__ import annotations

import errno
import math
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from .reasons import NO_REASON, Reason
from .sentences import SENTENCES

if TYPE_CHECKING:
    from .jobs.status import JobCounts


class CloudError(Exception):
    """Base of every error of this package.

    Attributes:
        code: identifies the kind of the error, for programs.
        sentence: the key of the text in `sentences.SENTENCES`. By default the same as `code`.
        values: values for the placeholders in the text, by name.
        text: says what happened.
        hint: says what the person can do; may be "".
    """

    code: str = "internal"
    default_hint: ClassVar[str] = ""
    meets_all: ClassVar[bool] = False
    """Whether every further request would fail for the same reason."""
    status: int | None = None
    """HTTP status of Comfy Cloud's answer; None if no answer came."""
    earlier_try_may_have_worked: bool = False
    """Whether Comfy Cloud may have carried out an earlier try of the same request."""
    earlier_try_unanswered: bool = False
    """Whether an earlier try of the same request was sent and never answered."""

    def __init_subclass__(cls, code: str = "") -> None:
        cls.code = code or cls.code

    def __init__(self, sentence: str = "", **values: object) -> None:
        self.sentence = sentence or self.code
        self.code = self.code or self.sentence
        self.values = values
        texts = SENTENCES[self.sentence]
        self.text = texts.message.format(**values)
        self.hint = (texts.hint or self.default_hint).format(**values)
        super().__init__(f"{self.message} {self.hint}".strip())

    @property
    def message(self) -> str:
        """The text, followed by the error text of Comfy Cloud's answer if there is any."""
        return self.text

    @property
    def reason(self) -> Reason:
        """The reason in a few words, for one line of a report."""
        return Reason(self.sentence, self.values)

    @property
    def short(self) -> str:
        """The reason in a few words, as text."""
        return str(self.reason)

    @property
    def quote(self) -> str:
        """The error text of Comfy Cloud's answer; "" if there is none."""
        return ""

    @property
    def may_have_worked(self) -> bool:
        """Whether Comfy Cloud may have carried out the request, in this try or an earlier one."""
        return self.earlier_try_may_have_worked

    @property
    def unanswered(self) -> bool:
        """Whether a try was sent and never answered. Comfy Cloud may still carry out such a request later."""
        return self.earlier_try_unanswered


class NotBackedUp(CloudError, code="not_backed_up"):
    """The workflow of one job cannot be backed up. Other jobs are not affected."""


class NestedTooDeeply(CloudError, code="nested_too_deeply"):
    """The JSON of a job's details is nested more deeply than the limit."""


class BackupDamaged(CloudError, code="backup_damaged"):
    """A backup, or the requested part of a backup, cannot be read."""


class ListNotWhole(CloudError, code="list_not_whole"):
    """The list of jobs is incomplete or inconsistent, so a job that is missing from it is not proven gone."""

    def __init__(self, why: Reason = NO_REASON) -> None:
        super().__init__("list_doubtful" if why else "list_not_whole", why=why)


class OperationStopped(CloudError, code="stopped"):
    """The operation was stopped before anything was sent."""


class Incomplete(CloudError, code="incomplete"):
    """An operation did not do everything, or its outcome is unconfirmed. The message is the report."""

    def __init__(self, report: str) -> None:
        super().__init__(report=report)


class InputRefused(CloudError, code="invalid_request"):
    """The input cannot be used. Nothing was sent."""


class NoJobIds(InputRefused, code="no_job_ids"):
    """No job ids were given, which never means "all jobs"."""


class InvalidJobIds(InputRefused, code="invalid_job_ids"):
    """At least one of the job ids is invalid."""


class TooManyJobIds(InputRefused, code="too_many_job_ids"):
    """More job ids than one deletion can have."""


class PolicyRefused(InputRefused, code="policy_refused"):
    """A retention policy has no rule, is invalid, or would delete more than was allowed."""


class SchemaMismatch(InputRefused, code="schema_mismatch"):
    """A request body or an answer does not match its JSON Schema."""


class OperationRefused(CloudError):
    """The operation is not possible now. Nothing was sent. `code` is the sentence where no subclass is needed."""

    code = ""


class Busy(OperationRefused, code="busy"):
    """Another deletion is running. `origin` says where that deletion was started."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__()


class HistoryGrew(OperationRefused, code="count_rose"):
    """More jobs have finished since the person confirmed. `counts` has the new numbers."""

    def __init__(self, more: int, counts: JobCounts) -> None:
        self.counts = counts
        super().__init__(more=more, have="job has" if more == 1 else "jobs have")


class PreviewExpired(OperationRefused, code="preview_expired"):
    """The preview's token is unknown, used or too old, or the preview is out of date."""


class NoBrowserConnected(OperationRefused, code="nobody_there"):
    """The browser that queued the workflow is not connected, so nobody can be asked for approval."""


class NoAnswer(OperationRefused, code="no_answer"):
    """The person did not answer the approval request in time."""


class ApprovalClosed(OperationRefused, code="question_closed"):
    """The approval does not exist, is no longer open, or was answered already."""


class SetupProblem(CloudError):
    """Something on this machine must be fixed before anything can be sent."""

    meets_all = True


class MissingApiKey(SetupProblem, code="missing_key"):
    """Neither the environment nor the state folder has an API key."""


class InvalidApiKey(SetupProblem, code="invalid_key"):
    """The API key has characters that cannot be sent in an HTTP header."""


class KeyFileDamaged(SetupProblem, code="key_file_damaged"):
    """The file with the saved API key cannot be read."""


class UnsafeBaseUrl(SetupProblem, code="unsafe_base_url"):
    """`COMFY_CLOUD_BASE_URL` is not an https address. Plain http is allowed for this machine only."""


class UnusableProxy(SetupProblem, code="unusable_proxy"):
    """The proxy named in the environment cannot be used."""


class MissingDependency(SetupProblem, code="missing_dependency"):
    """The Python package jsonschema is not installed."""


class BrokenInstallation(SetupProblem, code="broken_installation"):
    """jsonschema is installed but cannot be used, or a file of this pack is missing."""


class ClockWrong(SetupProblem, code="clock_wrong"):
    """This machine's clock is off by more than a day, so the age of jobs is unknown."""


class SharedKeyRefused(SetupProblem, code="many_users"):
    """Several people use this ComfyUI without authentication, so a saved key would be shared by all of them."""


class StateFolderRefused(SetupProblem, code="state_folder_refused"):
    """The configured state folder cannot be used, so nothing is read and nothing is deleted."""


class FileRefused(OSError):
    """A path in the state folder is not a regular file (a link, for example), so it is neither read nor changed.

    Attributes:
        strerror: the file's name and what is wrong with it, without a full stop.
        cure: says what the person can do.
    """

    def __init__(self, name: str, problem: str, cure: str) -> None:
        self.cure = cure
        super().__init__(errno.EPERM, f"{name} {problem}")


class LockNotAnswering(FileRefused):
    """A file lock was not acquired in time: another program holds it, or the file system does not answer."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            name,
            f"could not be locked within {seconds:.0f} seconds",
            "End another ComfyUI that hangs, or look at the disk of the state folder.",
        )


class StateUnwritable(SetupProblem, code="state_unwritable"):
    """The state folder cannot be written. Nothing is sent, because deletions are written to disk first.

    Args:
        because: the error of the file system. The hint then begins with its text.
    """

    default_hint = "Free some disk space, or make ComfyUI’s user folder writable."

    def __init__(self, sentence: str, *, because: OSError | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
        if isinstance(because, FileRefused):
            self.hint = f"{because.strerror}. {because.cure}"
        elif because is not None:
            # Only the file's name: the path contains the user's name, which other people in a browser must not see.
            where = f" ({PurePath(str(because.filename)).name})" if because.filename else ""
            self.hint = f"{because.strerror or 'The disk refused'}{where}. {self.hint}"
        self.args = (f"{self.message} {self.hint}",)


class StateUnreadable(StateUnwritable, code="state_unreadable"):
    """A file or folder in the state folder exists and cannot be read."""

    default_hint = "Look at the disk of the state folder, then try again."


class StateNotAnswering(StateUnwritable, code="state_silent"):
    """The disk of the state folder does not answer, or another program holds one of its locks."""

    default_hint = "Check whether the disk or network drive of the state folder hangs, then try again."


class StateFolderLost(StateUnwritable, code="state_lost"):
    """The state folder or a safeguard in it existed and is missing now, so nothing may be deleted."""

    default_hint = (
        "The folder has the protected jobs, the settings, the backups and the saved key. Put the folder back (mount "
        "its disk, or restore a copy), or choose “Start anew” in the panel: then what is missing counts as empty."
    )


class _FileDamaged(SetupProblem):
    """The file of a safeguard cannot be read.

    Args:
        name: the name of the file.
        because: the error of the file system, or of the check of the content, if there is one.
    """

    def __init__(self, name: str, because: Exception | None = None) -> None:
        # FileRefused means that the path is not a regular file. Trying again does not help, unlike with a disk fault.
        self.is_of_the_disk = isinstance(because, OSError) and not isinstance(because, FileRefused)
        """Whether the disk failed. False if the content of the file is damaged."""
        self.name = name
        what = self.code.removesuffix("_damaged")
        if not isinstance(because, OSError):
            super().__init__(name=name)
        else:
            kind = "unreadable" if self.is_of_the_disk else "refused"
            super().__init__(f"{what}_{kind}", name=name, cause=because.strerror)


class SettingsDamaged(_FileDamaged, code="settings_damaged"):
    """The settings cannot be read, so nothing is deleted."""


class ProtectionDamaged(_FileDamaged, code="protection_damaged"):
    """The list of protected jobs cannot be read, so nothing is deleted."""


class CloudConnectionError(CloudError, code="unreachable"):
    """No complete answer came. `sent` is False only if the request certainly did not reach Comfy Cloud."""

    default_hint = "Check your internet connection or proxy."
    meets_all = True

    def __init__(self, sentence: str = "", *, sent: bool, **values: object) -> None:
        self.sent = sent
        super().__init__(sentence, **values)

    @property
    def may_have_worked(self) -> bool:
        return self.sent or super().may_have_worked

    @property
    def unanswered(self) -> bool:
        return self.sent or super().unanswered


class UntrustedCertificate(CloudConnectionError, code="untrusted_certificate"):
    """This machine does not trust the server's certificate. Nothing was sent."""


class NotHttp(CloudConnectionError, code="not_http"):
    """The answer is not HTTP, or its headers are too large."""


class CloudTimeoutError(CloudConnectionError, code="timeout"):
    """Comfy Cloud took too long to answer."""

    default_hint = "Try again in a minute."


_GATEWAY_STATUSES = frozenset({502, 504, *range(520, 528)})
"""A gateway sends these when Comfy Cloud does not answer in time. 520 to 527 come from Cloudflare."""


class CloudResponseError(CloudError):
    """Comfy Cloud answered with an error. `cloud_says` is the error text, scrubbed and cut to 1,000 characters."""

    def __init__(
        self,
        status: int,
        sentence: str = "",
        *,
        cloud_code: str = "",
        cloud_says: str = "",
        retry_after: float | None = None,
        **values: object,
    ) -> None:
        self.status = status
        self.cloud_code = cloud_code
        self.cloud_says = cloud_says
        self.retry_after = retry_after
        seconds = math.ceil(retry_after or 0)
        super().__init__(sentence or self._choose_sentence(), status=status, seconds=seconds, **values)

    def _choose_sentence(self) -> str:
        return self.code

    @property
    def message(self) -> str:
        return f"{self.text} {self.quote or f'({self.status})'}"

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


class BadRequest(CloudResponseError, code="bad_request"):
    """Comfy Cloud did not accept the request."""


class Unauthorized(CloudResponseError, code="unauthorized"):
    """The API key is missing, wrong or revoked, or the route does not take API keys."""

    meets_all = True


class InsufficientCredits(CloudResponseError, code="insufficient_credits"):
    """The account has no credits left."""

    meets_all = True


class Forbidden(CloudResponseError, code="forbidden"):
    """The key is not allowed to manage this history."""

    meets_all = True


class NotFound(CloudResponseError, code="not_found"):
    """The job, or the route, does not exist on the server."""


PLAN_REFUSALS = (
    *("FREE_TIER_EXHAUSTED", "FREE_TIER_NOT_ALLOWED", "CLOUD_SUBSCRIPTION_REQUIRED"),
    *("PAYMENT_REQUIRED", "PARTNER_NODE_PAYMENT_REQUIRED", "MODEL_PAYMENT_REQUIRED"),
)
"""Error types that mean that the plan does not cover a request (comfy-cli 1.23.0). In lower case, each is a
key of SENTENCES."""


class PlanRefused(CloudResponseError, code="subscription_inactive"):
    """402, or 429 with one of PLAN_REFUSALS as `cloud_code`: the plan does not cover the request. Do not retry."""

    meets_all = True

    def _choose_sentence(self) -> str:
        return self.cloud_code.lower() if self.cloud_code in PLAN_REFUSALS else self.code


class RateLimited(CloudResponseError, code="rate_limited"):
    """429, too many requests at once. `retry_after` is in seconds; None if Comfy Cloud does not give it."""

    meets_all = True

    def _choose_sentence(self) -> str:
        return self.code if self.retry_after is None else "rate_limited_for"


class ServerFault(CloudResponseError, code="server_fault"):
    """5xx: Comfy Cloud has a problem. `retry_after` is in seconds; None if Comfy Cloud does not give it."""


class ApiMovedOn(CloudResponseError, code="api_moved_on"):
    """The server does not have the route: 501, or 404, 405 or 410 for a path without a job id."""

    meets_all = True

    @property
    def may_have_worked(self) -> bool:
        # A server without the route did nothing, although 501 is in the range of server faults.
        return self.earlier_try_may_have_worked


class UnreadableAnswer(CloudResponseError, code="unreadable_answer"):
    """The answer is too large, or is not the expected JSON."""


class FileTooLarge(UnreadableAnswer, code="file_too_large"):
    """An output file is larger than the limit, which is given in bytes."""

    def __init__(self, most: int, sentence: str = "file_too_large") -> None:
        super().__init__(200, sentence, megabytes=most // 2**20, gigabytes=f"{most / 2**30:.3g}")

    @property
    def message(self) -> str:
        return self.text


class AnswerTooLarge(UnreadableAnswer, code="answer_too_large"):
    """The answer is larger than the limit for this kind of answer."""


class NotComfyCloud(CloudResponseError, code="not_comfy_cloud"):
    """The answer is a redirect or a web page. Redirects are not followed: they could send the key to another server."""

    meets_all = True
