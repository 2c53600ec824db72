"""Nothing was sent: what was given cannot be used, or what was confirmed does not hold now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import CloudError

if TYPE_CHECKING:
    from ..jobs.status import JobCounts


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


class TooManyJobIds(InputRefused):
    """More job ids than one deletion takes."""

    default_hint = "Nothing was sent. Give them to several nodes, or use Clear Cloud History to remove all."

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most:,} job ids can be given at once.")


class PolicyRefused(InputRefused):
    """A retention policy that has no rule, cannot be read, or takes more than somebody agreed to."""


class SchemaMismatch(InputRefused):
    """A request body or an answer is not what its JSON Schema says."""

    default_hint = "Nothing was sent. Please report this: it should not happen."


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


class AccountChanged(OperationRefused):
    """The jobs were listed with another key, or by another server."""

    code = "account_changed"
    default_hint = "Nothing was changed. The list is read again: choose the jobs anew."

    def __init__(self) -> None:
        super().__init__("The API key or the server has changed since these jobs were listed.")


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


class TooManyQuestions(OperationRefused):
    """More nodes ask at the same time than a person can answer."""

    code = "too_many_questions"
    default_hint = (
        "Nothing was sent. Give all job ids to one node, or let one node run after another: link “after”."
    )


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


class AnsweredTooSoon(OperationRefused):
    """A question was answered before anybody can have read it."""

    code = "answered_too_soon"
    default_hint = "Nothing was deleted by it. The question is asked again."


class QuestionClosed(OperationRefused):
    """An answer to a question that nobody asks, or asks any more, or that was answered before."""

    code = "question_closed"
    default_hint = "It may have been answered in another window, or the workflow has stopped."

    def __init__(self) -> None:
        super().__init__("This question is no longer open.")
