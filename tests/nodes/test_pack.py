"""The pack as ComfyUI sees it."""

from __future__ import annotations

import sys
from types import ModuleType

from conftest import LoadPack

NODES = {"CloudHistoryDeleteJobs", "CloudHistoryClear", "CloudHistoryListJobs", "CloudHistoryPrune"}


def test_the_pack_offers_its_nodes_its_web_folder_and_no_more(pack: ModuleType) -> None:
    assert set(pack.NODE_CLASS_MAPPINGS) == NODES
    assert set(pack.NODE_DISPLAY_NAME_MAPPINGS) == set(pack.NODE_CLASS_MAPPINGS)
    assert pack.WEB_DIRECTORY == "./js"


def test_loading_the_pack_outside_comfyui_imports_no_module_of_comfyui(load_pack: LoadPack) -> None:
    load_pack()
    assert not {"server", "folder_paths", "comfy", "comfy_execution"} & set(sys.modules)
