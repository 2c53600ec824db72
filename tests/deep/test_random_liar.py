"""No report about a cloud that breaks its contract at random contradicts the jobs of that cloud.

Runs the same thousand cases each time. CLOUD_HISTORY_LIAR_SEED chooses others, CLOUD_HISTORY_LIAR_CASES runs more.
"""

from __future__ import annotations

import os
from types import ModuleType

import pytest

from support.liar.running import check_random_cases

CASES = int(os.environ.get("CLOUD_HISTORY_LIAR_CASES") or 1000)
SEED = int(os.environ.get("CLOUD_HISTORY_LIAR_SEED") or 0)
AT_ONCE = 50


@pytest.mark.parametrize("part", range(-(-CASES // AT_ONCE)))
def test_no_report_contradicts_the_jobs_of_the_lying_cloud(pack: ModuleType, part: int) -> None:
    check_random_cases(AT_ONCE, SEED * 1000 + part, pack)
