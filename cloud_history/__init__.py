"""Everything this pack knows about Comfy Cloud's execution history.

The package knows nothing of ComfyUI: it can be used, and is tested, without it.
"""

__version__ = "1.2.0"
