"""What is checked before a prompt is queued; each output node stands or falls alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .calls import call_and_wait, gather_inputs
from .registry import NodeRegistry
from .signature import Prompt

Error = dict[str, Any]
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


@dataclass
class Validation:
    """The output nodes that may run, why others may not, and the error if none may."""

    outputs: list[str] = field(default_factory=list)
    node_errors: dict[str, Any] = field(default_factory=dict)
    error: Error | None = None


def _error(kind: str, message: str, details: str, **extra: Any) -> Error:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def types_match(received: Any, wanted: Any) -> bool:
    """Whether a link may join these types.

    Asked through `!=`, so that an any-type that is never unequal matches all; comma lists match by overlap.
    """
    differ = received != wanted
    if not differ:
        return True
    if not isinstance(received, str) or not isinstance(wanted, str):
        return False
    return bool({part.strip() for part in received.split(",")} & {part.strip() for part in wanted.split(",")})


async def validate_prompt(prompt: Prompt, registry: NodeRegistry) -> Validation:
    """Check a prompt in API form. Constants are converted in place to the declared type."""
    for node_id, node in prompt.items():
        if node.get("class_type") not in registry.classes:
            message = f"Cannot execute because node {node.get('class_type')} does not exist."
            return Validation(error=_error("invalid_prompt", message, f"Node ID '#{node_id}'"))
    outputs = [node_id for node_id, node in prompt.items() if registry.is_output(node["class_type"])]
    if not outputs:
        return Validation(error=_error("prompt_no_outputs", "Prompt has no outputs", ""))
    check = _PromptCheck(prompt, registry)
    result = Validation(outputs=[node_id for node_id in outputs if await check.node_is_valid(node_id)])
    result.node_errors = {
        node_id: {"errors": errors, "dependent_outputs": outputs, "class_type": prompt[node_id]["class_type"]}
        for node_id, errors in check.errors.items()
        if errors
    }
    if not result.outputs:
        details = "\n".join(
            f"{error['message']}: {error['details']}" for errors in check.errors.values() for error in errors
        )
        result.error = _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)
    return result


class _PromptCheck:
    """The nodes of one prompt, each checked once."""

    def __init__(self, prompt: Prompt, registry: NodeRegistry) -> None:
        self._prompt = prompt
        self._registry = registry
        self._valid: dict[str, bool] = {}
        self.errors: dict[str, list[Error]] = {}

    async def node_is_valid(self, node_id: str) -> bool:
        """Check a node and all that it is linked to. Faults are kept in `errors`."""
        if node_id not in self._valid:
            self._valid[node_id] = True
            errors = self.errors[node_id] = []
            try:
                upstream_valid = await self._check_inputs(node_id, errors)
                errors += await self._ask_node(node_id)
            except Exception as fault:  # noqa: BLE001 - ComfyUI reports any fault of a check as this error
                upstream_valid = False
                message = "Exception when validating node"
                errors.append(_error("exception_during_validation", message, str(fault)))
            self._valid[node_id] = upstream_valid and not errors
        return self._valid[node_id]

    async def _check_inputs(self, node_id: str, errors: list[Error]) -> bool:
        node = self._prompt[node_id]
        declared = self._registry.input_types(node["class_type"])
        upstream_valid = True
        for group in ("required", "optional"):
            for name, spec in declared.get(group, {}).items():
                if name not in node["inputs"]:
                    if group == "required":
                        errors.append(_error("required_input_missing", "Required input is missing", name))
                    continue
                if isinstance(node["inputs"][name], list):
                    upstream_valid &= await self._check_link(node, name, spec, errors)
                else:
                    errors += self._check_constant(node, name, spec)
        return upstream_valid

    async def _check_link(self, node: dict[str, Any], name: str, spec: Any, errors: list[Error]) -> bool:
        link = node["inputs"][name]
        if len(link) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            errors.append(_error("bad_linked_input", message, name, received_value=link))
            return True
        source = self._registry.classes[self._prompt[link[0]]["class_type"]]
        received = source.RETURN_TYPES[link[1]]
        takes_types = "input_types" in self._named_by_check(node)[0]
        if not takes_types and not types_match(received, spec[0]):
            details = f"{name}, received_type({received}) mismatch input_type({spec[0]})"
            errors.append(
                _error("return_type_mismatch", "Return type mismatch between linked nodes", details)
            )
            return True
        return await self.node_is_valid(link[0])

    def _check_constant(self, node: dict[str, Any], name: str, spec: Any) -> list[Error]:
        value = node["inputs"][name]
        if isinstance(value, Mapping) and "__value__" in value:
            value = value["__value__"]
        if isinstance(spec[0], str) and spec[0] in _CONVERSIONS:
            try:
                value = _CONVERSIONS[spec[0]](value)
            except (TypeError, ValueError) as fault:
                message = f"Failed to convert an input value to a {spec[0]} value"
                return [_error("invalid_input_type", message, f"{name}, {value}, {fault}")]
        node["inputs"][name] = value
        named, takes_all = self._named_by_check(node)
        if name in named or takes_all:
            return []
        return _check_range(name, value, spec)

    def _named_by_check(self, node: dict[str, Any]) -> tuple[list[str], bool]:
        check = getattr(self._registry.classes[node["class_type"]], "VALIDATE_INPUTS", None)
        if check is None:
            return [], False
        signature = inspect.getfullargspec(check)
        return signature.args, signature.varkw is not None

    async def _ask_node(self, node_id: str) -> list[Error]:
        """What the node's own VALIDATE_INPUTS says: one entry for each input that it names."""
        node = self._prompt[node_id]
        named, takes_all = self._named_by_check(node)
        if not named and not takes_all:
            return []
        node_class = self._registry.classes[node["class_type"]]
        declared = self._registry.input_types(node["class_type"])
        inputs = gather_inputs(node["inputs"], declared, None, {"UNIQUE_ID": node_id, "PROMPT": {}})
        inputs = {name: values for name, values in inputs.items() if takes_all or name in named}
        arguments = dict(inputs)
        if "input_types" in named:
            arguments["input_types"] = [self._received_types(node)]
        as_lists = getattr(node_class, "INPUT_IS_LIST", False)
        answers = await call_and_wait(
            node_class.VALIDATE_INPUTS, arguments, as_lists=as_lists, context=("", node_id)
        )
        return [
            _error(
                "custom_validation_failed",
                "Custom validation failed for node",
                name if answer is False else f"{name} - {answer}",
                input_name=name,
            )
            for name in inputs
            for answer in answers
            if answer is not True
        ]

    def _received_types(self, node: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self._registry.classes[self._prompt[link[0]]["class_type"]].RETURN_TYPES[link[1]]
            for name, link in node["inputs"].items()
            if isinstance(link, list)
        }


def _check_range(name: str, value: Any, spec: Any) -> list[Error]:
    options = spec[1] if len(spec) > 1 else {}
    if "min" in options and value < options["min"]:
        message = f"Value {value} smaller than min of {options['min']}"
        return [_error("value_smaller_than_min", message, name)]
    if "max" in options and value > options["max"]:
        return [_error("value_bigger_than_max", f"Value {value} bigger than max of {options['max']}", name)]
    if isinstance(spec[0], list) and value not in spec[0]:
        return [_error("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {spec[0]}")]
    return []
