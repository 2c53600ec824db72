"""Manages the job history of Comfy Cloud: listing, deleting, protecting and backing up jobs.

This package does not import ComfyUI, so it can be used and tested without ComfyUI.
"""

__version__ = "1.2.0"
