"""The names that the pack exports to ComfyUI."""

from __future__ import annotations

import sys
from types import ModuleType

from conftest import LoadPack
from support.loaded_pack import NODES


def test_the_pack_exports_only_its_nodes_and_its_web_folder(pack: ModuleType) -> None:
    assert set(pack.NODE_CLASS_MAPPINGS) == NODES
    assert set(pack.NODE_DISPLAY_NAME_MAPPINGS) == set(pack.NODE_CLASS_MAPPINGS)
    assert pack.WEB_DIRECTORY == "./js"


def test_loading_the_pack_outside_comfyui_imports_no_comfyui_module(load_pack: LoadPack) -> None:
    load_pack()
    assert not {"server", "folder_paths", "comfy", "comfy_execution"} & set(sys.modules)
