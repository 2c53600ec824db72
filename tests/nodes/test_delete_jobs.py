"""The node Delete Cloud Jobs, against a simulated Comfy Cloud."""

from __future__ import annotations

import json
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


@pytest.fixture
def errors(pack_module: Any) -> Any:
    return pack_module("cloud_history.errors")


def many(count: int) -> list[str]:
    return [str(uuid.UUID(int=number, version=4)) for number in range(count)]


def busy(cloud: SimulatedCloud, count: int) -> list[str]:
    """So many finished jobs: as many as it takes are added."""
    for _ in range(count - len(cloud.finished)):
        cloud.add_job("completed")
    return [job.id for job in cloud.finished[:count]]


def test_its_inputs_their_order_types_and_defaults_never_change(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    assert list(inputs) == ["required", "optional"]
    assert list(inputs["required"]) == ["job_ids", "dry_run"]
    kind, options = inputs["required"]["job_ids"]
    assert (kind, options["multiline"], options["default"]) == ("STRING", True, "")
    assert "forceInput" not in options
    kind, options = inputs["required"]["dry_run"]
    assert (kind, options["default"]) == ("BOOLEAN", False)
    assert {"delete job", "remove job", "job id"} <= set(node.SEARCH_ALIASES)


async def test_it_removes_exactly_the_jobs_given_and_says_so(node: Any, cloud: SimulatedCloud) -> None:
    first, second = cloud.finished[0].id, cloud.finished[5].id
    made = await node.run(job_ids=[f"{first.upper()}\n{{{second}}}, {first}"], dry_run=[False])
    assert cloud.history_posts == [{"delete": [first, second]}]
    assert [job.id for job in cloud.deleted] == [first, second]
    after, report, deleted = made["result"]
    assert (after, deleted) == ([None], 2)
    assert report == "2 jobs removed from your cloud history. Assets stay."
    assert made["ui"] == {"text": [report]}


@pytest.mark.parametrize("as_text", [True, False])
async def test_a_linked_list_and_a_json_array_are_read_alike(
    node: Any, cloud: SimulatedCloud, as_text: bool
) -> None:
    wanted = [job.id for job in cloud.finished[:3]]
    await node.run(job_ids=[json.dumps(wanted)] if as_text else wanted, dry_run=[False])
    assert cloud.history_posts == [{"delete": wanted}]


async def test_an_active_job_is_seen_to_be_one_and_is_not_sent(node: Any, cloud: SimulatedCloud) -> None:
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


async def test_ids_nobody_knows_are_already_gone_and_are_not_sent(node: Any, cloud: SimulatedCloud) -> None:
    unknown = many(2)
    made = await node.run(job_ids=unknown, dry_run=[False])
    assert cloud.history_posts == []
    assert made["result"][2] == 0
    assert made["result"][1].splitlines() == [
        "No job was removed (0 of 2).",
        "2 already gone",
        *(f"  {job_id}" for job_id in unknown),
    ]


@pytest.mark.parametrize(
    "absent", [None, [], (None,), [None], [""], [" \n "], ["[]"], [None, None], [[None]]], ids=repr
)
async def test_what_is_absent_is_refused_and_nothing_is_sent(
    node: Any, cloud: SimulatedCloud, errors: Any, absent: Any
) -> None:
    if absent == []:
        made = await node.run(job_ids=absent, dry_run=[False])
        assert made["result"][1:] == ("Nothing to delete: the list of job ids is empty. Nothing was sent.", 0)
    else:
        with pytest.raises(errors.NoJobIds, match="No job ids were given"):
            await node.run(job_ids=absent, dry_run=[False])
    assert cloud.requests == []


async def test_a_dry_run_promises_no_protected_job(
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


async def test_a_missing_input_is_refused_and_nothing_is_sent(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    with pytest.raises(errors.NoJobIds):
        await node.run(dry_run=[False])
    with pytest.raises(errors.InputRefused, match="dry_run"):
        await node.run(job_ids=[cloud.finished[0].id])
    assert cloud.requests == []


async def test_one_absent_item_among_a_thousand_ids_sends_nothing(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    given = [*many(500), None, *many(1000)[500:]]
    with pytest.raises(errors.InvalidJobIds, match="1 of 1,001 is not a job id: item 501: nothing"):
        await node.run(job_ids=given, dry_run=[False])
    assert cloud.requests == []


async def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(
    node: Any, cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMFY_CLOUD_API_KEY")
    job_id = cloud.finished[0].id
    made = await node.run(job_ids=[job_id], dry_run=[True], after=["saved"])
    report = f"Dry run: 1 job would be sent for removal. Nothing was sent.\n  {job_id}"
    assert made == {"ui": {"text": [report]}, "result": (["saved"], report, 0)}
    assert cloud.requests == []


@pytest.mark.parametrize(
    "dry_run", [None, [], [None], ["false"], ["true"], [0], [1], [False, False]], ids=repr
)
async def test_a_dry_run_that_is_no_boolean_sends_nothing(
    node: Any, cloud: SimulatedCloud, errors: Any, dry_run: Any
) -> None:
    with pytest.raises(errors.InputRefused, match="dry_run"):
        await node.run(job_ids=[cloud.finished[0].id], dry_run=dry_run)
    assert cloud.requests == []


async def test_a_partial_failure_raises_and_says_how_many_and_which(
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


async def test_a_refused_key_stops_the_rest_and_says_so(
    node: Any, cloud: SimulatedCloud, errors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_API_KEY", "comfyui-this-key-was-revoked-0001")
    with pytest.raises(errors.Incomplete) as ended:
        await node.run(job_ids=many(1000), dry_run=[False])
    assert "No job was removed (0 of 1,000)." in str(ended.value)
    assert "not tried: the key was refused" in str(ended.value)
    assert "revoked-0001" not in str(ended.value)
    assert len(cloud.history_posts) <= 5


async def test_an_answer_that_never_came_counts_as_removed_once_the_jobs_are_seen_to_be_gone(
    node: Any, cloud: SimulatedCloud
) -> None:
    cloud.faults.append(Fault(HISTORY, "reset_after_body", times=None))
    made = await node.run(job_ids=[job.id for job in cloud.finished[:3]], dry_run=[False])
    assert len(cloud.deleted) == made["result"][2] == 3
    assert made["result"][1].startswith("3 jobs removed from your cloud history.")


async def test_an_answer_that_never_came_is_unconfirmed_and_raises_while_the_jobs_are_listed(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    cloud.faults.append(Fault(HISTORY, "reset_after_body", times=None, acted=False))
    with pytest.raises(errors.Incomplete, match="3 unconfirmed: the connection was lost"):
        await node.run(job_ids=[job.id for job in cloud.finished[:3]], dry_run=[False])
    assert cloud.deleted == []


async def test_an_answer_that_never_came_is_unconfirmed_and_raises_when_nobody_can_look(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    cloud.faults.append(Fault(HISTORY, "reset_after_body", times=None))
    # The look before the deletion takes four requests; those after it find nobody.
    cloud.faults.append(Fault(("GET", "/api/jobs"), "reset_before_body", times=None, after=4))
    with pytest.raises(errors.Incomplete, match="3 unconfirmed: the connection was lost"):
        await node.run(job_ids=[job.id for job in cloud.finished[:3]], dry_run=[False])


async def test_five_thousand_ids_go_out_in_chunks_of_at_most_100(node: Any, cloud: SimulatedCloud) -> None:
    wanted = busy(cloud, 5000)
    made = await node.run(job_ids=wanted, dry_run=[False], after=[1, 2])
    assert sorted(len(body["delete"]) for body in cloud.history_posts) == [100] * 50
    assert sorted(job_id for body in cloud.history_posts for job_id in body["delete"]) == sorted(wanted)
    assert {job.id for job in cloud.deleted} == set(wanted)
    assert made["result"][0] == [1, 2]
    assert made["result"][2] == 5000
    assert max(request.in_flight for request in cloud.requests_to("POST", "/api/history")) <= 4
    assert max(request.in_flight for request in cloud.requests) <= 6


async def test_a_missing_key_says_what_to_do_and_sends_nothing(
    node: Any, cloud: SimulatedCloud, errors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMFY_CLOUD_API_KEY")
    with pytest.raises(errors.MissingApiKey) as ended:
        await node.run(job_ids=many(1), dry_run=[False])
    assert "There is no API key for Comfy Cloud yet." in str(ended.value)
    assert "Connect to Comfy Cloud…" in str(ended.value)
    assert "COMFY_CLOUD_API_KEY" in str(ended.value)
    assert cloud.requests == []


@pytest.mark.parametrize("unlinked", [None, (None,), [None]])
def test_a_linked_input_is_not_judged_before_it_is_known(node: Any, unlinked: Any) -> None:
    assert node.VALIDATE_INPUTS(job_ids=unlinked) is True
    assert node.VALIDATE_INPUTS() is True


@pytest.mark.parametrize("wrong", [[""], ["x"], ["[]"], [f"{many(1)[0]} x"]])
def test_a_typed_input_is_judged_before_the_run(node: Any, wrong: Any) -> None:
    said = node.VALIDATE_INPUTS(job_ids=wrong)
    assert isinstance(said, str)
    assert "job id" in said


def test_validation_accepts_ids_and_sends_nothing(node: Any, cloud: SimulatedCloud) -> None:
    assert node.VALIDATE_INPUTS(job_ids=[many(1)[0]]) is True
    assert cloud.requests == []


@pytest.mark.parametrize("key", ["comfyui-0123456789abcdef", "a-key-with-an-unusual-look-0123"])
async def test_a_key_pasted_where_ids_belong_is_not_shown(
    node: Any, errors: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_API_KEY", key)
    assert key not in node.VALIDATE_INPUTS(job_ids=[key])
    with pytest.raises(errors.InvalidJobIds) as ended:
        await node.run(job_ids=[key], dry_run=[False])
    assert key not in str(ended.value)


async def test_the_report_shown_is_one_text_without_the_key(node: Any, cloud: SimulatedCloud) -> None:
    made = await node.run(job_ids=[cloud.finished[0].id], dry_run=[False])
    [text] = made["ui"]["text"]
    assert isinstance(text, str)
    assert cloud.api_key not in json.dumps(made)
    assert cloud.forbidden_calls == 0


async def test_a_long_text_is_read_when_the_node_runs_and_not_while_comfyui_validates(
    node: Any, errors: Any, cloud: SimulatedCloud
) -> None:
    text = "\n".join([*many(20_000), "not-an-id"])
    assert node.VALIDATE_INPUTS(job_ids=[text]) is True
    assert node.VALIDATE_INPUTS(job_ids=[[text]]) is True
    with pytest.raises(errors.InvalidJobIds, match="1 of 20,001 is not a job id"):
        await node.run(job_ids=[text], dry_run=[False])
    assert cloud.requests == []


async def test_more_ids_than_one_deletion_takes_are_refused_and_nothing_is_sent(
    node: Any, errors: Any, cloud: SimulatedCloud
) -> None:
    with pytest.raises(errors.TooManyJobIds, match="At most 200,000"):
        await node.run(job_ids=many(200_001), dry_run=[False])
    assert cloud.requests == []


async def test_a_stop_while_ids_are_read_ends_the_prompt_as_interrupted(
    node: Any, comfyui: FakeComfyUI, cloud: SimulatedCloud
) -> None:
    comfyui.interrupted = True
    with pytest.raises(InterruptProcessingException):
        await node.run(job_ids=many(150_000), dry_run=[False])
    assert cloud.requests == []
