"""What the oldest supported frontend does in another way than newer ones: toasts, menus, windows and keys."""

from __future__ import annotations

import pytest

from browser.test_asking import (  # noqa: F401
    test_a_run_sends_nothing_before_its_approval_and_always_allow_is_asked_once,
)
from browser.test_panel_keyboard import (  # noqa: F401
    test_the_panel_works_by_keyboard_and_comfyui_receives_none_of_its_keys,
)
from browser.test_panel_open import (  # noqa: F401
    test_with_the_old_menu_the_panel_opens_as_a_window,
)
from browser.test_panel_saving import (  # noqa: F401
    test_the_end_of_a_run_is_told_by_a_toast_while_the_panel_is_closed,
)
from browser.test_panel_undo import (  # noqa: F401
    test_a_reloaded_page_shows_the_hold_in_a_toast_and_a_page_without_a_hold_requests_nothing,
)
from browser.test_stage import (  # noqa: F401
    test_the_page_has_our_menu_and_a_queued_graph_shows_its_text_or_its_error,
)
from project_setup import OLDEST_FRONTEND

pytestmark = [pytest.mark.deep, pytest.mark.parametrize("frontend", [OLDEST_FRONTEND], indirect=True)]
