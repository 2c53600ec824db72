"""Jobs selected in one account are safe after the key was changed to that of another account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulated_cloud import SimulatedCloud
from support.route_stage import OTHER_KEY, Stage, serving


@pytest_asyncio.fixture
async def saved(cloud: SimulatedCloud, tmp_path: Path) -> AsyncIterator[Stage]:
    """The routes with a saved key, which can be replaced."""
    environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
    async with serving(cloud, tmp_path / "state", environ) as stage:
        await stage.ask("save_key", {"api_key": cloud.api_key})
        yield stage


async def account_of_the_list(stage: Stage) -> str:
    start = (await stage.ask("jobs", {"filter": {}})).lines[0]
    return str(start["account"])


async def change_account(stage: Stage) -> None:
    """Save the key of another account, which has other jobs."""
    stage.cloud.api_key = OTHER_KEY
    stage.cloud.jobs.clear()
    stage.cloud.add_job("failed")
    assert (await stage.ask("save_key", {"api_key": OTHER_KEY})).status == 200


async def test_jobs_of_another_account_are_never_reported_as_deleted(saved: Stage) -> None:
    account, ids = await account_of_the_list(saved), [job.id for job in saved.cloud.finished[:2]]
    await change_account(saved)
    answer = await saved.ask("preview", {"ids": ids, "account": account})
    assert (answer.status, answer.code) == (409, "account_changed")
    assert "already_gone" not in answer.text


async def test_a_filter_previewed_in_one_account_deletes_no_jobs_of_another_account(saved: Stage) -> None:
    account = await account_of_the_list(saved)
    await change_account(saved)
    answer = await saved.ask("preview", {"filter": {"statuses": ["failed"]}, "account": account})
    assert (answer.status, answer.code) == (409, "account_changed")


async def test_a_policy_previewed_in_one_account_deletes_no_jobs_of_another_account(saved: Stage) -> None:
    policy = {"keep_last": 1}
    account = (await saved.ask("clean_up", {"policy": policy})).json["account"]
    await change_account(saved)
    answer = await saved.ask("preview", {"policy": policy, "allow_large": True, "account": account})
    assert (answer.status, answer.code) == (409, "account_changed")


async def test_jobs_of_another_account_are_neither_cancelled_nor_reported_as_finished(saved: Stage) -> None:
    account, job = await account_of_the_list(saved), saved.cloud.add_job("in_progress")
    await change_account(saved)
    answer = await saved.ask("cancel", {"ids": [job.id], "account": account})
    assert (answer.status, answer.code) == (409, "account_changed")


async def test_jobs_chosen_in_the_current_account_are_previewed(saved: Stage) -> None:
    account, ids = await account_of_the_list(saved), [job.id for job in saved.cloud.finished[:2]]
    shown = (await saved.ask("preview", {"ids": ids, "account": account})).json
    assert (shown["removable"], shown["account"]) == (2, account)
    # The same key means the same account, whatever its source.
    await saved.ask("save_key", {"api_key": saved.cloud.api_key})
    assert (await saved.ask("preview", {"ids": ids, "account": account})).status == 200


async def test_the_account_name_contains_no_part_of_the_key(saved: Stage) -> None:
    key, account = saved.cloud.api_key, await account_of_the_list(saved)
    assert len(account) == 32
    assert not any(key[at : at + 4] in account for at in range(len(key) - 3))


@pytest.mark.parametrize("change", ["save_key", "remove_key"])
async def test_every_page_receives_an_event_when_the_key_changes(saved: Stage, change: str) -> None:
    saved.events.clear()
    assert (await saved.ask(change)).status == 200
    assert ("cloud_history.changed", {"operation": None, "kind": "key", "ended": False}) in saved.events
