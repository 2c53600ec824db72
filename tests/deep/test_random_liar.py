"""If a cloud breaks its contract at random, no report contradicts the jobs that this cloud really has.

The cases are the same each time. CLOUD_HISTORY_LIAR_SEED selects others, CLOUD_HISTORY_LIAR_CASES sets their number.
"""

from __future__ import annotations

import os
from types import ModuleType

import pytest

from support.liar.running import check_random_cases

CASES = int(os.environ.get("CLOUD_HISTORY_LIAR_CASES") or 1000)
SEED = int(os.environ.get("CLOUD_HISTORY_LIAR_SEED") or 0)
CASES_PER_TEST = 50


@pytest.mark.parametrize("part", range(-(-CASES // CASES_PER_TEST)))
def test_no_report_contradicts_the_jobs_of_the_lying_cloud(pack: ModuleType, part: int) -> None:
    check_random_cases(CASES_PER_TEST, SEED * 1000 + part, pack)
