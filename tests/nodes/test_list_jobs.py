"""The node List Cloud Jobs, against a simulated Comfy Cloud."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from simulated_cloud import ACTIVE, STATUSES, Fault, SimulatedCloud
from simulated_cloud.error_shapes import error_response
from simulated_cloud.jobs import SimulatedJob

pytestmark = pytest.mark.usefixtures("connected", "at_once")

LIST = ("GET", "/api/jobs")
DAY = 24 * 3600 * 1000
WORDS: dict[str, tuple[str, ...]] = {
    "finished": ("completed", "failed", "cancelled"),
    "completed": ("completed",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
    "active": ACTIVE,
    "any": STATUSES,
}
Listed = Callable[..., Any]


@pytest.fixture
def node(pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryListJobs"]()


@pytest.fixture
def listed(node: Any) -> Listed:
    """Return a function that runs the node with a list on each input and returns its outputs."""

    async def run(status: str = "any", older_than: str = "", workflow_id: str = "", limit: int = 0, **more: Any) -> Any:
        given = {"older_than": [older_than], "workflow_id": [workflow_id], "limit": [limit]}
        return (await node.run(status=[status], **given, **more))["result"]

    return run


def newest_first(jobs: list[SimulatedJob]) -> list[str]:
    return [job.id for job in sorted(jobs, key=lambda job: job.create_time, reverse=True)]


def aged(cloud: SimulatedCloud, milliseconds: int, status: str = "failed") -> str:
    """Add a job that is one minute older than `milliseconds`. Return its id."""
    return cloud.add_job(status, create_time=int(time.time() * 1000) - milliseconds - 60_000).id


def test_the_order_types_and_defaults_of_the_inputs_never_change(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    assert list(inputs) == ["required", "optional"]
    assert list(inputs["required"]) == ["status", "older_than", "workflow_id", "limit"]
    assert list(inputs["optional"]) == ["after"]
    words, options = inputs["required"]["status"]
    assert (words, options["default"]) == (list(WORDS), "finished")
    for name in ("older_than", "workflow_id"):
        kind, options = inputs["required"][name]
        assert (kind, options["default"]) == ("STRING", "")
    kind, options = inputs["required"]["limit"]
    assert (kind, options["default"], options["min"]) == ("INT", 0, 0)


def test_the_outputs_of_the_node_never_change(node: Any) -> None:
    assert node.RETURN_NAMES == ("after", "job_ids", "report", "count")
    assert node.RETURN_TYPES == ("*", "STRING", "STRING", "INT")
    assert node.OUTPUT_IS_LIST == (True, True, False, False)


@pytest.mark.parametrize("word", WORDS)
async def test_each_status_filter_lists_exactly_the_matching_jobs_newest_first(
    cloud: SimulatedCloud, listed: Listed, word: str
) -> None:
    wanted = newest_first(cloud.listed(WORDS[word]))
    after, job_ids, report, count = await listed(word)
    assert wanted
    assert (after, job_ids, count) == ([None], wanted, len(wanted))
    assert report.splitlines()[1:] == [f"  {job_id}" for job_id in wanted]


async def test_the_report_of_the_list_node_counts_jobs_by_status_and_is_shown(node: Any, cloud: SimulatedCloud) -> None:
    made = await node.run(status=["failed"], older_than=[""], workflow_id=[""], limit=[2], after=["x", 1])
    after, job_ids, report, count = made["result"]
    failed = newest_first(cloud.listed("failed"))
    assert made["ui"] == {"text": [report]}
    assert (after, job_ids, count) == (["x", 1], failed[:2], 2)
    assert report == "\n".join(
        [
            f"2 jobs of {len(failed)} found: 2 failed. Nothing was changed.",
            *(f"  {job_id}" for job_id in failed[:2]),
        ]
    )


async def test_the_list_node_sends_only_read_requests(cloud: SimulatedCloud, listed: Listed) -> None:
    before = [(job.id, job.status, job.deleted) for job in cloud.jobs.values()]
    assert (await listed("any"))[3] == len(before)
    assert {request.method for request in cloud.requests} == {"GET"}
    assert [(job.id, job.status, job.deleted) for job in cloud.jobs.values()] == before


async def test_older_than_lists_only_older_jobs(cloud: SimulatedCloud, listed: Listed) -> None:
    old, young = aged(cloud, 30 * DAY), aged(cloud, 30 * DAY - 120_000)
    found = (await listed("any", "30d"))[1]
    edge = time.time() * 1000 - 30 * DAY
    assert set(found) == {job.id for job in cloud.jobs.values() if job.create_time < edge}
    assert old in found
    assert young not in found


@pytest.mark.parametrize("nonsense", ["30", "all", "2026-02-30"])
async def test_an_invalid_duration_is_an_error_and_never_lists_all_jobs(
    cloud: SimulatedCloud, listed: Listed, errors: Any, nonsense: str
) -> None:
    with pytest.raises(errors.InputRefused, match="is not a time") as refused:
        await listed("failed", nonsense)
    assert "30d" in refused.value.hint
    assert cloud.requests == []


@pytest.mark.parametrize("limit", [1, 7, 100_000])
async def test_a_limit_lists_the_newest_jobs(cloud: SimulatedCloud, listed: Listed, limit: int) -> None:
    # The last added job is not the newest by creation time.
    aged(cloud, 400 * DAY)
    _, job_ids, _, count = await listed("failed", limit=limit)
    assert job_ids == newest_first(cloud.listed("failed"))[:limit]
    assert count == len(job_ids) <= limit


async def test_a_workflow_id_lists_only_the_jobs_of_that_workflow(cloud: SimulatedCloud, listed: Listed) -> None:
    workflow = next(job.workflow_id for job in cloud.finished if job.workflow_id)
    wanted = [job for job in cloud.finished if job.workflow_id == workflow]
    assert (await listed("finished", workflow_id=f" {workflow} "))[1] == newest_first(wanted)
    assert (await listed("finished", workflow_id="no such workflow"))[1:] == ([], "No job matches.", 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": ["all"]}, {"status": [None]}, {"status": []}, {"status": None}, {"status": ["failed", "failed"]},
        {"older_than": [None]}, {"older_than": None}, {"older_than": []}, {"older_than": ["1d", "1d"]},
        {"older_than": [30]}, {"workflow_id": [None]}, {"workflow_id": []}, {"workflow_id": [7]},
        {"limit": [None]}, {"limit": [-1]}, {"limit": [True]}, {"limit": ["5"]}, {"limit": [1.0]}, {"limit": []},
    ],
    ids=str,
)  # fmt: skip
async def test_a_missing_or_invalid_input_is_refused_and_never_lists_all_jobs(
    node: Any, cloud: SimulatedCloud, errors: Any, wrong: dict[str, Any]
) -> None:
    good: dict[str, Any] = {"status": ["failed"], "older_than": ["1d"], "workflow_id": ["x"], "limit": [1]}
    with pytest.raises(errors.InputRefused) as refused:
        await node.run(**{**good, **wrong})
    assert next(iter(wrong)) in str(refused.value)
    left_out = {name: value for name, value in good.items() if name not in wrong}
    with pytest.raises(errors.InputRefused):
        await node.run(**left_out)
    assert cloud.requests == []


async def test_jobs_with_an_unknown_status_are_listed_only_by_any(cloud: SimulatedCloud, listed: Listed) -> None:
    odd = cloud.add_job("completed", overrides={"status": "archived"}).id
    assert odd in (await listed("any"))[1]
    for word in set(WORDS) - {"any"}:
        assert odd not in (await listed(word))[1], word


async def test_an_incompletely_read_list_is_an_error_and_never_a_shorter_list(
    cloud: SimulatedCloud, listed: Listed, errors: Any
) -> None:
    for _ in range(1000):
        cloud.add_job("failed")
    cloud.faults.append(Fault.shaped(LIST, error_response(500, "oops", "no"), after=1, times=None))
    with pytest.raises(errors.ServerFault):
        await listed("failed")


async def test_the_delete_node_removes_exactly_the_ids_from_the_list_node(
    pack: Any, cloud: SimulatedCloud, listed: Listed
) -> None:
    old = aged(cloud, 31 * DAY)
    failed = {job.id for job in cloud.listed("failed") if job.create_time < time.time() * 1000 - 30 * DAY}
    _, job_ids, _, _ = await listed("failed", "30d")
    made = await pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]().run(job_ids=job_ids, dry_run=[False])
    assert old in job_ids
    assert {job.id for job in cloud.deleted} == set(job_ids) == failed
    assert made["result"][2] == len(failed)


async def test_deleting_the_jobs_of_an_empty_list_sends_no_request_and_succeeds(
    pack: Any, cloud: SimulatedCloud, listed: Listed
) -> None:
    _, job_ids, report, count = await listed("failed", "900000h")
    assert (job_ids, report, count) == ([], "No job matches.", 0)
    made = await pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]().run(job_ids=job_ids, dry_run=[False])
    assert made["result"][1:] == ("Nothing to delete: the list of job ids is empty. Nothing was sent.", 0)
    assert cloud.history_posts == []


@pytest.fixture
def ahead(pack_module: Any) -> Callable[[timedelta], None]:
    """Return a function that sets the clock of this machine ahead by a time span."""

    def put(span: timedelta) -> None:
        pack_module("comfy_host").operations().clock.now = lambda: datetime.now(timezone.utc) + span

    return put


async def test_with_a_clock_days_ahead_older_than_accepts_a_date_but_no_duration(
    listed: Listed, errors: Any, ahead: Callable[[timedelta], None]
) -> None:
    ahead(timedelta(days=10))
    with pytest.raises(errors.ClockWrong, match="this machine’s clock says"):
        await listed(older_than="30d")
    await listed(older_than="2020-01-31")
    await listed()


async def test_with_a_clock_minutes_ahead_the_report_contains_a_warning(
    listed: Listed, ahead: Callable[[timedelta], None]
) -> None:
    ahead(timedelta(minutes=10, seconds=30))
    warning = "This machine’s clock is 10 minutes ahead of Comfy Cloud’s: rules about the age of jobs"
    assert warning in (await listed(older_than="1h"))[2]
    assert warning not in (await listed())[2]


async def test_with_a_clock_hours_ahead_older_than_lists_no_younger_job(
    cloud: SimulatedCloud, listed: Listed, ahead: Callable[[timedelta], None]
) -> None:
    cloud.jobs.clear()
    now = datetime.now(timezone.utc)
    cloud.add_job("completed", create_time=int((now - timedelta(hours=1)).timestamp() * 1000))
    old = cloud.add_job("completed", create_time=int((now - timedelta(hours=13)).timestamp() * 1000))
    ahead(timedelta(hours=20))
    _, job_ids, report, count = await listed(older_than="12h")
    assert (job_ids, count) == ([old.id], 1)
    assert report.startswith("1 job")
