"""Calls in a row by keyboard alone: how many keys each takes. Times are the script's business."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import func, select

from outreach.calls.models import Attempt
from outreach.orm import Sessions
from scripts.keystrokes import Keyboard, Spent, common_call, log_calls, make_queue, no_answer
from tests.browser.conftest import sign_in
from tests.conftest import HASH

CALLS = 3


@pytest.mark.parametrize(("said", "keys"), [(no_answer, 3), (common_call, 4)])
def test_calls_in_a_row_by_keyboard_alone(
    page: Page, sessions: Sessions, said: Callable[[Keyboard], None], keys: int
) -> None:
    sign_in(page, make_queue(sessions, CALLS, HASH))

    logged = log_calls(page, said, CALLS, Spent)

    assert [each.keys for each in logged] == [keys] * CALLS
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == CALLS
