"""The node Delete Cloud Jobs, against a simulated Comfy Cloud."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import error_response
from support.fake_comfyui import FakeComfyUI, InterruptProcessingException

pytestmark = pytest.mark.usefixtures("connected", "at_once")

HISTORY = ("POST", "/api/history")


@pytest.fixture
def node(pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]()


def many(count: int) -> list[str]:
    return [str(uuid.UUID(int=number, version=4)) for number in range(count)]


def busy(cloud: SimulatedCloud, count: int) -> list[str]:
    """Return the ids of `count` finished jobs, and add jobs to the cloud if it has fewer."""
    for _ in range(count - len(cloud.finished)):
        cloud.add_job("completed")
    return [job.id for job in cloud.finished[:count]]


def sent(cloud: SimulatedCloud) -> list[str]:
    return [job_id for body in cloud.history_posts for job_id in body["delete"]]


def test_the_order_types_and_defaults_of_the_inputs_never_change(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    assert list(inputs) == ["required", "optional"]
    assert list(inputs["required"]) == ["job_ids", "dry_run"]
    kind, options = inputs["required"]["job_ids"]
    assert (kind, options["multiline"], options["default"]) == ("STRING", True, "")
    assert "forceInput" not in options
    kind, options = inputs["required"]["dry_run"]
    assert (kind, options["default"]) == ("BOOLEAN", False)
    assert {"delete job", "remove job", "job id"} <= set(node.SEARCH_ALIASES)


async def test_the_delete_node_removes_exactly_the_given_jobs_and_reports_them(
    node: Any, cloud: SimulatedCloud
) -> None:
    first, second = cloud.finished[0].id, cloud.finished[5].id
    made = await node.run(job_ids=[f"{first.upper()}\n{{{second}}}, {first}"], dry_run=[False])
    assert cloud.history_posts == [{"delete": [first, second]}]
    assert [job.id for job in cloud.deleted] == [first, second]
    after, report, deleted = made["result"]
    assert (after, deleted) == ([None], 2)
    assert report == "2 jobs removed from your cloud history. Assets stay."
    assert made["ui"] == {"text": [report]}


async def test_the_delete_node_does_not_send_active_jobs(node: Any, cloud: SimulatedCloud) -> None:
    active, finished = cloud.active[0].id, cloud.finished[0].id
    made = await node.run(job_ids=[active, finished], dry_run=[False])
    assert cloud.history_posts == [{"delete": [finished]}]
    assert made["result"][2] == 1
    assert made["result"][1].splitlines() == [
        "1 of 2 jobs removed. Assets stay.",
        "1 removed",
        "1 active, left alone",
        f"  {active}",
    ]


@pytest.mark.parametrize(
    "absent", [None, [], (None,), [None], [""], [" \n "], ["[]"], [None, None], [[None]]], ids=repr
)
async def test_missing_job_ids_are_refused_and_no_request_is_sent(
    node: Any, cloud: SimulatedCloud, errors: Any, absent: Any
) -> None:
    if absent == []:
        made = await node.run(job_ids=absent, dry_run=[False])
        assert made["result"][1:] == ("Nothing to delete: the list of job ids is empty. Nothing was sent.", 0)
    else:
        with pytest.raises(errors.NoJobIds, match="No job ids were given"):
            await node.run(job_ids=absent, dry_run=[False])
    assert cloud.requests == []


async def test_the_report_of_a_dry_run_does_not_count_protected_jobs_as_removable(
    node: Any, cloud: SimulatedCloud, pack_module: Any
) -> None:
    kept, going = cloud.finished[0].id, cloud.finished[1].id
    protection = pack_module("comfy_host").operations().protection
    protection.change(protect=True, jobs=[kept], workflows=["w"])
    report = (await node.run(job_ids=[kept, going], dry_run=[True]))["result"][1]
    assert report == (
        "Dry run: 1 job would be sent for removal. Nothing was sent.\n"
        f"  {going}\n1 job protected, kept.\nJobs of protected workflows stay too."
    )
    assert cloud.requests == []


async def test_a_missing_input_is_refused_and_no_request_is_sent(node: Any, cloud: SimulatedCloud, errors: Any) -> None:
    with pytest.raises(errors.NoJobIds):
        await node.run(dry_run=[False])
    with pytest.raises(errors.InputRefused, match="dry_run"):
        await node.run(job_ids=[cloud.finished[0].id])
    assert cloud.requests == []


async def test_a_dry_run_lists_the_jobs_and_sends_no_delete_request(
    node: Any, cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMFY_CLOUD_API_KEY")
    job_id = cloud.finished[0].id
    made = await node.run(job_ids=[job_id], dry_run=[True], after=["saved"])
    report = f"Dry run: 1 job would be sent for removal. Nothing was sent.\n  {job_id}"
    assert made == {"ui": {"text": [report]}, "result": (["saved"], report, 0)}
    assert cloud.requests == []


async def test_the_error_of_a_partial_failure_counts_and_names_the_remaining_jobs(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    wanted = busy(cloud, 250)
    refused = error_response(400, "bad_request", "no")
    cloud.faults.append(Fault.shaped(HISTORY, refused, predicate=lambda body: wanted[120] in body["delete"]))
    with pytest.raises(errors.Incomplete) as ended:
        await node.run(job_ids=wanted, dry_run=[False])
    lines = str(ended.value).splitlines()
    assert lines[:3] == [
        "150 of 250 jobs removed. Assets stay.",
        "150 removed",
        "100 not removed: Comfy Cloud refused the request (400)",
    ]
    assert lines[3:103] == [f"  {job_id}" for job_id in wanted[100:200]]
    assert [job.id for job in cloud.deleted] == wanted[:100] + wanted[200:]
    assert cloud.api_key not in str(ended.value)


async def test_jobs_still_listed_after_a_lost_answer_are_unconfirmed_and_raise_an_error(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    cloud.faults.append(Fault(HISTORY, "reset_after_body", times=None, acted=False))
    with pytest.raises(errors.Incomplete, match="3 unconfirmed: the connection was lost"):
        await node.run(job_ids=[job.id for job in cloud.finished[:3]], dry_run=[False])
    assert cloud.deleted == []


async def test_the_error_for_a_missing_key_says_what_to_do(
    node: Any, cloud: SimulatedCloud, errors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMFY_CLOUD_API_KEY")
    with pytest.raises(errors.MissingApiKey) as ended:
        await node.run(job_ids=many(1), dry_run=[False])
    assert "There is no API key for Comfy Cloud yet." in str(ended.value)
    assert "Connect to Comfy Cloud…" in str(ended.value)
    assert "COMFY_CLOUD_API_KEY" in str(ended.value)
    assert cloud.requests == []


def test_typed_job_ids_are_validated_before_the_run_and_linked_ones_are_not(node: Any, cloud: SimulatedCloud) -> None:
    for unlinked in (None, (None,), [None]):
        assert node.VALIDATE_INPUTS(job_ids=unlinked) is True
    assert node.VALIDATE_INPUTS() is True
    assert node.VALIDATE_INPUTS(job_ids=[many(1)[0]]) is True
    for wrong in ([""], ["x"], ["[]"], [f"{many(1)[0]} x"]):
        assert "job id" in node.VALIDATE_INPUTS(job_ids=wrong)
    assert cloud.requests == []


@pytest.mark.parametrize("key", ["comfyui-0123456789abcdef", "a-key-with-an-unusual-look-0123"])
async def test_an_api_key_pasted_as_job_ids_is_not_shown(
    node: Any, errors: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_API_KEY", key)
    assert key not in node.VALIDATE_INPUTS(job_ids=[key])
    with pytest.raises(errors.InvalidJobIds) as ended:
        await node.run(job_ids=[key], dry_run=[False])
    assert key not in str(ended.value)


async def test_long_job_id_texts_are_checked_when_the_node_runs_and_not_by_validate_inputs(
    node: Any, errors: Any, cloud: SimulatedCloud
) -> None:
    text = "\n".join([*many(20_000), "not-an-id"])
    assert node.VALIDATE_INPUTS(job_ids=[text]) is True
    assert node.VALIDATE_INPUTS(job_ids=[[text]]) is True
    with pytest.raises(errors.InvalidJobIds, match="1 of 20,001 is not a job id"):
        await node.run(job_ids=[text], dry_run=[False])
    assert cloud.requests == []


async def test_stopping_a_node_while_it_reads_ids_interrupts_the_prompt(
    node: Any, comfyui: FakeComfyUI, cloud: SimulatedCloud
) -> None:
    comfyui.interrupted = True
    with pytest.raises(InterruptProcessingException):
        await node.run(job_ids=many(150_000), dry_run=[False])
    assert cloud.requests == []


@pytest.mark.parametrize("few", [True, False], ids=["one by one", "by list"])
async def test_changes_to_the_history_after_listing_do_not_change_which_jobs_are_deleted(
    node: Any, pack: Any, cloud: SimulatedCloud, few: bool
) -> None:
    running, pending = cloud.listed("in_progress")[0].id, cloud.listed("pending")[0].id
    listing = pack.NODE_CLASS_MAPPINGS["CloudHistoryListJobs"]()
    listed = await listing.run(status=["failed"], older_than=[""], workflow_id=[""], limit=[10 if few else 0])
    given = [*listed["result"][1], running, pending]
    assert (len(given) <= 20) is few
    vanished = given[3]
    cloud.account.delete([vanished], cloud.clock())
    cloud.finish(running, "failed")
    arrived = {cloud.add_job("failed").id for _ in range(30)}

    _, report, deleted = (await node.run(job_ids=given, dry_run=[False]))["result"]
    exactly = [job_id for job_id in given if job_id not in (vanished, pending)]
    assert sent(cloud) == exactly
    assert {job.id for job in cloud.deleted} == {*exactly, vanished}
    assert arrived <= {job.id for job in cloud.finished}
    assert deleted == len(exactly)
    assert report.splitlines()[1:] == [
        f"{deleted} removed",
        *("1 already gone", f"  {vanished}", "1 active, left alone", f"  {pending}"),
    ]


@pytest.mark.parametrize(
    "switches",
    [
        {"cursor": True}, {"total": "zero"}, {"total": "absent"}, {"cursor": True, "total": "zero"},
        {"raw_states": True}, {"time_unit": "s"}, {"ignores_status_filter": True},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("count", [5, 1200])
async def test_exactly_the_given_jobs_are_deleted_on_every_kind_of_simulated_cloud(
    node: Any, cloud: SimulatedCloud, switches: dict[str, Any], count: int
) -> None:
    for name, value in switches.items():
        setattr(cloud.switches, name, value)
    job_ids, active = busy(cloud, count), cloud.active[0].id
    _, report, deleted = (await node.run(job_ids=[*job_ids, active], dry_run=[False]))["result"]
    assert (sorted(sent(cloud)), deleted) == (sorted(job_ids), count)
    assert {job.id for job in cloud.deleted} == set(job_ids)
    assert report.splitlines()[2:] == ["1 active, left alone", f"  {active}"]
