"""Reports of deletions, clears and lists: as text for nodes and the log, and as JSON for browsers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import CloudError, CloudResponseError, Incomplete
from ..jobs.rows import job_row
from ..payloads import reason_payload, value_payload
from ..reasons import Reason
from ..secret import scrub
from .outcomes import ClearOutcome, ClearResult, DeletionResult, Outcome

if TYPE_CHECKING:
    from ..jobs.filters import ProtectedJobs
    from ..jobs.job import Job


STAY = "Assets stay."
STOPPED = "Stopped:"
NOTHING_TO_DELETE = "Nothing to delete: the list of job ids is empty. Nothing was sent."
NOTHING_THERE = "Nothing to clear: your cloud history has no finished jobs. Nothing was sent."
NOT_CLEARED = "“clear” is off. Nothing was sent."
SKIPPED = "Nothing was deleted. The workflow was told to skip."
MAX_LISTED_IDS = 1000
"""Maximum number of ids in a node report. The log has all ids."""
MAX_NAMED_JOBS = 12
"""Maximum number of jobs that were left alone whose names a browser gets."""


def with_warning(report: str, warning: str) -> str:
    """Return a report with a warning as its last line."""
    return f"{report}\n{warning}" if warning else report


def jobs(count: int) -> str:
    """Format a number of jobs: "1 job", "2 jobs"."""
    return f"{count:,} job" if count == 1 else f"{count:,} jobs"


def deletion_report(result: DeletionResult, most_listed: int = MAX_LISTED_IDS) -> str:
    """Format the result of a deletion: counts by outcome, the ids of jobs that were not deleted, and hints."""
    lines = [_headline(result, len(result.jobs))]
    for outcome, word in _WORDS.items():
        for why, ids in _by_reason(result, outcome):
            if outcome is Outcome.DELETED and len(ids) == len(result.jobs):
                continue  # the headline already says so
            reason = f": {why}" if why else ""
            lines.append(f"{len(ids):,} {word}{reason}")
            if outcome is not Outcome.DELETED:
                lines += _listed(ids, most_listed)
    if result.backed_up:
        lines.append(f"{result.backed_up:,} workflow{'' if result.backed_up == 1 else 's'} backed up first.")
    if result.outputs_saved:
        lines.append(f"{result.outputs_saved:,} output{'' if result.outputs_saved == 1 else 's'} saved first.")
    lines += _staying(result)
    if result.finished_meanwhile:
        stay = "stays" if result.finished_meanwhile == 1 else "stay"
        lines.append(f"{jobs(result.finished_meanwhile)} finished meanwhile and {stay}.")
    advice = [line for error in result.errors for line in (error.quote, error.hint) if line]
    return "\n".join([*lines, *dict.fromkeys(advice)])


_STAYING = {
    "active": "active",
    "protected": "protected",
    "unknown": "of an unknown status",
    "kept": "kept by the rules",
    "held": "in another deletion",
}


def _staying(result: DeletionResult) -> list[str]:
    """Say how many jobs stay and why. Jobs that finished meanwhile have a line of their own."""
    counts = {word: getattr(result.stay, name) for name, word in _STAYING.items()} if result.stay else {}
    parts = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    total = sum(counts.values())
    return [f"{jobs(total)} {'stays' if total == 1 else 'stay'}: {parts}."] if total else []


_WORDS = {
    Outcome.DELETED: "removed",
    Outcome.ALREADY_GONE: "already gone",
    Outcome.ACTIVE: "active, left alone",
    Outcome.PROTECTED: "protected, kept",
    Outcome.FAILED: "not removed",
    Outcome.UNCONFIRMED: "unconfirmed",
    Outcome.NOT_ATTEMPTED: "not tried",
}


def _headline(result: DeletionResult, total: int) -> str:
    if not total:
        return NOTHING_THERE
    if result.removed == total:
        return f"{jobs(total)} removed from your cloud history. {STAY}"
    if result.stopped and len(result.ids(Outcome.NOT_ATTEMPTED)) == total:
        return _stopped_unsent(total)
    if not result.removed:
        known = "is known to have been" if result.ids(Outcome.UNCONFIRMED) else "was"
        none = f"o job {known} removed (0 of {total:,})."
        return f"{STOPPED} n{none}" if result.stopped else f"N{none}"
    stopped = f"{STOPPED} " if result.stopped else ""
    return f"{stopped}{result.removed:,} of {jobs(total)} removed. {STAY}"


def _stopped_unsent(total: int | None) -> str:
    """Say that the person stopped a deletion before anything was sent. Jobs may be gone by other ways."""
    if total is None:
        return f"{STOPPED} nothing was sent to Comfy Cloud, and no job was removed."
    none = "the job was not removed" if total == 1 else f"none of the {total:,} jobs was removed"
    return f"{STOPPED} nothing was sent to Comfy Cloud, and {none}."


def _by_reason(result: DeletionResult, outcome: Outcome) -> Iterable[tuple[str, list[str]]]:
    grouped: dict[str, list[str]] = {}
    for job_id, each in result.jobs.items():
        if each.outcome is outcome:
            grouped.setdefault(str(each.why), []).append(job_id)
    return grouped.items()


def stopped_report(job_ids: Sequence[str] = ()) -> str:
    """Format a deletion that the person stopped before anything was sent.

    Args:
        job_ids: the jobs that would have been deleted, if they are known.
    """
    headline = _stopped_unsent(len(job_ids) or None)
    if not job_ids:
        return headline
    why = Reason("stopped_by_person")
    word = _WORDS[Outcome.NOT_ATTEMPTED]
    return "\n".join([headline, f"{len(job_ids):,} {word}: {why}", *_listed(list(job_ids), MAX_LISTED_IDS)])


def dry_run_report(job_ids: list[str], protected: ProtectedJobs) -> str:
    """Format what a deletion would send. No request is made, so jobs of protected workflows are not recognised."""
    going = [job_id for job_id in job_ids if job_id not in protected.jobs]
    kept = len(job_ids) - len(going)
    headline = f"Dry run: {jobs(len(going))} would be sent for removal. Nothing was sent."
    stay = [f"{jobs(kept)} protected, kept."] if kept else []
    stay += ["Jobs of protected workflows stay too."] if protected.workflows else []
    return "\n".join([headline, *_listed(going, MAX_LISTED_IDS), *stay])


def _listed(job_ids: list[str], most: int) -> list[str]:
    more = [f"  and {len(job_ids) - most:,} more"] if len(job_ids) > most else []
    return [f"  {job_id}" for job_id in job_ids[:most]] + more


def incomplete(result: DeletionResult | ClearResult) -> Incomplete:
    """Return the error for a node whose deletion did not fully succeed."""
    return Incomplete(result_report(result))


def result_report(result: DeletionResult | ClearResult, most_listed: int = MAX_LISTED_IDS) -> str:
    """Format the result of a deletion or a clear."""
    if isinstance(result, DeletionResult):
        return deletion_report(result, most_listed)
    return clear_report(result)


def listing_report(found: Sequence[Job], matching: int, unreadable: int = 0) -> str:
    """Format a list of jobs: how many there are by status, and their ids.

    Args:
        matching: how many jobs match, including those left out because of a limit.
        unreadable: how many rows of the list have an unreadable id.
    """
    rows = "1 row" if unreadable == 1 else f"{unreadable:,} rows"
    missing = [f"{rows} of the list could not be read: those jobs may match too."] if unreadable else []
    if not found:
        return "\n".join(["No job matches.", *missing])
    by_status: dict[str, int] = {}
    for job in found:
        by_status[job.status.value] = by_status.get(job.status.value, 0) + 1
    parts = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in by_status.items())
    of = f" of {matching:,}" if matching > len(found) else ""
    headline = f"{jobs(len(found))}{of} found: {parts}. Nothing was changed."
    return "\n".join([headline, *missing, *_listed([job.id for job in found], MAX_LISTED_IDS)])


def clear_report(result: ClearResult) -> str:
    """Format the result of a clear, with the hint of its error."""
    return "\n".join(line for line in (*_clear_lines(result), result.error.hint if result.error else "") if line)


def _clear_lines(result: ClearResult) -> tuple[str, ...]:
    before, removed, listed = result.before, result.removed or 0, result.listed or 0
    stay = _active_lines(before.active, (result.after or before).active)
    if not before.finished:
        return NOTHING_THERE, stay
    if result.outcome is ClearOutcome.DELETED:
        return f"{jobs(removed)} removed from your cloud history. {STAY}", stay
    if result.outcome is ClearOutcome.PARTIAL:
        return (
            f"{jobs(removed)} removed from your cloud history, {listed:,} still listed.",
            "They may have finished meanwhile. Look again, then decide.",
        )
    if result.outcome is ClearOutcome.FAILED:
        return "No job was removed.", result.error.message if result.error else ""
    if result.outcome is ClearOutcome.UNKNOWN:
        return "Outcome unknown: " + _lost(result), _still(result)
    return "Unconfirmed: Comfy Cloud accepted the request.", _still(result)


def _active_lines(before: int, now: int) -> str:
    """Format the active jobs. Gives both counts if some finished during the clear, because they may be gone too."""
    lines = [f"{jobs(now)} active, left alone."] if now else []
    if now < before:
        lines.append(f"{jobs(before)} active when it began.")
    return " ".join(lines)


def _lost(result: ClearResult) -> str:
    if isinstance(result.error, CloudResponseError):
        return result.error.message
    return "it was stopped while it was being sent." if result.stopped else "the connection was lost after it was sent."


def _still(result: ClearResult) -> str:
    if result.doubt:
        return f"What is gone of {jobs(result.before.finished)} is not known: {result.doubt}."
    if result.listed is None:
        unread = "It was not counted again" if result.stopped else "The list can’t be read"
        return f"{unread}, so what is gone of {jobs(result.before.finished)} is not known."
    before = f", {result.before.finished:,} before" if result.listed != result.before.finished else ""
    return f"{jobs(result.listed)} still listed{before}. Look again, then decide."


Payload = dict[str, Any]


def error_payload(error: CloudError) -> Payload:
    """Return an error as JSON. `code` is its class, for programs; `sentence` and `values` are for translations."""
    return {
        "code": error.code,
        "sentence": error.sentence,
        "values": {name: value_payload(value) for name, value in error.values.items()},
        "message": scrub(error.text),
        "hint": scrub(error.hint),
        "status": error.status,
        "retry_after": getattr(error, "retry_after", None),
        "cloud_says": scrub(getattr(error, "cloud_says", "")),
    }


def result_payload(result: DeletionResult | ClearResult) -> Payload:
    """Return the result of a deletion or a clear as JSON."""
    return deletion_payload(result) if isinstance(result, DeletionResult) else clear_payload(result)


def clear_payload(result: ClearResult) -> Payload:
    """Return the result of a clear as JSON."""
    stopped = result.stopped and result.outcome is not ClearOutcome.DELETED
    return {
        "kind": "clear",
        "outcome": "stopped" if stopped else result.outcome.value,
        "before": result.before.finished,
        "removed": result.removed,
        "listed": result.listed,
        "doubt": reason_payload(result.doubt),
        "active": (result.after or result.before).active,
        "report": scrub(clear_report(result)),
        "error": error_payload(result.error) if result.error else None,
    }


def deletion_payload(result: DeletionResult) -> Payload:
    """Return the result of a deletion as JSON: counts by outcome, and the jobs that were not deleted."""
    # Each reason is converted once, because tens of thousands of jobs share a few reasons.
    reasons = {
        each: reason_payload(why) for each, why in {id(job.why): job.why for job in result.jobs.values()}.items()
    }
    return {
        "kind": "delete",
        "total": len(result.jobs),
        "counts": {outcome.value: len(result.ids(outcome)) for outcome in Outcome if outcome is not Outcome.ACCEPTED},
        "jobs": {
            job_id: {"outcome": each.outcome.value, "why": reasons[id(each.why)]}
            for job_id, each in result.jobs.items()
            if each.outcome is not Outcome.DELETED
        },
        "stopped": result.stopped,
        "backed_up": result.backed_up,
        "outputs_saved": result.outputs_saved,
        "stay": result.stay._asdict() if result.stay else None,
        "finished_meanwhile": result.finished_meanwhile,
        "left": [job_row(result.found[job_id]) for job_id in islice(_left_alone(result), MAX_NAMED_JOBS)],
        "report": scrub(deletion_report(result)),
        "error": error_payload(result.errors[0]) if result.errors else None,
    }


def _left_alone(result: DeletionResult) -> Iterator[str]:
    """Yield the ids of the jobs that were selected and left alone, as far as the jobs are known."""
    for job_id, each in result.jobs.items():
        if each.outcome in (Outcome.ACTIVE, Outcome.PROTECTED) and job_id in result.found:
            yield job_id


def failure_payload(kind: str, error: CloudError) -> Payload:
    """Return an operation that sent nothing because of an error, as JSON."""
    return {
        "kind": kind,
        "outcome": "failed",
        "before": None,
        "removed": 0,
        "listed": None,
        "active": None,
        "report": scrub(f"Nothing was sent. {error}"),
        "error": error_payload(error),
    }
