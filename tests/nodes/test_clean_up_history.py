"""The node Clean Up Cloud History, against a simulated Comfy Cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from simulated_cloud import Fault, SimulatedCloud
from support.small_history import CASES, fill

pytestmark = pytest.mark.usefixtures("connected", "at_once")

CleanUp = Callable[..., Any]


@pytest.fixture
def node(pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryPrune"]()


@pytest.fixture
def clean_up(node: Any) -> CleanUp:
    """Return a function that runs the node with a list on each input. By default no rule is set."""
    required = node.INPUT_TYPES()["required"]

    async def run(**given: Any) -> Any:
        inputs = {name: [options.get("default")] for name, (_, options) in required.items()}
        inputs |= {"keep_last": [0], "keep_within": [""]}
        return await node.run(**inputs | {name: [value] for name, value in given.items()})

    return run


def newest_first(cloud: SimulatedCloud, *statuses: str) -> list[str]:
    found = [job for job in cloud.finished if not statuses or job.status in statuses]
    return [job.id for job in sorted(found, key=lambda job: job.create_time, reverse=True)]


def test_the_order_types_and_defaults_of_the_inputs_never_change(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    assert list(inputs) == ["required", "optional"]
    assert list(inputs["optional"])[:2] == ["after", "backup"], "inputs added later come last"
    found = {
        name: (kind if isinstance(kind, str) else tuple(kind), options["default"])
        for name, (kind, options) in inputs["required"].items()
    }
    assert list(found.items()) == [
        ("keep_last", ("INT", 20)),
        ("keep_within", ("STRING", "30d")),
        ("keep_daily", ("INT", 0)),
        ("keep_weekly", ("INT", 0)),
        ("status", (("finished", "completed", "failed", "cancelled"), "finished")),
        ("workflow_id", ("STRING", "")),
        ("per_workflow", ("BOOLEAN", False)),
        ("allow_large", ("BOOLEAN", False)),
        ("dry_run", ("BOOLEAN", True)),
    ]


def test_the_input_of_a_rule_added_later_comes_last(
    node: Any, pack_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = pack_module("cloud_history.retention.policy")
    added = replace(policy.RULES[0], name="keep_more", appended=True)
    monkeypatch.setattr(policy, "RULES", (added, *policy.RULES))
    inputs = node.INPUT_TYPES()
    assert list(inputs["required"])[:2] == ["keep_last", "keep_within"]
    assert list(inputs["optional"]) == ["after", "backup", "keep_more"]


def test_the_outputs_of_the_node_never_change(node: Any) -> None:
    assert node.RETURN_NAMES == ("after", "job_ids", "report", "deleted")
    assert node.RETURN_TYPES == ("*", "STRING", "STRING", "INT")
    assert node.OUTPUT_IS_LIST == (True, True, False, False)


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("policy", "goes"), CASES, ids=str)
async def test_every_input_of_the_clean_up_node_is_used_in_its_policy(
    cloud: SimulatedCloud, clean_up: CleanUp, policy: dict[str, Any], goes: str, dry_run: bool
) -> None:
    jobs = fill(cloud)
    given = {name: value for name, value in policy.items() if name != "statuses"}
    out = await clean_up(**given, status=policy.get("statuses", ["finished"])[0], allow_large=True, dry_run=dry_run)
    wanted = [jobs[letter] for letter in goes]
    assert out["result"][1] == wanted
    assert out["result"][3] == (0 if dry_run else len(wanted))
    assert {job.id for job in cloud.deleted} == (set() if dry_run else set(wanted))


def test_a_search_for_the_former_name_finds_the_clean_up_node(node: Any) -> None:
    assert "prune" in node.SEARCH_ALIASES


async def test_a_fresh_clean_up_node_runs_keeps_the_last_20_and_30_days_and_sends_nothing(
    cloud: SimulatedCloud, node: Any
) -> None:
    jobs = newest_first(cloud)
    old = min(job.create_time for job in cloud.finished) - 31 * 24 * 3_600_000
    for index, job_id in enumerate(jobs[10:]):
        cloud.jobs[job_id].create_time = old - index
    inputs = {name: [options["default"]] for name, (_, options) in node.INPUT_TYPES()["required"].items()}
    _, job_ids, report, deleted = (await node.run(**inputs))["result"]
    assert sorted(job_ids) == sorted(jobs[20:])
    assert deleted == 0
    assert report.startswith("Dry run: nothing was sent.\n")
    assert "last 20" in report
    assert cloud.history_posts == []


async def test_by_default_the_clean_up_node_only_reports_what_would_be_deleted(
    cloud: SimulatedCloud, clean_up: CleanUp
) -> None:
    jobs = newest_first(cloud)
    out = await clean_up(keep_last=len(jobs) - 3)
    after, job_ids, report, deleted = out["result"]
    assert (after, job_ids, deleted) == ([None], jobs[-3:], 0)
    assert report.startswith("Dry run: nothing was sent.\n3 jobs of")
    assert out["ui"] == {"text": [report]}
    assert f"last {len(jobs) - 3:,}" in report
    assert cloud.history_posts == []


async def test_without_dry_run_exactly_the_jobs_kept_by_no_rule_are_deleted(
    cloud: SimulatedCloud, clean_up: CleanUp
) -> None:
    jobs = newest_first(cloud)
    out = await clean_up(keep_last=len(jobs) - 3, dry_run=False)
    _, job_ids, report, deleted = out["result"]
    assert (job_ids, deleted) == (jobs[-3:], 3)
    assert sorted(newest_first(cloud)) == sorted(jobs[:-3])
    assert report.startswith("3 jobs removed from your cloud history.")
    assert "and why:" in report


async def test_if_every_job_is_kept_no_request_is_sent_and_the_report_says_so(
    cloud: SimulatedCloud, clean_up: CleanUp
) -> None:
    out = await clean_up(keep_last=1000, dry_run=False)
    assert out["result"][1:2] == ([],)
    assert out["result"][2].startswith("Nothing would go, and nothing was sent.")
    assert cloud.history_posts == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "at least one rule"),
        ({"keep_last": 1}, "would delete"),
        ({"keep_within": "1h", "keep_daily": 0}, "would delete"),
        ({"keep_within": "soon"}, "not a length of time"),
        ({"keep_last": -1}, "whole number"),
        ({"keep_last": 2.5}, "whole number"),
        ({"keep_last": 3, "status": "everything"}, "must be one of"),
        ({"keep_last": 3, "per_workflow": "true"}, "true or false"),
        ({"keep_last": 3, "dry_run": "false"}, "true or false"),
        ({"keep_last": 3, "allow_large": None}, "true or false"),
    ],
)
async def test_invalid_inputs_are_refused_and_no_request_is_sent(
    cloud: SimulatedCloud, clean_up: CleanUp, errors: Any, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(errors.InputRefused, match=words):
        await clean_up(**{"dry_run": False, **given})
    assert cloud.history_posts == []


async def test_the_report_of_a_dry_run_warns_if_the_deletion_would_be_refused(
    cloud: SimulatedCloud, clean_up: CleanUp
) -> None:
    out = await clean_up(keep_last=1)
    assert "Without “allow_large” this is refused" in out["result"][2]
    allowed = await clean_up(keep_last=1, allow_large=True)
    assert "refused" not in allowed["result"][2]


async def test_no_job_is_deleted_if_the_list_cannot_be_read_completely(
    cloud: SimulatedCloud, clean_up: CleanUp, errors: Any
) -> None:
    cloud.faults.append(Fault(("GET", "/api/jobs"), "status", times=None, status=500))
    with pytest.raises(errors.ServerFault):
        await clean_up(keep_last=5, dry_run=False)
    assert cloud.history_posts == []


async def test_a_refused_clean_up_raises_an_error_and_removes_no_job(
    cloud: SimulatedCloud, clean_up: CleanUp, errors: Any
) -> None:
    cloud.faults.append(Fault(("POST", "/api/history"), "status", times=None, status=401))
    jobs = newest_first(cloud)
    with pytest.raises(errors.Incomplete, match="3 not removed: the key was refused"):
        await clean_up(keep_last=len(jobs) - 3, dry_run=False)
    assert newest_first(cloud) == jobs


async def test_the_setting_never_refuses_deletions_by_nodes_but_allows_dry_runs(
    cloud: SimulatedCloud, clean_up: CleanUp, errors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_NODES", "never")
    jobs = newest_first(cloud)
    with pytest.raises(errors.OperationRefused, match="Workflows may not delete"):
        await clean_up(keep_last=len(jobs) - 3, dry_run=False)
    assert cloud.requests == []
    assert (await clean_up(keep_last=len(jobs) - 3))["result"][1] == jobs[-3:]


async def test_with_backup_the_clean_up_node_backs_up_jobs_before_deleting_them(
    cloud: SimulatedCloud, clean_up: CleanUp, pack_module: Any, errors: Any
) -> None:
    with pytest.raises(errors.InputRefused, match="“backup” must be one of"):
        await clean_up(keep_last=5, dry_run=False, backup="perhaps")
    jobs = newest_first(cloud)
    out = await clean_up(keep_last=len(jobs) - 2, dry_run=False, backup="workflows")
    assert "2 workflows backed up first." in out["result"][2]
    (backup,) = pack_module("comfy_host").operations().backups.list()
    assert backup.jobs == 2


async def test_without_a_browser_to_ask_no_delete_request_is_sent(
    cloud: SimulatedCloud, clean_up: CleanUp, errors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_NODES", "ask")
    with pytest.raises(errors.NoBrowserConnected):
        await clean_up(keep_last=5, dry_run=False)
    assert cloud.requests == []


@pytest.mark.parametrize("dry_run", [True, False])
async def test_with_a_clock_days_ahead_only_rules_without_an_age_are_accepted(
    cloud: SimulatedCloud, clean_up: CleanUp, errors: Any, pack_module: Any, dry_run: bool
) -> None:
    clock = pack_module("comfy_host").operations().clock
    clock.now = lambda: datetime.now(timezone.utc) + timedelta(days=10)
    with pytest.raises(errors.ClockWrong, match="this machine’s clock says"):
        await clean_up(keep_within="30d", keep_last=1, allow_large=True, dry_run=dry_run)
    assert cloud.history_posts == []
    await clean_up(keep_last=1000, dry_run=dry_run)


async def test_with_a_clock_minutes_ahead_the_report_of_an_age_rule_contains_a_warning(
    clean_up: CleanUp, pack_module: Any
) -> None:
    clock = pack_module("comfy_host").operations().clock
    clock.now = lambda: datetime.now(timezone.utc) + timedelta(minutes=10, seconds=30)
    warning = "This machine’s clock is 10 minutes ahead of Comfy Cloud’s: rules about the age of jobs"
    assert warning in (await clean_up(keep_within="1h"))["result"][2]
    assert warning not in (await clean_up(keep_last=1))["result"][2]
