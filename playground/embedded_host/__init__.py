"""A stage for the pack without ComfyUI: loads packs as ComfyUI does, serves its real frontend, runs graphs.

As little as serves the tests and the playground; not a product.
"""

from .blocking import ExecutionBlocker
from .host import EmbeddedHost
from .interruption import Interruption, InterruptProcessingException
from .loader import forget_pack, load_pack, load_packs
from .registry import NodeRegistry
from .runner import GraphRunner
from .standins import installed
from .validation import validate_prompt

__all__ = [
    "EmbeddedHost",
    "ExecutionBlocker",
    "GraphRunner",
    "InterruptProcessingException",
    "Interruption",
    "NodeRegistry",
    "forget_pack",
    "installed",
    "load_pack",
    "load_packs",
    "validate_prompt",
]
