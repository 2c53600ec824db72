"""Hundreds of malformed inputs send no request, and every error is readable."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from conftest import LoadPack
from simulated_cloud import SimulatedCloud
from support.examples import examples
from support.no_backups import without_backups

EXAMPLES = 250
GOOD = st.uuids().map(str)

NO_ID = st.text(alphabet=st.characters(exclude_characters="-"), max_size=80)
NEARLY = (
    st.tuples(GOOD, st.integers(0, 35), st.sampled_from(["", "g", "-", "０", "\u200b", "+", "/", "%2e", "\x00"]))
    .map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + (parts[2] in "g/+") :])
    .filter(lambda text: not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
)
BAD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=40),
    st.dictionaries(st.text(max_size=5), GOOD, max_size=2),
    st.sampled_from(["", " ", "[]", "*", "all", "null", "true", "{}", "[null]", "[[]", "../..", "clear"]),
    GOOD.map(lambda job_id: f"urn:uuid:{job_id}"),
    st.lists(GOOD, min_size=1, max_size=3).map(str),
    st.lists(GOOD, min_size=1, max_size=3).map(lambda job_ids: json.dumps({"ids": job_ids})),
    NO_ID,
    NEARLY,
)


@st.composite
def malformed_ids(draw: st.DrawFn) -> object:
    """Generate an input with at least one item that is not a job id."""
    items: list[object] = [*draw(st.lists(GOOD, max_size=5)), *draw(st.lists(BAD, min_size=1, max_size=4))]
    mixed: list[object] = list(draw(st.permutations(items)))
    nested: object = draw(st.sampled_from([mixed, tuple(mixed), [mixed], [[each] for each in mixed]]))
    return draw(st.sampled_from([nested, None, (None,)])) if draw(st.integers(0, 50)) == 0 else nested


MALFORMED_BOOLEAN = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=8),
    st.lists(st.none() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4), max_size=3),
    st.lists(st.booleans(), min_size=2, max_size=3),
    st.lists(st.lists(st.booleans(), max_size=2), min_size=1, max_size=2),
    st.just((None,)),
)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedCloud]:
    """Run a simulated cloud in a thread with its own event loop, because this test has none between inputs."""
    cloud = SimulatedCloud(jobs=20)
    with cloud.serving_in_thread() as base_url:
        monkeypatch.setenv("COMFY_CLOUD_BASE_URL", base_url)
        monkeypatch.setenv("COMFY_CLOUD_API_KEY", cloud.api_key)
        yield cloud


def assert_readable(error: Any, errors: Any) -> None:
    assert isinstance(error, errors.CloudError)
    assert isinstance(error, errors.InputRefused)
    assert error.message
    assert error.hint
    assert str(error).isprintable()
    assert len(str(error)) < 2000
    assert "Traceback" not in str(error)
    assert 'File "' not in str(error)
    assert error.__cause__ is None


def test_malformed_inputs_are_refused_with_a_readable_error_and_send_no_request(
    served: SimulatedCloud, load_pack: LoadPack
) -> None:
    pack = load_pack()
    errors: Any = sys.modules[f"{pack.__name__}.cloud_history.errors"]
    delete = pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]()
    clear = pack.NODE_CLASS_MAPPINGS["CloudHistoryClear"]()
    tried: list[object] = []

    @examples(EXAMPLES, HealthCheck.too_slow)
    @given(malformed_ids(), MALFORMED_BOOLEAN, GOOD)
    def both_nodes_refuse(job_ids: object, boolean: object, good: str) -> None:
        tried.append(job_ids)
        for run in (
            delete.run(job_ids=job_ids, dry_run=[False]),
            delete.run(job_ids=[good], dry_run=boolean),
            clear.run(clear=boolean),
        ):
            with pytest.raises(errors.CloudError) as refused:
                loop.run_until_complete(run)
            assert_readable(refused.value, errors)
        assert delete.VALIDATE_INPUTS(job_ids=job_ids) is True or "job id" in delete.VALIDATE_INPUTS(job_ids=job_ids)

    loop = asyncio.new_event_loop()
    try:
        both_nodes_refuse()
    finally:
        loop.close()
    assert tried
    assert served.requests == []


def test_the_nodes_send_their_requests_if_the_inputs_are_valid(
    served: SimulatedCloud, load_pack: LoadPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_NODES", "allow")
    without_backups(Path(os.environ["COMFY_CLOUD_HISTORY_HOME"]))
    pack = load_pack()
    wanted = served.finished[0].id
    asyncio.run(pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]().run(job_ids=[wanted], dry_run=[False]))
    asyncio.run(pack.NODE_CLASS_MAPPINGS["CloudHistoryClear"]().run(clear=[True]))
    assert served.history_posts == [{"delete": [wanted]}, {"clear": True}]
