"""The prompts that wait, the one that runs, and those that are done."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

# number (lowest first), prompt id, prompt, extra data, output nodes to run
QueueItem = tuple[float, str, dict[str, Any], dict[str, Any], list[str]]
SECRETS_IN_EXTRA_DATA = ("auth_token_comfy_org", "api_key_comfy_org")


class PromptQueue:
    """Shared by the web server and the worker thread; every method is safe from any thread.

    As in ComfyUI, packs read `currently_running`, whose extra data has the keys that came with the prompt.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._changed = threading.Condition()
        self._waiting: list[QueueItem] = []
        self.currently_running: dict[int, QueueItem] = {}
        self._task_number = 0
        self._history: dict[str, dict[str, Any]] = {}
        self._closed = False

    def close(self) -> None:
        """Let the worker end when it next asks for a prompt."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def put(self, item: QueueItem) -> None:
        """Queue a prompt."""
        with self._changed:
            self._waiting.append(item)
            self._waiting.sort(key=lambda waiting: waiting[0])
            self._changed.notify()
        self._on_change()

    def take(self) -> QueueItem | None:
        """Wait for the next prompt and mark it as running; None once closed.

        What the run changes in the prompt stays out of the history.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            item = self._waiting.pop(0)
            self._task_number += 1
            self.currently_running[self._task_number] = copy.deepcopy(item)
        self._on_change()
        return item

    def done(self, result: dict[str, Any]) -> None:
        """Move the running prompt to the history."""
        with self._changed:
            if not self.currently_running:
                raise RuntimeError("no prompt is running")
            _, item = self.currently_running.popitem()
            for secret in SECRETS_IN_EXTRA_DATA:
                item[3].pop(secret, None)
            self._history[item[1]] = {"prompt": item, **result}
        self._on_change()

    def state(self) -> dict[str, list[QueueItem]]:
        """The answer of `GET /queue`."""
        with self._changed:
            return {
                "queue_running": list(self.currently_running.values()),
                "queue_pending": list(self._waiting),
            }

    def remaining(self) -> int:
        """How many prompts wait or run."""
        with self._changed:
            return len(self._waiting) + len(self.currently_running)

    def drop(self, prompt_ids: set[str] | None) -> None:
        """Take prompts out of the queue; None takes all."""
        with self._changed:
            self._waiting = [
                item for item in self._waiting if prompt_ids is not None and item[1] not in prompt_ids
            ]
        self._on_change()

    def history(self, prompt_id: str | None = None) -> dict[str, dict[str, Any]]:
        """What is done, oldest first; of one prompt if it is named."""
        with self._changed:
            if prompt_id is None:
                return dict(self._history)
            return {prompt_id: self._history[prompt_id]} if prompt_id in self._history else {}

    def forget(self, prompt_ids: set[str] | None) -> None:
        """Remove prompts from the history; None removes all."""
        with self._changed:
            self._history = {
                key: entry
                for key, entry in self._history.items()
                if prompt_ids is not None and key not in prompt_ids
            }
