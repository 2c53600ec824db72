"""Tokens of previews are unguessable and valid once, for five minutes, for one key and one server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cloud_history.cloud.evidence import ProvenAbsent
from cloud_history.config import read_base_url
from cloud_history.deletion.preview import (
    MAX_KEPT_JOBS,
    MAX_PREVIEWS,
    VALID_SECONDS,
    ClearPreview,
    DeletionPreview,
    Preview,
    Previews,
    preview_jobs,
)
from cloud_history.deletion.thresholds import LARGE_SHARE, MANY_FINAL_JOBS, MANY_JOBS
from cloud_history.errors import PreviewExpired
from cloud_history.jobs.filters import ProtectedJobs
from cloud_history.secret import Secret
from cloud_history.state.credentials import ApiKey, Connection, Source
from support.fake_history_client import NOON, counts_of, ids, job

COUNTS = ClearPreview(counts_of(1, 2, 3, active=4))
JOB = job(ids(1)[0])
GONE = frozenset(map(ProvenAbsent, ids(207)[200:]))


def connection(
    key: str = "comfyui-0123456789abcdef", url: str = "https://a.example", source: Source = "saved"
) -> Connection:
    return Connection(read_base_url({"COMFY_CLOUD_BASE_URL": url}), ApiKey(Secret(key), source))


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def previews(clock: Clock) -> Previews[Preview]:
    return Previews(clock)


def test_redeeming_a_preview_token_returns_the_preview(previews: Previews[Preview]) -> None:
    token = previews.keep(COUNTS, connection()).token
    assert previews.redeem(token, connection()).preview is COUNTS


def test_a_preview_token_works_only_once(previews: Previews[Preview]) -> None:
    token = previews.keep(COUNTS, connection()).token
    previews.redeem(token, connection())
    with pytest.raises(PreviewExpired):
        previews.redeem(token, connection())


@pytest.mark.parametrize("age", [0.0, 1.0, 299.999])
def test_a_preview_token_is_valid_for_five_minutes(previews: Previews[Preview], clock: Clock, age: float) -> None:
    token = previews.keep(COUNTS, connection()).token
    clock.seconds += age
    assert previews.redeem(token, connection()).preview is COUNTS


@pytest.mark.parametrize("age", [300.0, 300.001, 1e9])
def test_a_preview_token_older_than_five_minutes_is_refused(
    previews: Previews[Preview], clock: Clock, age: float
) -> None:
    token = previews.keep(COUNTS, connection()).token
    clock.seconds += age
    with pytest.raises(PreviewExpired):
        previews.redeem(token, connection())
    assert VALID_SECONDS == 300


@pytest.mark.parametrize(
    "other",
    [
        connection(key="comfyui-fedcba9876543210"),
        connection(url="https://b.example"),
        connection(url="https://a.example:8443"),
        connection(url="https://a.example/staging"),
        connection(source="env"),
    ],
    ids=["key", "server", "port", "path", "source"],
)
def test_a_preview_token_redeemed_with_another_key_or_server_is_refused_and_used_up(
    previews: Previews[Preview], other: Connection
) -> None:
    token = previews.keep(COUNTS, connection()).token
    with pytest.raises(PreviewExpired):
        previews.redeem(token, other)
    with pytest.raises(PreviewExpired):
        previews.redeem(token, connection())


@pytest.mark.parametrize("token", ["", "x", "None", "0" * 43])
def test_an_unknown_preview_token_is_refused(previews: Previews[Preview], token: str) -> None:
    previews.keep(COUNTS, connection())
    with pytest.raises(PreviewExpired):
        previews.redeem(token, connection())


def test_redeeming_one_preview_token_leaves_other_tokens_valid(previews: Previews[Preview]) -> None:
    first, second = (previews.keep(COUNTS, connection()).token for _ in range(2))
    previews.redeem(first, connection())
    assert previews.redeem(second, connection()).preview is COUNTS


def test_preview_tokens_are_long_and_unique(previews: Previews[Preview]) -> None:
    tokens = {previews.keep(COUNTS, connection()).token for _ in range(MAX_PREVIEWS)}
    assert len(tokens) == MAX_PREVIEWS
    assert min(map(len, tokens)) >= 43


def test_only_a_limited_number_of_the_latest_previews_is_kept(previews: Previews[Preview]) -> None:
    tokens = [previews.keep(COUNTS, connection()).token for _ in range(MAX_PREVIEWS + 1)]
    with pytest.raises(PreviewExpired):
        previews.redeem(tokens[0], connection())
    assert previews.redeem(tokens[1], connection()).preview is COUNTS
    assert previews.redeem(tokens[-1], connection()).preview is COUNTS


def of_jobs(count: int) -> DeletionPreview:
    """Return a preview that takes as much memory as one of `count` jobs."""
    return DeletionPreview([JOB] * (count // 2), {}, [JOB] * (count - count // 2))


def test_a_new_large_preview_replaces_older_ones_and_the_newest_is_always_kept(previews: Previews[Preview]) -> None:
    here, half = connection(), MAX_KEPT_JOBS // 2
    first, second, third = (previews.keep(of_jobs(half - 1), here).token for _ in range(3))
    with pytest.raises(PreviewExpired):
        previews.redeem(first, here)
    assert previews.redeem(second, here).preview.size == (half - 1) // 2
    largest = previews.keep(of_jobs(3 * MAX_KEPT_JOBS), here).token
    with pytest.raises(PreviewExpired):
        previews.redeem(third, here)
    small = previews.keep(COUNTS, here).token
    with pytest.raises(PreviewExpired):
        previews.redeem(largest, here)
    assert previews.redeem(small, here).preview is COUNTS


def test_ids_of_missing_jobs_count_towards_the_memory_limit_of_previews(previews: Previews[Preview]) -> None:
    here = connection()
    gone = frozenset(ProvenAbsent(str(number)) for number in range(MAX_KEPT_JOBS))
    first = previews.keep(DeletionPreview([], {}, (), gone), here).token
    previews.keep(of_jobs(2), here)
    with pytest.raises(PreviewExpired):
        previews.redeem(first, here)


def test_expired_previews_are_dropped_before_valid_ones(previews: Previews[Preview], clock: Clock) -> None:
    for _ in range(MAX_PREVIEWS - 1):
        previews.keep(COUNTS, connection())
    clock.seconds += 299
    good = previews.keep(COUNTS, connection()).token
    clock.seconds += 1
    for _ in range(MAX_PREVIEWS - 1):
        previews.keep(COUNTS, connection())
    assert previews.redeem(good, connection()).preview is COUNTS


def test_a_preview_offers_only_finished_jobs_for_deletion_and_counts_all_other_jobs() -> None:
    words = ("completed", "pending", "failed", "enchanted", "in_progress", "cancelled")
    selected = [job(job_id, word) for job_id, word in zip(ids(6), words, strict=True)]
    preview = preview_jobs(selected, GONE)
    assert preview.job_ids == [ids(6)[at] for at in (0, 2, 5)]
    assert preview.skipped == {"active": 2, "unknown": 1, "already_gone": 7, "protected": 0}
    assert set(preview.observation.there) == set(ids(6))
    assert preview.observation.gone == GONE


def test_a_preview_counts_protected_jobs_and_does_not_offer_them_for_deletion() -> None:
    selected = [job(job_id, word) for job_id, word in zip(ids(3), ("completed", "failed", "pending"), strict=True)]
    preview = preview_jobs(selected, protected=ProtectedJobs(frozenset(ids(3)[1:])))
    assert preview.job_ids == ids(1)
    assert preview.skipped == {"active": 1, "unknown": 0, "already_gone": 0, "protected": 1}


def test_the_size_of_a_preview_is_the_number_of_jobs_that_would_be_deleted() -> None:
    assert COUNTS.size == 6
    assert DeletionPreview([job(each) for each in ids(3)]).size == 3


def test_no_preview_contains_the_api_key() -> None:
    assert "0123456789" not in repr(connection())


def test_a_preview_says_how_long_its_jobs_ran_and_of_how_many_that_is_known() -> None:
    one, two, three = (job(each) for each in ids(3))
    ran = [each._replace(started_at=NOON, finished_at=NOON + timedelta(seconds=90)) for each in (one, two)]
    payload = preview_jobs([*ran, three]).payload()
    assert (payload["took"], payload["timed"], payload["removable"]) == (180_000, 2, 3)
    assert preview_jobs([three]).payload()["took"] is None


def test_each_preview_says_from_where_on_the_browser_asks_once_more() -> None:
    for preview in (COUNTS, preview_jobs([JOB])):
        payload = preview.payload()
        assert (payload["large_share"], payload["many_jobs"]) == (LARGE_SHARE, MANY_JOBS)
        assert payload["many_final_jobs"] == MANY_FINAL_JOBS
