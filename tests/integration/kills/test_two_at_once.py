"""What is sent at the same moment comes out as if it were sent one after the other.

``table.WALKED`` lists the requests; of most, a part is sent here, with ``OUTREACH_CRASHES=1``
all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from werkzeug.test import TestResponse

from tests.integration.kills.databases import Marks, Rows, seen
from tests.integration.kills.sending import Request
from tests.integration.kills.table import WALKED
from tests.integration.kills.walking import EVERY, TRAIL, assert_once, check_promises, prepared
from tests.integration.kills.world import World
from tests.meeting import at_once

CONFLICT, SERVERS_FAULT = 409, 500

PRESSES = [
    (engine, name)
    for engine, every in (("postgresql", 3), ("sqlite", 12))
    for number, name in enumerate(WALKED)
    if number % every == 1 or EVERY
]


@pytest.mark.parametrize(("world", "name"), PRESSES, indirect=["world"], scope="module")
def test_one_press_sent_twice_at_once_has_its_effect_once(world: World, name: str) -> None:
    whole = prepared(world, name)
    world.restore()

    both = at_once(world.engine, *[lambda: whole.request.send(world)] * 2)

    assert [each.text for each in both if each.status_code >= SERVERS_FAULT] == []
    now = world.database.marks()
    assert_once(whole, seen(world.database.engine, whole.before, now), "twice at once")


# Two people, two windows, or a person and the carrier, about the same patient, panel or person.
PAIRS = (
    ("calls.record", "calls.record, nobody answers"),
    ("calls.record", "chart.status, withdrawn"),
    ("calls.record", "panels.change_caller"),
    ("calls.record", "inbox_webhooks.incoming, stop"),
    ("calls.record", "callers.leave"),
    ("calls.dial", "inbox_webhooks.incoming, stop"),
    ("calls.dial", "panels.change_caller"),
    ("calls.take_back", "chart.status, withdrawn"),
    ("chart.wishes", "chart.rhythm"),
    ("panels.apply", "panels.change_caller"),
    ("panels.apply", "panels.propose"),
    ("panels.apply", "panels.drop"),
    ("panels.apply", "callers.leave"),
    ("callers.leave", "callers.new_absence"),
    ("concerns.acknowledge", "concerns.work"),
    ("patients.texts", "inbox.stop"),
    ("patients.texts", "inbox_webhooks.incoming, stop"),
    ("staff.give_role", "staff.close"),
    ("intake.carry_out", "patients.texts"),
)


@pytest.mark.parametrize("world", ["postgresql"], indirect=True, scope="module")
@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_two_requests_about_the_same_come_out_as_one_after_the_other(
    world: World, names: tuple[str, str]
) -> None:
    world.restore(to_the_first=True)
    for name in names:
        _send_what_came_before(world, name)

    _assert_one_after_the_other(world, *[WALKED[name].filled(world) for name in names])


OF_MANAGERS = [
    name
    for name, request in WALKED.items()
    if request.who == "manager" and not name.startswith(("accounts.", "security."))
]


@pytest.mark.parametrize("world", ["postgresql"], indirect=True, scope="module")
@pytest.mark.parametrize("name", OF_MANAGERS[:: 1 if EVERY else 3])
def test_two_managers_who_do_the_same_come_out_as_one_after_the_other(
    world: World, name: str
) -> None:
    world.restore(to_the_first=True)
    _send_what_came_before(world, name)
    request = WALKED[name].filled(world)

    _assert_one_after_the_other(world, request, replace(request, who="second"))


@pytest.mark.parametrize("world", ["postgresql"], indirect=True, scope="module")
def test_who_was_slower_by_a_moment_is_told_and_keeps_what_was_typed(world: World) -> None:
    world.restore(to_the_first=True)
    request = WALKED["retention.years"].filled(world)
    world.keep()

    both = _at_once(world, request, replace(request, who="second"))

    assert sorted(each.status_code for each in both) == [303, CONFLICT]
    (refused,) = [each.text for each in both if each.status_code == CONFLICT]
    assert "Somebody changed the same at this very moment." in refused
    assert 'name="years" value="' in refused


def _send_what_came_before(world: World, name: str) -> None:
    for earlier in WALKED[name].after:
        answer = WALKED[earlier].filled(world).send(world)
        assert answer.status_code < 400, (earlier, answer.text)


def _assert_one_after_the_other(world: World, one: Request, other: Request) -> None:
    """Send both at once, and hold what comes of it against both orders."""
    world.keep()
    before = world.database.marks()
    orders = [
        _outcome(world, before, partial(_in_turn, world, order))
        for order in ((one, other), (other, one))
    ]
    found = _outcome(world, before, lambda: _at_once(world, one, other))
    check_promises(world)

    assert found in orders


def _outcome(
    world: World, before: Marks, send: Callable[[], list[TestResponse]]
) -> dict[str, Rows]:
    """Return the rows that were changed, without the trail, whose order is part of it."""
    world.restore()
    both = send()
    assert [each.text for each in both if each.status_code >= SERVERS_FAULT] == []
    rows = seen(world.database.engine, before, world.database.marks())
    return {
        table: [tuple(map(_without_number, row)) for row in of]
        for table, of in rows.items()
        if table not in TRAIL
    }


def _without_number(value: object) -> object:
    """Return a value without numbers that are another one each time.

    What the carrier gave a call comes from our own key. A proposal keeps the newest row of the
    panels beside how many there are: rows that were tried and taken back leave gaps.
    """
    if isinstance(value, dict) and "panels" in value:
        return value | {"panels": value["panels"][1:]}
    return "CA" if isinstance(value, str) and value.startswith("CA0") else value


def _in_turn(world: World, requests: Sequence[Request]) -> list[TestResponse]:
    return [each.send(world) for each in requests]


def _at_once(world: World, one: Request, other: Request) -> list[TestResponse]:
    return at_once(world.engine, lambda: one.send(world), lambda: other.send(world))
