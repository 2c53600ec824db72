"""The embedded host loads packs and runs graphs as observed in ComfyUI 0.3.64."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from embedded_host import EmbeddedHost, NodeRegistry, installed, load_pack
from embedded_host.core_nodes import AnyType
from embedded_host.validation import types_match
from hosts import HostDidNotStart, HostProcess, start_embedded
from support.embedded_host_stage import PACK, Stage, events_of, node


@pytest.fixture
def base(tmp_path: Path) -> Path:
    pack = tmp_path / "base.dir" / "custom_nodes" / "a-pack"
    (pack / "js").mkdir(parents=True)
    (pack / "__init__.py").write_text(textwrap.dedent(PACK), "utf-8")
    (pack / "inner.py").write_text("LOADED_AS = []\n", "utf-8")
    (pack / "js" / "main.js").write_text("export {};\n", "utf-8")
    broken = tmp_path / "base.dir" / "custom_nodes" / "broken"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('broken')\n", "utf-8")
    return tmp_path / "base.dir"


@pytest.fixture
def clean_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "base_x_dir" in name:
            del sys.modules[name]


@pytest.fixture
async def stage(base: Path, clean_modules: None) -> AsyncIterator[Stage]:
    host = EmbeddedHost(base, asyncio.get_running_loop())
    with installed(host):
        host.load_packs()
        module = sys.modules[str(base / "custom_nodes" / "a-pack").replace(".", "_x_")]
        publishing = asyncio.create_task(host.server.publish())
        async with host.serving() as url, aiohttp.ClientSession() as session:
            yield Stage(host, url, session, module)
        publishing.cancel()


async def test_a_pack_is_named_by_its_path_with_dots_replaced(stage: Stage, base: Path) -> None:
    assert [str(base / "custom_nodes" / "a-pack").replace(".", "_x_")] == stage.module.inner.LOADED_AS


async def test_a_pack_that_fails_to_load_does_not_stop_the_other_packs_or_the_host(stage: Stage) -> None:
    async with stage.session.get(f"{stage.url}/api/object_info") as answer:
        info = await answer.json()
    assert info["Record"]["display_name"] == "Record it"
    assert info["Record"]["python_module"] == "custom_nodes.a-pack"
    async with stage.session.get(f"{stage.url}/api/extensions") as answer:
        assert await answer.json() == ["/extensions/a-pack/main.js"]


async def test_browsers_cache_hashed_files_and_request_the_scripts_of_packs_each_time(
    base: Path, clean_modules: None, tmp_path: Path
) -> None:
    frontend = tmp_path / "frontend"
    (frontend / "assets" / "lib").mkdir(parents=True)
    for name in ("index.html", "assets/vue-Bhdk1MZf.js", "assets/lib/vue.js"):
        (frontend / name).write_text("", "utf-8")
    host = EmbeddedHost(base, asyncio.get_running_loop(), frontend)
    kept = {}
    with installed(host):
        host.load_packs()
        async with host.serving() as url, aiohttp.ClientSession() as session:
            for path in ("/", "/assets/vue-Bhdk1MZf.js", "/assets/lib/vue.js", "/extensions/a-pack/main.js"):
                async with session.get(url + path) as answer:
                    kept[path] = answer.headers["Cache-Control"]
    assert kept.pop("/assets/vue-Bhdk1MZf.js") == "max-age=86400, immutable"
    assert set(kept.values()) == {"no-cache"}


def test_load_pack_raises_the_exception_of_the_import(base: Path, clean_modules: None) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        load_pack(base / "custom_nodes" / "broken", NodeRegistry())


@pytest.mark.parametrize(
    ("class_type", "runs"),
    [
        ("Record", 1),
        ("NotIdempotent", 1),
        ("Changed_fresh", 3),
        ("Changed_same_nan", 1),
        ("Changed_true", 1),
    ],
)
async def test_a_node_runs_again_only_if_is_changed_gives_another_answer(
    stage: Stage, class_type: str, runs: int
) -> None:
    for _ in range(3):
        entry = await stage.run({"1": node(class_type, value="x")})
        assert entry["outputs"] == {"1": {"text": ["{'value': 'x'}"]}}
    assert len(stage.calls) == runs


@pytest.mark.parametrize(("class_type", "runs"), [("Record", 1), ("NotIdempotent", 2), ("Changed_fresh", 2)])
async def test_equal_nodes_run_once_unless_they_are_not_idempotent_or_changed(
    stage: Stage, class_type: str, runs: int
) -> None:
    await stage.run({"1": node(class_type, value="x"), "2": node(class_type, value="x")})
    assert len(stage.calls) == runs


async def test_a_prompt_that_carries_is_changed_runs_once(stage: Stage) -> None:
    for _ in range(3):
        await stage.run({"1": {**node("Changed_fresh", value="x"), "is_changed": ["from a picture"]}})
    assert len(stage.calls) == 1


async def test_history_keeps_the_prompt_as_it_was_sent(stage: Stage) -> None:
    prompt = {"1": node("Changed_fresh", value="x")}
    assert (await stage.run(prompt))["prompt"][2] == prompt


async def test_running_a_node_that_is_only_drawn_fails_with_an_error_that_says_so(stage: Stage) -> None:
    entry = await stage.run(
        {
            "1": node("EmptyLatentImage", width=512, height=512, batch_size=1),
            "2": node("VAEDecode", samples=["1", 0], vae=["3", 0]),
            "3": node("VAELoader", vae_name="ae.safetensors"),
            "4": node("SaveImage", images=["2", 0], filename_prefix="x"),
        }
    )
    event, data = entry["status"]["messages"][-1]
    assert event == "execution_error"
    assert "Empty Latent Image" in data["exception_message"]
    assert "only drawn" in data["exception_message"]


@pytest.mark.parametrize("removal", ["clear", "delete"])
async def test_comfyui_s_own_history_is_cleared_and_its_entries_are_deleted(stage: Stage, removal: str) -> None:
    ids = [(await stage.run({"1": node("Record", value=value)}))["prompt"][1] for value in "ab"]
    body = {"clear": True} if removal == "clear" else {"delete": ids[:1]}
    async with stage.session.post(f"{stage.url}/api/history", json=body) as answer:
        assert answer.status == 200
    async with stage.session.get(f"{stage.url}/api/history") as answer:
        assert list(await answer.json()) == ([] if removal == "clear" else ids[1:])


async def test_waiting_prompts_are_taken_out_of_the_queue(stage: Stage) -> None:
    await stage.queue({"1": node("WaitForStop")})
    await stage.until_called()
    waiting = [(await stage.queue({"1": node("Record", value=value)}))[1]["prompt_id"] for value in "abc"]
    bodies: list[dict[str, Any]] = [{"delete": waiting[:1]}, {"clear": True}]
    for body, left in zip(bodies, (waiting[1:], []), strict=True):
        async with stage.session.post(f"{stage.url}/api/queue", json=body) as answer:
            assert answer.status == 200
        async with stage.session.get(f"{stage.url}/api/queue") as answer:
            assert [item[1] for item in (await answer.json())["queue_pending"]] == left


async def test_a_list_calls_a_plain_node_once_for_each_item(stage: Stage) -> None:
    await stage.run({"1": node("Texts"), "2": node("Record", value=["1", 0], more="m")})
    assert stage.calls == [{"value": item, "more": "m"} for item in "abc"]


async def test_an_empty_list_fails_at_a_plain_node(stage: Stage) -> None:
    entry = await stage.run({"1": node("NoTexts"), "2": node("Record", value=["1", 0], more="m")})
    assert entry["status"]["messages"][-1][1]["exception_type"] == "IndexError"


@pytest.mark.parametrize(("source", "received"), [("Texts", ["a", "b", "c"]), ("NoTexts", []), ("NoResult", (None,))])
async def test_a_list_node_receives_the_whole_list_of_a_link(stage: Stage, source: str, received: object) -> None:
    await stage.run({"1": node(source), "2": node("RecordList", value=["1", 0], more="m")})
    # Nodes receive widget values as lists of one item, missing outputs as a tuple, and no unconnected optional inputs.
    assert stage.calls == [{"value": received, "more": ["m"]}]
    assert type(stage.calls[0]["value"]) is type(received)


async def test_a_node_that_raises_ends_the_run_with_an_execution_error(stage: Stage) -> None:
    entry = await stage.run({"1": node("Fail", value="x")})
    event, data = entry["status"]["messages"][-1]
    assert (event, data["node_id"], data["node_type"]) == ("execution_error", "1", "Fail")
    assert data["exception_message"] == "refused: x\n"
    assert data["exception_type"] == "ValueError"
    assert data["current_inputs"] == {"value": ["x"]}
    assert entry["status"]["status_str"] == "error"


async def test_a_node_is_cancelled_when_another_node_fails(stage: Stage) -> None:
    entry = await stage.run({"1": node("WaitForEver"), "2": node("FailLater")})
    assert events_of(entry)[-1] == "execution_error"
    assert stage.calls == ["waiting", "cancelled"]


async def test_an_interrupt_stops_a_node_that_checks_for_it_but_not_the_next_run(stage: Stage) -> None:
    running = asyncio.create_task(stage.run({"1": node("WaitForStop")}))
    await stage.until_called()
    async with stage.session.post(f"{stage.url}/api/interrupt") as answer:
        assert answer.status == 200
    entry = await running
    assert events_of(entry)[-1] == "execution_interrupted"
    assert events_of(await stage.run({"1": node("Record", value="x")}))[-1] == "execution_success"


async def test_the_extra_data_of_a_prompt_is_readable_while_it_runs_and_its_keys_are_not_kept(
    stage: Stage,
) -> None:
    queue = stage.host.server.prompt_queue
    extra = {"api_key_comfy_org": "comfyui-a-key", "extra_pnginfo": {"workflow": {"id": "w"}}}
    body = {"prompt": {"1": node("WaitForStop")}, "client_id": "page", "extra_data": extra}
    async with stage.session.ws_connect(f"{stage.url}/ws?clientId=page") as socket:
        async with stage.session.post(f"{stage.url}/prompt", json=body) as answer:
            prompt_id = (await answer.json())["prompt_id"]
        await stage.until_called()
        [(_, running_id, graph, data, _)] = queue.currently_running.values()
        assert (running_id, list(graph)) == (prompt_id, ["1"])
        assert data == {**extra, "client_id": "page"}
        assert (stage.host.server.client_id, list(stage.host.server.sockets)) == ("page", ["page"])
        stage.host.interruption.interrupt()
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT and message.json()["type"] == "execution_interrupted":
                break
    while queue.currently_running:  # noqa: ASYNC110 - it ends in another thread
        await asyncio.sleep(0)
    assert "comfyui-a-key" not in str(queue.history())


async def test_the_events_of_a_successful_run_come_in_order(stage: Stage) -> None:
    entry = await stage.run({"1": node("Record", value="x")})
    assert events_of(entry) == ["execution_start", "execution_cached", "execution_success"]


async def test_progress_and_context_reach_the_client(stage: Stage) -> None:
    async with stage.session.ws_connect(f"{stage.url}/ws?clientId=watcher") as socket:
        _, queued = await stage.queue({"1": node("Progress")}, "watcher")
        seen: dict[str, Any] = {}
        async for message in socket:
            event = message.json()
            seen[event["type"]] = event["data"]
            if event["type"] == "executing" and event["data"]["node"] is None:
                break
    assert (seen["progress"]["value"], seen["progress"]["max"]) == (3, 4)
    assert seen["progress_state"]["nodes"]["1"]["state"] == "finished"
    assert stage.calls == [(queued["prompt_id"], "1", 0)]


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ({"1": node("Number")}, "required_input_missing"),
        ({"1": node("Number", n=0)}, "value_smaller_than_min"),
        ({"1": node("Number", n="many")}, "invalid_input_type"),
        ({"1": node("Record", value=["1", 0, 0])}, "bad_linked_input"),
        ({"1": node("Texts"), "2": node("Number", n=["1", 0])}, "return_type_mismatch"),
        ({"1": node("Record", value=["9", 0])}, "exception_during_validation"),
        ({"1": node("Picky", value="bad")}, "custom_validation_failed"),
    ],
)
async def test_validation_refuses_prompts_that_comfyui_refuses(stage: Stage, prompt: dict[str, Any], kind: str) -> None:
    status, answer = await stage.queue(prompt)
    assert status == 400
    assert [error["type"] for entry in answer["node_errors"].values() for error in entry["errors"]] == [kind]
    assert stage.calls == []


async def test_other_outputs_run_when_one_output_is_refused(stage: Stage) -> None:
    status, answer = await stage.queue({"1": node("Picky", value="bad"), "2": node("Record", value="x")})
    assert (status, list(answer["node_errors"])) == (200, ["1"])
    await stage.until_called()
    assert stage.calls == [{"value": "x"}]


def test_an_any_type_matches_every_type_on_either_side() -> None:
    assert types_match("IMAGE", AnyType("*"))
    assert types_match(AnyType("*"), "IMAGE")
    assert not types_match("IMAGE", "*")
    assert types_match("IMAGE,MASK", "MASK")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "null"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example", "Host": "192.168.1.5:8188"}, 200),
    ],
)
async def test_the_origin_check_is_not_stricter_than_that_of_comfyui(
    stage: Stage, headers: dict[str, str], status: int
) -> None:
    async with stage.session.get(f"{stage.url}/api/queue", headers=headers) as answer:
        assert answer.status == status


@pytest.fixture
def process(tmp_path: Path) -> Iterator[HostProcess]:
    started = start_embedded(tmp_path / "home", cloud_url="http://127.0.0.1:9", settings={"Comfy.Locale": "en"})
    yield started
    started.stop()


async def test_a_host_process_serves_its_settings_and_stops_on_ctrl_c(process: HostProcess) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{process.base_url}/api/settings") as answer:
        assert (await answer.json())["Comfy.Locale"] == "en"
    process.stop()
    assert process.process.returncode == 0
    assert "Stopped" in process.log()


def test_a_host_that_cannot_start_reports_the_end_of_its_log(tmp_path: Path, process: HostProcess) -> None:
    taken = int(process.base_url.rpartition(":")[2])
    with pytest.raises(HostDidNotStart, match=r"(?i)address already in use|10048"):
        start_embedded(tmp_path / "other", cloud_url="http://127.0.0.1:9", port=taken)
