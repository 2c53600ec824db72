"""The table of retries, row by row, and the header Retry-After."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from cloud_history.cloud.protocol import Repeat
from cloud_history.cloud.retry import RetryPolicy, parse_retry_after
from cloud_history.errors import (
    ApiMovedOn,
    BadRequest,
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    Forbidden,
    InsufficientCredits,
    NotComfyCloud,
    NotFound,
    PlanRefused,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnreadableAnswer,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
READ, DELETE, CLEAR = Repeat.READ, Repeat.DELETE, Repeat.CLEAR
POLICY = RetryPolicy(rand=lambda: 1.0)

NEVER_ARRIVED = CloudConnectionError("not_reached", host="cloud.comfy.org", sent=False)
LOST = CloudConnectionError("connection_lost", sent=True)
SLOW = CloudTimeoutError(sent=True)
SLOW_CONNECT = CloudTimeoutError(sent=False)

# The error, and the tries after which each kind of request is retried: "-" never, "1" only after the first.
TABLE: list[tuple[CloudError, str, str, str]] = [
    #                                                read  delete clear
    (NEVER_ARRIVED, "123", "123", "123"),
    (SLOW_CONNECT, "123", "123", "123"),
    (LOST, "123", "123", "-"),
    (SLOW, "123", "123", "-"),
    (RateLimited(429, retry_after=2.0), "1234567", "1234567", "1234567"),
    (RateLimited(429), "1234567", "1234567", "-"),
    (PlanRefused(429), "-", "-", "-"),
    (PlanRefused(429, retry_after=2.0), "-", "-", "-"),
    (PlanRefused(402, retry_after=2.0), "-", "-", "-"),
    (ApiMovedOn(501), "-", "-", "-"),
    (ApiMovedOn(410, retry_after=2.0), "-", "-", "-"),
    (ServerFault(500), "123", "1", "-"),
    (ServerFault(500, retry_after=2.0), "123", "1", "-"),
    (ServerFault(502), "123", "123", "-"),
    (ServerFault(502, retry_after=2.0), "123", "123", "-"),
    (ServerFault(503), "123", "123", "-"),
    (ServerFault(503, retry_after=2.0), "123", "123", "123"),
    (ServerFault(504), "123", "123", "-"),
    (ServerFault(504, retry_after=2.0), "123", "123", "-"),
    (ServerFault(501), "-", "-", "-"),
    (ServerFault(599), "-", "-", "-"),
    (BadRequest(400), "-", "-", "-"),
    (Unauthorized(401), "-", "-", "-"),
    (InsufficientCredits(402), "-", "-", "-"),
    (Forbidden(403), "-", "-", "-"),
    (NotFound(404), "-", "-", "-"),
    (BadRequest(408), "-", "-", "-"),
    (NotComfyCloud(302), "-", "-", "-"),
    (NotComfyCloud(200), "-", "-", "-"),
    (UnreadableAnswer(200), "-", "-", "-"),
]


def retried_after(repeat: Repeat, error: CloudError) -> str:
    return "".join(str(tried) for tried in range(1, 9) if POLICY.wait(repeat, error, tried) is not None) or "-"


@pytest.mark.parametrize(
    ("error", "read", "delete", "clear"),
    TABLE,
    ids=[f"{type(e).__name__}-{i}" for i, (e, *_) in enumerate(TABLE)],
)
def test_each_error_is_retried_as_often_as_the_table_says(
    error: CloudError, read: str, delete: str, clear: str
) -> None:
    found = (retried_after(READ, error), retried_after(DELETE, error), retried_after(CLEAR, error))
    assert found == (read, delete, clear)


def test_waits_between_retries_grow_from_half_a_second_to_a_maximum() -> None:
    patient = RetryPolicy(tries=10, rand=lambda: 1.0)
    waits = [patient.wait(READ, LOST, tried) for tried in range(1, 10)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0]


def test_a_rate_limit_without_retry_after_is_never_retried_at_once_and_waits_longer_each_time() -> None:
    limited = RateLimited(429)
    longest = [POLICY.wait(READ, limited, tried) for tried in range(1, 8)]
    shortest = [RetryPolicy(rand=lambda: 0.0).wait(DELETE, limited, tried) for tried in range(1, 8)]
    assert longest == [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    assert shortest == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert sum(each for each in shortest if each is not None) > 30


@pytest.mark.parametrize(
    ("repeat", "key_worked", "wait"),
    [
        (READ, True, 0.5),
        (DELETE, True, 0.5),
        (CLEAR, True, None),
        (READ, False, None),
        (DELETE, False, None),
        (CLEAR, False, None),
    ],
)
def test_a_401_is_retried_once_if_the_key_worked_before_and_the_request_is_not_a_clear(
    repeat: Repeat, key_worked: bool, wait: float | None
) -> None:
    assert POLICY.wait(repeat, Unauthorized(401), 1, key_worked=key_worked) == wait


@pytest.mark.parametrize("error", [Forbidden(403), PlanRefused(402), BadRequest(400), ApiMovedOn(410)])
def test_refusals_other_than_401_are_not_retried_even_if_the_key_worked_before(error: CloudError) -> None:
    assert POLICY.wait(READ, error, 1, key_worked=True) is None


def test_each_wait_is_random_between_zero_and_its_maximum() -> None:
    assert RetryPolicy(rand=lambda: 0.0).wait(READ, LOST, 3) == 0.0
    assert RetryPolicy(rand=lambda: 0.25).wait(READ, LOST, 3) == 0.5
    assert len({RetryPolicy().wait(READ, LOST, 3) for _ in range(20)}) > 1


@pytest.mark.parametrize("repeat", [READ, DELETE, CLEAR])
@pytest.mark.parametrize("error", [RateLimited(429, retry_after=60.0), ServerFault(503, retry_after=60.0)])
def test_retry_after_is_waited_exactly_up_to_a_minute(repeat: Repeat, error: CloudError) -> None:
    assert POLICY.wait(repeat, error, 1) == 60.0


@pytest.mark.parametrize("repeat", [READ, DELETE, CLEAR])
@pytest.mark.parametrize("seconds", [60.5, 61.0, 86_400.0])
def test_the_client_does_not_wait_for_a_retry_after_of_more_than_a_minute(repeat: Repeat, seconds: float) -> None:
    assert POLICY.wait(repeat, RateLimited(429, retry_after=seconds), 1) is None
    assert POLICY.wait(repeat, ServerFault(503, retry_after=seconds), 1) is None


@pytest.mark.parametrize(("value", "seconds"), [("0", 0.0), ("1", 1.0), (" 120 ", 120.0), ("007", 7.0)])
def test_retry_after_in_seconds_is_read(value: str, seconds: float) -> None:
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Sun, 01 Mar 2026 12:00:20 GMT", 20.0),
        ("Sun, 01 Mar 2026 12:00:20 -0000", 20.0),
        ("Sun, 01 Mar 2026 13:00:20 +0100", 20.0),
        ("Sunday, 01-Mar-26 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0.0),
    ],
)
def test_retry_after_as_an_http_date_is_read(value: str, seconds: float) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_the_date_in_retry_after_gives_the_seconds_from_now() -> None:
    value = "Sun, 01 Mar 2026 12:00:20 GMT"
    assert parse_retry_after(value, NOW + timedelta(seconds=5)) == 15.0


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        "soon",
        "-1",
        "1.5",
        "١٢",
        "1e3",
        "0x10",
        "32 Foo 2026",
        "Sun, 99 Mar 2026 99:00:00 GMT",
    ],
)
def test_an_invalid_retry_after_is_ignored(value: str | None) -> None:
    assert parse_retry_after(value, NOW) is None


def test_a_huge_retry_after_is_a_finite_number() -> None:
    found = parse_retry_after("9" * 12, NOW)
    assert found is not None
    assert found > 60.0
