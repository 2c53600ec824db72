"""How many examples a property test tries."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FEWER = int(os.environ.get("CLOUD_HISTORY_FEWER_EXAMPLES", "1"))
"""By how much they are divided. `dev.py deep` does so on the other Pythons: what differs there, any example meets."""


def examples(number: int, *without: HealthCheck) -> settings:
    """Return the settings of a test that tries this number of examples, the same ones at each run.

    Args:
        without: the health checks of hypothesis that the test can't pass.
    """
    return settings(
        max_examples=max(10, number // FEWER),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=without,
    )
