"""What became of a job: every combination of what was seen before, what was sent, and what was seen afterwards."""

from __future__ import annotations

from itertools import product
from typing import Literal

import pytest

from cloud_history.cloud.evidence import Doubt, ProvenAbsent, Reason
from cloud_history.cloud.lookup import UNSEEN, Observation
from cloud_history.deletion.outcomes import DeletionResult, JobOutcome, Outcome, Outcomes, verdict
from cloud_history.errors import CloudConnectionError, CloudError, CloudTimeoutError, ServerFault
from support.fake_history_client import ids, job

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
    "refused": JobOutcome(Outcome.FAILED, "the key was refused"),
    "5xx": JobOutcome(Outcome.FAILED, "server error (500)", may_have_worked=True),
    "no answer": JobOutcome(
        Outcome.UNCONFIRMED, "the connection was lost", answered=False, may_have_worked=True
    ),
    "not sent": JobOutcome(Outcome.NOT_ATTEMPTED, "you stopped it"),
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
    return verdict(JOB, SENT[sent], LOOKS[before], LOOKS[after])


@pytest.mark.parametrize(("sent", "before", "after", "outcome"), TABLE)
def test_every_combination_has_its_outcome(sent: str, before: Seen, after: Seen, outcome: str) -> None:
    assert judged(sent, before, after).outcome.value == outcome


def test_the_table_is_whole() -> None:
    assert {row[:3] for row in TABLE} == set(product(SENT, LOOKS, LOOKS))


@pytest.mark.parametrize(("sent", "before", "after"), list(product(SENT, LOOKS, LOOKS)))
def test_what_holds_of_every_verdict(sent: str, before: Seen, after: Seen) -> None:
    found = judged(sent, before, after)
    if found.outcome is Outcome.DELETED:
        assert (before in ("there", "active"), after) == (True, "gone"), (
            "it was there, it was sent, it is gone"
        )
        assert sent in ("accepted", "5xx", "no answer")
    if found.outcome is Outcome.ALREADY_GONE:
        assert after not in ("there", "active"), "what is listed is not gone"
        assert "gone" in (before, after)
    assert found.outcome is not Outcome.ACCEPTED
    good = (Outcome.DELETED, Outcome.ALREADY_GONE, Outcome.ACTIVE)
    assert bool(found.why) is (found.outcome not in good), "what is not well says why"


@pytest.mark.parametrize(
    ("sent", "before", "after", "why"),
    [
        ("accepted", "there", "there", "accepted, but still listed"),
        ("accepted", "there", "by id", "accepted, but still found by its id"),
        ("accepted", "there", "doubted", "the list can’t be trusted (2 rows could not be read)"),
        ("accepted", "there", "unseen", "accepted, but the list can’t be read"),
        ("accepted", "unseen", "gone", "gone now, but it was not seen before"),
        ("no answer", "there", "there", "the connection was lost"),
        ("no answer", "there", "unseen", "the connection was lost"),
        ("refused", "there", "there", "the key was refused"),
        ("not sent", "there", "unseen", "you stopped it"),
    ],
)
def test_why_is_said_in_a_few_words(sent: str, before: Seen, after: str, why: str) -> None:
    odd = {
        "by id": Observation({JOB: job(JOB)}),
        "doubted": Observation(reasons=(Reason(Doubt.UNREADABLE_ROWS, 2),)),
    }
    seen = odd.get(after) or next(look for word, look in LOOKS.items() if word == after)
    assert verdict(JOB, SENT[sent], LOOKS[before], seen).why == why


def test_when_nobody_has_looked_it_does_not_say_that_the_list_could_not_be_read() -> None:
    found = verdict(JOB, SENT["accepted"], LOOKS["there"], UNSEEN)
    assert (found.outcome, found.why) == (Outcome.UNCONFIRMED, "accepted, but not read back")


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
def test_a_node_ends_in_an_error_for_failed_not_attempted_and_unconfirmed_without_an_answer(
    sent: str, before: Seen, after: Seen, failed: bool
) -> None:
    assert DeletionResult({JOB: judged(sent, before, after)}).failed is failed


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (CloudConnectionError("lost", sent=True), "no answer"),
        (CloudTimeoutError("slow", sent=True), "no answer"),
        (CloudConnectionError("no way", sent=False), "refused"),
        (ServerFault(500), "5xx"),
        (ServerFault(503), "5xx"),
        (ServerFault(502), "no answer"),
        (ServerFault(504), "no answer"),
        (ServerFault(524), "no answer"),
    ],
)
def test_how_sending_ended_is_read_from_its_error(error: CloudError, sent: str) -> None:
    ledger = Outcomes([JOB])
    ledger.sending([JOB])
    ledger.failed([JOB], error)
    ledger.end_sending("")
    expected = SENT[sent]
    found = ledger.sent[JOB]
    assert (found.outcome, found.answered, found.may_have_worked) == (
        expected.outcome,
        expected.answered,
        expected.may_have_worked,
    )
