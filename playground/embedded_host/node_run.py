"""One node of a running prompt."""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from .blocking import ExecutionBlocker
from .calls import Inputs, gather_inputs, merge_results, start_calls
from .interruption import InterruptProcessingException

if TYPE_CHECKING:
    from .runner import PromptRun

logger = logging.getLogger("embedded_host")


class ShownOutput(NamedTuple):
    """What a node shows in the interface, and for which node it was made."""

    output: dict[str, Any]
    meta: dict[str, Any]


@dataclass(frozen=True)
class NodeFailure:
    """Why a run ended early; `details` is None for an interrupt."""

    node_id: str
    details: dict[str, Any] | None

    @classmethod
    def of_cycle(cls, node_id: str) -> NodeFailure:
        """The failure of a graph that is linked in a circle."""
        return cls(
            node_id,
            {
                "exception_message": "Dependency cycle detected",
                "exception_type": "graph.DependencyCycleError",
                "traceback": [],
                "current_inputs": {},
            },
        )


def _shown_value(value: object) -> object:
    return value if value is None or isinstance(value, int | float | bool | str) else str(value)


def _type_name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class NodeRun:
    """Starts a node and later collects the answers of its async calls."""

    def __init__(self, prompt_run: PromptRun, node_id: str) -> None:
        self._run = prompt_run
        self._runner = prompt_run.runner
        self.node_id = node_id
        self.class_type: str = prompt_run.prompt[node_id]["class_type"]
        self.node_class = self._runner.registry.classes[self.class_type]
        self._inputs: Inputs = {}
        self._results: list[Any] = []

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """The calls that were still running when the node was started."""
        return [item for item in self._results if isinstance(item, asyncio.Task)]

    async def start(self) -> NodeFailure | None:
        """Call the node, unless its outputs are known already."""
        signature = self._run.signatures[self.node_id]
        if signature in self._runner.outputs:
            shown = self._runner.shown.get(signature)
            self._tell("executed", {"output": shown.output if shown else None})
            self._progress("finished")
            return None
        self._progress("running")
        try:
            await self._call()
        except Exception as fault:  # noqa: BLE001 - whatever a node raises is reported, never raised
            return self._failure(fault)
        return None if self.tasks else self.collect()

    def collect(self) -> NodeFailure | None:
        """Take the results and publish them."""
        try:
            results = [item.result() if isinstance(item, asyncio.Task) else item for item in self._results]
            self._results = []
            outputs, ui = merge_results(results, self.node_class)
        except Exception as fault:  # noqa: BLE001 - whatever a node raises is reported, never raised
            return self._failure(fault)
        if ui:
            self._show(ui)
        self._runner.outputs[self._run.signatures[self.node_id]] = outputs
        self._run.executed.append(self.node_id)
        self._progress("finished")
        return None

    async def _call(self) -> None:
        self._inputs = gather_inputs(
            self._run.prompt[self.node_id]["inputs"],
            self._runner.registry.input_types(self.class_type),
            self._run.outputs_of,
            self._hidden(),
        )
        self._runner.last_node_id = self.node_id
        self._tell("executing", {})
        key = self._run.instance_key(self.node_id)
        if key not in self._runner.instances:
            self._runner.instances[key] = self.node_class()
        self._results = await start_calls(
            getattr(self._runner.instances[key], self.node_class.FUNCTION),
            self._inputs,
            as_lists=getattr(self.node_class, "INPUT_IS_LIST", False),
            context=(self._run.prompt_id, self.node_id),
            before_call=self._runner.interruption.throw_if_wanted,
            on_block=self._on_block,
        )

    def _hidden(self) -> dict[str, Any]:
        extra = self._run.extra_data
        return {
            "UNIQUE_ID": self.node_id,
            "PROMPT": self._run.prompt,
            "EXTRA_PNGINFO": extra.get("extra_pnginfo"),
            "AUTH_TOKEN_COMFY_ORG": extra.get("auth_token_comfy_org"),
            "API_KEY_COMFY_ORG": extra.get("api_key_comfy_org"),
        }

    def _on_block(self, blocker: ExecutionBlocker) -> ExecutionBlocker:
        if blocker.message is None:
            return blocker
        self._tell(
            "execution_error",
            {
                "node_id": self.node_id,
                "node_type": self.class_type,
                "executed": list(self._run.executed),
                "exception_message": f"Execution Blocked: {blocker.message}",
                "exception_type": "ExecutionBlocked",
                "traceback": [],
                "current_inputs": [],
                "current_outputs": [],
            },
        )
        return ExecutionBlocker(None)

    def _show(self, ui: dict[str, Any]) -> None:
        meta = {
            "node_id": self.node_id,
            "display_node": self.node_id,
            "parent_node": None,
            "real_node_id": self.node_id,
        }
        self._runner.shown[self._run.signatures[self.node_id]] = ShownOutput(ui, meta)
        self._tell("executed", {"output": ui})

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        events = self._runner.events
        if events.client_id is not None:
            where = {"node": self.node_id, "display_node": self.node_id, "prompt_id": self._run.prompt_id}
            events.send_sync(event, {**where, **data}, events.client_id)

    def _progress(self, state: str) -> None:
        if self._runner.progress is None:
            return
        if state == "finished":
            self._runner.progress.finish(self.node_id)
        else:
            self._runner.progress.update(self.node_id)

    def _failure(self, fault: Exception) -> NodeFailure:
        if isinstance(fault, InterruptProcessingException):
            logger.info("Processing interrupted")
            return NodeFailure(self.node_id, None)
        logger.error("Node %s failed: %s", self.node_id, fault, exc_info=fault)
        details = {
            "exception_message": f"{fault}\n",
            "exception_type": _type_name(type(fault)),
            "traceback": traceback.format_tb(fault.__traceback__),
            "current_inputs": {
                name: [_shown_value(item) for item in values] for name, values in self._inputs.items()
            },
        }
        return NodeFailure(self.node_id, details)
