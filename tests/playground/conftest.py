"""A client of the simulated cloud of the test module's fixture `cloud`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from simulated_cloud import SimulatedCloud


@pytest.fixture
async def http(cloud: SimulatedCloud) -> AsyncIterator[aiohttp.ClientSession]:
    """A session that opens a connection for each request: aiohttp repeats a GET when a kept connection breaks."""
    async with (
        cloud.serving() as base_url,
        aiohttp.ClientSession(
            base_url,
            headers={"X-API-Key": cloud.api_key},
            connector=aiohttp.TCPConnector(force_close=True),
        ) as session,
    ):
        yield session
