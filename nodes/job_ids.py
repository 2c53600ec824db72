"""The input `job_ids` of nodes: its widget, its check while ComfyUI validates a prompt, and its parsing at the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..cloud_history.errors import InputRefused, OperationStopped
from ..cloud_history.jobs.ids import parse_job_ids
from ..cloud_history.json_pieces import ThreadPauses
from ..cloud_history.tasks.stopping import run_stoppable
from ..cloud_history.tasks.threads import MAX_SECONDS_OF_LONG_WORK, compute_in_thread
from ..comfy_host import NodeWatch, operations

SHORT_TEXT = 40_000
"""Maximum number of characters, about a thousand ids, to parse on ComfyUI's event loop while it validates a prompt."""


def read_job_ids(given: object, pause: Callable[[], None] = lambda: None) -> list[str]:
    """Parse job ids. Raise InputRefused if one is invalid. The error does not show a key that was pasted by mistake."""
    operations().keys.remember()
    return parse_job_ids(given, pause)


async def read_in_thread(given: object, watch: NodeWatch) -> list[str]:
    """Parse job ids in a thread. Raise InputRefused if an id is invalid, OperationStopped if the person stops it."""
    ended = False
    pauses = ThreadPauses()

    def pause() -> None:
        pauses()
        if ended:
            raise OperationStopped()

    try:
        return await run_stoppable(compute_in_thread(read_job_ids, given, pause), watch, MAX_SECONDS_OF_LONG_WORK)
    finally:
        ended = True


def is_short(given: object) -> bool:
    """Return whether job ids are few enough to be parsed while ComfyUI validates a prompt."""
    texts = given if isinstance(given, (list, tuple)) else [given]
    if len(texts) > SHORT_TEXT or any(isinstance(each, (list, tuple)) for each in texts):
        return False
    return sum(len(each) for each in texts if isinstance(each, str)) <= SHORT_TEXT


def job_ids_input(tooltip: str) -> tuple[str, dict[str, Any]]:
    """Return the declaration of the input."""
    return "STRING", {"multiline": True, "default": "", "placeholder": "Job IDs, one a line", "tooltip": tooltip}


def check_job_ids(job_ids: object) -> bool | str:
    """Return what `VALIDATE_INPUTS` returns for job ids: True, or the message of an error."""
    # ComfyUI passes None for a linked input, whose value is not computed yet. Linked inputs and long texts are
    # checked when the node runs, before anything is sent.
    if job_ids is None or (isinstance(job_ids, (list, tuple)) and None in job_ids) or not is_short(job_ids):
        return True
    try:
        read_job_ids(job_ids)
    except InputRefused as error:
        return str(error)
    return True
