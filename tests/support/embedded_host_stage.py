"""A pack of small nodes, and a client of the embedded host that has loaded it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from embedded_host import EmbeddedHost

PACK = """
import asyncio
from pathlib import Path
from uuid import uuid4

from . import inner

WEB_DIRECTORY = "./js"
CALLS = []


def node(function, **attributes):
    base = {
        "CATEGORY": "test", "RETURN_TYPES": ("STRING",), "FUNCTION": "run", "OUTPUT_NODE": True,
        "INPUT_TYPES": classmethod(lambda cls: {"optional": {"value": ("STRING", {}), "more": ("STRING", {})}}),
        "run": function,
    }
    return type("Made", (), {**base, **attributes})


def record(self, **inputs):
    CALLS.append(inputs)
    return {"ui": {"text": [str(inputs)]}, "result": ("ran",)}


def fail(self, **inputs):
    raise ValueError("refused: " + inputs["value"])


async def wait_for_stop(self, **inputs):
    import comfy.model_management
    CALLS.append("waiting")
    while True:
        await asyncio.sleep(0.01)
        comfy.model_management.throw_exception_if_processing_interrupted()


async def wait_for_ever(self, **inputs):
    CALLS.append("waiting")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        CALLS.append("cancelled")
        raise


async def fail_later(self, **inputs):
    await asyncio.sleep(0.02)
    raise ValueError("later")


async def progress(self, **inputs):
    import comfy.utils
    from comfy_execution.utils import get_executing_context
    await asyncio.sleep(0)
    CALLS.append(tuple(get_executing_context()))
    comfy.utils.ProgressBar(4).update_absolute(3)
    return ("done",)


def fresh(cls, **inputs):
    return uuid4().hex


NAN = float("nan")
ANSWERS = {"fresh": fresh, "same_nan": lambda cls, **k: NAN, "true": lambda cls, **k: True}
NODE_CLASS_MAPPINGS = {
    "Record": node(record),
    "RecordList": node(record, INPUT_IS_LIST=True),
    "Texts": node(lambda self: (["a", "b", "c"],), OUTPUT_IS_LIST=(True,), OUTPUT_NODE=False,
                  INPUT_TYPES=classmethod(lambda cls: {})),
    "NoTexts": node(lambda self: ([],), OUTPUT_IS_LIST=(True,), OUTPUT_NODE=False,
                    INPUT_TYPES=classmethod(lambda cls: {})),
    "NoResult": node(lambda self: {"ui": {"text": []}}, OUTPUT_NODE=False,
                     INPUT_TYPES=classmethod(lambda cls: {})),
    "Fail": node(fail),
    "FailLater": node(fail_later),
    "WaitForStop": node(wait_for_stop),
    "WaitForEver": node(wait_for_ever),
    "Progress": node(progress),
    **{f"Changed_{name}": node(record, IS_CHANGED=classmethod(answer)) for name, answer in ANSWERS.items()},
    "NotIdempotent": node(record, NOT_IDEMPOTENT=True),
    "Picky": node(record, VALIDATE_INPUTS=classmethod(lambda cls, value: value != "bad" or "never bad")),
    "Number": node(record, INPUT_TYPES=classmethod(lambda cls: {"required": {"n": ("INT", {"min": 1})}})),
}
NODE_DISPLAY_NAME_MAPPINGS = {"Record": "Record it"}
inner.LOADED_AS.append(__name__)
"""


class Stage:
    """A client of a running host that has loaded the pack above."""

    def __init__(self, host: EmbeddedHost, base_url: str, session: aiohttp.ClientSession, module: Any) -> None:
        self.host = host
        self.url = base_url
        self.session = session
        self.module = module
        self.calls: list[Any] = module.CALLS

    async def queue(self, prompt: dict[str, Any], client_id: str | None = None) -> tuple[int, dict[str, Any]]:
        body = {"prompt": prompt, **({"client_id": client_id} if client_id else {})}
        async with self.session.post(f"{self.url}/prompt", json=body) as answer:
            return answer.status, await answer.json()

    async def run(self, prompt: dict[str, Any]) -> dict[str, Any]:
        """Queue a prompt, wait for its end on the websocket, and return its history entry."""
        async with self.session.ws_connect(f"{self.url}/ws?clientId=test") as socket:
            status, queued = await self.queue(prompt, "test")
            assert status == 200, queued
            async for message in socket:
                event = message.json() if message.type == aiohttp.WSMsgType.TEXT else {}
                if event.get("type") == "executing" and event["data"]["node"] is None:
                    break
        async with self.session.get(f"{self.url}/history/{queued['prompt_id']}") as answer:
            entry: dict[str, Any] = (await answer.json())[queued["prompt_id"]]
            return entry

    async def until_called(self) -> None:
        while not self.calls:  # noqa: ASYNC110 - the node records its calls in another thread
            await asyncio.sleep(0)


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def events_of(entry: dict[str, Any]) -> list[str]:
    return [event for event, _ in entry["status"]["messages"]]
