"""What the nodes report is what the books of the cloud say, whatever happens on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import error_response

pytestmark = pytest.mark.usefixtures("connected", "at_once")

HISTORY, LIST = ("POST", "/api/history"), ("GET", "/api/jobs")
LOOKS = 6
"""At most so many looks after sending: one, and five again."""


@pytest.fixture
def delete(pack: Any) -> Callable[..., Any]:
    """Runs Delete Cloud Jobs, and gives its report and its number."""

    async def run(job_ids: list[str]) -> tuple[str, int]:
        node = pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]()
        _, report, deleted = (await node.run(job_ids=job_ids, dry_run=[False]))["result"]
        return report, deleted

    return run


@pytest.fixture
def listing(pack: Any) -> Callable[..., Any]:
    """Runs List Cloud Jobs, and gives its ids."""

    async def run(status: str) -> list[str]:
        node = pack.NODE_CLASS_MAPPINGS["CloudHistoryListJobs"]()
        made = await node.run(status=[status], older_than=[""], workflow_id=[""], limit=[0])
        ids: list[str] = made["result"][1]
        return ids

    return run


@pytest.fixture
def errors(pack_module: Any) -> Any:
    return pack_module("cloud_history.errors")


def some(cloud: SimulatedCloud, count: int) -> list[str]:
    """So many finished jobs; more than twenty are looked at by reading the list."""
    for _ in range(count - len(cloud.finished)):
        cloud.add_job("completed")
    return [job.id for job in cloud.finished[:count]]


def sent(cloud: SimulatedCloud) -> list[str]:
    return [job_id for body in cloud.history_posts for job_id in body["delete"]]


def gone(cloud: SimulatedCloud) -> set[str]:
    return {job.id for job in cloud.deleted}


def words(report: str) -> dict[str, list[str]]:
    """The ids under each line of a report: "25 unconfirmed: why" gives "unconfirmed: why"."""
    found: dict[str, list[str]] = {}
    word = ""
    for line in report.splitlines()[1:]:
        if line.startswith("  "):
            found[word].append(line.strip())
        elif match := re.fullmatch(r"([0-9,]+) ([a-z].*)", line):
            word = match[2]
            found[word] = []
    return found


def by_listings(cloud: SimulatedCloud, lag: float) -> None:
    """A cloud whose clock counts listings: removed jobs show in so many more of them."""
    cloud.clock = lambda: float(len(cloud.requests_to(*LIST)))
    cloud.switches.lag = lag


async def test_a_list_that_lags_is_looked_at_again_until_the_jobs_are_gone(
    cloud: SimulatedCloud, delete: Callable[..., Any]
) -> None:
    by_listings(cloud, LOOKS)
    job_ids = some(cloud, 25)
    assert await delete(job_ids) == ("25 jobs removed from your cloud history. Assets stay.", 25)
    assert gone(cloud) == set(job_ids)
    assert len(cloud.history_posts) == 1
    assert len(cloud.requests_to(*LIST)) == 1 + LOOKS + 1, "and whether the list ends there"


async def test_a_list_that_lags_too_long_leaves_it_unconfirmed_which_is_no_error(
    cloud: SimulatedCloud, delete: Callable[..., Any]
) -> None:
    by_listings(cloud, LOOKS + 1)
    job_ids = some(cloud, 25)
    report, deleted = await delete(job_ids)
    assert deleted == 0
    assert words(report) == {"unconfirmed: accepted, but still listed": job_ids}
    assert (len(cloud.history_posts), len(cloud.requests_to(*LIST))) == (1, 1 + LOOKS)


@pytest.mark.parametrize("count", [1, 20, 21, 150])
async def test_a_cloud_that_lies_is_not_believed(
    cloud: SimulatedCloud, delete: Callable[..., Any], count: int
) -> None:
    cloud.switches.lies = True
    job_ids = some(cloud, count)
    report, deleted = await delete(job_ids)
    assert (deleted, gone(cloud)) == (0, set())
    assert sorted(sent(cloud)) == sorted(job_ids)
    assert report.startswith(f"No job is known to have been removed (0 of {count}).")
    assert words(report) == {"unconfirmed: accepted, but still listed": job_ids}


@pytest.mark.parametrize("acted", [False, True], ids=["refused", "done all the same"])
@pytest.mark.parametrize("status", [400, 500])
async def test_when_half_of_the_chunks_fail_each_job_has_its_own_word(
    cloud: SimulatedCloud, delete: Callable[..., Any], errors: Any, status: int, acted: bool
) -> None:
    job_ids = some(cloud, 400)
    half = set(job_ids[100:200]) | set(job_ids[300:400])
    cloud.faults.append(
        Fault.shaped(
            HISTORY,
            error_response(status, "no", "no"),
            times=None,
            acted=acted,
            predicate=lambda body: bool(half & set(body["delete"])),
        )
    )
    if acted:
        report, deleted = await delete(job_ids)
        assert gone(cloud) == set(job_ids)
        # A fault may come after the work. Refused and gone all the same is somebody else's doing.
        assert deleted == (400 if status == 500 else 200)
        assert {job_id for ids in words(report).values() for job_id in ids} == (
            half if status == 400 else set()
        )
        assert ("already gone" in words(report)) is (status == 400)
        return
    with pytest.raises(errors.Incomplete) as ended:
        await delete(job_ids)
    report = str(ended.value)
    assert report.startswith("200 of 400 jobs removed. Assets stay.\n200 removed\n")
    ((word, ids),) = [(word, ids) for word, ids in words(report).items() if ids]
    assert word.startswith("not removed: ")
    assert set(ids) == half
    assert gone(cloud) == set(job_ids) - half


@pytest.mark.parametrize(("count", "looks_before"), [(3, 4), (50, 1)])
async def test_a_list_that_fails_after_deleting_leaves_it_unconfirmed_and_no_failure(
    cloud: SimulatedCloud, delete: Callable[..., Any], count: int, looks_before: int
) -> None:
    job_ids = some(cloud, count)
    cloud.faults.append(Fault.shaped(LIST, error_response(500, "no", "no"), after=looks_before, times=None))
    report, deleted = await delete(job_ids)
    assert (deleted, gone(cloud)) == (0, set(job_ids))
    ((word, ids),) = words(report).items()
    assert word.startswith("unconfirmed: accepted, but ")
    assert ids == job_ids
    assert "server error" in report or "Comfy Cloud has a problem" in report or "few minutes" in report
    assert len(cloud.history_posts) == 1


@pytest.mark.parametrize("count", [3, 50])
async def test_without_a_look_beforehand_the_given_ids_are_sent_and_nothing_is_claimed(
    cloud: SimulatedCloud, delete: Callable[..., Any], count: int
) -> None:
    job_ids = some(cloud, count)
    # The list and all that is asked for by id, as often as a read is tried.
    tries = 4 * (1 + min(count, 5))
    cloud.faults.append(Fault.shaped(LIST, error_response(500, "no", "no"), times=tries))
    report, deleted = await delete(job_ids)
    assert (sent(cloud), gone(cloud)) == (job_ids, set(job_ids))
    assert deleted == 0
    assert words(report) == {"unconfirmed: gone now, but it was not seen before": job_ids}


async def test_a_server_that_answers_404_to_everything_proves_nothing_gone(
    cloud: SimulatedCloud, delete: Callable[..., Any]
) -> None:
    cloud.switches.has_jobs_route = False
    cloud.switches.lies = True
    job_ids = some(cloud, 3)
    report, deleted = await delete(job_ids)
    assert (deleted, sent(cloud)) == (0, job_ids)
    assert "already gone" not in report
    assert next(iter(words(report))).startswith("unconfirmed: ")


@pytest.mark.parametrize("few", [True, False], ids=["one by one", "by list"])
async def test_what_happens_between_listing_and_deleting_changes_no_other_job(
    cloud: SimulatedCloud, delete: Callable[..., Any], listing: Callable[..., Any], few: bool
) -> None:
    running, pending = cloud.listed("in_progress")[0].id, cloud.listed("pending")[0].id
    given = [*(await listing("failed"))[: 10 if few else None], running, pending]
    assert (len(given) <= 20) is few
    vanished = given[3]
    cloud.account.delete([vanished], cloud.clock())
    cloud.finish(running, "failed")
    arrived = {cloud.add_job("failed").id for _ in range(30)}

    report, deleted = await delete(given)
    exactly = [job_id for job_id in given if job_id not in (vanished, pending)]
    assert sent(cloud) == exactly
    assert gone(cloud) == {*exactly, vanished}
    assert deleted == len(exactly)
    assert arrived <= {job.id for job in cloud.finished}
    assert words(report) == {"removed": [], "already gone": [vanished], "active, left alone": [pending]}


@pytest.mark.parametrize("count", [5, 30])
async def test_what_happens_between_the_look_and_the_request_is_told_truly(
    cloud: SimulatedCloud, delete: Callable[..., Any], count: int
) -> None:
    running = cloud.listed("in_progress")[0].id
    job_ids = some(cloud, count)
    arrived: set[str] = set()

    def meanwhile(body: Any) -> bool:
        cloud.finish(running, "completed")
        arrived.update(cloud.add_job("failed").id for _ in range(30))
        return False

    cloud.faults.append(Fault(HISTORY, "empty", predicate=meanwhile))
    report, deleted = await delete([*job_ids, running])
    assert len(arrived) == 30
    assert (sent(cloud), gone(cloud), deleted) == (job_ids, set(job_ids), count)
    assert words(report) == {"removed": [], "active, left alone": [running]}


@pytest.mark.parametrize(
    "switches",
    [
        {"cursor": True}, {"total": "zero"}, {"total": "absent"}, {"cursor": True, "total": "zero"},
        {"raw_states": True}, {"time_unit": "s"}, {"ignores_status_filter": True},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("count", [5, 1200])
async def test_every_kind_of_cloud_is_read_right(
    cloud: SimulatedCloud, delete: Callable[..., Any], switches: dict[str, Any], count: int
) -> None:
    for name, value in switches.items():
        setattr(cloud.switches, name, value)
    job_ids, active = some(cloud, count), cloud.active[0].id
    report, deleted = await delete([*job_ids, active])
    assert (sorted(sent(cloud)), gone(cloud), deleted) == (sorted(job_ids), set(job_ids), count)
    assert words(report) == {"removed": [], "active, left alone": [active]}
