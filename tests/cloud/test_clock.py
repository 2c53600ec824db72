"""A local clock that is wrong by five minutes is reported. One that is wrong by a day stops age rules."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from cloud_history.cloud.clock import CloudClock
from cloud_history.errors import ClockWrong

NOON = datetime(2026, 1, 31, 12, 0, 30, 400_000, timezone.utc)
SECOND = timedelta(seconds=1)


def clock(ahead: timedelta, *, took: timedelta = 2 * SECOND, at: timedelta = SECOND) -> CloudClock:
    """Return a clock that is `ahead` of one Date header, which it recorded from a request of length `took`."""
    found = CloudClock(lambda: NOON + ahead)
    theirs = format_datetime(NOON + at, usegmt=True)
    found.record_date(theirs, NOON + ahead, NOON + ahead + took)
    return found


@pytest.mark.parametrize("took", [SECOND / 10, 30 * SECOND, timedelta(minutes=20)])
@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_a_correct_clock_is_accepted_however_long_an_answer_takes(took: timedelta, at: float) -> None:
    found = clock(timedelta(0), took=took, at=at * took)
    assert found.warning == ""
    assert abs(found.ahead) <= SECOND
    found.check()


@pytest.mark.parametrize(
    ("ahead", "warning"),
    [
        (timedelta(minutes=4), ""),
        (timedelta(minutes=-4), ""),
        (timedelta(minutes=12, seconds=5), "12 minutes ahead of"),
        (timedelta(minutes=-12, seconds=-5), "12 minutes behind"),
        (timedelta(hours=5, minutes=1), "5 hours ahead of"),
        (timedelta(days=10, minutes=1), "10 days ahead of"),
    ],
    ids=str,
)
def test_a_clock_error_of_more_than_five_minutes_is_reported(ahead: timedelta, warning: str) -> None:
    expected = (
        f"This machine’s clock is {warning} Comfy Cloud’s: rules about the age of jobs may delete the wrong jobs."
        if warning
        else ""
    )
    assert clock(ahead).warning == expected


@pytest.mark.parametrize("days", [10, -10])
def test_a_clock_error_of_more_than_a_day_stops_age_rules_and_names_both_times(days: int) -> None:
    with pytest.raises(ClockWrong) as refused:
        clock(timedelta(days=days)).check()
    ours = NOON + timedelta(days=days)
    assert f"{ours:%Y-%m-%d} 12:00 UTC, Comfy Cloud’s 2026-01-31 12:00 UTC" in str(refused.value)
    assert "Set this machine’s clock" in refused.value.hint


def test_a_clock_error_of_up_to_a_day_allows_age_rules() -> None:
    clock(timedelta(hours=23)).check()
    clock(timedelta(hours=-23)).check()


def test_the_clock_error_is_taken_from_the_last_answer() -> None:
    found = clock(timedelta(days=10))
    found.record_date(format_datetime(NOON, usegmt=True), NOON, NOON + SECOND)
    found.check()
    assert found.warning == ""


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "0"])
def test_an_invalid_date_header_is_ignored(date: str | None) -> None:
    found = clock(timedelta(days=10))
    before = found.ahead
    found.record_date(date, NOON, NOON)
    assert found.ahead == before


def test_a_clock_error_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    found = CloudClock(lambda: NOON)
    with caplog.at_level(logging.WARNING, "cloud_history"):
        for _ in range(3):
            found.record_date(format_datetime(NOON - timedelta(hours=5), usegmt=True), NOON, NOON)
    assert caplog.text.count("This machine’s clock is 5 hours ahead of") == 1
