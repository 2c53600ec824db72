"""Running a prompt: the order of its nodes, the cache, events, errors and interrupts.

The rules are those of V1 nodes, as observed in ComfyUI 0.3.64.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
import traceback
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any

from .core_nodes import NodeClass
from .packs import NodeRegistry
from .run_state import ExecutionContext, Interruption, InterruptProcessingException, executing
from .server import PromptServer

logger = logging.getLogger("embedded_host")
Prompt = dict[str, dict[str, Any]]
Inputs = dict[str, Sequence[Any]]
MISSING_LINK = (None,)


def is_link(value: object) -> bool:
    """Whether the value of an input is a link `[node id, output index]`."""
    return isinstance(value, list) and [type(part) for part in value] == [str, int]


def gather_inputs(
    given: Mapping[str, Any],
    declared: Mapping[str, Any],
    outputs_of: Callable[[str], list[list[Any]]] = lambda node_id: [],
) -> Inputs:
    """Collect every input as a list of values.

    A link to an output that does not exist gives `(None,)`. So does every link without `outputs_of`, as in the calls of
    VALIDATE_INPUTS and IS_CHANGED. Undeclared constants are dropped.
    """
    known = {name for group in ("required", "optional") for name in declared.get(group, {})}
    inputs: Inputs = {}
    for name, value in given.items():
        if is_link(value):
            outputs = outputs_of(value[0])
            inputs[name] = outputs[value[1]] if value[1] < len(outputs) else MISSING_LINK
        elif name in known:
            inputs[name] = [value]
    return inputs


def split_into_calls(inputs: Inputs, node: NodeClass) -> list[dict[str, Any]]:
    """Return the keyword arguments of each call. Shorter lists repeat their last item."""
    if getattr(node, "INPUT_IS_LIST", False):
        return [dict(inputs)]
    longest = max((len(values) for values in inputs.values()), default=0)
    # An empty list beside a longer one fails here with an IndexError, as it does in ComfyUI.
    return [
        {name: values[index if index < len(values) else -1] for name, values in inputs.items()}
        for index in range(longest or 1)
    ]


async def call_node(
    function: Callable[..., Any],
    inputs: Inputs,
    node: NodeClass,
    before_call: Callable[[int], None] = lambda index: None,
) -> list[Any]:
    """Call the function with whole lists, or once for each item, and return the results."""
    results = []
    for index, arguments in enumerate(split_into_calls(inputs, node)):
        before_call(index)
        result = function(**arguments)
        results.append(await result if inspect.isawaitable(result) else result)
    return results


def merge_results(results: list[Any], node: NodeClass) -> tuple[list[list[Any]], dict[str, list[Any]]]:
    """Return a list of values for each output of the node, and the values that the interface shows."""
    shown = [result["ui"] for result in results if isinstance(result, dict) and "ui" in result]
    tuples: list[Any] = [result.get("result") if isinstance(result, dict) else result for result in results]
    tuples = [values for values in tuples if values is not None]
    are_lists = getattr(node, "OUTPUT_IS_LIST", [False] * len(node.RETURN_TYPES))
    outputs = [
        [item for values in tuples for item in (values[index] if is_list else [values[index]])]
        for index, is_list in enumerate(are_lists)
    ]
    ui = {key: [item for part in shown for item in part[key]] for key in shown[0]} if shown else {}
    return outputs if tuples else [], ui


class Signatures:
    """The cache keys of the nodes of one prompt.

    Two nodes are the same if their class, the answer of IS_CHANGED, their constants and the nodes behind their links
    are. Keys are compared by identity first: one NaN object equals itself, a fresh NaN or UUID equals nothing.
    """

    def __init__(self, prompt: Prompt, registry: NodeRegistry) -> None:
        self._prompt = prompt
        self._registry = registry
        self.known: dict[str, Hashable] = {}

    async def of(self, node_id: str) -> Hashable:
        """Return the key of a node, after calling IS_CHANGED of the node and of the nodes that it depends on."""
        if node_id not in self.known:
            # A node that is reached again while its own key is computed is part of a cycle, and equals no other node.
            self.known[node_id] = object()
            self.known[node_id] = await self._make(node_id)
        return self.known[node_id]

    async def _make(self, node_id: str) -> Hashable:
        node = self._prompt[node_id]
        node_class = self._registry.classes[node["class_type"]]
        parts: list[Hashable] = [node["class_type"], _hashable(await self._is_changed(node, node_class))]
        if getattr(node_class, "NOT_IDEMPOTENT", False):
            parts.append(node_id)
        for name, value in sorted(node["inputs"].items()):
            parts.append((name, await self.of(value[0]), value[1]) if is_link(value) else (name, _hashable(value)))
        return tuple(parts)

    async def _is_changed(self, node: dict[str, Any], node_class: NodeClass) -> object:
        """Return the answer of IS_CHANGED, which ComfyUI also writes into the prompt that images carry."""
        if hasattr(node_class, "IS_CHANGED") and "is_changed" not in node:
            inputs = gather_inputs(node["inputs"], self._registry.input_types(node["class_type"]))
            node["is_changed"] = await call_node(node_class.IS_CHANGED, inputs, node_class)
        return node.get("is_changed", False)


def _hashable(value: object) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((key, _hashable(value[key])) for key in sorted(value))
    if isinstance(value, list | tuple):
        return tuple(_hashable(item) for item in value)
    return value


class NodeFailed(Exception):
    """Ends a run at this node. `details` is None for an interrupt."""

    def __init__(self, node_id: str, details: dict[str, Any] | None) -> None:
        super().__init__(node_id)
        self.node_id = node_id
        self.details = details


class GraphRunner:
    """Runs prompts one after another and keeps the outputs of the last one."""

    def __init__(self, registry: NodeRegistry, server: PromptServer, interruption: Interruption) -> None:
        self.registry = registry
        self.server = server
        self.interruption = interruption
        self.cache: dict[Hashable, tuple[list[list[Any]], dict[str, Any]]] = {}
        """The outputs of a node and what it shows, by its signature."""
        self._progress: dict[str, dict[str, Any]] = {}

    def run(self, prompt_id: str, prompt: Prompt, extra_data: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
        """Run a validated prompt in this thread, on an event loop of its own.

        Return the prompt's history entry without its `prompt`. The error of a failing node is in its `status`.
        """
        self.interruption.interrupt(False)
        self.server.client_id = extra_data.get("client_id")
        self._progress = {}
        return asyncio.run(PromptRun(self, prompt_id, prompt).execute(outputs))

    def show_progress(self, value: float, maximum: float) -> None:
        """Show how far the running node is. Raises InterruptProcessingException if the prompt was interrupted."""
        self.interruption.raise_if_interrupted()
        context = executing.get()
        if context is not None:
            self.send_progress(context.prompt_id, context.node_id, value=value, max=maximum)
            data = {"value": value, "max": maximum, "prompt_id": context.prompt_id, "node": context.node_id}
            self.server.send_sync("progress", data, self.server.client_id)

    def send_progress(self, prompt_id: str, node_id: str, **changes: Any) -> None:
        """Change the state of a node, and send the state of all nodes that have started."""
        ids = {
            "node_id": node_id,
            "display_node_id": node_id,
            "real_node_id": node_id,
            "prompt_id": prompt_id,
        }
        state = self._progress.setdefault(node_id, {**ids, "value": 0, "max": 1, "state": "running"})
        # Copy the state, because another thread serialises the event.
        self._progress[node_id] = {**state, **changes}
        data = {"prompt_id": prompt_id, "nodes": dict(self._progress)}
        self.server.send_sync("progress_state", data, self.server.client_id)


class PromptRun:
    """One run of a prompt."""

    def __init__(self, runner: GraphRunner, prompt_id: str, prompt: Prompt) -> None:
        self._runner = runner
        self._registry = runner.registry
        self._prompt_id = prompt_id
        self._prompt = prompt
        self._signatures = Signatures(prompt, runner.registry)
        self._pending: list[str] = []
        self._executed: list[str] = []
        self._messages: list[tuple[str, dict[str, Any]]] = []

    async def execute(self, outputs: list[str]) -> dict[str, Any]:
        """Run to the end or to the first failure. Nodes that still run are cancelled when the event loop closes."""
        self._send_event("execution_start", {})
        for node_id in outputs:
            await self._signatures.of(node_id)
        keys = set(self._signatures.known.values())
        self._runner.cache = {key: kept for key, kept in self._runner.cache.items() if key in keys}
        cached = [node_id for node_id in self._signatures.known if self._is_cached(node_id)]
        self._send_event("execution_cached", {"nodes": cached})
        for node_id in outputs:
            self._need(node_id)
        ended = "success"
        try:
            await self._run_nodes()
        except NodeFailed as failure:
            ended = "error"
            self._send_failure(failure)
        else:
            self._send_event("execution_success", {})
        status = {"status_str": ended, "completed": ended == "success", "messages": self._messages}
        shown = {each: self._cached(each)[1] for each in self._signatures.known if self._is_cached(each)}
        return {"outputs": {node_id: ui for node_id, ui in shown.items() if ui}, "status": status}

    def _is_cached(self, node_id: str) -> bool:
        return self._signatures.known[node_id] in self._runner.cache

    def _cached(self, node_id: str) -> tuple[list[list[Any]], dict[str, Any]]:
        return self._runner.cache[self._signatures.known[node_id]]

    def _node_class(self, node_id: str) -> NodeClass:
        return self._registry.classes[self._prompt[node_id]["class_type"]]

    def _sources(self, node_id: str) -> list[str]:
        return [value[0] for value in self._prompt[node_id]["inputs"].values() if is_link(value)]

    def _need(self, node_id: str) -> None:
        if node_id not in self._pending:
            self._pending.append(node_id)
            for source in self._sources(node_id):
                if not self._is_cached(source):
                    self._need(source)

    async def _run_nodes(self) -> None:
        """Start nodes one at a time as their inputs become ready. Async nodes run concurrently."""
        running: dict[asyncio.Task[None], str] = {}
        while self._pending:
            node_id = self._next_ready(running.values())
            if node_id is not None:
                running[asyncio.create_task(self._run_node(node_id))] = node_id
            elif not running:
                raise self._failure(self._pending[0], {}, RuntimeError("Dependency cycle detected"))
            # The timeout of 0 lets the node run up to its first wait before another one starts.
            done, _ = await asyncio.wait(
                running, timeout=None if node_id is None else 0, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                self._pending.remove(running.pop(task))
                task.result()

    def _next_ready(self, running: Collection[str]) -> str | None:
        """Return a node whose inputs are ready, output and async nodes first."""
        waiting = (each for each in self._pending if each not in running)
        ready = [each for each in waiting if not set(self._sources(each)) & set(self._pending)]
        return min(ready, key=self._comes_later, default=None)

    def _comes_later(self, node_id: str) -> bool:
        node = self._node_class(node_id)
        is_async = inspect.iscoroutinefunction(getattr(node, node.FUNCTION))
        return not (is_async or getattr(node, "OUTPUT_NODE", False))

    async def _run_node(self, node_id: str) -> None:
        if self._is_cached(node_id):
            self._send_node_event("executed", node_id, output=self._cached(node_id)[1] or None)
        else:
            await self._call_node(node_id)
        self._runner.send_progress(self._prompt_id, node_id, value=1, max=1, state="finished")

    async def _call_node(self, node_id: str) -> None:
        node = self._node_class(node_id)
        inputs: Inputs = {}
        self._runner.send_progress(self._prompt_id, node_id)

        def before_call(index: int) -> None:
            self._runner.interruption.raise_if_interrupted()
            executing.set(ExecutionContext(self._prompt_id, node_id, index))

        try:
            inputs = gather_inputs(
                self._prompt[node_id]["inputs"],
                self._registry.input_types(self._prompt[node_id]["class_type"]),
                lambda source: self._cached(source)[0],
            )
            self._send_node_event("executing", node_id)
            results = await call_node(getattr(node(), node.FUNCTION), inputs, node, before_call)
            outputs, ui = merge_results(results, node)
        except Exception as fault:
            raise self._failure(node_id, inputs, fault) from fault
        if ui:
            self._send_node_event("executed", node_id, output=ui)
        self._runner.cache[self._signatures.known[node_id]] = (outputs, ui)
        self._executed.append(node_id)

    def _failure(self, node_id: str, inputs: Inputs, fault: Exception) -> NodeFailed:
        if isinstance(fault, InterruptProcessingException):
            logger.info("Processing interrupted")
            return NodeFailed(node_id, None)
        logger.error("Node %s failed: %s", node_id, fault, exc_info=fault)
        kind = type(fault)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        shown = {name: [_shown_value(item) for item in values] for name, values in inputs.items()}
        details = {
            "exception_message": f"{fault}\n",
            "exception_type": module + kind.__qualname__,
            "traceback": traceback.format_tb(fault.__traceback__),
            "current_inputs": shown,
            "current_outputs": list(self._prompt),
        }
        return NodeFailed(node_id, details)

    def _send_failure(self, failure: NodeFailed) -> None:
        where = {
            "node_id": failure.node_id,
            "node_type": self._prompt[failure.node_id]["class_type"],
            "executed": list(self._executed),
        }
        if failure.details is None:
            self._send_event("execution_interrupted", where, to_all=True)
        else:
            self._send_event("execution_error", {**where, **failure.details})

    def _send_event(self, event: str, data: dict[str, Any], to_all: bool = False) -> None:
        data = {**data, "prompt_id": self._prompt_id, "timestamp": int(time.time() * 1000)}
        self._messages.append((event, data))
        client_id = self._runner.server.client_id
        if client_id is not None or to_all:
            self._runner.server.send_sync(event, data, client_id)

    def _send_node_event(self, event: str, node_id: str, **data: Any) -> None:
        server = self._runner.server
        if server.client_id is not None:
            where = {"node": node_id, "display_node": node_id, "prompt_id": self._prompt_id}
            server.send_sync(event, {**where, **data}, server.client_id)


def _shown_value(value: object) -> object:
    return value if value is None or isinstance(value, int | float | str) else str(value)
