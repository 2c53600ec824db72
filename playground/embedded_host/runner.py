"""Running a prompt: order, cache, async nodes side by side, errors, interrupt and what is told meanwhile."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Hashable
from typing import Any

from .calls import is_link
from .interruption import Interruption
from .node_run import NodeFailure, NodeRun, ShownOutput
from .progress import Events, ProgressState
from .registry import NodeRegistry
from .signature import Prompt, Signatures


class GraphRunner:
    """Runs prompts one after another and keeps what may be reused between them."""

    def __init__(self, registry: NodeRegistry, events: Events, interruption: Interruption) -> None:
        self.registry = registry
        self.events = events
        self.interruption = interruption
        self.outputs: dict[Hashable, list[list[Any]]] = {}
        self.shown: dict[Hashable, ShownOutput] = {}
        self.instances: dict[Hashable, Any] = {}
        self.progress: ProgressState | None = None
        self.last_node_id: str | None = None

    def run(
        self, prompt_id: str, prompt: Prompt, extra_data: dict[str, Any], outputs: list[str]
    ) -> dict[str, Any]:
        """Run a validated prompt in this thread, on an event loop of its own.

        Returns the prompt's history entry without its `prompt`. A failing node does not raise: it is in `status`.
        """
        return asyncio.run(PromptRun(self, prompt_id, prompt).execute(extra_data, outputs))

    def forget_unused(self, keys: set[Hashable], node_keys: set[Hashable]) -> None:
        """Drop what belongs to nodes that the present prompt does not have."""
        self.outputs = {key: value for key, value in self.outputs.items() if key in keys}
        self.shown = {key: value for key, value in self.shown.items() if key in keys}
        self.instances = {key: value for key, value in self.instances.items() if key in node_keys}


class PromptRun:
    """One prompt on its way."""

    def __init__(self, runner: GraphRunner, prompt_id: str, prompt: Prompt) -> None:
        self.runner = runner
        self.prompt_id = prompt_id
        self.prompt = prompt
        self.signatures = Signatures(prompt_id, prompt, runner.registry)
        self.extra_data: dict[str, Any] = {}
        self.executed: list[str] = []
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self._pending: list[str] = []
        self._running: dict[str, tuple[NodeRun, asyncio.Future[Any]]] = {}

    async def execute(self, extra_data: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
        """Run to the end or to the first failure; leaving then cancels the nodes that still await."""
        runner = self.runner
        runner.interruption.interrupt(False)
        runner.events.client_id = extra_data.get("client_id")
        runner.progress = ProgressState(self.prompt_id, runner.events)
        self.extra_data = extra_data
        self._tell("execution_start", {})
        for node_id in self.prompt:
            await self.signatures.of(node_id)
        runner.forget_unused(
            self.signatures.values(), {self.instance_key(node_id) for node_id in self.prompt}
        )
        cached = [node_id for node_id in self.prompt if self.outputs_of(node_id) is not None]
        self._tell("execution_cached", {"nodes": cached})
        for node_id in outputs:
            self._need(node_id)
        failure = await self._run_nodes()
        if failure is None:
            self._tell("execution_success", {})
        else:
            self._tell_failure(failure)
        runner.last_node_id = None
        return self._history(failure is None)

    def instance_key(self, node_id: str) -> Hashable:
        """Under which a node's instance is kept between prompts."""
        return (node_id, self.prompt[node_id]["class_type"])

    def outputs_of(self, node_id: str) -> list[list[Any]] | None:
        """What a node gave, in this run or in an earlier one of the same node; None if it has not run."""
        return self.runner.outputs.get(self.signatures[node_id]) if node_id in self.prompt else None

    def _sources(self, node_id: str) -> list[str]:
        return [value[0] for value in self.prompt[node_id]["inputs"].values() if is_link(value)]

    def _need(self, node_id: str) -> None:
        if node_id in self._pending:
            return
        self._pending.append(node_id)
        for source in self._sources(node_id):
            if self.outputs_of(source) is None:
                self._need(source)

    def _is_ready(self, node_id: str) -> bool:
        if node_id in self._running:
            return self._running[node_id][1].done()
        return not any(source in self._pending for source in self._sources(node_id))

    async def _next_node(self) -> str | None:
        """The node to take up: output and async nodes first. None if the graph is a circle."""
        while True:
            ready = [node_id for node_id in self._pending if self._is_ready(node_id)]
            if ready:
                return min(ready, key=self._comes_later)
            waiting = [future for _, future in self._running.values()]
            if not waiting:
                return None
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    def _comes_later(self, node_id: str) -> bool:
        node = self.runner.registry.classes[self.prompt[node_id]["class_type"]]
        is_async = inspect.iscoroutinefunction(getattr(node, node.FUNCTION))
        return not (is_async or self.runner.registry.is_output(self.prompt[node_id]["class_type"]))

    async def _run_nodes(self) -> NodeFailure | None:
        while self._pending:
            node_id = await self._next_node()
            if node_id is None:
                return NodeFailure.of_cycle(self._pending[0])
            running = self._running.pop(node_id, None)
            run = running[0] if running else NodeRun(self, node_id)
            failure = run.collect() if running else await run.start()
            if failure is not None:
                return failure
            if run.tasks:
                self._running[node_id] = (run, asyncio.gather(*run.tasks, return_exceptions=True))
            else:
                self._pending.remove(node_id)
        return None

    def _tell(self, event: str, data: dict[str, Any], to_all: bool = False) -> None:
        data = {**data, "prompt_id": self.prompt_id, "timestamp": int(time.time() * 1000)}
        self.messages.append((event, data))
        client_id = self.runner.events.client_id
        if client_id is not None or to_all:
            self.runner.events.send_sync(event, data, client_id)

    def _tell_failure(self, failure: NodeFailure) -> None:
        where = {
            "node_id": failure.node_id,
            "node_type": self.prompt[failure.node_id]["class_type"],
            "executed": list(self.executed),
        }
        if failure.details is None:
            self._tell("execution_interrupted", where, to_all=True)
        else:
            self._tell("execution_error", {**where, **failure.details, "current_outputs": list(self.prompt)})

    def _history(self, success: bool) -> dict[str, Any]:
        known = {node_id: self.runner.shown.get(self.signatures[node_id]) for node_id in self.prompt}
        shown = {node_id: item for node_id, item in known.items() if item is not None}
        return {
            "outputs": {node_id: item.output for node_id, item in shown.items()},
            "meta": {node_id: item.meta for node_id, item in shown.items()},
            "status": {
                "status_str": "success" if success else "error",
                "completed": success,
                "messages": self.messages,
            },
        }
