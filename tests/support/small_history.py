"""Five jobs, and the jobs that each retention rule deletes, to test that each field of a policy is applied."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from simulated_cloud import SimulatedCloud

# A policy as the panel sends it, and the deleted jobs, worked out by hand from the list in `fill`.
CASES: list[tuple[dict[str, Any], str]] = [
    ({"keep_last": 2}, "cde"),
    ({"keep_within": "10w"}, "e"),
    ({"keep_daily": 2}, "bde"),
    ({"keep_weekly": 2}, "bce"),
    ({"keep_last": 1, "per_workflow": True}, "cde"),
    ({"keep_last": 1, "per_workflow": False}, "bcde"),
    ({"keep_last": 1, "workflow_id": "y"}, "d"),
    ({"keep_last": 1, "statuses": ["failed"]}, "e"),
    ({"keep_last": 1, "statuses": ["completed"]}, "bc"),
    ({"keep_last": 1, "keep_daily": 2, "keep_weekly": 2}, "be"),
]


def fill(cloud: SimulatedCloud) -> dict[str, str]:
    """Make these the only jobs, and return their ids by letter, newest first."""
    cloud.jobs.clear()
    now = datetime.now(timezone.utc)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # The last Wednesday before today: Tuesday is in the same week, and none of the times is near midnight or now.
    wednesday = today - timedelta(days=(today.weekday() - 2) % 7 or 7)
    tuesday = wednesday - timedelta(days=1)
    found = {}
    for letter, moment, workflow, status in (
        ("a", wednesday + timedelta(hours=2), "x", "completed"),
        ("b", wednesday + timedelta(hours=1), "y", "completed"),
        ("c", tuesday + timedelta(hours=2), "x", "completed"),
        ("d", tuesday - timedelta(days=7), "y", "failed"),
        ("e", tuesday - timedelta(days=70), "x", "failed"),
    ):
        created = int((moment + timedelta(minutes=30)).timestamp() * 1000)
        found[letter] = cloud.add_job(status, create_time=created, workflow_id=workflow).id
    return found
