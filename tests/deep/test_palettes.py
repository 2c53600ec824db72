"""Texts, icons and marks have enough contrast in each palette of ComfyUI, in every state of the interface."""

from __future__ import annotations

from browser.test_accessibility import *  # noqa: F403  (the tests and their fixture)
