"""The outcome of each job: the table of outcomes, and whole deletions in virtual time."""

from __future__ import annotations

import asyncio
import logging
from itertools import product
from typing import Literal

import pytest

from cloud_history.cloud.evidence import Defect, DefectKind, ProvenAbsent
from cloud_history.cloud.lookup import NOTHING_OBSERVED, Observation
from cloud_history.deletion.delete import Deletion
from cloud_history.deletion.outcomes import DeletionResult, JobOutcome, Outcome, Outcomes, job_outcome
from cloud_history.deletion.report import deletion_report
from cloud_history.errors import (
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    ServerFault,
    Unauthorized,
)
from support import virtual_time
from support.fake_history_client import FakeClient, Person, ids, job, jobs_of
from support.reasons import reason
from support.requests import preview_of
from support.safeguards import NoSafeguards

JOB = ids(1)[0]
Seen = Literal["there", "active", "gone", "unseen"]
LOOKS: dict[Seen, Observation] = {
    "there": Observation({JOB: job(JOB)}, listed=frozenset({JOB})),
    "active": Observation({JOB: job(JOB, "in_progress")}),
    "gone": Observation(gone=frozenset({ProvenAbsent(JOB)})),
    "unseen": Observation(error=ServerFault(500)),
}
SENT = {
    "accepted": JobOutcome(Outcome.ACCEPTED),
    "refused": JobOutcome(Outcome.FAILED, reason("the key was refused")),
    "5xx": JobOutcome(Outcome.FAILED, reason("server error (500)"), may_have_worked=True),
    "no answer": JobOutcome(
        Outcome.UNCONFIRMED, reason("the connection was lost"), answered=False, may_have_worked=True
    ),
    "not sent": JobOutcome(Outcome.NOT_ATTEMPTED, reason("the deletion was stopped")),
}
ROWS = """
# sent      before    after:  there          active    gone           unseen
accepted    there             unconfirmed    active    deleted        unconfirmed
accepted    active            unconfirmed    active    deleted        unconfirmed
accepted    unseen            unconfirmed    active    unconfirmed    unconfirmed
accepted    gone              unconfirmed    active    already_gone   already_gone
refused     there             failed         active    already_gone   failed
refused     active            failed         active    already_gone   failed
refused     unseen            failed         active    unconfirmed    failed
refused     gone              failed         active    already_gone   already_gone
5xx         there             failed         active    deleted        unconfirmed
5xx         active            failed         active    deleted        unconfirmed
5xx         unseen            failed         active    unconfirmed    unconfirmed
5xx         gone              failed         active    already_gone   already_gone
no_answer   there             unconfirmed    active    deleted        unconfirmed
no_answer   active            unconfirmed    active    deleted        unconfirmed
no_answer   unseen            unconfirmed    active    unconfirmed    unconfirmed
no_answer   gone              unconfirmed    active    already_gone   already_gone
not_sent    there             not_attempted  active    not_attempted  not_attempted
not_sent    active            not_attempted  active    active         active
not_sent    unseen            not_attempted  active    not_attempted  not_attempted
not_sent    gone              not_attempted  active    already_gone   already_gone
"""
TABLE = [
    (words[0].replace("_", " "), words[1], after, outcome)
    for words in (line.split() for line in ROWS.strip().splitlines()[1:])
    for after, outcome in zip(("there", "active", "gone", "unseen"), words[2:], strict=True)
]


def judged(sent: str, before: Seen, after: Seen) -> JobOutcome:
    return job_outcome(JOB, SENT[sent], LOOKS[before], LOOKS[after])


@pytest.mark.parametrize(("sent", "before", "after", "outcome"), TABLE)
def test_every_combination_of_answer_and_lookups_gives_the_outcome_in_the_table(
    sent: str, before: Seen, after: Seen, outcome: str
) -> None:
    assert judged(sent, before, after).outcome.value == outcome


def test_the_table_of_outcomes_covers_every_combination() -> None:
    assert {row[:3] for row in TABLE} == set(product(SENT, LOOKS, LOOKS))


@pytest.mark.parametrize(("sent", "before", "after"), list(product(SENT, LOOKS, LOOKS)))
def test_no_job_is_reported_as_deleted_or_gone_without_proof(sent: str, before: Seen, after: Seen) -> None:
    found = judged(sent, before, after)
    if found.outcome is Outcome.DELETED:
        assert (before in ("there", "active"), after) == (True, "gone"), (
            "a deleted job was listed before, sent and gone afterwards"
        )
        assert sent in ("accepted", "5xx", "no answer")
    if found.outcome is Outcome.ALREADY_GONE:
        assert after not in ("there", "active"), "a listed job is not gone"
        assert "gone" in (before, after)
    assert found.outcome is not Outcome.ACCEPTED
    good = (Outcome.DELETED, Outcome.ALREADY_GONE, Outcome.ACTIVE)
    assert bool(found.why) is (found.outcome not in good), "every outcome that is not good has a reason"


@pytest.mark.parametrize(
    ("sent", "before", "after", "why"),
    [
        ("accepted", "there", "there", "accepted, but still listed"),
        ("accepted", "there", "by id", "accepted, but still found by its id"),
        ("accepted", "there", "doubted", "the list can’t be trusted (2 rows could not be read)"),
        ("accepted", "there", "unseen", "accepted, but the list can’t be read"),
        ("accepted", "there", "not looked", "accepted, but not read back"),
        ("accepted", "unseen", "gone", "gone now, but it was not seen before"),
        ("no answer", "there", "there", "the connection was lost"),
        ("no answer", "there", "unseen", "the connection was lost"),
        ("refused", "there", "there", "the key was refused"),
        ("not sent", "there", "unseen", "the deletion was stopped"),
    ],
)
def test_each_outcome_that_is_not_good_has_a_short_reason(sent: str, before: Seen, after: str, why: str) -> None:
    odd = {
        "by id": Observation({JOB: job(JOB)}),
        "not looked": NOTHING_OBSERVED,
        "doubted": Observation(defects=(Defect(DefectKind.UNREADABLE_ROWS, 2),)),
    }
    seen = odd.get(after) or next(look for word, look in LOOKS.items() if word == after)
    assert str(job_outcome(JOB, SENT[sent], LOOKS[before], seen).why) == why


@pytest.mark.parametrize(
    ("sent", "before", "after", "failed"),
    [
        ("accepted", "there", "gone", False),
        ("accepted", "gone", "gone", False),
        ("accepted", "there", "active", False),
        ("accepted", "there", "there", False),
        ("accepted", "there", "unseen", False),
        ("accepted", "unseen", "gone", False),
        ("no answer", "there", "gone", False),
        ("no answer", "there", "unseen", True),
        ("no answer", "unseen", "gone", True),
        ("no answer", "there", "there", True),
        ("refused", "there", "there", True),
        ("5xx", "there", "unseen", True),
        ("not sent", "there", "unseen", True),
    ],
)
def test_a_deletion_fails_if_jobs_failed_were_not_attempted_or_got_no_answer(
    sent: str, before: Seen, after: Seen, failed: bool
) -> None:
    assert DeletionResult({JOB: judged(sent, before, after)}).failed is failed


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (CloudConnectionError("connection_lost", sent=True), "no answer"),
        (CloudTimeoutError(sent=True), "no answer"),
        (CloudConnectionError("not_reached", host="cloud.comfy.org", sent=False), "refused"),
        (ServerFault(500), "5xx"),
        (ServerFault(503), "5xx"),
        (ServerFault(502), "no answer"),
        (ServerFault(504), "no answer"),
        (ServerFault(524), "no answer"),
    ],
)
def test_each_error_tells_whether_the_request_was_answered_and_may_have_worked(error: CloudError, sent: str) -> None:
    ledger = Outcomes([JOB])
    ledger.sending([JOB])
    ledger.failed([JOB], error)
    ledger.end_sending(reason(""))
    expected = SENT[sent]
    found = ledger.sent[JOB]
    assert (found.outcome, found.answered, found.may_have_worked) == (
        expected.outcome,
        expected.answered,
        expected.may_have_worked,
    )


# Whole deletions


FAULT = ServerFault(502)
FEW_AND_MANY = pytest.mark.parametrize("count", [5, 20, 21, 300])


def delete(
    client: FakeClient, count: int, *, previewed: Observation | None = None, person: Person | None = None
) -> DeletionResult:
    preview = None if previewed is None else preview_of(previewed)
    return virtual_time.run(Deletion(client, NoSafeguards()).run(ids(count), person or Person(), preview))


def sent(client: FakeClient) -> list[str]:
    return [job_id for chunk in client.deletes for job_id in chunk]


def outcomes(result: DeletionResult) -> list[str]:
    return [each.outcome.value for each in result.jobs.values()]


def whys(result: DeletionResult) -> set[str]:
    return {str(each.why) for each in result.jobs.values()}


# The lookup before the deletion


@FEW_AND_MANY
def test_without_a_preview_active_and_missing_jobs_are_reported_but_not_sent_for_deletion(count: int) -> None:
    client = FakeClient(jobs_of(ids(count)))
    client.jobs[ids(count)[0]] = job(ids(count)[0], "in_progress")
    del client.jobs[ids(count)[1]]
    result = delete(client, count)
    assert outcomes(result) == ["active", "already_gone", *["deleted"] * (count - 2)]
    assert sent(client) == ids(count)[2:]
    assert not result.failed


@FEW_AND_MANY
def test_no_request_is_sent_and_no_error_reported_if_all_jobs_are_active_or_gone(count: int) -> None:
    client = FakeClient(jobs_of(ids(2), "pending"))
    result = delete(client, count)
    assert outcomes(result) == ["active"] * 2 + ["already_gone"] * (count - 2)
    assert client.deletes == []
    assert not result.failed


def test_a_job_with_an_unknown_status_is_sent_for_deletion_and_unconfirmed_if_it_stays() -> None:
    client = FakeClient({ids(1)[0]: job(ids(1)[0], "enchanted")})
    result = delete(client, 1)
    assert sent(client) == ids(1)
    assert outcomes(result) == ["unconfirmed"]


@FEW_AND_MANY
def test_if_the_first_lookup_fails_all_jobs_are_sent_for_deletion_and_none_counts_as_deleted(count: int) -> None:
    client = FakeClient(jobs_of(ids(count)), blind=lambda sent: None if sent else FAULT)
    del client.jobs[ids(count)[1]]
    client.jobs[ids(count)[2]] = job(ids(count)[2], "in_progress")
    result = delete(client, count)
    assert sent(client) == ids(count)
    assert outcomes(result) == ["unconfirmed", "unconfirmed", "active", *["unconfirmed"] * (count - 3)]
    assert whys(result) == {"", "gone now, but it was not seen before"}
    assert result.removed == 0
    assert not result.failed


# Changes between preview and confirmation


@pytest.mark.parametrize("count", [10, 300])
def test_exactly_the_previewed_jobs_are_sent_for_deletion_whatever_changed_after_the_preview(count: int) -> None:
    previewed = Observation(jobs_of(ids(count)))
    client = FakeClient(jobs_of(ids(count + 30)))  # thirty new jobs since the preview
    del client.jobs[ids(count)[3]]  # one job vanished since the preview
    result = delete(client, count, previewed=previewed)
    assert sent(client) == ids(count)
    assert result.ids(Outcome.ALREADY_GONE) == [ids(count)[3]]
    assert result.removed == count - 1
    assert client.answered == client.deletes


def test_a_previewed_job_that_runs_again_is_sent_for_deletion_and_reported_as_active() -> None:
    client = FakeClient(jobs_of(ids(3)))
    client.jobs[ids(3)[1]] = job(ids(3)[1], "in_progress")
    result = delete(client, 3, previewed=Observation(jobs_of(ids(3))))
    assert sent(client) == ids(3)
    assert outcomes(result) == ["deleted", "active", "deleted"]


@FEW_AND_MANY
def test_jobs_count_as_deleted_if_only_the_preview_saw_them_before_their_deletion(count: int) -> None:
    client = FakeClient(jobs_of(ids(count + 1)), blind=lambda sent: None if sent else FAULT)
    result = delete(client, count, previewed=Observation(jobs_of(ids(count))))
    assert result.removed == count


# The lookups after the deletion


@FEW_AND_MANY
@pytest.mark.parametrize("lag", [0.2, 1.0, 4.0])
def test_a_deletion_waits_for_a_list_that_lags_up_to_four_seconds(lag: float, count: int) -> None:
    client = FakeClient(jobs_of(ids(count)), lag=lag)
    assert delete(client, count).removed == count


@FEW_AND_MANY
@pytest.mark.parametrize("manner", [{"lies": True}, {"lag": 3600.0}], ids=str)
def test_jobs_that_stay_listed_after_an_accepted_request_are_unconfirmed_after_five_seconds(
    count: int, manner: dict[str, float]
) -> None:
    client = FakeClient(jobs_of(ids(count)), **manner)  # type: ignore[arg-type]

    async def timed() -> DeletionResult:
        result = await Deletion(client, NoSafeguards()).run(ids(count), Person())
        assert 4.5 < virtual_time.now() < 7.0
        return result

    result = virtual_time.run(timed())
    assert outcomes(result) == ["unconfirmed"] * count
    assert whys(result) == {"accepted, but still listed"}
    assert not result.failed
    assert len(client.deletes) == -(-count // 100)


@FEW_AND_MANY
def test_jobs_are_unconfirmed_if_the_lookup_after_their_deletion_fails(count: int) -> None:
    client = FakeClient(jobs_of(ids(count)), blind=lambda sent: FAULT if sent else None)
    result = delete(client, count)
    assert outcomes(result) == ["unconfirmed"] * count
    assert whys(result) == {"accepted, but the list can’t be read"}
    assert result.errors == (FAULT,)
    assert FAULT.hint in deletion_report(result)
    assert not result.failed


@FEW_AND_MANY
def test_a_failed_lookup_keeps_the_results_of_earlier_lookups(count: int) -> None:
    class Flaky(FakeClient):
        """Half of the jobs are gone at the first lookup after the deletion. Later lookups fail."""

        looks_after = 0

    client = Flaky(jobs_of(ids(count)), lag=0.0)
    stays = ids(count)[: count // 2]
    client._leaves = dict.fromkeys(stays, 3600.0)
    deletion = Deletion(client, NoSafeguards())

    async def sleep(seconds: float) -> None:
        client.blind = lambda sent: FAULT
        await asyncio.sleep(seconds)

    deletion.sleep = sleep
    result = virtual_time.run(deletion.run(ids(count), Person()))
    assert result.removed == count - len(stays)
    assert result.ids(Outcome.UNCONFIRMED) == stays
    assert {str(result.jobs[each].why) for each in stays} == {"accepted, but still listed"}


def test_jobs_of_a_refused_request_are_looked_up_only_once() -> None:
    client = FakeClient(jobs_of(ids(5)), refuse=lambda number, chunk: Unauthorized(401))

    async def timed() -> DeletionResult:
        result = await Deletion(client, NoSafeguards()).run(ids(5), Person())
        assert virtual_time.now() < 1.0
        return result

    assert outcomes(virtual_time.run(timed())) == ["failed"] * 5


def test_a_job_missing_before_the_deletion_and_listed_afterwards_is_not_reported_as_gone() -> None:
    client = FakeClient(jobs_of(ids(3)))
    del client.jobs[ids(3)[0]]
    client.refuse = lambda number, chunk: client.jobs.update(jobs_of(ids(3)[:1], "in_progress"))
    result = delete(client, 3, previewed=Observation(jobs_of(ids(3))))
    assert outcomes(result) == ["active", "deleted", "deleted"]


# Cancelling, and a computer that was asleep


@pytest.mark.parametrize("moment", [0.05, 1.2, 1.6, 3.0])
def test_cancelling_a_deletion_at_any_moment_raises_cancelled_error_and_logs_sent_jobs(
    moment: float, caplog: pytest.LogCaptureFixture
) -> None:
    client = FakeClient(jobs_of(ids(300)), looking=0.1, seconds=1.0, lag=60.0)

    async def cancel() -> None:
        work = asyncio.ensure_future(Deletion(client, NoSafeguards()).run(ids(300), Person()))
        await asyncio.sleep(moment)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    with caplog.at_level(logging.WARNING, logger="cloud_history"):
        virtual_time.run(cancel())
    assert bool(client.deletes) is bool(caplog.records), "the log mentions the jobs that were sent"
    for record in caplog.records:
        assert "300 unconfirmed" in record.getMessage()


def test_a_deletion_still_reports_its_outcome_after_the_computer_was_asleep() -> None:
    client = FakeClient(jobs_of(ids(5)), lag=100.0)

    async def oversleep(seconds: float) -> None:
        await asyncio.sleep(3600.0 + seconds)

    deletion = Deletion(client, NoSafeguards(), sleep=oversleep)
    result = virtual_time.run(deletion.run(ids(5), Person()))
    assert outcomes(result) in (["unconfirmed"] * 5, ["deleted"] * 5)
    assert client.answered == [ids(5)]
