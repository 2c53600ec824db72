"""A host for the pack without ComfyUI: loads packs as ComfyUI does, serves its real frontend and runs graphs.

It serves the tests and the playground, and offers no more than these need.
"""

from .comfy_modules import installed
from .host import EmbeddedHost
from .packs import NodeRegistry, load_pack

__all__ = ["EmbeddedHost", "NodeRegistry", "installed", "load_pack"]
