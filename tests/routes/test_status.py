"""The status: what is configured, running, finished and unresolved."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from cloud_history import __version__
from cloud_history.state.in_flight import InFlightOperation
from simulated_cloud import SimulatedCloud
from support.route_stage import Stage, serving


async def test_on_a_fresh_machine_nothing_is_configured_and_nothing_is_a_problem(
    cloud: SimulatedCloud, tmp_path: Path
) -> None:
    async with serving(cloud, tmp_path / "state", {}) as stage:
        assert (await stage.ask("status")).json == {
            "version": __version__,
            "configured": False,
            "source": None,
            "last4": "",
            "can_connect": True,
            "host": "cloud.comfy.org",
            "running": None,
            "finished": [],
            "unresolved": [],
            "holds": [],
            "undone": [],
            "lost_holds": [],
            "hold_seconds": 10,
            "settings": {
                "hold_seconds": 10,
                "backup": "workflows",
                "nodes": "ask",
                "backup_days": 90,
                "record_names": "on",
                "backup_megabytes": 1000,
                "outputs_folder": "",
                "outputs_max_gigabytes": 8,
                "nodes_fixed": False,
            },
            "protection": {"jobs": 0, "workflows": 0, "damaged": None},
            "outputs": {"place": "output/comfy-cloud", "problem": None},
            "can_cancel": None,
            "problem": None,
            "clock": "",
        }
        assert stage.kept_files() == {}


async def test_the_status_names_the_source_of_the_key_and_its_last_four_characters(stage: Stage) -> None:
    status = (await stage.ask("status")).json
    assert (status["configured"], status["source"], status["last4"]) == (
        True,
        "env",
        stage.cloud.api_key[-4:],
    )
    assert status["host"] == stage.cloud.base_url.removeprefix("http://")


async def test_the_status_sends_no_request_to_the_cloud(target: Stage) -> None:
    await target.ask("status")
    assert target.cloud.requests == []


async def test_the_status_lists_the_latest_ten_results_newest_first(stage: Stage) -> None:
    operations = []
    for _ in range(12):
        stage.cloud.add_job("completed")
        token = (await stage.ask("preview")).json["token"]
        operations.append((await stage.ask("clear", {"token": token})).json["operation"])
    listed = [each["operation"] for each in (await stage.ask("status")).json["finished"]]
    assert listed == operations[:1:-1]


@pytest.mark.parametrize(
    ("base_url", "hidden"),
    [
        ("http://cloud.comfy.org", "http://"),
        ("https://somebody:swordfish@cloud.comfy.org", "swordfish"),
        ("https://cloud.comfy.org?key=swordfish", "swordfish"),
        ("file:///etc/passwd", "passwd"),
        ("https://[::1", "::1"),
    ],
)
async def test_an_unsafe_address_is_a_problem_and_is_not_repeated(
    cloud: SimulatedCloud, tmp_path: Path, base_url: str, hidden: str
) -> None:
    async with serving(cloud, tmp_path / "state", {"COMFY_CLOUD_BASE_URL": base_url}) as stage:
        answer = await stage.ask("status")
        assert (answer.status, answer.json["problem"]["code"], answer.json["host"]) == (
            200,
            "unsafe_base_url",
            "",
        )
        assert hidden not in answer.text
        for route in ("preview", "save_key"):
            body = {"clear": True} if route == "preview" else {"api_key": "comfyui-0123456789"}
            assert (await stage.ask(route, body)).code == "unsafe_base_url"


async def test_a_key_in_the_environment_that_cannot_be_sent_is_a_problem_and_is_not_repeated(
    cloud: SimulatedCloud, tmp_path: Path
) -> None:
    async with serving(cloud, tmp_path / "state", {"COMFY_CLOUD_API_KEY": "schlüssel swordfish"}) as stage:
        answer = await stage.ask("status")
        assert (answer.status, answer.json["problem"]["code"]) == (200, "invalid_key")
        assert "swordfish" not in answer.text


@pytest.mark.usefixtures("no_jsonschema")
async def test_a_missing_package_is_a_problem_and_the_rest_of_the_status_is_still_given(stage: Stage) -> None:
    status = (await stage.ask("status")).json
    assert status["problem"]["code"] == "missing_dependency"
    assert "pip install jsonschema" in status["problem"]["hint"]


async def test_unresolved_operations_are_listed_until_dismissed(target: Stage) -> None:
    left = InFlightOperation("delete", "node 7", "host", "abcd", asked=3, job_ids=("a", "b", "c"))
    target.operations.queue.in_flight.begin(left)
    listed = (await target.ask("status")).json["unresolved"]
    assert {each["operation"] for each in listed} == {left.operation, target.unresolved.operation}
    mine = next(each for each in listed if each["operation"] == left.operation)
    assert (mine["kind"], mine["asked"], mine["origin"]) == ("delete", 3, "node 7")
    assert mine["started_at"]
    answer = await target.ask("dismiss", {"operation": left.operation})
    assert [each["operation"] for each in answer.json["unresolved"]] == [target.unresolved.operation]
    assert target.cloud.requests == []


NOT_LISTED: list[str] = [
    "",
    "x",
    "f" * 32,
    "../api_key",
    "../../etc/passwd",
    "/etc/passwd",
    "\x00",
    "\ud800",
    "A" * 32,
]


async def test_only_listed_operations_can_be_dismissed_and_no_other_file_is_removed(target: Stage) -> None:
    target.saves.stop_all()  # otherwise the changed key stops the running save, whose file goes a moment later
    await target.until(lambda: all(each.ended for each in target.saves.own))
    for operation in NOT_LISTED:
        await target.ask("save_key")
        before = target.kept_files()
        answer = await target.ask("dismiss", {"operation": operation})
        assert (answer.status, answer.code) == (400, "invalid_request")
        assert target.kept_files() == before


async def test_a_damaged_in_flight_record_is_still_listed_and_can_be_dismissed(target: Stage) -> None:
    folder = target.folder / "running"
    name = "0123456789abcdef" * 2
    (folder / f"{name}.json").write_bytes(b"{")
    status = await target.ask("status")
    assert status.status == 200
    assert name in [each["operation"] for each in status.json["unresolved"]]
    assert (await target.ask("dismiss", {"operation": name})).status == 200
    assert not (folder / f"{name}.json").exists()


async def test_the_status_is_returned_even_if_the_state_folder_is_unusable(
    cloud: SimulatedCloud, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    async with serving(cloud, tmp_path / "state", {"COMFY_CLOUD_BASE_URL": cloud.base_url}) as stage:
        answer = await stage.ask("status")
        assert answer.status == 200
        assert str(tmp_path) not in answer.text


async def test_a_head_request_gets_no_more_than_a_get(stage: Stage) -> None:
    assert (await stage.ask("status", b"", method="HEAD", headers={"X-Cloud-History": None})).status == 403


def test_the_routes_import_nothing_of_comfyui() -> None:
    assert not {"server", "folder_paths", "comfy", "comfy_execution"} & set(sys.modules)


async def test_a_lost_state_folder_is_reported_and_stops_everything_until_a_fresh_start(
    stage: Stage,
) -> None:
    job = stage.cloud.finished[0]
    await stage.ask("protect", {"protect": True, "ids": [job.id]})
    deletion = await stage.preview(ids=[each.id for each in stage.cloud.finished[1:3]])
    shutil.rmtree(stage.folder)
    status = (await stage.ask("status")).json
    assert (status["configured"], status["problem"]["code"]) == (True, "state_lost")
    assert status["can_connect"] is False
    assert str(stage.folder) in status["problem"]["message"]
    for answer in (
        await stage.ask("delete", {"token": deletion["token"]}),
        await stage.ask("preview", {"clear": True}),
        await stage.ask("preview", {"ids": [job.id]}),
        await stage.ask("clean_up", {"policy": {"keep_last": 5}}),
        await stage.ask("protection"),
        await stage.ask("protect", {"protect": True, "ids": [job.id]}),
        await stage.ask("settings", {"hold_seconds": 0}),
        await stage.ask("save_key"),
        await stage.ask("remove_key"),
        await stage.ask("record"),
    ):
        assert (answer.status, answer.code) == (409, "state_lost"), answer
    assert stage.cloud.history_posts == []
    assert not stage.folder.exists()

    answer = await stage.ask("start_anew")
    assert (answer.status, answer.json["problem"]) == (200, None)
    assert (await stage.ask("protection")).json == {"jobs": [], "workflows": []}
    assert (await stage.preview(ids=[job.id]))["removable"] == 1
    again = await stage.ask("start_anew")
    assert (again.status, again.code) == (400, "invalid_request")


async def test_a_hold_whose_state_folder_is_lost_is_not_sent(stage: Stage) -> None:
    await stage.held(10, ids=[stage.cloud.finished[0].id])
    await stage.until(lambda: stage.timer.awaited)
    shutil.rmtree(stage.folder)
    stage.timer.wait(10)
    told = await stage.announced()
    assert stage.cloud.history_posts == []
    assert told["error"]["code"] == "state_lost"


@pytest.mark.parametrize(
    ("environ", "saved", "can_connect"),
    [
        pytest.param({}, "{damaged", True, id="the file of the key is damaged"),
        pytest.param({"COMFY_CLOUD_API_KEY": "no\nkey"}, None, False, id="the environment has one that cannot be sent"),
        pytest.param({"COMFY_CLOUD_API_KEY": " "}, None, True, id="the environment has an empty one"),
        pytest.param({"COMFY_CLOUD_BASE_URL": "http://example.org"}, None, False, id="the address is not safe"),
    ],
)
async def test_a_key_can_be_entered_only_if_it_would_be_used(
    cloud: SimulatedCloud, tmp_path: Path, environ: dict[str, str], saved: str | None, can_connect: bool
) -> None:
    if saved is not None:
        (tmp_path / "state").mkdir(mode=0o700)
        (tmp_path / "state" / "api_key.json").write_text(saved)
    async with serving(cloud, tmp_path / "state", environ) as stage:
        status = (await stage.ask("status")).json
        assert (status["configured"], status["can_connect"]) == (False, can_connect)
