"""What a person does most, on the oldest supported frontend."""

from __future__ import annotations

import pytest

from browser.test_asking import (  # noqa: F401
    test_a_run_sends_nothing_before_its_approval_and_always_allow_is_asked_once,
)
from browser.test_backup import (  # noqa: F401
    test_a_backup_is_announced_shown_also_after_a_reload_and_can_be_stopped_without_loss,
)
from browser.test_clear import (  # noqa: F401
    test_cancel_sends_nothing_and_a_confirmed_clear_deletes_only_finished_jobs,
)
from browser.test_connect import (  # noqa: F401
    test_no_jobs_are_requested_before_a_key_is_tested_and_saved_and_the_browser_never_gets_the_key,
)
from browser.test_panel_delete import test_only_the_selected_jobs_are_deleted  # noqa: F401
from browser.test_panel_jobs import test_a_workflow_opens_in_a_new_tab_and_can_be_downloaded  # noqa: F401
from browser.test_panel_keyboard import (  # noqa: F401
    test_the_panel_works_by_keyboard_and_comfyui_receives_none_of_its_keys,
)
from browser.test_panel_open import (  # noqa: F401
    test_the_sidebar_lists_jobs_and_sends_no_request_while_closed,
    test_with_the_old_menu_the_panel_opens_as_a_window,
)
from browser.test_panel_saving import (  # noqa: F401
    test_a_run_goes_on_without_the_panel_is_shown_after_a_reload_and_can_be_stopped_and_completed,
    test_the_end_of_a_run_is_told_by_a_toast_while_the_panel_is_closed,
)
from browser.test_panel_undo import (  # noqa: F401
    test_a_reloaded_page_shows_the_hold_in_a_toast_and_a_page_without_a_hold_requests_nothing,
    test_undo_restores_the_rows_and_control_z_in_the_panel_never_changes_the_graph,
)
from browser.test_stage import (  # noqa: F401
    test_the_page_has_our_menu_and_a_queued_graph_shows_its_text_or_its_error,
)
from project_setup import OLDEST_FRONTEND

pytestmark = pytest.mark.parametrize("frontend", [OLDEST_FRONTEND], indirect=True)
