"""Answers that are large: pages are read in halves, and only what a single job makes too large is too large."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cloud_history.cloud import protocol
from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.evidence import Doubt
from cloud_history.cloud.listing import list_jobs
from cloud_history.config import BaseUrl
from cloud_history.errors import AnswerTooLarge
from cloud_history.jobs.filters import JobFilter
from cloud_history.secret import Secret
from simulated_cloud import SimulatedCloud
from simulated_cloud.bends import Bend


@asynccontextmanager
async def client_of(cloud: SimulatedCloud) -> AsyncIterator[CloudClient]:
    async with CloudClient(BaseUrl(cloud.base_url, "127.0.0.1"), Secret(cloud.api_key)) as client:
        yield client


@pytest.mark.parametrize("cursors", [False, True])
async def test_a_page_that_is_too_large_is_read_in_halves_and_the_list_proves_as_much(
    cloud: SimulatedCloud, cursors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_PAGE_BYTES", 200_000)
    cloud.switches.cursor = cursors
    cloud.bends.append(Bend("huge_jobs", size=4))
    async with client_of(cloud) as client:
        found = await list_jobs(client, JobFilter())
    assert (found.error, found.reasons) == (None, ())
    assert set(found.jobs) == {job.id for job in cloud.listed()}
    assert found.proof() is not None


async def test_only_a_single_job_that_is_too_large_makes_a_list_unreadable_and_it_says_so(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_PAGE_BYTES", 200_000)
    cloud.bends.append(Bend("huge_jobs", size=300, rows="one"))
    async with client_of(cloud) as client:
        found = await list_jobs(client, JobFilter())
    assert isinstance(found.error, AnswerTooLarge)
    assert "too large" in str(found.error)
    assert "newer version" not in str(found.error)
    assert found.proof() is None


async def test_a_list_packed_in_several_members_of_gzip_is_read_whole(cloud: SimulatedCloud) -> None:
    cloud.bends.append(Bend("gzip_members"))
    async with client_of(cloud) as client:
        found = await list_jobs(client, JobFilter())
    assert found.error is None
    assert set(found.jobs) == {job.id for job in cloud.listed()}


async def test_a_list_that_is_null_is_shown_as_empty_and_proves_nothing(cloud: SimulatedCloud) -> None:
    cloud.bends.append(Bend("null_list"))
    async with client_of(cloud) as client:
        found = await list_jobs(client, JobFilter())
    assert (found.error, found.jobs, found.proof()) == (None, {}, None)
    assert Doubt.NO_ROWS in {reason.doubt for reason in found.reasons}


async def test_a_job_as_large_as_a_backup_holds_is_read_and_a_larger_one_is_said_to_be_too_large(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = cloud.finished[0]
    cloud.bends.append(Bend("huge_jobs", size=20_000, where="details"))
    async with client_of(cloud) as client:
        assert (await client.get_job(job.id)).id == job.id
        monkeypatch.setattr(protocol, "MAX_JOB_BYTES", 1_000_000)
        with pytest.raises(AnswerTooLarge):
            await client.get_job(job.id)
