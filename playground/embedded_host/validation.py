"""The checks before a prompt is queued. Each output node is accepted or refused on its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .execution import Prompt, gather_inputs, split_into_calls
from .packs import NodeRegistry

Error = dict[str, Any]
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


@dataclass
class Validation:
    """The output nodes that may run, the errors of the others, and one error if none may run."""

    outputs: list[str] = field(default_factory=list)
    node_errors: dict[str, Any] = field(default_factory=dict)
    error: Error | None = None


def _error(kind: str, message: str, details: str) -> Error:
    return {"type": kind, "message": message, "details": details, "extra_info": {}}


def types_match(received: Any, wanted: Any) -> bool:
    """Whether a link may join these types. Comma-separated types match if they overlap.

    Compares with `!=` as ComfyUI does, so that an any-type, which is never unequal, matches every type.
    """
    differ = received != wanted
    if not differ:
        return True
    if not isinstance(received, str) or not isinstance(wanted, str):
        return False
    return bool({part.strip() for part in received.split(",")} & {part.strip() for part in wanted.split(",")})


def validate_prompt(prompt: Prompt, registry: NodeRegistry) -> Validation:
    """Check a prompt in API form, and convert its constants in place to their declared types."""
    for node_id, node in prompt.items():
        if node.get("class_type") not in registry.classes:
            message = f"Cannot execute because node {node.get('class_type')} does not exist."
            return Validation(error=_error("invalid_prompt", message, f"Node ID '#{node_id}'"))
    outputs = [node_id for node_id, node in prompt.items() if registry.is_output(node["class_type"])]
    if not outputs:
        return Validation(error=_error("prompt_no_outputs", "Prompt has no outputs", ""))
    check = _PromptCheck(prompt, registry)
    result = Validation([node_id for node_id in outputs if check.node_is_valid(node_id)])
    result.node_errors = {
        node_id: {"errors": errors, "dependent_outputs": outputs, "class_type": prompt[node_id]["class_type"]}
        for node_id, errors in check.errors.items()
        if errors
    }
    if not result.outputs:
        errors = [error for errors in check.errors.values() for error in errors]
        details = "\n".join(f"{error['message']}: {error['details']}" for error in errors)
        result.error = _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)
    return result


class _PromptCheck:
    """Checks each node of one prompt once. The errors of a node are in `errors`."""

    def __init__(self, prompt: Prompt, registry: NodeRegistry) -> None:
        self._prompt = prompt
        self._registry = registry
        self._valid: dict[str, bool] = {}
        self.errors: dict[str, list[Error]] = {}

    def node_is_valid(self, node_id: str) -> bool:
        """Check a node and all nodes that it is linked to."""
        if node_id not in self._valid:
            self._valid[node_id] = True
            errors = self.errors[node_id] = []
            upstream_valid = False
            try:
                upstream_valid = self._check_inputs(node_id, errors)
                errors += self._call_own_check(node_id)
            except Exception as fault:  # noqa: BLE001 - ComfyUI reports any fault of a check as this error
                message = "Exception when validating node"
                errors.append(_error("exception_during_validation", message, str(fault)))
            self._valid[node_id] = upstream_valid and not errors
        return self._valid[node_id]

    def _check_inputs(self, node_id: str, errors: list[Error]) -> bool:
        node = self._prompt[node_id]
        declared = self._registry.input_types(node["class_type"])
        upstream_valid = True
        for name, spec in {**declared.get("required", {}), **declared.get("optional", {})}.items():
            if name not in node["inputs"]:
                if name in declared.get("required", {}):
                    errors.append(_error("required_input_missing", "Required input is missing", name))
            elif isinstance(node["inputs"][name], list):
                upstream_valid &= self._check_link(node["inputs"][name], name, spec, errors)
            else:
                errors += self._check_constant(node, name, spec)
        return upstream_valid

    def _check_link(self, link: list[Any], name: str, spec: Any, errors: list[Error]) -> bool:
        if len(link) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            errors.append(_error("bad_linked_input", message, name))
            return True
        received = self._registry.classes[self._prompt[link[0]]["class_type"]].RETURN_TYPES[link[1]]
        if not types_match(received, spec[0]):
            details = f"{name}, received_type({received}) mismatch input_type({spec[0]})"
            errors.append(_error("return_type_mismatch", "Return type mismatch between linked nodes", details))
            return True
        return self.node_is_valid(link[0])

    def _check_constant(self, node: dict[str, Any], name: str, spec: Any) -> list[Error]:
        value = node["inputs"][name]
        if isinstance(spec[0], str) and spec[0] in _CONVERSIONS:
            try:
                value = _CONVERSIONS[spec[0]](value)
            except (TypeError, ValueError) as fault:
                message = f"Failed to convert an input value to a {spec[0]} value"
                return [_error("invalid_input_type", message, f"{name}, {value}, {fault}")]
        node["inputs"][name] = value
        # ComfyUI skips the range check of inputs that the node's VALIDATE_INPUTS checks.
        return [] if name in self._checked_by(node) else _check_range(name, value, spec)

    def _checked_by(self, node: dict[str, Any]) -> list[str]:
        """Return the names of the inputs that the node's VALIDATE_INPUTS checks."""
        check = getattr(self._registry.classes[node["class_type"]], "VALIDATE_INPUTS", None)
        return [] if check is None else inspect.getfullargspec(check).args[1:]

    def _call_own_check(self, node_id: str) -> list[Error]:
        """Call the node's VALIDATE_INPUTS and return one error for each input that it names."""
        node = self._prompt[node_id]
        node_class = self._registry.classes[node["class_type"]]
        given = gather_inputs(node["inputs"], self._registry.input_types(node["class_type"]))
        inputs = {name: values for name, values in given.items() if name in self._checked_by(node)}
        if not inputs:
            return []
        calls = split_into_calls(inputs, node_class)
        answers = [node_class.VALIDATE_INPUTS(**arguments) for arguments in calls]
        message = "Custom validation failed for node"
        return [
            _error("custom_validation_failed", message, name if answer is False else f"{name} - {answer}")
            for name in inputs
            for answer in answers
            if answer is not True
        ]


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
