"""The base of every error, and those that stand alone."""

from __future__ import annotations

from typing import ClassVar


class CloudError(Exception):
    """Base of every error of this package."""

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

    @property
    def may_have_worked(self) -> bool:
        """Whether the request may have been carried out, in this try or an earlier one: sent, and not refused."""
        return self.earlier_try_may_have_worked

    @property
    def unanswered(self) -> bool:
        """Whether a try was sent and Comfy Cloud never answered it: it may still be carried out, a moment later."""
        return self.earlier_try_unanswered


class NotBackedUp(CloudError):
    """A job's workflow cannot be put into a backup; the other jobs' still can."""

    code = "not_backed_up"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"A workflow can’t be backed up: {reason}.")

    @property
    def short(self) -> str:
        return self.reason


class NestedTooDeeply(CloudError):
    """A job's details are nested more deeply than anything that is read here. `levels` is how deep that is."""

    code = "nested_too_deeply"

    def __init__(self, levels: int) -> None:
        super().__init__(
            f"This job’s workflow is nested more than {levels} levels deep, so it can’t be shown or backed up.",
            hint="No workflow of ComfyUI’s is. The job can be deleted without a backup.",
        )

    @property
    def short(self) -> str:
        return "it is nested too deeply"


class BackupDamaged(CloudError):
    """A backup cannot be read, or not the part of it that was asked for. `name` is that of its file."""

    code = "backup_damaged"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__("This backup can’t be read.", hint=f"Its file is damaged or gone: {name}.")


class ListNotWhole(CloudError):
    """The list of jobs could not be read to its end, or does not add up: what is missing from it proves nothing."""

    code = "unreadable_answer"
    default_hint = "Jobs may be coming and going. Try again in a moment."

    def __init__(self, why: str = "") -> None:
        super().__init__(f"The list of jobs could not be read whole{': ' + why if why else ''}.")


class OperationStopped(CloudError):
    """The person stopped the operation before anything was sent."""

    code = "stopped"


class Incomplete(CloudError):
    """An operation ran, and not everything asked for is known to have happened. Its message is the report."""

    code = "incomplete"
