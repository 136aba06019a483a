"""What signing in leaves behind goes when it is over, and not before."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from outreach.accounts import clearing
from outreach.accounts.jobs import clear_sign_ins
from outreach.accounts.models import AccessLink, SignIn, SignInFailure
from outreach.accounts.rules import (
    ACCESS_KEPT_FOR,
    FAILURES_COUNT_FOR,
    LINK_LIVES,
    LINKS_KEPT_FOR,
    LinkKind,
)
from outreach.factors.models import PasskeyChallenge
from outreach.orm import Model, Sessions
from tests.builders import make_clinic, make_staff
from tests.fakes import MONDAY_10_CHICAGO, FakeClock

NOW = MONDAY_10_CHICAGO
A_SECOND = timedelta(seconds=1)


def _rows(staff_id: int, name: str, age: timedelta) -> list[Model]:
    at = NOW - age
    return [
        SignInFailure(account_hash=name, address_hash="b", at=at),
        PasskeyChallenge(challenge_hash=name, made_at=at),
        AccessLink(
            token_hash=name, staff_id=staff_id, kind=LinkKind.RESET, made_at=at,
            expires_at=at + LINK_LIVES, used_at=at,
        ),
        SignIn(token_hash=name, staff_id=staff_id, created_at=at, seen_at=at, ended_at=at),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("age", "left"),
    [
        (FAILURES_COUNT_FOR - A_SECOND, {SignInFailure, PasskeyChallenge, AccessLink, SignIn}),
        (FAILURES_COUNT_FOR, {AccessLink, SignIn}),
        (LINKS_KEPT_FOR + LINK_LIVES - A_SECOND, {AccessLink, SignIn}),
        (LINKS_KEPT_FOR + LINK_LIVES, {SignIn}),
        (ACCESS_KEPT_FOR - A_SECOND, {SignIn}),
        (ACCESS_KEPT_FOR, set()),
    ],
)
def test_each_goes_when_it_is_over_and_not_before(
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    age: timedelta,
    left: set[type[Model]],
) -> None:
    monkeypatch.setattr(clearing, "PAGE", 2)
    tables = (SignInFailure, PasskeyChallenge, AccessLink, SignIn)
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session))
        for number in range(5):
            session.add_all(_rows(person.id, f"old {number}", age))
        session.flush()
        session.add_all(_rows(person.id, "new", timedelta(0)))

    gone = clear_sign_ins(sessions, FakeClock())

    kept = {}
    with sessions() as session:
        for table in tables:
            kept[table] = len(session.scalars(select(table)).all())
    assert kept == {table: 6 if table in left else 1 for table in tables}
    assert gone == 5 * (len(tables) - len(left))
    assert clear_sign_ins(sessions, FakeClock()) == 0
