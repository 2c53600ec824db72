"""The outputs that the details of a job list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..jobs.job import OutputFile, read_file

NOT_MADE_BY_THE_JOB = "input"
"""The type of a file that a node only shows: the person had uploaded it."""


@dataclass(frozen=True)
class ListedOutputs:
    """The outputs of one job.

    Attributes:
        files: the files to save, each once, in the order of the details.
        unusable: how many files have a name that cannot be asked for.
        items: how many outputs there are of any kind. Texts and numbers are outputs too, and are in the details.
    """

    files: tuple[OutputFile, ...]
    unusable: int
    items: int


def listed_outputs(detail: Mapping[str, Any]) -> ListedOutputs:
    """Return the outputs in the details of a job. Files of type `input` are left out.

    Args:
        detail: the details, from `clean_detail`.
    """
    files: dict[OutputFile, None] = {}
    unusable = items = 0
    by_node = detail.get("outputs")
    for by_kind in by_node.values() if isinstance(by_node, Mapping) else ():
        for kind, values in by_kind.items() if isinstance(by_kind, Mapping) else ():
            if kind == "animated" or not isinstance(values, list):
                continue  # a list of booleans beside the files
            for value in values:
                items += value is not None
                if not isinstance(value, Mapping) or "filename" not in value:
                    continue
                file = read_file(value)
                if file is None:
                    unusable += 1
                elif file.kind != NOT_MADE_BY_THE_JOB:
                    files[file] = None
    return ListedOutputs(tuple(files), unusable, items)
