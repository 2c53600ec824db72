"""Calling one node: its inputs as lists, its function once or once an item, its results as lists.

The rules are those of V1 nodes in ComfyUI 0.3.64, read and tried there.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .blocking import ExecutionBlocker
from .context import ExecutionContext, executing
from .registry import NodeClass

Inputs = dict[str, Sequence[Any]]
MISSING_LINK = (None,)


def is_link(value: object) -> bool:
    """Whether a prompt's input value is a link `[node id, output index]`."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int | float)
    )


def gather_inputs(
    given: Mapping[str, Any],
    declared: Mapping[str, Any],
    outputs_of: Callable[[str], list[list[Any]] | None] | None,
    hidden: Mapping[str, Any],
) -> Inputs:
    """Every input as a list of values.

    A link whose output does not exist gives `(None,)`, and so does every link when `outputs_of` is
    None (validation, IS_CHANGED). An undeclared constant is dropped. `hidden` maps kinds such as UNIQUE_ID
    to values.
    """
    known = {name for group in ("required", "optional") for name in declared.get(group, {})}
    inputs: Inputs = {}
    for name, value in given.items():
        if is_link(value):
            outputs = outputs_of(value[0]) if outputs_of is not None else None
            inputs[name] = (
                outputs[value[1]] if outputs is not None and value[1] < len(outputs) else MISSING_LINK
            )
        elif name in known:
            inputs[name] = [value]
    for name, kind in declared.get("hidden", {}).items():
        if kind in hidden:
            inputs[name] = [hidden[kind]]
    return inputs


def split_into_calls(inputs: Inputs, as_lists: bool) -> list[dict[str, Any]]:
    """The keyword arguments of each call; shorter lists repeat their last item."""
    if as_lists:
        return [dict(inputs)]
    longest = max((len(values) for values in inputs.values()), default=0)
    if longest == 0:
        return [{}]
    # An empty list beside a longer one fails here with an IndexError, as it does in ComfyUI.
    return [
        {name: values[index if index < len(values) else -1] for name, values in inputs.items()}
        for index in range(longest)
    ]


def _blocker_in(arguments: Mapping[str, Any], as_lists: bool) -> ExecutionBlocker | None:
    for value in arguments.values():
        for item in value if as_lists else (value,):
            if isinstance(item, ExecutionBlocker):
                return item
    return None


async def start_calls(
    function: Callable[..., Any],
    inputs: Inputs,
    *,
    as_lists: bool,
    context: tuple[str, str],
    before_call: Callable[[], None] = lambda: None,
    on_block: Callable[[ExecutionBlocker], ExecutionBlocker] = lambda blocker: blocker,
) -> list[Any]:
    """Call the function; an item of the answer is a value, or the task of an async call that still runs."""
    results: list[Any] = []
    for index, arguments in enumerate(split_into_calls(inputs, as_lists)):
        before_call()
        blocker = _blocker_in(arguments, as_lists)
        if blocker is not None:
            results.append(on_block(blocker))
            continue
        with executing(ExecutionContext(*context, index)):
            if not inspect.iscoroutinefunction(function):
                results.append(function(**arguments))
                continue
            # A task copies the context as it is now, so the node is known inside it after we have left the block.
            task = asyncio.create_task(function(**arguments))
        await asyncio.sleep(0)
        results.append(task.result() if task.done() else task)
    return results


async def call_and_wait(function: Callable[..., Any], inputs: Inputs, **options: Any) -> list[Any]:
    """Call the function and wait for all its results. The first exception comes through."""
    results = await start_calls(function, inputs, **options)
    return [await item if isinstance(item, asyncio.Task) else item for item in results]


def merge_results(results: list[Any], node: NodeClass) -> tuple[list[list[Any]], dict[str, list[Any]]]:
    """The node's outputs, one list each, and what it shows in the interface."""
    tuples: list[Any] = []
    shown: list[dict[str, Any]] = []
    for result in results:
        value = result
        if isinstance(result, dict):
            if "ui" in result:
                shown.append(result["ui"])
            if "result" not in result:
                continue
            value = result["result"]
        tuples.append((value,) * len(node.RETURN_TYPES) if isinstance(value, ExecutionBlocker) else value)
    ui = {key: [item for part in shown for item in part[key]] for key in shown[0]} if shown else {}
    return _merge_tuples(tuples, node), ui


def _merge_tuples(tuples: list[Any], node: NodeClass) -> list[list[Any]]:
    if not tuples:
        return []
    width = len(tuples[0])
    merged: list[list[Any]] = []
    for index, is_list in zip(range(width), getattr(node, "OUTPUT_IS_LIST", [False] * width), strict=False):
        column: list[Any] = []
        for values in tuples:
            if is_list and not isinstance(values[index], ExecutionBlocker):
                column.extend(values[index])
            else:
                column.append(values[index])
        merged.append(column)
    return merged
