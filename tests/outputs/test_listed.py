"""Which outputs the details of a job list."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_history.jobs.job import OutputFile
from cloud_history.outputs.listed import listed_outputs

PICTURE = {"filename": "a.png", "subfolder": "s", "type": "output"}


def details(*files: Any, kind: str = "images") -> dict[str, Any]:
    return {"outputs": {"9": {kind: list(files)}}}


def test_each_file_is_listed_once_in_order() -> None:
    found = listed_outputs(details(PICTURE, {"filename": "b.png"}, PICTURE))
    assert found.files == (OutputFile("a.png", "s", "output"), OutputFile("b.png", "", "output"))
    assert (found.items, found.unusable) == (3, 0)


def test_previews_are_outputs_and_what_the_person_uploaded_is_not() -> None:
    found = listed_outputs(details({**PICTURE, "type": "temp"}, {**PICTURE, "type": "input"}))
    assert [file.kind for file in found.files] == ["temp"]


def test_texts_are_counted_but_are_not_files() -> None:
    found = listed_outputs(details("a text", 7, {"content": "more"}, kind="text"))
    assert (found.files, found.items, found.unusable) == ((), 3, 0)


@pytest.mark.parametrize("filename", ["", None, 7, "x" * 5000, ["a.png"]])
def test_a_file_without_a_usable_name_is_never_left_out_silently(filename: object) -> None:
    found = listed_outputs(details({**PICTURE, "filename": filename}))
    assert (found.files, found.unusable) == ((), 1)


@pytest.mark.parametrize("outputs", [None, [], "x", {"9": None}, {"9": {"images": None}}, {"9": {"animated": [True]}}])
def test_other_shapes_have_no_outputs(outputs: object) -> None:
    assert listed_outputs({"outputs": outputs}) == listed_outputs({})
