"""Fixtures of the slow tests. The fixture `frontend` runs a browser test once for each supported frontend."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from browser.conftest import (  # noqa: F401  (fixtures, and the mark `stage`)
    Frontend,
    Stage,
    asked,
    chromium,
    cloud,
    host,
    page,
    ports,
    pytest_configure,
    stage,
    tabs,
)
from hosts import frontend_dir
from project_setup import TOURED_FRONTENDS

HERE = Path(__file__).parent
# Errors that frontends 1.44 to 1.49 cause themselves when they start with their default graph.
FAULTS_OF_CORE = re.compile(
    r"^ComfyApp graph accessed before initialization|^https://(api\.comfy\.org/comfy-nodes|huggingface\.co)/"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests on one event loop, because they share one Chromium, and allow a slow start.

    Those of one frontend come one after the other, because a browser loads it the second time in a third of the time.
    """
    items.sort(key=lambda item: _version(item) if HERE in item.path.parents else "")
    for item in items:
        if HERE in item.path.parents:
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.timeout(300))


def _version(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("frontend", "")) if callspec else ""


@pytest.fixture(params=TOURED_FRONTENDS)
def frontend(request: pytest.FixtureRequest) -> Frontend:
    """Return one of the supported frontends. A test runs once for each."""
    return Frontend(request.param, frontend_dir(request.param))


@pytest.fixture
def console_errors() -> Iterator[list[str]]:
    """Collect errors and uncaught exceptions of the page. The test fails if there are any."""
    errors: list[str] = []
    yield errors
    assert without_errors_of_frontends(errors) == [], "the page reported errors"


@pytest.fixture
def external_requests() -> Iterator[list[str]]:
    """Abort and collect requests of the page to other addresses than 127.0.0.1. The test fails if there are any."""
    addresses: list[str] = []
    yield addresses
    assert without_errors_of_frontends(addresses) == [], "the page tried to reach the network"


def without_errors_of_frontends(found: list[str]) -> list[str]:
    """Return the errors that ComfyUI's frontend did not cause itself."""
    return [text for text in found if not FAULTS_OF_CORE.search(text)]


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """The folder for screenshots: the environment variable CLOUD_HISTORY_PICTURES. Without it none are taken."""
    chosen = os.environ.get("CLOUD_HISTORY_PICTURES")
    return Path(chosen) if chosen else None
