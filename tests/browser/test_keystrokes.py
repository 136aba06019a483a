"""Calls in a row by keyboard alone: how many keys and how much of the server's time each takes."""

import json
import sys
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import func, select

from outreach.calls.models import Attempt
from outreach.orm import Sessions
from scripts.keystrokes import (
    Keyboard,
    Timed,
    common_call,
    log_calls,
    make_queue,
    no_answer,
    print_medians,
)
from tests.browser.conftest import sign_in
from tests.conftest import HASH

CALLS = 20


@pytest.fixture
def served(app: Flask) -> Timed:
    return Timed(app)


@pytest.mark.parametrize(("said", "keys"), [(no_answer, 3), (common_call, 4)])
def test_calls_in_a_row_by_keyboard_alone(
    page: Page,
    sessions: Sessions,
    served: Timed,
    said: Callable[[Keyboard], None],
    keys: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sign_in(page, make_queue(sessions, CALLS, HASH))

    logged = log_calls(page, said, CALLS, lambda: served.spent)

    print_medians({said.__name__: logged}, CALLS)
    printed = capsys.readouterr().out
    sys.stdout.write(printed)  # for whoever runs it with -rP
    told = json.loads(printed.splitlines()[-1])
    assert [each.keys for each in logged] == [keys] * CALLS
    assert told[said.__name__]["keys"] == keys
    assert told[said.__name__]["server_seconds"] > 0
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == CALLS
