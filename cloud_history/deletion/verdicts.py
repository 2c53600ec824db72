"""The truth, job by job: from what was seen before, what was sent, and what was seen afterwards. Pure."""

from __future__ import annotations

from ..cloud.lookup import Look
from ..jobs.models import JobOutcome, Outcome

ALREADY_GONE = JobOutcome(Outcome.ALREADY_GONE)
ACTIVE = JobOutcome(Outcome.ACTIVE)
DELETED = JobOutcome(Outcome.DELETED)


def verdict(job_id: str, sent: JobOutcome, before: Look, after: Look) -> JobOutcome:
    """What became of a job.

    Args:
        sent: how sending ended: ACCEPTED, FAILED (refused, or never arrived), UNCONFIRMED (no answer came) or
            NOT_ATTEMPTED, each with why.
        before: seen before sending. What was not seen then is claimed neither as deleted nor as already gone.
    """
    if job_id in before.gone and job_id not in after.there:
        return ALREADY_GONE
    job = after.there.get(job_id) or (
        before.there.get(job_id) if sent.outcome is Outcome.NOT_ATTEMPTED else None
    )
    if job is not None and job.active:
        return ACTIVE
    if sent.outcome is Outcome.NOT_ATTEMPTED:
        return sent
    if job_id in after.gone:
        return _gone(job_id, sent, before)
    if job_id in after.there:
        return _still_there(sent, listed=job_id in after.listed)
    if sent.outcome is Outcome.ACCEPTED:
        unread = "not read back" if after.error is None else "the list can’t be read"
        return JobOutcome(Outcome.UNCONFIRMED, after.doubt or f"accepted, but {unread}")
    if sent.outcome is Outcome.FAILED and sent.may_have_worked:
        # An error after which the job may be gone all the same, and nobody could look: an error, and not a "no".
        return JobOutcome(Outcome.UNCONFIRMED, sent.why, answered=False)
    return sent


def _gone(job_id: str, sent: JobOutcome, before: Look) -> JobOutcome:
    if job_id not in before.there:
        return JobOutcome(Outcome.UNCONFIRMED, "gone now, but it was not seen before", answered=sent.answered)
    if sent.outcome is Outcome.FAILED and not sent.may_have_worked:
        # Refused to us, and gone all the same: somebody else removed it.
        return ALREADY_GONE
    return DELETED


def _still_there(sent: JobOutcome, *, listed: bool) -> JobOutcome:
    if sent.outcome is Outcome.ACCEPTED:
        where = "still listed" if listed else "still found by its id"
        return JobOutcome(Outcome.UNCONFIRMED, f"accepted, but {where}")
    # Without an answer the request may be carried out a moment later: that the job is listed now is no refusal.
    return JobOutcome(Outcome.FAILED, sent.why) if sent.answered else sent
