"""A duration text is read as a time or raises an error, and never means all jobs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.errors import InputRefused
from cloud_history.retention.durations import cutoff
from cloud_history.secret import Secret
from support.examples import examples
from support.fake_history_client import NOON

quickly = examples(300)
KEY = "comfyui-unit-durations-0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        (" 30 D\n", timedelta(days=30)),
        ("1W", timedelta(weeks=1)),
        ("007d", timedelta(days=7)),
    ],
)
def test_hours_days_and_weeks_are_counted_back_from_now(text: str, ago: timedelta) -> None:
    assert cutoff(text, NOON) == NOON - ago


def test_a_date_means_midnight_at_its_start_in_utc() -> None:
    assert cutoff(" 2024-02-29 ", NOON) == datetime(2024, 2, 29, tzinfo=timezone.utc)


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_a_blank_duration_means_no_limit(blank: str) -> None:
    assert cutoff(blank, NOON) is None


WRONG = """30 | d | 30m | 30y | 30days | -30d | +30d | 3.5d | 1e3d | 30d12h | 30 d ago | 0x10d | d30 | everything | all
    2026-02-30 | 2025-13-01 | 2025-00-10 | 0000-01-01 | 25-01-01 | 2025-1-1 | 2025/01/01 | 01-31-2025 | 2025-01
    2025-01-01T00:00:00Z | 20250101 | 1764590400 | 999999w | 1234567h | ٣٠d | ３０d | nan | None | null | 30d; 2w"""


@pytest.mark.parametrize("text", [each.strip() for each in WRONG.replace("\n", "|").split("|")])
def test_an_invalid_time_is_an_error_that_quotes_it(text: str) -> None:
    with pytest.raises(InputRefused) as caught:
        cutoff(text, NOON)
    assert text.encode("unicode_escape").decode()[:40] in caught.value.message
    assert "30d" in caught.value.hint


@quickly
@given(st.text(max_size=12) | st.from_regex(r"[0-9]{1,8} ?[hdwHDW]?", fullmatch=True))
def test_every_duration_text_is_blank_or_a_past_time_or_an_error(text: str) -> None:
    try:
        found = cutoff(text, NOON)
    except InputRefused:
        return
    assert (found is None) is (not text.strip())
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("before", ["", "x" * 20, "x" * 38])
def test_an_api_key_pasted_as_a_duration_is_not_shown_in_the_error(before: str) -> None:
    for key in (KEY, "comfyui-never-seen-by-this-process"):
        with pytest.raises(InputRefused) as caught:
            cutoff(before + key, NOON)
        assert "comfyui-unit" not in str(caught.value)
        assert "comfyui-never" not in str(caught.value)
        assert "hidden" in caught.value.message
    Secret("odd-secret-0123456789abcdef")
    with pytest.raises(InputRefused) as caught:
        cutoff(before + "odd-secret-0123456789abcdef", NOON)
    assert "odd-sec" not in str(caught.value)
