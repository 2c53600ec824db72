"""Reports stay true even if the cloud breaks its contract: known cases and a random sample.

A thousand random cases are in tests/deep.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from support.liar.cases import Case
from support.liar.running import check, check_random_cases

HIDDEN = (
    "keeps_jobs",
    "hides_jobs,rows=some,after_deletion=true",
    "details_not_found,rows=some,after_deletion=true",
)
"""Jobs are kept, but neither listed nor found by id, so only contradictions in the list reveal them."""
FOUND = [
    Case("node delete", jobs=30, finished=8, bends=("keeps_jobs", "bare_empty_list,after_deletion=true")),
    Case("node delete", jobs=60, finished=25, bends=("keeps_jobs", "empty_list,after_deletion=true")),
    Case("node delete", jobs=60, finished=25, bends=("keeps_jobs,rows=some", "caps_limit_in_silence,size=9")),
    Case("node delete", finished=3, bends=("details_not_found", "ids_with_prefix")),
    Case("node delete", finished=3, upper=True, bends=("keeps_jobs", "ids_null,rows=one,after_deletion=true")),
    Case(
        "panel ids",
        jobs=30,
        finished=25,
        held=True,
        bends=("keeps_jobs,rows=some", "ids_in_braces,rows=some"),
    ),
    Case("node clear", bends=("keeps_jobs", "empty_list,after_deletion=true")),
    Case("node clear", bends=("keeps_jobs", "no_pagination,after_deletion=true")),
    Case("panel clear", jobs=30, bends=("total_of_page",)),
    Case("panel clear", jobs=30, bends=("total_too_small",)),
    Case("panel clear", jobs=30, bends=("caps_limit_in_silence,size=2",)),
    Case("panel clear", bends=("no_total", "ids_without_dashes,rows=some")),
    Case("panel clear", bends=("no_total", "no_status,rows=one")),
    Case("panel clear", bends=("empty_list,after=9",)),
    Case("panel clear", bends=("filter_misses_jobs,after=2",)),
    Case("node clear", cursor=True, bends=("total_of_page,times=1",)),
    Case("node clear", bends=("ids_as_number",)),
    Case("node list", bends=("ids_padded,rows=some",)),
    Case("panel list", bends=("ids_as_urn,rows=one",)),
    Case(jobs=4, active=1, upper=True, bends=("keeps_jobs", "ids_without_dashes", "jobs_vanish")),
    Case("panel filter", jobs=4, gone=1, bends=("ids_upper_case", "caps_limit_in_silence,size=1")),
    Case(finished=3, backup=True, protect_at=6),
    Case("node clear", jobs=4, bends=("hides_jobs,after=1",)),
    Case("node clear", jobs=4, bends=("hides_jobs,after=4",)),
    Case("node clear", bends=("empty_list,after=1", "drops_rows,rows=some")),
    Case("node clear", jobs=30, bends=("hides_jobs,times=2",)),
    Case("node delete", jobs=60, finished=25, bends=("keeps_jobs", "hides_jobs,rows=some,after_deletion=true")),
    Case(bends=("keeps_jobs", "details_not_found", "hides_jobs,rows=some,after_deletion=true")),
    Case(finished=3, bends=(*HIDDEN, "total_too_small")),
    Case(bends=(*HIDDEN, "filters_wrongly")),
    Case("node clear", jobs=4, seed=3, gone=1, bends=("empty_list,rows=some,times=2",)),
    Case(bends=(*HIDDEN, "total_changes,after_deletion=true")),
    Case(bends=(*HIDDEN, "caps_limit_in_silence,size=9,after_deletion=true")),
]
"""Cases that were once reported wrongly, or are if one of the checks is removed."""


@pytest.mark.parametrize("case", FOUND, ids=repr)
def test_cases_that_were_once_reported_wrongly_are_reported_correctly(pack: ModuleType, case: Case) -> None:
    check(case, pack)


def test_no_report_contradicts_the_jobs_of_the_lying_cloud(pack: ModuleType) -> None:
    check_random_cases(25, 0, pack)
