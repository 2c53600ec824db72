"""The exceptions of this package, all of them. What each says stands in `sentences`.

In this order: the base, and those that stand alone; InputRefused and OperationRefused (what was given can't be used, or
what was confirmed does not hold now: nothing was sent); SetupProblem (something on this machine has to be put right
first: nothing was sent); CloudConnectionError (no answer came); CloudResponseError (an answer came, and was an error).
"""

from __future__ import annotations

import errno
import math
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from .reasons import Reason
from .sentences import SENTENCES

if TYPE_CHECKING:
    from .jobs.status import JobCounts


class CloudError(Exception):
    """Base of every error of this package.

    Attributes:
        code: what programs tell errors apart by. Every class has its own; a few are shared by all sentences of a class.
        sentence: the code of what it says, in `sentences.SENTENCES`. By default the same as `code`.
        values: what stands in the braces of the sentence, by name.
        text: what is the case, in words.
        hint: what to do about it; may be "".
    """

    code: ClassVar[str] = "internal"
    default_hint: ClassVar[str] = ""
    meets_all: ClassVar[bool] = False
    """Whether the reason would meet every further request as well, so that trying them is pointless."""
    status: int | None = None
    """HTTP status of Comfy Cloud's answer, where one came."""
    earlier_try_may_have_worked: bool = False
    """Whether an earlier try of the same request may have been carried out, whatever became of the last."""
    earlier_try_unanswered: bool = False
    """Whether an earlier try of the same request was sent, and no answer of Comfy Cloud's came."""

    def __init_subclass__(cls, code: str = "") -> None:
        cls.code = code or cls.code

    def __init__(self, sentence: str = "", **values: object) -> None:
        self.sentence = sentence or self.code
        self.values = values
        told = SENTENCES[self.sentence]
        self.text = told.message.format(**values)
        self.hint = (told.hint or self.default_hint).format(**values)
        super().__init__(f"{self.message} {self.hint}".strip())

    @property
    def message(self) -> str:
        """What is the case, with Comfy Cloud's own words where it said any."""
        return self.text

    @property
    def reason(self) -> Reason:
        """The reason in a few words, for a line that has little room."""
        return Reason(self.sentence, self.values)

    @property
    def short(self) -> str:
        """The words of the reason."""
        return str(self.reason)

    @property
    def quote(self) -> str:
        """What Comfy Cloud said in its own words, if it said anything."""
        return ""

    @property
    def may_have_worked(self) -> bool:
        """Whether the request may have been carried out, in this try or an earlier one: sent, and not refused."""
        return self.earlier_try_may_have_worked

    @property
    def unanswered(self) -> bool:
        """Whether a try was sent and Comfy Cloud never answered it: it may still be carried out, a moment later."""
        return self.earlier_try_unanswered


class NotBackedUp(CloudError, code="not_backed_up"):
    """A job's workflow cannot be put into a backup; the other jobs' still can."""


class NestedTooDeeply(CloudError, code="nested_too_deeply"):
    """A job's details are nested more deeply than anything that is read here."""


class BackupDamaged(CloudError, code="backup_damaged"):
    """A backup cannot be read, or not the part of it that was asked for."""


class ListNotWhole(CloudError, code="list_not_whole"):
    """The list of jobs could not be read to its end, or does not add up: what is missing from it proves nothing."""

    def __init__(self, why: str = "") -> None:
        super().__init__("list_doubtful" if why else "list_not_whole", why=why)


class OperationStopped(CloudError, code="stopped"):
    """It was stopped before anything was sent."""


class Incomplete(CloudError, code="incomplete"):
    """An operation ran, and not everything asked for is known to have happened. Its message is the report."""

    def __init__(self, report: str) -> None:
        super().__init__(report=report)


class InputRefused(CloudError, code="invalid_request"):
    """The input cannot be used. Nothing was sent."""


class NoJobIds(InputRefused, code="no_job_ids"):
    """No job id was given at all. Absent never means "all"."""


class InvalidJobIds(InputRefused, code="invalid_job_ids"):
    """At least one of the job ids is invalid."""


class TooManyJobIds(InputRefused, code="too_many_job_ids"):
    """More job ids than one deletion can have."""


class PolicyRefused(InputRefused, code="policy_refused"):
    """A retention policy has no rule, is invalid, or would delete more than was allowed."""


class SchemaMismatch(InputRefused, code="schema_mismatch"):
    """A request body or an answer is not what its JSON Schema says."""


class OperationRefused(CloudError):
    """The confirmed deletion is no longer possible. Nothing was sent."""


class Busy(OperationRefused, code="busy"):
    """Another deletion is running. `origin` is what began it."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__()


class HistoryGrew(OperationRefused, code="count_rose"):
    """More jobs have finished since the person confirmed. Carries the new counts."""

    def __init__(self, more: int, counts: JobCounts) -> None:
        self.counts = counts
        super().__init__(more=more, have="job has" if more == 1 else "jobs have")


class PreviewExpired(OperationRefused, code="preview_expired"):
    """The token is unknown, used or too old, or what the preview showed does not hold any more."""


class AccountChanged(OperationRefused, code="account_changed"):
    """The jobs were listed with another key, or by another server."""


class TooLate(OperationRefused, code="too_late"):
    """The deletion to undo has been sent already."""


class NotSupported(OperationRefused, code="not_supported"):
    """The server has no route for it."""


class WorkflowsMayNotDelete(OperationRefused, code="nodes_never"):
    """The setting or the environment forbids workflows to delete."""


class TooManyApprovals(OperationRefused, code="too_many_questions"):
    """Too many nodes are asking for approval at the same time."""


class NoBrowserConnected(OperationRefused, code="nobody_there"):
    """A workflow wants to delete, and no connected browser can ask the person who queued it."""


class NoAnswer(OperationRefused, code="no_answer"):
    """The person did not answer in time."""


class AnsweredTooSoon(OperationRefused, code="answered_too_soon"):
    """An approval was answered before the person can have read it."""


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
    """`COMFY_CLOUD_BASE_URL` is not an https address (plain http is for this machine alone)."""


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
    """Something else is in the place of a file of the state folder, so it is neither read nor changed.

    Attributes:
        strerror: the file's name and what is wrong with it, without a full stop.
        cure: what a person can do about it.
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
    """The state folder cannot be written, so nothing may be sent: what is pending is on disk first.

    Args:
        because: what the disk said; the hint then begins with it.
    """

    default_hint = "Free some disk space, or make ComfyUI’s user folder writable."

    def __init__(self, sentence: str, *, because: OSError | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
        if isinstance(because, FileRefused):
            self.hint = f"{because.strerror}. {because.cure}"
        elif because is not None:
            # The file's name alone: a browser may be somebody else's, and the path has the user's name in it.
            where = f" ({PurePath(str(because.filename)).name})" if because.filename else ""
            self.hint = f"{because.strerror or 'The disk refused'}{where}. {self.hint}"
        self.args = (f"{self.message} {self.hint}",)


class StateUnreadable(StateUnwritable, code="state_unreadable"):
    """A part of the state folder exists and cannot be read."""

    default_hint = "Look at the disk of the state folder, then try again."


class StateNotAnswering(StateUnwritable, code="state_silent"):
    """The disk of the state folder does not answer, or another program holds one of its locks."""

    default_hint = "Its disk, or the network it is on, may hang. Look at it, then try again."


class StateFolderLost(StateUnwritable, code="state_lost"):
    """The state folder or a safeguard in it existed and is missing now, so nothing may be deleted."""

    default_hint = (
        "It keeps the protected jobs, the settings, the backups and the saved key. Put it back as it was (mount its "
        "disk, or restore a copy), or choose “Start anew” in the panel: then what is missing counts as empty."
    )


class _FileDamaged(SetupProblem):
    """A file with a safeguard cannot be read.

    Args:
        name: of the file.
        because: why, where it could not even be opened, or is not what it should be.
    """

    def __init__(self, name: str, because: Exception | None = None) -> None:
        # What was planted or put in the file's place is refused by the opener, and stays what it is.
        self.is_of_the_disk = isinstance(because, OSError) and not isinstance(because, FileRefused)
        """Whether the disk failed, and not the file's content."""
        self.name = name
        what = self.code.removesuffix("_damaged")
        if not isinstance(because, OSError):
            super().__init__(name=name)
        else:
            kind = "unreadable" if self.is_of_the_disk else "refused"
            super().__init__(f"{what}_{kind}", name=name, cause=because.strerror)


class SettingsDamaged(_FileDamaged, code="settings_damaged"):
    """The settings cannot be read, so it is unknown which safeguards are on."""


class ProtectionDamaged(_FileDamaged, code="protection_damaged"):
    """The list of protected jobs cannot be read, so nothing is deleted."""


class CloudConnectionError(CloudError, code="unreachable"):
    """No whole answer came. `sent` is False only when the request certainly never arrived."""

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
    """The server's certificate is not one that this machine trusts. Nothing was sent."""


class NotHttp(CloudConnectionError, code="not_http"):
    """The answer is not HTTP, or its headers are too large."""


class CloudTimeoutError(CloudConnectionError, code="timeout"):
    """Comfy Cloud took too long to answer."""

    default_hint = "Try again in a minute."


_GATEWAY_STATUSES = frozenset({502, 504, *range(520, 528)})
"""Sent by a gateway that waited in vain for Comfy Cloud. 520 to 527 are Cloudflare's."""


class CloudResponseError(CloudError):
    """Comfy Cloud answered with an error. `cloud_says` is its own text, scrubbed and cut to 1,000 characters."""

    def __init__(
        self,
        status: int,
        sentence: str = "",
        *,
        cloud_code: str = "",
        cloud_says: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.cloud_code = cloud_code
        self.cloud_says = cloud_says
        self.retry_after = retry_after
        seconds = math.ceil(retry_after or 0)
        super().__init__(sentence or self._choose_sentence(), status=status, seconds=seconds)

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
    """No such job, or the server does not have the route."""


PLAN_REFUSALS = (
    *("FREE_TIER_EXHAUSTED", "FREE_TIER_NOT_ALLOWED", "CLOUD_SUBSCRIPTION_REQUIRED"),
    *("PAYMENT_REQUIRED", "PARTNER_NODE_PAYMENT_REQUIRED", "MODEL_PAYMENT_REQUIRED"),
)
"""The types of error with which Comfy Cloud refuses for the sake of the plan (comfy-cli 1.23.0). In small letters they
are the codes of their sentences."""


class PlanRefused(CloudResponseError, code="subscription_inactive"):
    """The plan does not cover the request: 402, or 429 with one of PLAN_REFUSALS as `cloud_code`. No wait helps."""

    meets_all = True

    def _choose_sentence(self) -> str:
        return self.cloud_code.lower() if self.cloud_code in PLAN_REFUSALS else self.code


class RateLimited(CloudResponseError, code="rate_limited"):
    """429 that is no plan refusal. `retry_after` in seconds, where Comfy Cloud says how long to wait."""

    meets_all = True

    def _choose_sentence(self) -> str:
        return self.code if self.retry_after is None else "rate_limited_for"


class ServerFault(CloudResponseError, code="server_fault"):
    """5xx: Comfy Cloud has a problem. `retry_after` in seconds, where it gave one."""


class ApiMovedOn(CloudResponseError, code="api_moved_on"):
    """The route is gone, or not offered here: 404, 405 or 410 where only a route is named, or 501."""

    meets_all = True

    @property
    def may_have_worked(self) -> bool:
        # A route that is not there has done nothing, though 501 is in the range of server faults.
        return self.earlier_try_may_have_worked


class UnreadableAnswer(CloudResponseError, code="unreadable_answer"):
    """The answer is too large, or is not the JSON it should be."""


class AnswerTooLarge(UnreadableAnswer, code="answer_too_large"):
    """The answer is larger than the limit for this kind of answer."""


class NotComfyCloud(CloudResponseError, code="not_comfy_cloud"):
    """A redirect or a web page answered. Redirects are never followed: they would carry the key away."""

    meets_all = True
